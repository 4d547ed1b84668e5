//! Roles: what a field is to its contract, such as the unique key or a mandatory number.
//!
//! A case that speaks in roles runs under every contract that has them. This module knows the contract and the
//! profile, and must not know what a case does with a role.

use crate::contract::{Contract, Field, Profile};

/// A role, written `@WORD` in case files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// `@key`: the unique key.
    Key,
    /// `@other-key`, or `@other-key.2` and so on: a unique key beside the first one.
    OtherKey(usize),
    /// `@items`: the request property that holds the items.
    Items,
    /// `@lines`: nothing; what has it is a body of lines, for contracts whose items are lines.
    Lines,
    /// `@results`: the response property that holds the results.
    Results,
    /// `@every-optional`: all optional fields, where a list of fields is written.
    EveryOptional,
    /// Any other field, by its kind and by whether the schema requires it.
    Field(FieldRole),
}

/// A field other than the key.
///
/// Several fields can have a role. Mandatory ones come first, then those that are neither echoed nor references,
/// then the document's order decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRole {
    presence: Option<Presence>,
    kind: FieldKind,
    /// Which of several, from 1.
    nth: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    Mandatory,
    Optional,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldKind {
    /// Any field.
    Any,
    /// A string that the schema restricts in its length at most.
    Text,
    /// A text with a `maxLength`.
    BoundedText,
    /// A text that results repeat.
    EchoedText,
    /// A date-time.
    DateTime,
    /// A number.
    Number,
}

const KINDS: [(&str, FieldKind); 5] = [
    ("text", FieldKind::Text),
    ("bounded-text", FieldKind::BoundedText),
    ("echoed-text", FieldKind::EchoedText),
    ("date-time", FieldKind::DateTime),
    ("number", FieldKind::Number),
];

impl Role {
    /// Reads a role without its `@`; none where there is no such role.
    #[must_use]
    pub fn parse(word: &str) -> Option<Role> {
        match word {
            "key" => return Some(Role::Key),
            "items" => return Some(Role::Items),
            "lines" => return Some(Role::Lines),
            "results" => return Some(Role::Results),
            "every-optional" => return Some(Role::EveryOptional),
            _ => {}
        }
        let (word, nth) = match word.split_once('.') {
            Some((word, nth)) => (word, nth.parse().ok().filter(|nth| *nth > 0)?),
            None => (word, 1),
        };
        let kind = |word: &str| KINDS.iter().find(|(name, _)| *name == word).map(|(_, kind)| *kind);
        if word == "other-key" {
            return Some(Role::OtherKey(nth));
        }
        for (prefix, presence) in
            [("mandatory", Presence::Mandatory), ("optional", Presence::Optional)]
        {
            let Some(rest) = word.strip_prefix(prefix) else { continue };
            let kind = match rest.strip_prefix('-') {
                Some(rest) => kind(rest)?,
                None if rest.is_empty() => FieldKind::Any,
                None => return None,
            };
            return Some(Role::Field(FieldRole { presence: Some(presence), kind, nth }));
        }
        Some(Role::Field(FieldRole { presence: None, kind: kind(word)?, nth }))
    }

    /// All roles, each with its `@`.
    #[must_use]
    pub fn words() -> Vec<String> {
        let mut words: Vec<String> = [
            "@key",
            "@other-key",
            "@items",
            "@lines",
            "@results",
            "@mandatory",
            "@optional",
            "@every-optional",
        ]
        .map(str::to_owned)
        .to_vec();
        for prefix in ["", "mandatory-", "optional-"] {
            words.extend(KINDS.iter().map(|(name, _)| format!("@{prefix}{name}")));
        }
        words
    }
}

impl FieldRole {
    /// The field that has the role.
    ///
    /// # Errors
    /// What the contract lacks, or that the profile omits it.
    pub fn field<'a>(self, contract: &'a Contract, profile: &Profile) -> Result<&'a Field, String> {
        let all = self.fields(contract);
        let sent: Vec<&Field> =
            all.iter().copied().filter(|field| !profile.omit.contains(&field.name)).collect();
        let at = match sent.len() {
            0 => None,
            // One mandatory field is as good as another where there are fewer.
            many if self.kind == FieldKind::Any => Some((self.nth - 1) % many),
            _ => Some(self.nth - 1),
        };
        if let Some(field) = at.and_then(|at| sent.get(at)) {
            return Ok(field);
        }
        match all.get(self.nth - 1) {
            Some(field) if sent.len() < all.len() => {
                Err(format!("the profile omits `{}`", field.name))
            }
            _ => Err(format!("the contract has no {}", self.words())),
        }
    }

    fn fields(self, contract: &Contract) -> Vec<&Field> {
        let mut fields: Vec<&Field> = contract
            .fields()
            .iter()
            .filter(|field| !contract.batch.is_unique(&field.name) && self.fits(contract, field))
            .collect();
        fields.sort_by_key(|field| {
            let special = self.kind != FieldKind::Any && (field.echoed || field.reference);
            (!field.required, special)
        });
        fields
    }

    fn fits(self, contract: &Contract, field: &Field) -> bool {
        let presence = match self.presence {
            None => true,
            Some(Presence::Mandatory) => field.required,
            Some(Presence::Optional) => !field.required && !contract.demanded.contains(&field.name),
        };
        presence
            && match self.kind {
                FieldKind::Any => true,
                FieldKind::Text => is_text(field),
                FieldKind::BoundedText => is_text(field) && field.schema.get("maxLength").is_some(),
                FieldKind::EchoedText => is_text(field) && field.echoed,
                FieldKind::DateTime => field.is_instant(),
                FieldKind::Number => {
                    (has_type(field, "number") || has_type(field, "integer")) && is_open(field)
                }
            }
    }

    fn words(self) -> String {
        let kind = match self.kind {
            FieldKind::Any => "field",
            FieldKind::Text => "text",
            FieldKind::BoundedText => "bounded text",
            FieldKind::EchoedText => "echoed text",
            FieldKind::DateTime => "date-time",
            FieldKind::Number => "number",
        };
        let presence = match self.presence {
            None => "",
            Some(Presence::Mandatory) => "mandatory ",
            Some(Presence::Optional) => "optional ",
        };
        let nth = match self.nth {
            _ if self.kind == FieldKind::Any => String::new(),
            1 => String::new(),
            2 => "second ".to_owned(),
            3 => "third ".to_owned(),
            nth => format!("{nth}th "),
        };
        format!("{nth}{presence}{kind}")
    }
}

/// All fields that may be left out.
#[must_use]
pub fn every_optional(contract: &Contract) -> Vec<&Field> {
    let role = FieldRole { presence: Some(Presence::Optional), kind: FieldKind::Any, nth: 1 };
    role.fields(contract)
}

fn is_text(field: &Field) -> bool {
    has_type(field, "string")
        && is_open(field)
        && ["format", "pattern"].iter().all(|key| field.schema.get(key).is_none())
}

/// Whether the schema leaves more than some values.
fn is_open(field: &Field) -> bool {
    ["enum", "const"].iter().all(|key| field.schema.get(key).is_none())
}

fn has_type(field: &Field, name: &str) -> bool {
    use serde_json::Value;
    match field.schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => false,
    }
}
