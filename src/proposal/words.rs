//! Words that names are made of, and what they usually mean. Each list is a guess that a person looks at.
//!
//! It must not know documents.

/// The words of a name, in lower case: `batchAccount-balances` has three.
pub fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    let mut letters = name.chars().peekable();
    while let Some(c) = letters.next() {
        if !c.is_alphanumeric() {
            before = None;
            continue;
        }
        let next_is_lower = letters.peek().is_some_and(|n| n.is_lowercase());
        let begins = match before {
            None => true,
            Some(b) if c.is_uppercase() => !b.is_uppercase() || next_is_lower,
            Some(_) => false,
        };
        if begins {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    words
}

/// Whether one of the words of `name` is in `list`.
pub fn has(name: &str, list: &[&str]) -> bool {
    words(name).iter().any(|word| list.contains(&word.as_str()))
}

/// Whether a text speaks of one of these, ignoring case.
pub fn speaks(text: &str, list: &[&str]) -> bool {
    let text = text.to_lowercase();
    list.iter().any(|word| text.contains(word))
}

/// Of many at once.
pub const MANY: &[&str] =
    &["batch", "batches", "bulk", "mass", "multi", "multiple", "import", "imports", "many"];
/// Of reading.
pub const READS: &[&str] = &[
    "read",
    "retrieve",
    "get",
    "search",
    "list",
    "query",
    "find",
    "lookup",
    "fetch",
    "export",
    "calculate",
    "preview",
    "count",
    "counts",
    "simulate",
    "estimate",
];
/// Of removing: items are ids then.
pub const REMOVES: &[&str] = &["delete", "archive", "remove", "purge", "unassign", "destroy"];

/// Of what was taken.
const GOOD: &[&str] = &[
    "accept",
    "accepted",
    "ok",
    "okay",
    "success",
    "successful",
    "succeeded",
    "succeed",
    "created",
    "create",
    "taken",
    "done",
    "approved",
    "valid",
    "imported",
    "stored",
    "saved",
    "inserted",
    "processed",
    "complete",
    "completed",
    "passed",
    "pass",
    "added",
    "posted",
    "booked",
    "received",
    "ack",
    "registered",
    "loaded",
    "confirmed",
    "true",
    "yes",
];
/// Of what was not.
const BAD: &[&str] = &[
    "reject",
    "rejected",
    "error",
    "errors",
    "fail",
    "failed",
    "failure",
    "denied",
    "deny",
    "refused",
    "refuse",
    "invalid",
    "declined",
    "unprocessed",
    "skipped",
    "nack",
    "nok",
    "ko",
    "bad",
    "aborted",
    "turned",
    "discarded",
    "failures",
    "faulted",
    "unsuccessful",
    "no",
    "false",
    "not",
];

/// Whether a name or value speaks of what was accepted (`Some(true)`) or rejected (`Some(false)`).
pub fn judges(name: &str) -> Option<bool> {
    let words = words(name);
    let of = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    match (of(GOOD), of(BAD)) {
        (_, true) => Some(false),
        (true, false) => Some(true),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_split_where_people_see_words() {
        for (name, words) in [
            ("batchAccount-balances", "batch account balances"),
            ("REQUEST_ACCEPTED", "request accepted"),
            ("XMLHttpRequest2", "xml http request2"),
            ("/v3/objects/{id}/batch_create", "v3 objects id batch create"),
            ("", ""),
        ] {
            assert_eq!(super::words(name).join(" "), words);
        }
    }
}
