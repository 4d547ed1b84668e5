//! Takes an answer apart as it comes: what stands before its results, each result, what stands behind them.
//!
//! Knows JSON's brackets and strings and no more; whether a part is good JSON, others say.

/// Bytes of a result, or of all that stands beside the results, above which nothing is judged.
const LARGEST: usize = 1024 * 1024;
/// Bytes of what is no JSON that are kept.
const EXCERPT: usize = 4 * 1024;

/// An answer that is being taken apart.
pub(super) struct Splitter {
    /// The property that holds the results.
    results: String,
    phase: SplitPhase,
    /// What has come and was not taken apart yet.
    pending: Vec<u8>,
    /// What stands before the first result.
    before: Vec<u8>,
    /// What stands behind the last one.
    behind: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SplitPhase {
    Before,
    /// Before a result, or the end of the list.
    First,
    /// Behind a result.
    Between,
    Behind,
    /// Behind something that is no JSON, of which only the beginning is kept.
    Broken,
    TooLarge,
}

/// What comes next.
pub(super) enum NextResult {
    /// A result: from where to where it stands in what is pending.
    Found(usize, usize),
    /// More has to come first.
    Nothing,
}

impl Splitter {
    pub fn new(results: &str) -> Splitter {
        Splitter {
            results: results.to_owned(),
            phase: SplitPhase::Before,
            pending: Vec::new(),
            before: Vec::new(),
            behind: Vec::new(),
        }
    }

    /// Takes in what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        match self.phase {
            SplitPhase::TooLarge | SplitPhase::Broken => {}
            SplitPhase::Behind => self.behind.extend_from_slice(bytes),
            _ => self.pending.extend_from_slice(bytes),
        }
        if self.behind.len() > LARGEST {
            self.phase = SplitPhase::TooLarge;
        }
    }

    /// What is pending.
    pub fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// Forgets what is pending up to `at`.
    pub fn drop_until(&mut self, at: usize) {
        self.pending.drain(..at);
    }

    /// Nothing more is taken apart: what has come is too large to be judged.
    pub fn give_up(&mut self) {
        self.phase = SplitPhase::TooLarge;
        self.pending.clear();
    }

    /// Whether something is too large to be judged.
    pub fn is_too_large(&self) -> bool {
        self.phase == SplitPhase::TooLarge
    }

    /// Whether the list of results has come to its end.
    pub fn has_ended(&self) -> bool {
        self.phase == SplitPhase::Behind
    }

    /// The answer with these results in place of its own; what never became a list of results as it came.
    pub fn with(&self, results: &[u8]) -> Vec<u8> {
        let mut text = self.before.clone();
        if self.phase == SplitPhase::Before {
            text.extend_from_slice(&self.pending);
            return text;
        }
        text.extend_from_slice(results);
        text.extend_from_slice(&self.behind);
        text
    }

    /// The next result from `at` on; `read` may know how long it is without looking for its end.
    pub fn next(&mut self, mut at: usize, read: impl FnOnce(&[u8]) -> Option<usize>) -> NextResult {
        if self.phase == SplitPhase::Before {
            match find_list(&self.pending, &self.results) {
                Some(start) => {
                    self.before.extend_from_slice(&self.pending[..start]);
                    self.phase = SplitPhase::First;
                    self.pending.drain(..start);
                    at = 0;
                }
                None => return self.wait(at),
            }
        }
        // Until a result has come, its comma is pending too.
        let begin = at;
        let mut expected = self.phase == SplitPhase::First;
        loop {
            at += space(&self.pending[at.min(self.pending.len())..]);
            let Some(byte) = self.pending.get(at) else { return NextResult::Nothing };
            match (self.phase, byte) {
                (SplitPhase::First | SplitPhase::Between, b']')
                    if !expected || self.phase == SplitPhase::First =>
                {
                    self.phase = SplitPhase::Behind;
                    self.behind.extend_from_slice(&self.pending[at..]);
                    self.pending.truncate(at);
                    return NextResult::Nothing;
                }
                (SplitPhase::Between, b',') if !expected => {
                    expected = true;
                    at += 1;
                }
                (SplitPhase::First | SplitPhase::Between, _) if expected => {
                    let text = &self.pending[at..];
                    let read = read(text).filter(|length| {
                        let end = length + space(&text[*length..]);
                        matches!(text.get(end), Some(b',' | b']'))
                    });
                    return match read.or_else(|| element(text)) {
                        Some(0) => self.broken(begin),
                        Some(length) => {
                            self.phase = SplitPhase::Between;
                            NextResult::Found(at, at + length)
                        }
                        None => self.wait(at),
                    };
                }
                // A bracket that was never opened, or no comma where one belongs.
                _ => return self.broken(begin),
            }
        }
    }

    /// What stands here is no part of any list.
    fn broken(&mut self, at: usize) -> NextResult {
        let end = self.pending.len().min(at + EXCERPT);
        self.behind.extend_from_slice(&self.pending[at..end]);
        self.phase = SplitPhase::Broken;
        self.pending.truncate(at);
        NextResult::Nothing
    }

    fn wait(&mut self, at: usize) -> NextResult {
        if self.pending.len() - at.min(self.pending.len()) > LARGEST {
            self.phase = SplitPhase::TooLarge;
            self.pending.clear();
        }
        NextResult::Nothing
    }
}

fn space(text: &[u8]) -> usize {
    text.iter().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count()
}

/// How long the element at the start of `text` is: up to a comma or bracket that is not its own.
fn element(text: &[u8]) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        if quoted {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'{' | b'[' => depth += 1,
            b',' if depth == 0 => return Some(at),
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Where the elements of the list begin that the object holds as `name`; nothing while it has not come.
fn find_list(text: &[u8], name: &str) -> Option<usize> {
    let mut at = space(text);
    if text.get(at) != Some(&b'{') {
        return None;
    }
    at += 1;
    loop {
        at += space(&text[at..]);
        let key = element_until(&text[at..], b':')?;
        let named = serde_json::from_slice::<String>(&text[at..at + key]).ok()?;
        at += key + 1;
        at += space(text.get(at..)?);
        if named == name && text.get(at) == Some(&b'[') {
            return Some(at + 1);
        }
        let value = element(text.get(at..)?)?;
        at += value;
        if text.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
}

/// How long the string at the start of `text` is, up to this byte outside of it.
fn element_until(text: &[u8], end: u8) -> Option<usize> {
    let (mut quoted, mut escaped) = (false, false);
    text.iter().position(|byte| {
        let outside = !quoted;
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ => {}
        }
        outside && *byte == end
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The results of an answer that comes in pieces of `size` bytes, and the answer without them.
    fn split(answer: &str, size: usize) -> (Vec<String>, String, bool) {
        let mut splitter = Splitter::new("results");
        let mut found = Vec::new();
        for piece in answer.as_bytes().chunks(size) {
            splitter.push(piece);
            let mut at = 0;
            while let NextResult::Found(from, to) = splitter.next(at, |_| None) {
                found.push(String::from_utf8(splitter.pending()[from..to].to_vec()).unwrap());
                at = to;
            }
            let keep = at.min(splitter.pending().len());
            splitter.drop_until(keep);
        }
        let rest = String::from_utf8(splitter.with(b"")).unwrap();
        (found, rest, splitter.has_ended())
    }

    #[test]
    fn results_are_found_in_whatever_pieces_they_come() {
        for (answer, results, rest) in [
            (
                r#"{"results":[{"a":1},{"b":"],}"}],"t":1}"#,
                vec![r#"{"a":1}"#, r#"{"b":"],}"}"#],
                r#"{"results":[],"t":1}"#,
            ),
            (
                r#" { "x" : {"results":[1]} , "results" : [ 1 , "\"" ] } "#,
                vec!["1 ", r#""\"" "#],
                r#" { "x" : {"results":[1]} , "results" : [] } "#,
            ),
            (r#"{"\u0072esults":[[],{}]}"#, vec!["[]", "{}"], r#"{"\u0072esults":[]}"#),
            (r#"{"results":[]}"#, vec![], r#"{"results":[]}"#),
        ] {
            for size in [1, 3, 1000] {
                let (found, left, ended) = split(answer, size);
                assert_eq!(
                    (found, left.as_str(), ended),
                    (results.iter().map(|r| (*r).to_owned()).collect(), rest, true),
                    "{size}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_list_of_results_is_left_as_it_came() {
        for answer in
            ["<html>no</html>", "[1,2]", r#"{"results":{"a":[1]}}"#, "{}", "", r#"{"error":"x"}"#]
        {
            for size in [1, 1000] {
                assert_eq!(split(answer, size), (Vec::new(), answer.to_owned(), false), "{size}");
            }
        }
        for (broken, results) in [
            (r#"{"results":[{"a":1}{"b":2}]}"#, 1),
            (r#"{"results":[{"a":1}}]}"#, 1),
            (r#"{"results":[{"a":1},]}"#, 1),
            (r#"{"results":[{"a":1},,{"a":1}]}"#, 1),
        ] {
            let (found, rest, _) = split(broken, 1000);
            let document = rest.replacen('[', &format!("[{}", found.join(",")), 1);
            assert_eq!(found.len(), results);
            assert!(serde_json::from_str::<serde_json::Value>(&document).is_err(), "{document}");
        }
    }
}
