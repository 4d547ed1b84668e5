//! `--include` and `--exclude`: expressions over a case's id and the rules that it asserts.
//!
//! `or` binds weaker than `and`, `and` weaker than `not`; a word without a name before it is a case.

use std::str::FromStr;

use super::asserting::asserts;
use crate::case::Case;
use crate::check::rules;

/// Which cases to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseFilter(Expression);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Expression {
    /// What is looked at, and the pattern for it.
    Is(FilterSubject, String),
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FilterSubject {
    Case,
    Family,
    Rule,
    Level,
}

impl CaseFilter {
    /// Whether it holds for a case.
    pub fn fits(&self, case: &Case) -> bool {
        let asserted: Vec<_> = rules::all()
            .iter()
            .chain(std::iter::once(&rules::of_user_cases()))
            .filter(|rule| asserts(case, rule.id))
            .map(|rule| (rule.id.to_owned(), rule.family().to_owned(), rule.level.to_string()))
            .collect();
        holds(&self.0, case, &asserted)
    }
}

fn holds(expression: &Expression, case: &Case, rules: &[(String, String, String)]) -> bool {
    match expression {
        Expression::Is(FilterSubject::Case, pattern) => {
            glob(pattern, &case.id) || glob(pattern, case.group())
        }
        Expression::Is(subject, pattern) => rules.iter().any(|(rule, family, level)| {
            let value = match subject {
                FilterSubject::Family => family,
                FilterSubject::Level => level,
                FilterSubject::Rule | FilterSubject::Case => rule,
            };
            glob(&pattern.to_uppercase(), &value.to_uppercase())
        }),
        Expression::Not(inner) => !holds(inner, case, rules),
        Expression::And(a, b) => holds(a, case, rules) && holds(b, case, rules),
        Expression::Or(a, b) => holds(a, case, rules) || holds(b, case, rules),
    }
}

/// `*` stands for any characters, none included.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            ends.into_iter().any(|at| glob(tail, &rest[at..]))
        }),
    }
}

impl FromStr for CaseFilter {
    type Err = String;

    fn from_str(text: &str) -> Result<CaseFilter, String> {
        let spaced = text.replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let mut reader = ExpressionReader { words: &words, at: 0 };
        let expression = reader.or()?;
        match reader.peek() {
            None => Ok(CaseFilter(expression)),
            Some(word) => Err(format!("`{word}` stands where `and` or `or` is expected")),
        }
    }
}

struct ExpressionReader<'a> {
    words: &'a [&'a str],
    at: usize,
}

impl ExpressionReader<'_> {
    fn peek(&self) -> Option<&str> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &str) -> bool {
        let is = self.peek().is_some_and(|next| next.eq_ignore_ascii_case(word));
        self.at += usize::from(is);
        is
    }

    fn or(&mut self) -> Result<Expression, String> {
        let mut left = self.and()?;
        while self.take("or") {
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut left = self.not()?;
        while self.take("and") {
            left = Expression::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, String> {
        let mut negated = false;
        while self.take("not") {
            negated = !negated;
        }
        let inner = self.term()?;
        Ok(if negated { Expression::Not(Box::new(inner)) } else { inner })
    }

    fn term(&mut self) -> Result<Expression, String> {
        if self.take("(") {
            let inner = self.or()?;
            return if self.take(")") { Ok(inner) } else { Err("a `)` is missing".to_owned()) };
        }
        let Some(word) = self.peek().map(str::to_owned) else {
            return Err("expected a term such as case:order/* or level:must".to_owned());
        };
        if ["and", "or", ")"].contains(&word.to_lowercase().as_str()) {
            return Err(format!("`{word}` stands where a term such as case:order/* is expected"));
        }
        self.at += 1;
        let (subject, pattern) = match word.split_once(':') {
            None => (FilterSubject::Case, word.as_str()),
            Some(("case", pattern)) => (FilterSubject::Case, pattern),
            Some(("family", pattern)) => (FilterSubject::Family, pattern),
            Some(("rule", pattern)) => (FilterSubject::Rule, pattern),
            Some(("level", pattern)) => (FilterSubject::Level, pattern),
            Some((other, _)) => {
                return Err(format!("`{other}` is unknown: expected case, family, rule or level"));
            }
        };
        if pattern.is_empty() {
            return Err(format!("`{word}` has no pattern"));
        }
        Ok(Expression::Is(subject, pattern.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, fits) in [
            ("order/*", "order/sizes", true),
            ("*", "", true),
            ("o*r/*s", "order/sizes", true),
            ("order", "order/sizes", false),
            ("*é*", "caféx", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn not_binds_before_and_and_and_before_or() {
        let read = |text: &str| text.parse::<CaseFilter>().unwrap();
        assert_eq!(read("a or b and not c"), read("a or (b and (not c))"));
        assert_ne!(read("(a or b) and c"), read("a or b and c"));
        for wrong in ["", "and", "a b", "(a", "a)", "colour:red", "case:", "not"] {
            assert!(wrong.parse::<CaseFilter>().is_err(), "{wrong}");
        }
    }
}
