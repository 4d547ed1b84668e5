//! What a case file says is checked before anything is sent: templates, names, and what goes together.

use crate::case::names::Names;
use crate::case::template::Template;
use crate::case::{
    BatchSpec, BodyPin, Case, Expect, Generate, HeaderPin, ItemSpec, Role, Step, Thresholds,
};
use crate::contract::file_error::FileError;

/// Checks one case.
pub(super) struct Checker<'a> {
    pub(super) case: &'a Case,
    pub(super) names: Names,
}

impl Checker<'_> {
    fn problem(&self, found: impl Into<String>, near: &str) -> FileError {
        self.case.problem(found, near)
    }

    pub(super) fn check(mut self) -> Result<(), FileError> {
        let spec = &self.case.spec;
        if spec.thresholds.as_ref().is_some_and(Thresholds::is_empty) {
            return Err(self
                .problem("`thresholds` without any", "thresholds")
                .expected("one of p50, p90, p95, p99, p99.9, max, mean, error-rate"));
        }
        spec.expect.iter().try_for_each(|expect| self.check_expect(expect))?;
        match (&spec.steps, &spec.generate) {
            (Some(_), Some(_)) => Err(self
                .problem("both `steps` and `generate`", "generate")
                .expected("one of them: a case either writes its requests out or generates them")),
            (None, None) => Err(self
                .problem("neither `steps` nor `generate`", "title")
                .expected("`steps: [ … ]`, or `generate: { items: 2..50 }`")),
            (Some(steps), None) => {
                for (key, present) in [
                    ("mutate", spec.mutate.is_some()),
                    ("relation", spec.relation.is_some()),
                    ("expect", spec.expect.is_some()),
                ] {
                    if present {
                        return Err(self.problem(format!("`{key}` beside `steps`"), key).expected(
                            format!("`{key}` beside `generate`, or inside a step or item"),
                        ));
                    }
                }
                if steps.is_empty() {
                    return Err(self.problem("no step", "steps").expected("at least one step"));
                }
                steps.iter().try_for_each(|s| self.check_step(s, false))
            }
            (None, Some(generate)) if generate.steps.is_some() => self.check_sequence(),
            (None, Some(generate)) if generate.items.high > Generate::STREAMED => {
                self.check_stream()
            }
            (None, Some(_)) => Ok(()),
        }
    }

    fn check_stream(&self) -> Result<(), FileError> {
        let spec = &self.case.spec;
        for (key, present) in
            [("mutate", spec.mutate.is_some()), ("relation", spec.relation.is_some())]
        {
            if present {
                let most = Generate::STREAMED;
                return Err(self
                    .problem(format!("`{key}` beside a batch of more than {most} items"), key)
                    .expected(format!(
                        "at most {most} items; a larger batch is sent as a stream, as it was drawn"
                    )));
            }
        }
        let held = |expect: &Expect| {
            let whole = [
                ("count", expect.count.is_some()),
                ("schema", expect.schema.is_some()),
                ("body", !expect.body.is_empty()),
            ];
            whole.into_iter().find_map(|(key, present)| present.then_some(key))
        };
        match spec.expect.as_ref().and_then(held) {
            None => Ok(()),
            Some(key) => Err(self
                .problem(format!("`{key}` of a batch of more than {} items", Generate::STREAMED), key)
                .expected("results, status, headers or within: the body of such an answer is never held as a whole")),
        }
    }

    fn check_sequence(&self) -> Result<(), FileError> {
        let spec = &self.case.spec;
        for (key, present) in [
            ("mutate", spec.mutate.is_some()),
            ("relation", spec.relation.is_some()),
            ("expect", spec.expect.is_some()),
        ] {
            if present {
                return Err(self
                    .problem(format!("`{key}` beside `generate` with `steps`"), key)
                    .expected(
                        "a sequence by itself: what it must meet follows from what it sends",
                    ));
            }
        }
        Ok(())
    }

    fn check_step(&mut self, step: &Step, inside: bool) -> Result<(), FileError> {
        if let Some(named) = step.for_each.as_ref().filter(|_| inside) {
            return Err(FileError::new(&*self.case.file, "`for-each` inside `simultaneously`")
                .at(named.line, named.column)
                .expected("`for-each` beside `simultaneously`, or of the case"));
        }
        if let Some(group) = &step.simultaneously {
            if inside {
                return Err(self
                    .problem("`simultaneously` inside `simultaneously`", "simultaneously")
                    .expected("plain requests there"));
            }
            group.iter().try_for_each(|s| self.check_step(s, true))?;
            self.names.answered();
        }
        let bodies: Vec<&str> = [
            ("batch", step.batch.is_some()),
            ("batch-from", step.batch_from.is_some()),
            ("body", step.body.is_some()),
            ("body-hex", step.body_hex.is_some()),
            ("resend", step.resend.is_some()),
            ("raw", step.raw.is_some()),
            ("simultaneously", step.simultaneously.is_some()),
        ]
        .iter()
        .filter(|(_, present)| *present)
        .map(|(name, _)| *name)
        .collect();
        if let [_, second, ..] = bodies.as_slice() {
            return Err(self
                .problem(format!("{} in one step", bodies.join(" and ")), second)
                .expected("one of them"));
        }
        if bodies.is_empty() && step.method.is_none() {
            return Err(self.problem("a step that sends nothing", "steps").expected(
                "one of batch, batch-from, body, body-hex, resend, raw, simultaneously",
            ));
        }
        if let Some(resend) = &step.resend {
            self.names.check_step(&resend.name).map_err(|e| e.at(&self.case.file, resend))?;
        }
        if let Some(hex) = &step.body_hex
            && (hex.chars().any(|c| !c.is_ascii_hexdigit() && !c.is_whitespace())
                || hex.chars().filter(char::is_ascii_hexdigit).count() % 2 == 1)
        {
            return Err(self
                .problem("`body-hex` is not hexadecimal text", "body-hex")
                .expected("pairs of hexadecimal digits"));
        }
        if step.items.is_some() && step.body.is_none() && step.raw.is_none() {
            return Err(self
                .problem("`items` without `body` or `raw`", "items")
                .expected("a body that holds them as `${item:NAME}`, or `batch`"));
        }
        step.items.iter().flatten().try_for_each(|i| self.check_item(i))?;
        if let Some(BatchSpec::Items(items)) = &step.batch {
            items.iter().try_for_each(|i| self.check_item(i))?;
        }
        self.check_size(step)?;
        for text in [&step.body, &step.raw, &step.path].into_iter().flatten() {
            self.check_template(text)?;
        }
        step.headers.values().flatten().try_for_each(|v| self.check_template(v))?;
        if let (Some(file), Some(text)) = (&step.batch_from, &step.batch_text) {
            // Its mistakes are in that file.
            let case = self.case.within_batch(file, text);
            Checker { case: &case, names: self.names.clone() }.check_batch_text(text)?;
        }
        // A group has no answer of its own.
        if let Some(name) = step.name.as_ref().filter(|_| step.simultaneously.is_none()) {
            self.names.step(name, step, inside);
        }
        let Some(expect) = &step.expect else { return Ok(()) };
        self.check_expect(expect)?;
        let values = expect.body.values().flat_map(BodyPin::values);
        let mut values = values.chain(expect.headers.values().flat_map(HeaderPin::values));
        values.try_for_each(|value| self.check_value(value))
    }

    /// Where an expectation looks: a name that can't be there would hold, or fail, whatever comes.
    fn check_expect(&self, expect: &Expect) -> Result<(), FileError> {
        let is_pointer = |at: &String| at.is_empty() || at.starts_with('/');
        if let Some(pointer) = expect.body.keys().find(|at| !is_pointer(at)) {
            let name = pointer.trim_start_matches(['#', '$', '.', '/']).replace('.', "/");
            return Err(self
                .case
                .problem_from(expect.line, format!("`{pointer}` is not a JSON pointer"), pointer)
                .expected("a `/` before each name; the whole body is \"\"")
                .hint(format!("did you mean `/{name}`?")));
        }
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        match expect.headers.keys().find(|name| name.is_empty() || !name.chars().all(is_token)) {
            None => Ok(()),
            Some(name) => Err(self
                .case
                .problem_from(expect.line, format!("`{name}` is not the name of a header"), name)
                .expected("a name without blanks, such as Content-Type")),
        }
    }

    /// A step's batch is held in memory, and its items are written out.
    fn check_size(&self, step: &Step) -> Result<(), FileError> {
        let (items, near) = match &step.batch {
            Some(BatchSpec::Count(span)) => (span.high, "batch"),
            Some(BatchSpec::Items(items)) => {
                let times = items.iter().map(|item| item.times.unwrap_or(1));
                (times.fold(0, usize::saturating_add), "times")
            }
            None => return Ok(()),
        };
        if items <= BatchSpec::MOST {
            return Ok(());
        }
        Err(self.problem(format!("a step with a batch of {items} items"), near).expected(format!(
            "at most {} items there; `generate: {{ items: … }}` sends larger batches as a stream",
            BatchSpec::MOST
        )))
    }

    /// A file of `batch-from` names the fields of its endpoint: roles mean nothing there.
    fn check_batch_text(&self, text: &str) -> Result<(), FileError> {
        self.check_template(text)?;
        let template = Template::parse(text).map_err(|e| self.problem(e, "${"))?;
        match template.roles().next() {
            None => Ok(()),
            Some(role) => Err(self
                .problem(format!("the role `@{role}` in a JSON file"), &format!("@{role}"))
                .expected("the name of the field")),
        }
    }

    fn check_item(&mut self, item: &ItemSpec) -> Result<(), FileError> {
        if let Some(like) = &item.like {
            self.names.check_item(&like.name).map_err(|e| e.at(&self.case.file, like))?;
        }
        let unset = item.unset.iter().map(|named| &named.name);
        for key in item.set.keys().chain(item.set_raw.keys()).chain(unset) {
            self.check_key(key)?;
        }
        for value in item.set.values() {
            self.check_value(value)?;
        }
        item.set_raw.values().try_for_each(|text| self.check_template(text))?;
        if let Some(raw) = &item.raw {
            self.check_template(raw)?;
        }
        if let Some(name) = &item.name {
            self.names.item(name);
        }
        Ok(())
    }

    fn check_key(&self, key: &str) -> Result<(), FileError> {
        match key.strip_prefix('@') {
            Some(plain) if plain.starts_with('@') => Ok(()),
            Some(word) => self.check_role(word),
            None => self.check_template(key),
        }
    }

    fn check_role(&self, word: &str) -> Result<(), FileError> {
        if Role::parse(word).is_some() {
            return Ok(());
        }
        let (role, all) = (format!("@{word}"), Role::words());
        Err(self
            .problem(format!("there is no role `{role}`"), &role)
            .expected(format!("one of {}; `.2` is the second field of a role", all.join(", ")))
            .nearest(&role, &all))
    }

    fn check_value(&self, value: &serde_json::Value) -> Result<(), FileError> {
        use serde_json::Value;
        match value {
            Value::String(text) => self.check_template(text),
            Value::Array(list) => list.iter().try_for_each(|v| self.check_value(v)),
            Value::Object(map) => map.values().try_for_each(|v| self.check_value(v)),
            _ => Ok(()),
        }
    }

    fn check_template(&self, text: &str) -> Result<(), FileError> {
        let start = text.find("${").map_or("", |at| {
            let end = text[at..].find('}').map_or(text.len(), |e| at + e + 1);
            &text[at..end]
        });
        let template = Template::parse(text).map_err(|e| self.problem(e, start))?;
        template.roles().try_for_each(|word| self.check_role(word))?;
        for piece in &template.0 {
            if let Err(unknown) = self.names.check_piece(piece) {
                let (found, near) = (unknown.found.clone(), unknown.written.clone());
                return Err(unknown.complete(self.problem(found, &near)));
            }
        }
        Ok(())
    }
}
