//! A name in a case file, and where it stands.

use serde::Deserialize;
use serde::de::Deserializer;
use serde_saphyr::Spanned;

/// A name with its position in the file, resolved before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Its line, from 1.
    pub line: u64,
    /// Its column, from 1.
    pub column: u64,
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Named, D::Error> {
        let spanned = Spanned::<String>::deserialize(deserializer)?;
        Ok(Named {
            line: spanned.referenced.line(),
            column: spanned.referenced.column(),
            name: spanned.value,
        })
    }
}
