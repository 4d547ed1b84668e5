//! Binds a case to a contract and a profile: roles become the names of fields, causes become error codes.
//!
//! What the contract lacks makes the case not applicable. A value that the profile excludes is replaced by one of the
//! profile's; where the case is about that value, the step is left out. It must not know rules, nor how anything is
//! sent.

mod names;
mod profiled;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value};

use self::profiled::{Replacement, Replacements};
use super::names::is_of_answer;
use super::role::{Role, every_optional};
use super::template::{Filter, Piece, Template};
use super::{BatchSpec, Case, Expect, ItemSpec, Named, Outcome, Results, Step};
use crate::contract::file_error::nearest;
use crate::contract::{CodeCause, Contract, Field, FileError, Profile};

/// A case that names fields and codes of its contract.
#[derive(Debug, Clone)]
pub struct Bound {
    /// The case; as it was read where it is not applicable.
    pub case: Case,
    /// Why it can't run under this contract and profile, where it can't.
    pub not_applicable: Option<String>,
    /// What the profile changes in it: values that are replaced, steps that are left out.
    pub notes: Vec<String>,
    /// What is allowed, and may be a slip.
    pub warnings: Vec<FileError>,
}

/// Binds `case` to a contract and a profile.
///
/// # Errors
/// A [`FileError`] with file, line and column for the name of a field or a code that the contract does not have.
pub fn bind(case: Case, contract: &Contract, profile: &Profile) -> Result<Bound, FileError> {
    let mut bound = case.clone();
    let (parts, items, many) = (parts(&case, contract), item_names(&case), several(&case));
    let replacements = RefCell::default();
    let binder = Binder { case: &case, contract, profile, parts, items, many, replacements };
    let warnings = binder.warnings();
    match binder.case(&mut bound) {
        Ok(left_out) => {
            let mut notes = binder.replacements.borrow().notes();
            notes.extend(left_out);
            Ok(Bound { case: bound, not_applicable: None, notes, warnings })
        }
        Err(Unbound::NotApplicable(reason) | Unbound::Excluded(reason)) => {
            Ok(Bound { case, not_applicable: Some(reason), notes: Vec::new(), warnings })
        }
        Err(Unbound::Unusable(problem)) => Err(*problem),
    }
}

/// Why a case can't be bound.
enum Unbound {
    NotApplicable(String),
    /// The profile excludes a value that the case is about: the step with it is left out.
    Excluded(String),
    Unusable(Box<FileError>),
}

impl From<FileError> for Unbound {
    fn from(problem: FileError) -> Unbound {
        Unbound::Unusable(Box::new(problem))
    }
}

struct Binder<'a> {
    case: &'a Case,
    contract: &'a Contract,
    profile: &'a Profile,
    /// Names of fields that an item can have: the contract's, and those that the case sets itself.
    parts: HashSet<String>,
    /// The profile's values in place of the case's.
    replacements: RefCell<Replacements>,
    /// Names of items.
    items: HashSet<String>,
    /// Those that stand for several: how many.
    many: HashMap<String, usize>,
}

fn item_names(case: &Case) -> HashSet<String> {
    fn collect(step: &Step, into: &mut HashSet<String>) {
        into.extend(step_items(step).filter_map(|item| item.name.clone()));
        step.simultaneously.iter().flatten().for_each(|inner| collect(inner, into));
    }
    let mut names = HashSet::new();
    case.spec.steps.iter().flatten().for_each(|step| collect(step, &mut names));
    names
}

/// Names that stand for several items, each with how many: copies of one item that a batch has.
fn several(case: &Case) -> HashMap<String, usize> {
    fn collect(step: &Step, into: &mut HashMap<String, usize>) {
        into.extend(
            step_items(step).filter_map(|item| {
                Some((item.name.clone()?, item.times.filter(|times| *times > 1)?))
            }),
        );
        step.simultaneously.iter().flatten().for_each(|inner| collect(inner, into));
    }
    let mut names = HashMap::new();
    case.spec.steps.iter().flatten().for_each(|step| collect(step, &mut names));
    names
}

/// The items that a step writes out.
fn step_items(step: &Step) -> impl Iterator<Item = &ItemSpec> {
    let batch = match &step.batch {
        Some(BatchSpec::Items(items)) => items.as_slice(),
        _ => &[],
    };
    batch.iter().chain(step.items.iter().flatten())
}

fn parts(case: &Case, contract: &Contract) -> HashSet<String> {
    let mut parts: HashSet<String> = contract.fields().iter().map(|f| f.name.clone()).collect();
    for step in case.spec.steps.iter().flatten() {
        set_names(step, &mut parts);
    }
    parts
}

fn set_names(step: &Step, into: &mut HashSet<String>) {
    for item in step_items(step) {
        into.extend(item.set.keys().chain(item.set_raw.keys()).cloned());
    }
    step.simultaneously.iter().flatten().for_each(|inner| set_names(inner, into));
}

impl Binder<'_> {
    /// Binds the case; says which steps are left out.
    fn case(&self, case: &mut Case) -> Result<Vec<String>, Unbound> {
        let title = &self.contract.batch.title;
        if let Some(only) = case.spec.contract.as_ref().filter(|only| *only != title) {
            return Err(Unbound::NotApplicable(format!("it is about the contract `{only}`")));
        }
        if let Some(expect) = &mut case.spec.expect {
            self.expect(expect)?;
        }
        let Some(steps) = case.spec.steps.take() else { return Ok(Vec::new()) };
        let (mut bound, mut left_out) = (Vec::new(), Vec::new());
        let (mut lost, mut first) = (HashSet::new(), None);
        for (at, mut step) in steps.into_iter().enumerate() {
            let why = if names::needs(&step, &lost) {
                "it needs a step that is left out".to_owned()
            } else {
                let written = step.clone();
                match self.step(&mut step) {
                    Ok(()) => {
                        bound.push(step);
                        continue;
                    }
                    Err(Unbound::Excluded(reason)) => {
                        step = written;
                        reason
                    }
                    Err(other) => return Err(other),
                }
            };
            names::given(&step, &mut lost);
            left_out.push(format!("step {} is left out: {why}", at + 1));
            first.get_or_insert(why);
        }
        match first {
            Some(why) if bound.is_empty() => Err(Unbound::NotApplicable(why)),
            _ => {
                case.spec.steps = Some(bound);
                Ok(left_out)
            }
        }
    }

    fn step(&self, step: &mut Step) -> Result<(), Unbound> {
        if let Some(expect) = &mut step.expect {
            self.expect(expect)?;
        }
        let acceptable = self.case.dir.is_none() && may_be_accepted(step);
        if let Some(BatchSpec::Items(items)) = &mut step.batch {
            items.iter_mut().try_for_each(|item| self.item(item, acceptable))?;
        }
        step.items.iter_mut().flatten().try_for_each(|item| self.item(item, acceptable))?;
        for text in [&mut step.body, &mut step.raw, &mut step.path].into_iter().flatten() {
            *text = self.text(text)?;
        }
        for value in step.headers.values_mut().flatten() {
            *value = self.text(value)?;
        }
        if let (Some(file), Some(text)) = (&step.batch_from, &mut step.batch_text) {
            // Its mistakes are in that file.
            let case = self.case.within_batch(file, text);
            let (parts, items) = (self.parts.clone(), self.items.clone());
            let many = self.many.clone();
            let within = Binder {
                case: &case,
                contract: self.contract,
                profile: self.profile,
                parts,
                items,
                many,
                replacements: RefCell::default(),
            };
            *text = within.text(text)?.into();
        }
        step.simultaneously.iter_mut().flatten().try_for_each(|inner| self.step(inner))
    }

    fn item(&self, item: &mut ItemSpec, acceptable: bool) -> Result<(), Unbound> {
        let mut set = Map::new();
        for (key, value) in &item.set {
            let (name, mut value) = (self.key(key)?, self.value(value)?);
            if acceptable {
                match self.allowed(&name, value)? {
                    Some(allowed) => value = allowed,
                    None => continue,
                }
            }
            if set.insert(name.clone(), value).is_some() {
                return Err(one_field(&name));
            }
        }
        let mut set_raw = BTreeMap::new();
        for (key, text) in &item.set_raw {
            let (name, text) = (self.key(key)?, self.text(text)?);
            // What is not JSON, or not UTF-8, is nothing that a server must accept.
            if acceptable
                && !has_bytes(&text)
                && let Ok(value) = serde_json::from_str(&text)
                && let Some(reason) = self.why_excluded(&name, &value)?
            {
                return Err(Unbound::Excluded(reason));
            }
            if set.contains_key(&name) || set_raw.insert(name.clone(), text).is_some() {
                return Err(one_field(&name));
            }
        }
        let mut unset = Vec::new();
        for named in &item.unset {
            for name in self.unset(named)? {
                if acceptable && self.contract.demanded.contains(&name) {
                    if self.case.spec.keep_values {
                        return Err(Unbound::Excluded(format!("the profile demands `{name}`")));
                    }
                    self.replacements.borrow_mut().keep(&name);
                    continue;
                }
                unset.push(Named { name, ..*named });
            }
        }
        (item.set, item.set_raw, item.unset) = (set, set_raw, unset);
        if let Some(raw) = &mut item.raw {
            *raw = self.text(raw)?;
        }
        Ok(())
    }

    /// The names of fields that are to be left out.
    fn unset(&self, named: &Named) -> Result<Vec<String>, Unbound> {
        if named.name == "@every-optional" {
            let all = every_optional(self.contract);
            return Ok(all.into_iter().map(|field| field.name.clone()).collect());
        }
        let name = self.key(&named.name)?;
        if self.parts.contains(&name) {
            return Ok(vec![name]);
        }
        let problem = FileError::new(&*self.case.file, format!("the items have no field `{name}`"))
            .at(named.line, named.column)
            .expected("a field of the contract, or one that the case sets")
            .nearest(&name, &self.parts);
        Err(problem.into())
    }

    /// The name of a field that is written as a key: by its name, or by its role.
    fn key(&self, key: &str) -> Result<String, Unbound> {
        if let Some(plain) = key.strip_prefix("@@") {
            return Ok(format!("@{plain}"));
        }
        match key.strip_prefix('@') {
            Some(word) => self.name(word, None),
            None => self.text(key),
        }
    }

    /// The name that has a role.
    fn name(&self, word: &str, filter: Option<Filter>) -> Result<String, Unbound> {
        let batch = &self.contract.batch;
        let shape = self.contract.shape.as_ref();
        let items = shape.map_or(Some(&*batch.items), |shape| shape.written_items());
        let name = match Role::parse(word) {
            Some(Role::Key) if !batch.has_key() => {
                return Err(Unbound::NotApplicable("the contract has no unique key".to_owned()));
            }
            Some(Role::Key) => batch.unique.as_str(),
            Some(Role::Items) => items.ok_or_else(|| {
                let reason = "the items are not in a member of the body";
                Unbound::NotApplicable(reason.to_owned())
            })?,
            Some(Role::Results) => batch.results.as_str(),
            Some(Role::Field(role)) => role
                .field(self.contract, self.profile)
                .map_err(Unbound::NotApplicable)?
                .name
                .as_str(),
            Some(Role::EveryOptional) | None => {
                let problem = self.case.problem(format!("`@{word}` is not one field"), word);
                return Err(problem.expected("the role of one field").into());
            }
        };
        let Some(filter) = filter else { return Ok(name.to_owned()) };
        let other = filter.apply(name);
        if other == name {
            let reason = format!("`{name}` has no other spelling of that kind");
            return Err(Unbound::NotApplicable(reason));
        }
        Ok(other)
    }

    fn value(&self, value: &Value) -> Result<Value, Unbound> {
        Ok(match value {
            Value::String(text) => Value::String(self.text(text)?),
            Value::Array(list) => {
                Value::Array(list.iter().map(|v| self.value(v)).collect::<Result<_, _>>()?)
            }
            Value::Object(map) => {
                let mut bound = Map::new();
                for (key, value) in map {
                    bound.insert(key.clone(), self.value(value)?);
                }
                Value::Object(bound)
            }
            other => other.clone(),
        })
    }

    /// A text with names in place of the roles in its templates.
    fn text(&self, text: &str) -> Result<String, Unbound> {
        // Templates were checked when the file was loaded.
        let Ok(template) = Template::parse(text) else { return Ok(text.to_owned()) };
        for piece in &template.0 {
            self.check_capture(piece)?;
        }
        if !text.contains('@') && !template.0.contains(&Piece::Longest) {
            return Ok(text.to_owned());
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, inside) = (&rest[..at], &rest[at + 2..]);
            let end = if before.ends_with('$') { None } else { inside.find('}') };
            out.push_str(before);
            let Some(end) = end else {
                out.push_str("${");
                rest = inside;
                continue;
            };
            out.push_str(&self.piece(&inside[..end])?);
            rest = &inside[end + 1..];
        }
        out.push_str(rest);
        Ok(out)
    }

    /// The inside of `${…}`: a role becomes a name, a capture by role becomes one by name.
    fn piece(&self, inside: &str) -> Result<String, Unbound> {
        if inside == "fresh:longest" {
            return Ok(format!("${{fresh:{}}}", self.longest_key()));
        }
        if inside.starts_with('@') {
            let Ok(template) = Template::parse(&format!("${{{inside}}}")) else {
                return Ok(String::new());
            };
            let Some(Piece::Name { role, filter }) = template.0.first() else {
                return Ok(String::new());
            };
            // In bodies the name is written between quotes.
            let quoted = Value::from(self.name(role, *filter)?).to_string();
            return Ok(quoted.trim_matches('"').replace("${", "$${"));
        }
        let Some((name, part)) = inside.split_once(".@") else {
            return Ok(format!("${{{inside}}}"));
        };
        let (word, filter) = part.split_once('|').map_or((part, None), |(w, f)| (w, Some(f)));
        let filter = filter.map_or_else(String::new, |f| format!("|{f}"));
        Ok(format!("${{{name}.{}{filter}}}", self.name(word, None)?))
    }

    /// An item's field that is reached by its name must be one that items can have.
    fn check_capture(&self, piece: &Piece) -> Result<(), FileError> {
        let Piece::Capture { name, part, .. } = piece else { return Ok(()) };
        let near = format!("${{{name}.{part}");
        if let Some(times) = self.many.get(name) {
            let found = format!("`{name}` is {times} items: which of them is meant?");
            let one = format!(
                "an item of its own for it: `- {{ as: {name} }}`, `- {{ times: {} }}`",
                times - 1
            );
            return Err(self.case.problem(found, &near).expected(one));
        }
        if part.starts_with(['/', '@']) || self.parts.contains(part) {
            return Ok(());
        }
        if is_of_answer(part) {
            if !self.items.contains(name) {
                return Ok(());
            }
            let found = format!("`{name}` is an item: only a step has an answer with `{part}`");
            let step =
                format!("the `as:` of a step: `- {{ as: STEP, batch: … }}` and `${{STEP.{part}}}`");
            return Err(self.case.problem(found, &near).expected(step));
        }
        Err(self
            .case
            .problem(format!("`{name}` has no field `{part}`"), &near)
            .expected("a field of the contract, one that the case sets, or a role such as `@key`")
            .nearest(part, &self.parts))
    }

    /// Fields of a user's own case that the contract does not name: the schema is open, so they are sent.
    fn warnings(&self) -> Vec<FileError> {
        let mut warnings = Vec::new();
        if self.case.dir.is_some() {
            self.case.spec.steps.iter().flatten().for_each(|step| self.warn(step, &mut warnings));
        }
        warnings
    }

    fn warn(&self, step: &Step, into: &mut Vec<FileError>) {
        let fields: Vec<&str> = self.contract.fields().iter().map(|f| f.name.as_str()).collect();
        for key in step_items(step).flat_map(|item| item.set.keys().chain(item.set_raw.keys())) {
            let is_name = !key.contains("${") && !key.starts_with('@');
            if !is_name || fields.contains(&key.as_str()) {
                continue;
            }
            let found = format!("the contract has no field `{key}`: it is sent beside the others");
            let warning = self.case.problem(found, &format!("{key}:"));
            let warning = match nearest(key, &fields) {
                Some(near) => warning.hint(format!("did you mean `{near}`?")),
                None => warning.hint(format!("its fields are {}", fields.join(", "))),
            };
            if !into.contains(&warning) {
                into.push(warning);
            }
        }
        step.simultaneously.iter().flatten().for_each(|inner| self.warn(inner, into));
    }

    fn expect(&self, expect: &mut Expect) -> Result<(), Unbound> {
        let line = expect.line;
        if let Some(code) = &mut expect.refused {
            self.code(code, line)?;
        }
        match &mut expect.results {
            None => {}
            Some(Results::All(outcome)) => self.outcome(outcome, line)?,
            Some(Results::Each(list)) => {
                list.iter_mut().try_for_each(|outcome| self.outcome(outcome, line))?;
            }
            Some(Results::ExactlyOne { one, others }) => {
                self.outcome(one, line)?;
                self.outcome(others, line)?;
            }
        }
        let pins = std::mem::take(&mut expect.body);
        for (pointer, mut pin) in pins {
            if let super::BodyPin::Equals(value) = &mut pin {
                *value = self.value(value)?;
            }
            expect.body.insert(self.text(&pointer)?, pin);
        }
        Ok(())
    }

    fn outcome(&self, outcome: &mut Outcome, line: u64) -> Result<(), Unbound> {
        match outcome {
            Outcome::Rejected(code) => self.code(code, line),
            Outcome::Accepted | Outcome::Any => Ok(()),
        }
    }

    /// A cause becomes the code that the contract documents for it; without one, any code fits.
    fn code(&self, code: &mut Option<String>, line: u64) -> Result<(), Unbound> {
        let Some(word) = code.take() else { return Ok(()) };
        let codes = &self.contract.batch.codes;
        let cause = match word.as_str() {
            "used" => Some(CodeCause::Used),
            "missing" => Some(CodeCause::Missing),
            _ => None,
        };
        match cause {
            _ if codes.contains_key(&word) => *code = Some(word),
            // Which of several codes fits depends on the field, which CODE-003 looks at.
            Some(cause) if codes.values().any(|c| c.cause == cause && c.field.is_some()) => {}
            Some(cause) => *code = self.contract.code_for(cause).map(str::to_owned),
            None => {
                let known = codes.keys().map(String::as_str).chain(["used", "missing"]);
                let found = format!("the contract has no error code `{word}`");
                let problem = self.case.problem_from(line, found, &word);
                let problem = problem.expected(
                    "a code of the contract or of the profile, or a cause: used, missing",
                );
                return Err(problem.nearest(&word, known).into());
            }
        }
        Ok(())
    }

    /// The value that a field has in a request that must be accepted: the case's, or one of the profile's; nothing
    /// where the profile omits the field.
    fn allowed(&self, name: &str, value: Value) -> Result<Option<Value>, Unbound> {
        let Some(reason) = self.why_excluded(name, &value)? else { return Ok(Some(value)) };
        let field = self.contract.field(name).filter(|_| !self.case.spec.keep_values);
        let Some(field) = field else { return Err(Unbound::Excluded(reason)) };
        let mut replacements = self.replacements.borrow_mut();
        match replacements.find(self.contract, self.profile, field, &value) {
            Some(Replacement::By(other)) => Ok(Some(other)),
            Some(Replacement::LeftOut) => Ok(None),
            None => Err(Unbound::Excluded(reason)),
        }
    }

    /// Why the profile excludes a value of a field, where it does.
    ///
    /// What the contract excludes makes the case not applicable.
    fn why_excluded(&self, name: &str, value: &Value) -> Result<Option<String>, Unbound> {
        let Some(field) = self.contract.field(name) else { return Ok(None) };
        let refuse = |reason: String| Err(Unbound::NotApplicable(reason));
        if *name == self.contract.batch.unique {
            let captured = |text: &str| {
                Template::parse(text).is_ok_and(|template| {
                    matches!(template.0.as_slice(), [Piece::Capture { filter: None, .. }])
                })
            };
            let is_text = value.as_str().is_some_and(|text| !captured(text));
            let everyday = Value::from("bptest-261127-k3x9qz-agxpll-T7QR9L");
            let takes_text = || -> Result<bool, Unbound> {
                let validator = self.contract.operation.compile(&field.schema)?;
                Ok(["pattern", "format"].iter().all(|key| field.schema.get(key).is_none())
                    || validator.is_valid(&everyday))
            };
            if is_text && !takes_text()? {
                return refuse("the contract's keys have a form of their own".to_owned());
            }
            let longest = self.longest_key();
            return if value.as_str().map_or(0, least_length) > longest {
                refuse(format!("the contract has no key of more than {longest} characters"))
            } else {
                Ok(None)
            };
        }
        if self.profile.omit.contains(&field.name) {
            return Ok(Some(format!("the profile omits `{name}`")));
        }
        if !self.profile_allows(field, value) {
            return Ok(Some(format!("`{name}: {value}` is outside the profile's values")));
        }
        let literal = value.as_str().is_none_or(|text| !text.contains("${"));
        if literal && !self.contract.operation.compile(&field.schema)?.is_valid(value) {
            return refuse(format!("`{name}: {value}` is outside the contract's schema"));
        }
        Ok(None)
    }

    /// Code points of the longest key that must be accepted, and that its result can carry.
    fn longest_key(&self) -> usize {
        let plain = self.contract.batch.limits.plain_string;
        let Some(key) = self.contract.field(&self.contract.batch.unique) else { return plain };
        let own = key.schema.get("maxLength").and_then(Value::as_u64);
        let own = own.and_then(|length| usize::try_from(length).ok());
        own.into_iter().chain(key.result_max).fold(plain, usize::min)
    }

    fn profile_allows(&self, field: &Field, value: &Value) -> bool {
        // What a drawn item has in the same field is one of the profile's values.
        let captured = |template: Template| match template.0.as_slice() {
            [Piece::Capture { part, filter: None, .. }] => *part == field.name,
            _ => false,
        };
        value.as_str().and_then(|text| Template::parse(text).ok()).is_some_and(captured)
            || self.profile.allows(&field.name, value)
    }
}

/// Whether a text has bytes that no UTF-8 has.
fn has_bytes(text: &str) -> bool {
    Template::parse(text).is_ok_and(|t| t.0.iter().any(|piece| matches!(piece, Piece::Byte(_))))
}

/// Code points of the shortest fresh key: what tells processes apart, and a counter.
const SHORTEST_KEY: usize = 14;

/// Code points that a text has at least, once it is filled in.
fn least_length(text: &str) -> usize {
    let Ok(template) = Template::parse(text) else { return 0 };
    let length = |piece: &Piece| match piece {
        Piece::Text(text) => text.chars().count(),
        Piece::Fresh(Some(length)) => *length,
        Piece::Fresh(None) | Piece::Key { .. } | Piece::Digits(_) => SHORTEST_KEY,
        Piece::Repeat(count, text) => count.saturating_mul(text.chars().count()),
        _ => 0,
    };
    template.0.iter().map(length).fold(0, usize::saturating_add)
}

fn one_field(name: &str) -> Unbound {
    Unbound::NotApplicable(format!("`{name}` has two of the roles that the case needs"))
}

/// Whether a step is sent to be accepted, as far as its file says.
fn may_be_accepted(step: &Step) -> bool {
    let Some(expect) = &step.expect else { return true };
    let refused = expect.refused.is_some() || expect.not_processed || expect.answered;
    let failed = expect.status.as_ref().is_some_and(|pin| !pin.fits(200));
    !refused && !failed
}
