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

/// One bit for each pair of bytes that one of them begins with.
static STARTS: [u64; 1024] = starts();

const fn starts() -> [u64; 1024] {
    let mut bits = [0; 1024];
    let mut at = 0;
    while at < INTERNALS.len() {
        let bytes = INTERNALS[at].as_bytes();
        let pair = pair(bytes[0], bytes[1]);
        bits[pair / 64] |= 1 << (pair % 64);
        at += 1;
    }
    bits
}

const fn pair(first: u8, second: u8) -> usize {
    ((first as usize) << 8) | second as usize
}

/// Where each of them stands first; one pass over a text that mostly holds none.
fn first_positions(text: &[u8]) -> [Option<usize>; INTERNALS.len()] {
    let mut found = [None; INTERNALS.len()];
    for (at, bytes) in text.windows(2).enumerate() {
        let pair = pair(bytes[0], bytes[1]);
        if (STARTS[pair / 64] >> (pair % 64)) & 1 == 0 {
            continue;
        }
        for (needle, found) in INTERNALS.iter().zip(&mut found) {
            if found.is_none() && text[at..].starts_with(needle.as_bytes()) {
                *found = Some(at);
            }
        }
    }
    found
}

pub(super) fn no_internals(view: &ExchangeView<'_>) -> Verdict {
    let Some(response) = view.response() else { return Verdict::NotApplicable("no answer") };
    if response.status < 400 && !view.verdicts.contains(&Some(ItemVerdict::Rejected)) {
        return Verdict::NotApplicable("no error");
    }
    let text = String::from_utf8_lossy(&response.body);
    // What the request itself said may come back in an error.
    let sent = view.exchange.request.body.as_deref().unwrap_or(&[]);
    let own = |needle: &str| sent.windows(needle.len()).any(|w| w == needle.as_bytes());
    let word = INTERNALS.iter().zip(first_positions(text.as_bytes())).find_map(|(needle, at)| {
        let at = at?;
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
    use super::{INTERNALS, first_positions, qualified_class};

    #[test]
    fn each_word_is_found_where_it_stands_first() {
        for needle in INTERNALS {
            let text = format!("č {needle} and {needle}");
            for (other, at) in INTERNALS.iter().zip(first_positions(text.as_bytes())) {
                assert_eq!(at, text.find(other), "{other} in {text}");
            }
        }
        assert!(first_positions(b"").iter().all(Option::is_none));
    }

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
