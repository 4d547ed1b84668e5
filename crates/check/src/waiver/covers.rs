//! What a waiver covers: rule, case and place of a finding.

use super::Waiver;

impl Waiver {
    /// Whether it covers a finding of `rule` in `case` at `place`, a pointer with `*` for indexes.
    #[must_use]
    pub fn covers(&self, rule: &str, case: &str, place: &str) -> bool {
        self.rule == rule
            && self.covers_case(case)
            && self.pointer.as_deref().is_none_or(|pointer| same_place(pointer, place))
    }

    /// Whether it speaks of `case`.
    #[must_use]
    pub fn covers_case(&self, case: &str) -> bool {
        self.case.as_deref().is_none_or(|pattern| pattern == case || glob(pattern, case))
    }

    /// The one case that it speaks of, where it is one.
    #[must_use]
    pub fn one_case(&self) -> Option<&str> {
        self.case.as_deref().filter(|case| !case.contains('*'))
    }
}

/// Segment by segment; findings know no index, so an index means all of them.
fn same_place(pattern: &str, place: &str) -> bool {
    let any = |segment: &str| {
        segment == "*" || (!segment.is_empty() && segment.bytes().all(|b| b.is_ascii_digit()))
    };
    pattern.split('/').count() == place.split('/').count()
        && pattern.split('/').zip(place.split('/')).all(|(want, is)| want == is || any(want))
}

/// `*` stands for any characters, none included.
fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_characters() {
        for (pattern, text, fits) in [
            ("unique/*", "unique/replayed", true),
            ("unique/*", "unique/", true),
            ("unique/*", "race/unique/x", false),
            ("*", "(run)", true),
            ("*/a*b", "x/aXb", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("unique", "unique/replayed", false),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }

    #[test]
    fn indexes_and_stars_stand_for_any_index() {
        for (pattern, place, fits) in [
            ("/results/*/x", "/results/*/x", true),
            ("/results/3/x", "/results/*/x", true),
            ("/results/*/x", "/results/*/y", false),
            ("/results/*", "/results/*/y", false),
            ("", "", true),
            ("", "/results", false),
            ("/results", "", false),
        ] {
            assert_eq!(same_place(pattern, place), fits, "{pattern} {place}");
        }
    }
}
