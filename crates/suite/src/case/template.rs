//! `${…}` in case files: captures of earlier items and answers, fresh keys, filler text.
//!
//! Only the syntax; the engine knows the captures.

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Text without a template.
    Text(String),
    /// `${fresh}`: a key that was never used; `${fresh:N}` is padded to N code points.
    Fresh(Option<usize>),
    /// `${fresh:longest}`: the same, padded to the longest key that must be accepted; it is bound to that length.
    Longest,
    /// `${key:NAME}`: a key that was never used, the same wherever this name stands in one run of a
    /// case; with a filter `|upper`, `|lower` or `|shorter` behind it.
    Key {
        /// The name.
        name: String,
        /// What is done with it.
        filter: Option<Filter>,
    },
    /// `${digits:NAME}`: the same of digits alone, which no run id can be part of.
    Digits(String),
    /// `${uuid:NAME}`: the same as a UUID in lower case, which no run id can be part of either; with a filter `|upper` or
    /// `|without-hyphens` behind it.
    Uuid {
        /// The name.
        name: String,
        /// What is done with it.
        filter: Option<Filter>,
    },
    /// `${seconds-ago:N}`: the date-time that was N seconds ago, when it is sent.
    SecondsAgo(u32),
    /// `${repeat:N:TEXT}`: TEXT N times.
    Repeat(usize, String),
    /// `${fill:N}`: blanks until the body has N bytes, or a multiple of N where it has more without them.
    Fill(usize),
    /// `${item}`: a valid generated item as JSON; `${item:NAME}`: the captured item.
    Item(Option<String>),
    /// `${@ROLE}`: the name of what has that role in the contract; it is bound before anything is sent.
    Name {
        /// The role, without its `@`.
        role: String,
        /// What is done with the name.
        filter: Option<Filter>,
    },
    /// `${path}`: the documented path.
    Path,
    /// `${host}`: the target's host and port, for raw requests.
    Host,
    /// `${token}`: the good credentials, for raw requests; redacted wherever it is shown.
    Token,
    /// `${byte:ff}`: one byte, in bodies.
    Byte(u8),
    /// `${length}`: in raw requests, the number of bytes behind the first empty line.
    Length,
    /// `${chunk}`: in raw requests, the number of bytes of the next line in hexadecimal.
    Chunk,
    /// `${NAME.field}` and `${NAME.status}`, `${NAME.header.X}`, `${NAME/pointer}`; with a filter
    /// `|upper` or `|lower` behind it.
    Capture {
        /// The item's or step's name.
        name: String,
        /// What of it: a field, `status`, `header.X`, or a JSON pointer of the answer.
        part: String,
        /// What is done with it.
        filter: Option<Filter>,
    },
}

/// What is done with a captured text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// Upper case.
    Upper,
    /// Lower case.
    Lower,
    /// Without its last character.
    Shorter,
    /// Its first letter in the other case.
    OtherCase,
    /// `accountId` as `account_id`.
    SnakeCase,
    /// Without its hyphens.
    WithoutHyphens,
}

impl Filter {
    /// What it makes of a text.
    #[must_use]
    pub fn apply(self, text: &str) -> String {
        match self {
            Filter::Upper => text.to_uppercase(),
            Filter::Lower => text.to_lowercase(),
            Filter::Shorter => {
                let cut = text.char_indices().next_back().map_or(0, |(at, _)| at);
                text[..cut].to_owned()
            }
            Filter::OtherCase => other_case(text),
            Filter::SnakeCase => snake_case(text),
            Filter::WithoutHyphens => text.replace('-', ""),
        }
    }
}

fn other_case(text: &str) -> String {
    let mut changed = false;
    text.chars()
        .map(|c| {
            let other =
                if c.is_uppercase() { c.to_lowercase().next() } else { c.to_uppercase().next() };
            let other = other.filter(|other| !changed && *other != c);
            changed |= other.is_some();
            other.unwrap_or(c)
        })
        .collect()
}

fn snake_case(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 4);
    for c in text.chars() {
        if c.is_uppercase() && !out.is_empty() && !out.ends_with('_') {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

/// Text with `${…}` in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(pub Vec<Piece>);

impl Template {
    /// Reads `text`; `$${` is a literal `${`.
    ///
    /// # Errors
    /// What is wrong with it, and what was expected.
    pub fn parse(text: &str) -> Result<Template, String> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            if at > 0 && rest.as_bytes()[at - 1] == b'$' {
                plain.push_str(&rest[..at - 1]);
                plain.push_str("${");
                rest = &rest[at + 2..];
                continue;
            }
            plain.push_str(&rest[..at]);
            let inside = &rest[at + 2..];
            let Some(end) = inside.find('}') else {
                return Err(format!("`{}` has no closing brace", &rest[at..]));
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece(&inside[..end])?);
            rest = &inside[end + 1..];
        }
        plain.push_str(rest);
        if !plain.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template(pieces))
    }

    /// The roles that it names, without their `@`.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|p| match p {
            Piece::Name { role, .. } => Some(role.as_str()),
            Piece::Capture { part, .. } => part.strip_prefix('@'),
            _ => None,
        })
    }

    /// The steps and items that it names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|p| match p {
            Piece::Capture { name, .. } | Piece::Item(Some(name)) => Some(name.as_str()),
            _ => None,
        })
    }
}

/// The most bytes that blanks fill a body to.
const LARGEST_FILL: usize = 16 << 20;

fn piece(text: &str) -> Result<Piece, String> {
    let number = |t: &str| t.parse::<usize>().map_err(|_| format!("`{t}` is not a count"));
    if let Some(rest) = text.strip_prefix("repeat:") {
        let (count, what) =
            rest.split_once(':').ok_or_else(|| format!("`{text}`: expected repeat:N:TEXT"))?;
        return Ok(Piece::Repeat(number(count)?, what.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("fill:") {
        let size = number(rest)?;
        if !(1..=LARGEST_FILL).contains(&size) {
            return Err(format!("`{text}`: expected a size from 1 to {LARGEST_FILL}"));
        }
        return Ok(Piece::Fill(size));
    }
    if text == "fresh:longest" {
        return Ok(Piece::Longest);
    }
    if let Some(rest) = text.strip_prefix("fresh:") {
        return Ok(Piece::Fresh(Some(number(rest)?)));
    }
    if let Some(rest) = text.strip_prefix("digits:").filter(|name| !name.is_empty()) {
        return Ok(Piece::Digits(rest.to_owned()));
    }
    if let Some(rest) = text.strip_prefix("uuid:") {
        let (name, filter) = filtered(rest)?;
        if name.is_empty() {
            return Err(format!("`${{{text}}}`: expected uuid:NAME"));
        }
        return Ok(Piece::Uuid { name: name.to_owned(), filter });
    }
    if let Some(rest) = text.strip_prefix("seconds-ago:") {
        let seconds = rest.parse().map_err(|_| format!("`{rest}` is not a count"))?;
        return Ok(Piece::SecondsAgo(seconds));
    }
    if let Some(rest) = text.strip_prefix("byte:") {
        return u8::from_str_radix(rest, 16)
            .map(Piece::Byte)
            .map_err(|_| format!("`{text}`: expected two hexadecimal digits"));
    }
    if let Some(rest) = text.strip_prefix("item:") {
        return Ok(Piece::Item(Some(rest.to_owned())));
    }
    if let Some(count) = text.strip_prefix("varied:") {
        return Ok(Piece::Repeat(1, varied(number(count)?)));
    }
    if let Some(rest) = text.strip_prefix('@') {
        let (role, filter) = filtered(rest)?;
        return Ok(Piece::Name { role: role.to_owned(), filter });
    }
    if let Some(rest) = text.strip_prefix("number:") {
        return Err(format!("`${{{text}}}` is now written `${{key:{rest}}}`"));
    }
    if let Some(rest) = text.strip_prefix("key:") {
        let (name, filter) = filtered(rest)?;
        if name.is_empty() {
            return Err(format!("`${{{text}}}`: expected key:NAME"));
        }
        return Ok(Piece::Key { name: name.to_owned(), filter });
    }
    match text {
        "fresh" => return Ok(Piece::Fresh(None)),
        "item" => return Ok(Piece::Item(None)),
        "path" => return Ok(Piece::Path),
        "host" => return Ok(Piece::Host),
        "token" => return Ok(Piece::Token),
        "length" => return Ok(Piece::Length),
        "chunk" => return Ok(Piece::Chunk),
        _ => {}
    }
    let (text, filter) = filtered(text)?;
    let split = text.find(['.', '/']).filter(|at| *at > 0);
    let Some(at) = split else {
        return Err(format!(
            "`${{{text}}}` is not known: expected fresh, fresh:N, fresh:longest, key:NAME, digits:NAME, uuid:NAME, seconds-ago:N, repeat:N:TEXT, varied:N, fill:N, item, path, @ROLE, host, \
             NAME.FIELD, NAME.status, NAME.header.X or NAME/POINTER"
        ));
    };
    let name = text[..at].to_owned();
    let part = if text.as_bytes()[at] == b'/' { &text[at..] } else { &text[at + 1..] };
    if part.is_empty() {
        return Err(format!("`${{{text}}}` names no field"));
    }
    Ok(Piece::Capture { name, part: part.to_owned(), filter })
}

/// Letters and digits that no compression shortens much; the same each time.
fn varied(count: usize) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        // Marsaglia's xorshift: its high bits are as good as random here.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(LETTERS[usize::try_from(state >> 58).unwrap_or(0)])
    };
    (0..count).map(|_| next()).collect()
}

/// A text and the filter behind it.
fn filtered(text: &str) -> Result<(&str, Option<Filter>), String> {
    Ok(match text.split_once('|') {
        None => (text, None),
        Some((text, "upper")) => (text, Some(Filter::Upper)),
        Some((text, "lower")) => (text, Some(Filter::Lower)),
        Some((text, "shorter")) => (text, Some(Filter::Shorter)),
        Some((text, "other-case")) => (text, Some(Filter::OtherCase)),
        Some((text, "snake-case")) => (text, Some(Filter::SnakeCase)),
        Some((text, "without-hyphens")) => (text, Some(Filter::WithoutHyphens)),
        Some((_, other)) => {
            return Err(format!(
                "there is no filter `{other}`: expected upper, lower, shorter, other-case, snake-case or without-hyphens"
            ));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_captures_and_literals() {
        let t = Template::parse("a${first.number|upper}b$${x}${fresh:255}").unwrap();
        assert_eq!(
            t.0,
            [
                Piece::Text("a".into()),
                Piece::Capture {
                    name: "first".into(),
                    part: "number".into(),
                    filter: Some(Filter::Upper)
                },
                Piece::Text("b${x}".into()),
                Piece::Fresh(Some(255)),
            ]
        );
        assert!(Template::parse("${nothing}").is_err());
        assert!(Template::parse("${open").is_err());
    }
}
