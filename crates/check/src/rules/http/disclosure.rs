//! What errors give away of the inside of a server (HTTP-010).

use crate::exchange_view::{ExchangeView, ItemVerdict};
use crate::finding::{Finding, Verdict};
use crate::text::shorten;

/// What betrays the inside of a server, in the words of widespread platforms.
const INTERNALS: &[&str] = &[
    "\tat ",
    "\\tat ",
    "Exception:",
    "Exception\"",
    "NullPointerException",
    "java.lang.",
    "java.util.",
    "org.springframework.",
    "org.hibernate.",
    "com.fasterxml.",
    "javax.",
    "jakarta.",
    ".java:",
    "Traceback (most recent call last)",
    "File \\\"/",
    "SQLSTATE",
    "ORA-0",
    "psycopg2",
    "sqlalchemy",
    "System.NullReferenceException",
    "   at System.",
    "panicked at",
    "goroutine ",
    "node_modules/",
    "duplicate key value violates unique constraint",
    ".py line ",
    ".py\", line ",
    ".py:",
    ".php on line ",
    ".php:",
    ".cs:line ",
    ".rb:",
    ".go:",
    ".kt:",
    "could not execute statement",
];

pub(super) fn no_internals(view: &ExchangeView<'_>) -> Verdict {
    let Some(response) = view.response() else { return Verdict::NotApplicable("no answer") };
    if response.status < 400 && !view.verdicts.contains(&Some(ItemVerdict::Rejected)) {
        return Verdict::NotApplicable("no error");
    }
    let text = String::from_utf8_lossy(&response.body);
    // What the request itself said may come back in an error.
    let sent = view.exchange.request.body.as_deref().unwrap_or(&[]);
    let own = |needle: &str| sent.windows(needle.len()).any(|w| w == needle.as_bytes());
    let word = INTERNALS.iter().find_map(|needle| {
        let at = text.find(needle)?;
        (!own(needle)).then_some((*needle, at))
    });
    let found = word.or_else(|| qualified_class(&text).filter(|(class, _)| !own(class)));
    match found {
        None => Verdict::Pass,
        Some((needle, at)) => {
            let start = text[..at].char_indices().rev().nth(30).map_or(0, |(i, _)| i);
            Verdict::fail(Finding::new(
                "internals",
                "",
                "words for the client only",
                format!("`{}`: …{}", shorten(needle.trim()), shorten(&text[start..])),
            ))
        }
    }
}

/// What the packages of classes begin with on platforms that name them by domain.
const DOMAINS: [&str; 8] = ["com", "org", "net", "io", "eu", "de", "lt", "dev"];

/// The first class that is named with its package, such as `com.vendor.dto.Balance`, and where it stands.
fn qualified_class(text: &str) -> Option<(&str, usize)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$');
    let mut end = 0;
    for word in text.split(|c: char| !is_name(c) && c != '.') {
        let at = end;
        end += word.len() + text[at + word.len()..].chars().next().map_or(0, char::len_utf8);
        if !word.contains('.') {
            continue;
        }
        let parts: Vec<&str> = word.trim_end_matches('.').split('.').collect();
        let Some((last, packages)) = parts.split_last() else { continue };
        let starts =
            |part: &str, test: fn(&char) -> bool| part.chars().next().is_some_and(|c| test(&c));
        let is_class = packages.len() >= 2
            && packages.first().is_some_and(|first| DOMAINS.contains(first))
            && starts(last, char::is_ascii_uppercase)
            && packages.iter().all(|part| starts(part, char::is_ascii_lowercase));
        if is_class {
            return Some((word, at));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::qualified_class;

    #[test]
    fn classes_are_told_from_other_words_with_dots() {
        let found = |text| qualified_class(text).map(|(class, at)| (class.to_owned(), at));
        let class = "com.vendor.dto.Balance";
        let text = format!("č value of `{class}` expected");
        assert_eq!(found(&text), Some((class.to_owned(), text.find(class).unwrap())));
        for text in [
            "",
            "see https://www.vendor.com/docs.Batch",
            "accountBalances.item.value is missing. Check it",
            "write to support@vendor.com. Thank you",
            "com.vendor",
            "com.vendor.dto.",
            "..",
        ] {
            assert_eq!(found(text), None, "{text}");
        }
    }
}
