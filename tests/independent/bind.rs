//! From the text of a request to its items: what Jackson's data binding does, no more.
//!
//! Unknown properties are skipped, the last of a repeated key counts, and each known field is kept
//! as what it was, since only validation knows what that means.

use super::choices::{Choice, Choices};
use super::json::{Malformed, Reader, Token};

/// The fields that an item may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    CommunicationNumber,
    Requester,
    BalanceType,
    AccountExtId,
    BusinessUnit,
    BalanceAt,
    Value,
    EquivalentValue,
}

impl Name {
    pub const EACH: [Self; 8] = [
        Self::CommunicationNumber,
        Self::Requester,
        Self::BalanceType,
        Self::AccountExtId,
        Self::BusinessUnit,
        Self::BalanceAt,
        Self::Value,
        Self::EquivalentValue,
    ];

    pub fn key(self) -> &'static str {
        match self {
            Self::CommunicationNumber => "communicationNumber",
            Self::Requester => "requester",
            Self::BalanceType => "balanceType",
            Self::AccountExtId => "accountExtId",
            Self::BusinessUnit => "businessUnit",
            Self::BalanceAt => "balanceAt",
            Self::Value => "value",
            Self::EquivalentValue => "equivalentValue",
        }
    }
}

/// What stood in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    Null,
    Text(String),
    Number(String),
    Bool(bool),
    /// An array or an object.
    Nested,
}

/// An item of the batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Item {
    /// The known fields that it has, each once.
    Object(Vec<(Name, Field)>),
    /// Something that is no object, null included.
    Other,
}

/// What the envelope held.
#[derive(Debug, PartialEq, Eq)]
pub enum Envelope {
    Items(Vec<Item>),
    /// No `accountBalances`, or null.
    Missing,
    /// The document is no object, or `accountBalances` no array.
    WrongType,
    TooMany,
}

/// Far above any batch that makes sense, and low enough that `[{},{},...` exhausts no memory.
const MOST_ITEMS: usize = 500_000;

/// Reads a whole request.
pub fn read(text: &str, choices: Choices) -> Result<Envelope, Malformed> {
    let mut reader = Reader::new(text, choices);
    let first = reader.next()?;
    let envelope = if first == Token::ObjectStart {
        read_envelope(&mut reader, choices)?
    } else {
        reader.skip(&first)?;
        Envelope::WrongType
    };
    // Only now is it known that nothing follows.
    if matches!(envelope, Envelope::TooMany) || reader.next()? == Token::End {
        Ok(envelope)
    } else {
        Err(Malformed("there is more than one document"))
    }
}

fn read_envelope(reader: &mut Reader<'_>, choices: Choices) -> Result<Envelope, Malformed> {
    let mut envelope = Envelope::Missing;
    let mut seen = false;
    while let Token::Key(key) = reader.next()? {
        let value = reader.next()?;
        if key != "accountBalances" {
            reader.skip(&value)?;
            continue;
        }
        if seen && choices.has(Choice::DuplicateKeys) {
            return Err(Malformed("a key stands twice"));
        }
        seen = true;
        envelope = match value {
            Token::ArrayStart => match read_items(reader, choices)? {
                Some(items) => Envelope::Items(items),
                None => return Ok(Envelope::TooMany),
            },
            Token::Null => Envelope::Missing,
            other => {
                reader.skip(&other)?;
                Envelope::WrongType
            }
        };
    }
    Ok(envelope)
}

fn read_items(reader: &mut Reader<'_>, choices: Choices) -> Result<Option<Vec<Item>>, Malformed> {
    let mut items = Vec::new();
    loop {
        match reader.next()? {
            Token::ArrayEnd => return Ok(Some(items)),
            _ if items.len() == MOST_ITEMS => return Ok(None),
            Token::ObjectStart => items.push(Item::Object(read_item(reader, choices)?)),
            other => {
                reader.skip(&other)?;
                items.push(Item::Other);
            }
        }
    }
}

fn read_item(reader: &mut Reader<'_>, choices: Choices) -> Result<Vec<(Name, Field)>, Malformed> {
    let mut fields: Vec<(Name, Field)> = Vec::new();
    while let Token::Key(key) = reader.next()? {
        let value = reader.next()?;
        reader.skip(&value)?;
        if choices.has(Choice::BlockedNames) && matches!(&*key, "__proto__" | "constructor") {
            return Err(Malformed("a name is blocked"));
        }
        let Some(name) = Name::EACH.into_iter().find(|name| name.key() == key) else {
            continue;
        };
        let field = match value {
            Token::Null => Field::Null,
            Token::Text(text) => Field::Text(text.into_owned()),
            Token::Number(text) => Field::Number(text.to_owned()),
            Token::Bool(value) => Field::Bool(value),
            _ => Field::Nested,
        };
        match fields.iter_mut().find(|(known, _)| *known == name) {
            Some(_) if choices.has(Choice::DuplicateKeys) => {
                return Err(Malformed("a key stands twice"));
            }
            Some((_, earlier)) => *earlier = field,
            None => fields.push((name, field)),
        }
    }
    Ok(fields)
}
