//! Values for `${variable:NAME}` in case files: from the command line, then from the environment.

use std::collections::BTreeMap;

/// How variables of the environment begin.
pub const VARIABLE_PREFIX: &str = "BATCHPROOF_VARIABLE_";

/// Values for `${variable:NAME}`.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    /// Those of the command line: the last one of a name counts.
    given: Vec<(String, String)>,
    /// Those of the environment, by what follows the prefix.
    environment: BTreeMap<String, String>,
}

impl Variables {
    /// Those given, and those of `environment` whose names begin with `VARIABLE_PREFIX`; an empty one is not set.
    #[must_use]
    pub fn new(
        given: &[(String, String)],
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Variables {
        let of_environment = environment.into_iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(VARIABLE_PREFIX).filter(|_| !value.is_empty())?;
            Some((name.to_owned(), value))
        });
        Variables { given: given.to_vec(), environment: of_environment.collect() }
    }

    /// The value of a name: `account-id` is `BATCHPROOF_VARIABLE_ACCOUNT_ID` in the environment.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&str> {
        let given = self.given.iter().rev().find(|(known, _)| known == name);
        let of_environment = || self.environment.get(&of_environment(name));
        given.map(|(_, value)| value).or_else(of_environment).map(String::as_str)
    }

    /// The names that have a value.
    pub fn names(&self) -> impl Iterator<Item = String> {
        let of_environment =
            self.environment.keys().map(|name| name.to_lowercase().replace('_', "-"));
        self.given.iter().map(|(name, _)| name.clone()).chain(of_environment)
    }
}

/// A name as the environment writes it, without the prefix.
pub(super) fn of_environment(name: &str) -> String {
    name.to_uppercase().replace('-', "_")
}
