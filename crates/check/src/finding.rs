//! What a rule says of what it saw: a pass, findings, or that it does not apply. It knows no rule.

/// What a rule says of what it saw.
#[derive(Debug)]
pub enum Verdict {
    /// It holds.
    Pass,
    /// It does not.
    Fail(Vec<Finding>),
    /// It does not apply here, and why.
    NotApplicable(&'static str),
}

impl Verdict {
    /// One finding.
    #[must_use]
    pub fn fail(finding: Finding) -> Verdict {
        Verdict::Fail(vec![finding])
    }

    /// Pass where there is nothing to find.
    #[must_use]
    pub fn of(findings: Vec<Finding>) -> Verdict {
        if findings.is_empty() { Verdict::Pass } else { Verdict::Fail(findings) }
    }
}

/// A contradiction between an answer and a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The item, from 0, where it is about one.
    pub item: Option<usize>,
    /// Position in the answer's body, or in the request's where nothing was answered.
    pub pointer: String,
    /// What had to be.
    pub expected: String,
    /// What was.
    pub actual: String,
    /// The kind of difference: findings of one rule, case, pointer and kind are one.
    pub kind: String,
    /// The exchange, where the rule saw several.
    pub exchange: Option<usize>,
    /// Whether the answer's own bytes prove it; otherwise it counts only when repeats show it too.
    pub proven: bool,
    /// Rules whose confirmed failure anywhere in the run is the likelier cause: it is masked by them.
    pub explained_by: &'static [&'static str],
}

impl Finding {
    /// A finding that the answer's bytes prove.
    #[must_use]
    pub fn new(
        kind: impl Into<String>,
        pointer: impl Into<String>,
        expected: impl Into<String>,
        actual: impl Into<String>,
    ) -> Finding {
        Finding {
            item: None,
            pointer: pointer.into(),
            expected: expected.into(),
            actual: actual.into(),
            kind: kind.into(),
            exchange: None,
            proven: true,
            explained_by: &[],
        }
    }

    /// Names the item.
    #[must_use]
    pub fn item(mut self, index: usize) -> Finding {
        self.item = Some(index);
        self
    }

    /// Names the exchange.
    #[must_use]
    pub fn exchange(mut self, index: usize) -> Finding {
        self.exchange = Some(index);
        self
    }

    /// It counts only when repeats show it too.
    #[must_use]
    pub fn unproven(mut self) -> Finding {
        self.proven = false;
        self
    }

    /// A confirmed failure of one of these rules anywhere in the run explains it.
    #[must_use]
    pub fn explained_by(mut self, rules: &'static [&'static str]) -> Finding {
        self.explained_by = rules;
        self
    }

    /// The pointer with `*` for indexes.
    #[must_use]
    pub fn place(&self) -> String {
        self.pointer
            .split('/')
            .map(|part| {
                let index = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
                if index { "*" } else { part }
            })
            .collect::<Vec<_>>()
            .join("/")
    }
}
