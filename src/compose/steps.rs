//! Composes the requests of a written-out step.

use bytes::Bytes;

use super::captures::{CHUNK_MARK, LENGTH_MARK, body_bytes, filled};
use super::{BodyStyle, Captures, OutgoingItem, batch, documented_headers, documented_path};
use crate::case::{
    BatchSpec, Case, Credential, Framing, ItemSpec, Named, Step, ValuesSpec, keys_in_batch,
};
use crate::contract::{Contract, FileError};
use crate::exchange::TOKEN_MARK;
use crate::exchange::TRACE_HEADER;
use crate::exchange::{BodyIntent, Exchange, Request};
use crate::generate::{self, BatchShape, Draft, Mutation};
use crate::session::Environment;

/// A request ready to be sent, with what its body means.
#[derive(Debug, Clone)]
pub struct ComposedRequest {
    /// The request.
    pub request: Request,
    /// What its body means.
    pub body: BodyIntent,
}

/// One request, or several copies of it.
pub type Copies = Vec<ComposedRequest>;

/// What a step is composed from.
pub struct StepSource<'a> {
    pub environment: &'a Environment,
    /// The case that the step is one of.
    pub case: &'a Case,
    pub exchanges: &'a [Exchange],
    pub run: u64,
    pub seed: u64,
}

/// Composes `step`, all copies of it, and names its items.
///
/// # Errors
/// A [`FileError`] where a file that it names can't be used.
pub fn compose(
    source: &StepSource<'_>,
    captures: &mut Captures,
    step: &Step,
) -> Result<Copies, FileError> {
    let times = step.times.unwrap_or(1);
    let mut copies: Copies = Vec::with_capacity(times);
    for copy in 0..times {
        match copies.first() {
            Some(first) if step.identical => {
                let same = first.clone();
                copies.push(same);
            }
            _ => {
                let mut composed = one(source, captures, step, copy as u64)?;
                if source.case.dir.is_some() {
                    mark_literal_keys(source.environment, &mut composed.body);
                }
                copies.push(composed);
            }
        }
    }
    Ok(copies)
}

/// Marks the items whose keys were not made for this run: an earlier one may have used them.
fn mark_literal_keys(environment: &Environment, body: &mut BodyIntent) {
    let BodyIntent::Batch { items, .. } = body else { return };
    // Filters change the letter case of keys.
    let prefix = environment.keys.prefix().to_lowercase();
    for item in items {
        let is_own = |number: &String| number.to_lowercase().contains(&prefix);
        item.literal = item.number.as_ref().is_some_and(|number| !is_own(number));
    }
}

fn one(
    source: &StepSource<'_>,
    captures: &mut Captures,
    step: &Step,
    copy: u64,
) -> Result<ComposedRequest, FileError> {
    let environment = source.environment;
    let contract = &environment.contract;
    let seed = source.seed.wrapping_add(copy.wrapping_mul(0x9e37_79b9));
    if let Some(items) = &step.items {
        let _ = entries(source, captures, step, &BatchSpec::Items(items.clone()), seed);
    }
    if let Some(raw) = &step.raw {
        let text = captures.text(environment, source.exchanges, raw, seed);
        return Ok(raw_request(environment, &completed(contract, text)));
    }
    let (bytes, body) = if let Some(spec) = &step.batch {
        let entries = entries(source, captures, step, spec, seed);
        if let (Some(name), [one]) = (&step.name, entries.as_slice()) {
            captures.item(name, one.clone(), one.value(environment));
        }
        let (bytes, body) = batch(environment, &entries, BodyStyle::Compact);
        (Some(bytes), body)
    } else if let Some(file) = &step.batch_from {
        let Some(text) = &step.batch_text else {
            return Err(FileError::new(&**file, "it was not read")
                .expected("a readable file with a JSON body"));
        };
        let text = captures.text(environment, source.exchanges, text, seed);
        let text = if step.fresh_keys {
            if copy > 0 {
                captures.forget_renewed();
            }
            fresh_keys(environment, captures, &text)
        } else {
            text
        };
        let bytes = body_bytes(&text);
        let body = BodyIntent::of(contract.body_validity(&bytes), contract.judged_key());
        (Some(Bytes::from(bytes)), body)
    } else if let Some(text) = &step.body {
        let text = captures.text(environment, source.exchanges, text, seed);
        let bytes = body_bytes(&filled(&completed(contract, text)));
        let body = BodyIntent::of(contract.body_validity(&bytes), contract.judged_key());
        (Some(Bytes::from(bytes)), body)
    } else if let Some(hex) = &step.body_hex {
        let bytes = crate::contract::unhex(hex);
        let body = BodyIntent::of(contract.body_validity(&bytes), contract.judged_key());
        (Some(Bytes::from(bytes)), body)
    } else if let Some(Named { name, .. }) = &step.resend {
        let bytes = captures.body(name).unwrap_or_default();
        let body = BodyIntent::of(contract.body_validity(&bytes), contract.judged_key());
        (Some(bytes), body)
    } else {
        (None, BodyIntent::None)
    };
    let mut headers = documented_headers(contract);
    if bytes.is_none() {
        headers.retain(|(n, _)| n != "Content-Type");
    }
    for (name, value) in &step.headers {
        headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        if let Some(value) = value {
            headers.push((name.clone(), captures.text(environment, source.exchanges, value, seed)));
        } else if name.eq_ignore_ascii_case(TRACE_HEADER) {
            // An empty one says that the request has none: sending adds no other and leaves it out.
            headers.push((TRACE_HEADER.to_owned(), String::new()));
        }
    }
    let path = match &step.path {
        Some(path) => captures.text(environment, source.exchanges, path, seed),
        None => documented_path(contract),
    };
    let request = Request {
        method: step.method.clone().unwrap_or_else(|| contract.operation.method.clone()),
        path,
        headers,
        credential: step.credential,
        body: bytes,
        framing: step.framing,
        hang_up: step.disconnect,
        new_connection: step.new_connection,
        trace: None,
        raw: None,
    };
    Ok(ComposedRequest { request, body })
}

/// A text that a case wrote out, with what its contract wants around the items.
fn completed(contract: &Contract, text: String) -> String {
    match &contract.shape {
        Some(shape) => shape.completed(&text),
        None => text,
    }
}

fn entries(
    source: &StepSource<'_>,
    captures: &mut Captures,
    step: &Step,
    spec: &BatchSpec,
    seed: u64,
) -> Vec<OutgoingItem> {
    let environment = source.environment;
    let style = style(step.values.unwrap_or(ValuesSpec::Plain));
    match spec {
        BatchSpec::Count(span) => {
            let shape = BatchShape { items: environment.clamp(*span), style };
            let drafts = environment.generator.batch(seed, &shape);
            drafts.into_iter().map(|d| OutgoingItem::with_fresh_key(environment, d)).collect()
        }
        BatchSpec::Items(items) => {
            let shape = BatchShape { items: items.len()..=items.len(), style };
            let drafts = environment.generator.batch(seed, &shape);
            let mut entries = Vec::new();
            for (at, (item, draft)) in items.iter().zip(drafts).enumerate() {
                for copy in 0..item.times.unwrap_or(1) {
                    let seed = seed ^ ((at as u64) << 32) ^ copy as u64;
                    entries.push(entry(source, captures, item, draft.clone(), seed));
                }
            }
            entries
        }
    }
}

fn entry(
    source: &StepSource<'_>,
    captures: &mut Captures,
    item: &ItemSpec,
    draft: Draft,
    seed: u64,
) -> OutgoingItem {
    let environment = source.environment;
    let contract = &environment.contract;
    let mut draft = match &item.like {
        Some(like) => captures.entry(&like.name).map_or(draft, |e| {
            let mut copy = e.draft.clone();
            copy.key = generate::KeyShape::Plain;
            copy.raw.retain(|raw| raw.field != contract.batch.unique);
            copy.mint_all(contract);
            copy
        }),
        None => draft,
    };
    let mut mutations = Vec::new();
    if let Some(mutation) =
        item.mutate.as_ref().and_then(|m| pick(environment, &m.name, source.run))
    {
        mutations.push(mutation.apply(&mut draft));
    }
    for (field, value) in &item.set {
        if captures.lacks(value) {
            draft.remove(contract, field);
            continue;
        }
        let value = captures.value(environment, source.exchanges, value, seed);
        draft.set(contract, field, value);
    }
    for (field, text) in &item.set_raw {
        let text = captures.text(environment, source.exchanges, text, seed);
        draft.set_text(contract, field, text);
    }
    for field in &item.unset {
        draft.remove(contract, &field.name);
    }
    let mut entry = OutgoingItem::with_fresh_key(environment, draft);
    entry.mutations = mutations;
    if let Some(raw) = &item.raw {
        entry.raw = Some(captures.text(environment, source.exchanges, raw, seed));
    }
    if let Some(name) = &item.name {
        let value = entry.value(environment);
        captures.item(name, entry.clone(), value);
    }
    entry
}

/// The mutation of that name whose turn it is.
fn pick<'a>(environment: &'a Environment, name: &str, run: u64) -> Option<&'a Mutation> {
    let list = environment.generator.mutations(name).filter(|l| !l.is_empty())?;
    let index = usize::try_from(run % list.len() as u64).unwrap_or(0);
    list.get(index)
}

pub(crate) fn style(style: ValuesSpec) -> generate::ValueStyle {
    match style {
        ValuesSpec::Plain => generate::ValueStyle::Plain,
        ValuesSpec::Boundary => generate::ValueStyle::Boundary,
        ValuesSpec::Unusual => generate::ValueStyle::Unusual,
    }
}

/// Puts a fresh key in the place of each item's: equal ones stay equal, and no other byte changes.
fn fresh_keys(environment: &Environment, captures: &mut Captures, text: &str) -> String {
    let batch = &environment.contract.batch;
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (place, key) in keys_in_batch(text, &environment.contract.items_steps(), &batch.unique) {
        let fresh = captures.renewed(environment, key);
        out.push_str(&text[done..place.start]);
        out.push_str(&fresh.to_string());
        done = place.end;
    }
    out.push_str(&text[done..]);
    out
}

/// Reads a request that was written out, so that it is judged like any other.
/// A head that a case wrote out, with what its target and its contract want in it: what stands before the documented
/// path, the query, and headers that it does not have.
fn documented_head(environment: &Environment, head: &str) -> String {
    let contract = &environment.contract;
    let (first, rest) = head.split_once('\n').unwrap_or((head, ""));
    let mut words: Vec<&str> = first.split(' ').collect();
    let Some(path) = words.get_mut(1).filter(|path| path.starts_with(&contract.operation.path))
    else {
        return head.to_owned();
    };
    let query = contract.shape.as_ref().map_or("", |shape| &shape.query);
    let query = if **path == contract.operation.path { query } else { "" };
    let whole = format!("{}{path}{query}", environment.sender.target.prefix());
    *path = &whole;
    let mut head = words.join(" ");
    let has = |name: &str| {
        let mut fields = rest.lines().filter_map(|line| line.split_once(':'));
        fields.any(|(known, _)| known.trim().eq_ignore_ascii_case(name))
    };
    for (name, value) in contract.shape.iter().flat_map(|shape| &shape.headers) {
        if !has(name) {
            head.extend(["\n", name, ": ", value]);
        }
    }
    if !rest.is_empty() {
        head.push('\n');
        head.push_str(rest);
    }
    head
}

fn raw_request(environment: &Environment, text: &str) -> ComposedRequest {
    let contract = &environment.contract;
    let text = text.replace("\r\n", "\n");
    // Without an empty line, the text ends with its last header's line end.
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
    let body = &measured(&filled(body));
    let head = head.replace(LENGTH_MARK, &body.len().to_string());
    let head = documented_head(environment, &head);
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or("").split(' ');
    let method = words.next().unwrap_or("").to_owned();
    let path = words.next().unwrap_or("");
    let path = path.strip_prefix(environment.sender.target.prefix()).unwrap_or(path).to_owned();
    let mut headers: Vec<(String, String)> = lines
        .filter_map(|l| l.split_once(':'))
        .map(|(n, v)| (n.to_owned(), v.trim().to_owned()))
        .collect();
    let has_token = |(n, v): &(String, String)| {
        n.eq_ignore_ascii_case("authorization") && v.contains(TOKEN_MARK)
    };
    let credential =
        if headers.iter().any(has_token) { Credential::Good } else { Credential::None };
    headers.retain(|h| !has_token(h));
    let chunked = headers.iter().any(|(n, v)| {
        n.eq_ignore_ascii_case("transfer-encoding") && v.eq_ignore_ascii_case("chunked")
    });
    let content = if chunked { unchunked(body) } else { body.as_bytes().to_vec() };
    let intent = if content.is_empty() && method != contract.operation.method {
        BodyIntent::None
    } else {
        BodyIntent::of(contract.body_validity(&content), contract.judged_key())
    };
    // Chunked framing is made of lines as well.
    let framed = if chunked { body.replace('\n', "\r\n") } else { body.to_owned() };
    let raw = format!("{}\r\n\r\n{framed}", head.replace('\n', "\r\n"));
    ComposedRequest {
        request: Request {
            method,
            path,
            headers,
            credential,
            body: Some(Bytes::from(content)),
            framing: if chunked { Framing::Chunked } else { Framing::Sized },
            hang_up: None,
            new_connection: true,
            trace: None,
            raw: Some(Bytes::from(raw)),
        },
        body: intent,
    }
}

/// The lines of a body, chunk sizes filled in.
fn measured(body: &str) -> String {
    if !body.contains(CHUNK_MARK) {
        return body.to_owned();
    }
    let lines: Vec<&str> = body.split('\n').collect();
    let line = |(at, line): (usize, &&str)| {
        let next = lines.get(at + 1).map_or(0, |next| next.len());
        line.replace(CHUNK_MARK, &format!("{next:x}"))
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

fn unchunked(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    loop {
        let Some(end) = rest.iter().position(|b| *b == b'\n') else { return out };
        let line = String::from_utf8_lossy(&rest[..end]);
        let size = line.split(';').next().unwrap_or("").trim();
        let Ok(size) = usize::from_str_radix(size, 16) else { return out };
        rest = &rest[end + 1..];
        if size == 0 || rest.len() < size {
            return out;
        }
        out.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        while let [b'\r' | b'\n', tail @ ..] = rest {
            rest = tail;
        }
    }
}
