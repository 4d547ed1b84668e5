//! What makes an item invalid, and what each kind of fault does to the request around it.

use super::bind::{Field, Item, Name};
use super::choices::{Choice, Choices};
use super::{decimal, json, moment};

/// The kinds of fault that a service may treat differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A mandatory field is absent or null (or blank, where blank counts as missing).
    Missing,
    Type,
    Length,
    Date,
    Range,
    Nul,
    /// A number that no column could hold: it fails where numbers are read.
    Unreadable,
    /// Null in a mandatory field, where that is not missing.
    Null,
    /// The business unit is missing where it is mandatory.
    NoUnit,
    /// An account, a classifier or an amount that this service does not know.
    Unknown,
}

/// One fault of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub field: &'static str,
}

impl Fault {
    /// Whether the whole request is refused for it.
    pub fn refuses_request(self, choices: Choices) -> bool {
        let item_by_item = choices.has(Choice::RefusalModeItem) || choices.has(Choice::AllBroken);
        match self.kind {
            Kind::Unreadable => true,
            Kind::Nul if !choices.has(Choice::NulRejects) => true,
            kind if choices.has(Choice::ByKind) => matches!(kind, Kind::Type | Kind::Date),
            kind if choices.has(Choice::MissingRefuses) => kind == Kind::Missing,
            _ => !item_by_item,
        }
    }

    /// Whether the framework answers, because it happens while JSON is bound.
    pub fn is_framework(self, choices: Choices) -> bool {
        match self.kind {
            Kind::Missing => choices.has(Choice::BareMissing),
            _ if choices.has(Choice::Adapter400) => false,
            _ if choices.has(Choice::Framework400) => true,
            Kind::Type | Kind::Nul | Kind::Unreadable => true,
            Kind::Date => choices.has(Choice::ByKind),
            Kind::Length | Kind::Range | Kind::Unknown | Kind::Null | Kind::NoUnit => false,
        }
    }

    pub fn code(self, choices: Choices) -> &'static str {
        match self.kind {
            Kind::Unknown => "B017",
            Kind::NoUnit => "B018",
            Kind::Null => "B001",
            Kind::Missing => "O001",
            _ if choices.has(Choice::OtherCode) => "B001",
            _ => "O001",
        }
    }

    pub fn description(self, choices: Choices) -> String {
        let field = self.field;
        if choices.has(Choice::OtherWords) {
            return format!("Laukas „{field}“ netinkamas ☹");
        }
        let fault = match self.kind {
            Kind::Missing | Kind::NoUnit => "is mandatory",
            Kind::Null => "must not be null",
            Kind::Type => "has a wrong type",
            Kind::Length => "is too long",
            Kind::Date => "is no date-time with an offset",
            Kind::Range => "is out of range",
            Kind::Nul => "holds a character that can't be stored",
            Kind::Unreadable => "is too large a number",
            Kind::Unknown => "is unknown",
        };
        in_case(format!("{field} {fault}"), choices)
    }
}

/// A description in the letter case that was chosen.
pub fn in_case(description: String, choices: Choices) -> String {
    if choices.has(Choice::LowercaseDescriptions) {
        description.to_lowercase()
    } else {
        description
    }
}

/// An item as the rest of the service sees it.
#[derive(Debug, Default)]
pub struct Checked {
    /// The three that a result repeats, as far as they were strings.
    pub number: Option<String>,
    pub account: Option<String>,
    pub unit: Option<String>,
    pub faults: Vec<Fault>,
}

/// Strings are columns of 255 code points, but for the requester; numbers that a double could not
/// name either are not read.
const PLAIN_LENGTH: usize = 255;
const REQUESTER_LENGTH: usize = 100;
const READABLE_EXPONENT: i64 = 308;

/// Whether a string has more code points than this.
pub fn longer(text: &str, limit: usize) -> bool {
    text.len() > limit && text.chars().count() > limit
}

/// Whether a result can't carry it as its number.
pub fn too_long_to_echo(text: &str) -> bool {
    longer(text, PLAIN_LENGTH)
}

/// Checks an item.
pub fn check(item: Item, choices: Choices) -> Checked {
    let Item::Object(mut fields) = item else {
        return Checked {
            faults: vec![Fault { kind: Kind::Type, field: "item" }],
            ..Checked::default()
        };
    };
    let mut checked = Checked::default();
    for name in Name::EACH {
        let at = fields.iter().position(|(known, _)| *known == name);
        let field = at.map(|at| fields.swap_remove(at).1);
        let result = match name {
            Name::Value | Name::EquivalentValue => number(name, field, choices),
            _ => {
                let text = text(name, field, choices);
                let fault = text.as_ref().map_or_else(
                    |kind| Some(*kind),
                    |text| text_fault(name, text.as_deref(), choices),
                );
                let echo = text.ok().flatten();
                match name {
                    Name::CommunicationNumber => checked.number = echo,
                    Name::AccountExtId => checked.account = echo,
                    Name::BusinessUnit => checked.unit = echo,
                    _ => {}
                }
                fault.map_or(Ok(()), Err)
            }
        };
        if let Err(kind) = result {
            checked.faults.push(Fault { kind, field: name.key() });
        }
    }
    checked
}

fn is_mandatory(name: Name) -> bool {
    !matches!(name, Name::BalanceType | Name::BusinessUnit | Name::EquivalentValue)
}

/// Nothing in a mandatory field is missing; null in an optional one counts as absent.
fn nothing<T>(name: Name, null: bool, choices: Choices) -> Result<Option<T>, Kind> {
    if is_mandatory(name) {
        Err(if null && choices.has(Choice::NullInvalid) { Kind::Null } else { Kind::Missing })
    } else if name == Name::BusinessUnit && choices.has(Choice::Registered) {
        Err(Kind::NoUnit)
    } else if null && choices.has(Choice::NullOptionalRefused) {
        Err(Kind::Type)
    } else {
        Ok(None)
    }
}

fn text(name: Name, field: Option<Field>, choices: Choices) -> Result<Option<String>, Kind> {
    match field {
        None => nothing(name, false, choices),
        Some(Field::Null) => nothing(name, true, choices),
        Some(Field::Text(text)) => Ok(Some(text)),
        // No stock service reads a date from a number, once time stamps are turned off.
        Some(Field::Number(text)) if choices.has(Choice::Coerced) && name != Name::BalanceAt => {
            Ok(Some(text))
        }
        Some(Field::Bool(value)) if choices.has(Choice::Coerced) && name != Name::BalanceAt => {
            Ok(Some(value.to_string()))
        }
        Some(_) => Err(Kind::Type),
    }
}

fn text_fault(name: Name, text: Option<&str>, choices: Choices) -> Option<Kind> {
    let text = text?;
    let limit = match name {
        Name::Requester => REQUESTER_LENGTH,
        Name::CommunicationNumber => PLAIN_LENGTH,
        _ if choices.has(Choice::LongPlain) => PLAIN_LENGTH,
        _ => usize::MAX,
    };
    let control = |character: char| character.is_control() && character != '\0';
    if text.contains('\0') && !choices.has(Choice::NulStored) {
        Some(Kind::Nul)
    } else if is_mandatory(name) && choices.has(Choice::BlankRefused) && text.trim().is_empty() {
        Some(Kind::Missing)
    } else if longer(text, limit) {
        Some(Kind::Length)
    } else if name == Name::BalanceAt && moment::read(text, choices).is_none() {
        Some(Kind::Date)
    } else if choices.has(Choice::ControlsRefused) && text.contains(control) {
        Some(Kind::Range)
    } else if choices.has(Choice::Registered) && !is_registered(name, text) {
        Some(Kind::Unknown)
    } else {
        None
    }
}

/// Whether a service with fifty accounts and fixed classifiers knows the value.
fn is_registered(name: Name, text: &str) -> bool {
    let account = |text: &str| text.strip_prefix("ACC-").and_then(|n| n.parse::<u32>().ok());
    match name {
        Name::AccountExtId => text.len() == 6 && account(text).is_some_and(|n| n / 50 == 0),
        Name::BusinessUnit => matches!(text, "RETAIL" | "TREASURY"),
        Name::BalanceType => matches!(text, "CLOSING" | "OPENING"),
        Name::Requester => matches!(text, "core-banking" | "ledger"),
        _ => true,
    }
}

fn number(name: Name, field: Option<Field>, choices: Choices) -> Result<(), Kind> {
    let text = match field {
        None => return nothing::<()>(name, false, choices).map(drop),
        Some(Field::Null) => return nothing::<()>(name, true, choices).map(drop),
        Some(Field::Number(text)) => text,
        Some(Field::Text(text)) if choices.has(Choice::Coerced) => match text.trim() {
            "" => return nothing::<()>(name, true, choices).map(drop),
            text if json::number_length(text.as_bytes()) == Some(text.len()) => text.to_owned(),
            _ => return Err(Kind::Type),
        },
        Some(_) => return Err(Kind::Type),
    };
    let size = decimal::measure(&text);
    if size.exponent > READABLE_EXPONENT && !choices.has(Choice::AnySizeNumbers) {
        Err(Kind::Unreadable)
    } else if choices.has(Choice::BigNumbers) && (size.exponent >= 14 || size.fraction_digits > 4) {
        Err(Kind::Range)
    } else if choices.has(Choice::Registered)
        && !text.parse::<f64>().is_ok_and(|amount| (0.0..=1e6).contains(&amount))
    {
        Err(Kind::Unknown)
    } else {
        Ok(())
    }
}
