//! The members of a JSON object as texts: what a parsed value loses (repeated names, how a value is written) stays.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The members of an object with the text of each value, in order, repeated ones too.
struct MemberTexts<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for MemberTexts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<MemberTexts<'a>, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Vec<(String, &'de RawValue)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(MembersVisitor).map(MemberTexts)
    }
}

/// The members of a text that is an object, each with its own text, in order, repeated ones too; nothing for any other
/// text.
#[must_use]
pub fn member_texts(text: &str) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str::<MemberTexts<'_>>(text).ok().map(|members| members.0)
}
