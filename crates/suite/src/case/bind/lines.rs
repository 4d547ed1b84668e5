//! Contracts whose items are lines, and media types other than JSON's.

use super::{Binder, Unbound};
use crate::case::Step;

const JSON: &str = "application/json";

impl Binder<'_> {
    /// Whether the items of the contract are lines.
    pub(super) fn in_lines(&self) -> bool {
        self.contract.shape.as_ref().is_some_and(|shape| shape.form.lines().is_some())
    }

    /// A body that a shipped case writes out is a JSON document.
    pub(super) fn check_body(&self, step: &Step) -> Result<(), Unbound> {
        let is_of_lines = |text: &String| text.contains("${@lines}");
        let mut texts = [&step.body, &step.body_hex, &step.raw].into_iter().flatten();
        if self.in_lines() && self.case.dir.is_none() && texts.any(|text| !is_of_lines(text)) {
            let reason = "it writes out a JSON document, and the items of the contract are lines";
            return Err(Unbound::Excluded(reason.to_owned()));
        }
        Ok(())
    }

    /// Names the contract's media type where a case names that of JSON.
    pub(super) fn set_media(&self, step: &mut Step) {
        let sent = ("content-type", self.contract.request_media());
        let taken = ("accept", self.contract.success_media());
        if self.case.dir.is_some() || sent.1 == JSON && taken.1 == JSON {
            return;
        }
        let media = |header: &str| {
            [sent, taken].into_iter().find(|(name, _)| header.eq_ignore_ascii_case(name))
        };
        for (name, value) in &mut step.headers {
            if let (Some((_, media)), Some(value)) = (media(name), value) {
                *value = value.replace(JSON, media);
            }
        }
        if let Some(raw) = &mut step.raw {
            let line = |line: &str| match line.split_once(':').and_then(|(name, _)| media(name)) {
                Some((_, media)) => line.replace(JSON, media),
                None => line.to_owned(),
            };
            *raw = raw.split('\n').map(line).collect::<Vec<_>>().join("\n");
        }
    }
}
