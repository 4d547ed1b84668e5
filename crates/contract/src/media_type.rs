//! The value of a Content-Type or of one range of an Accept header (RFC 9110 section 8.3.1), as far as it is judged.

/// A media type with its charset parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaType {
    /// Type and subtype, in lower case; empty where the header is.
    pub essence: String,
    /// In lower case, without quotes.
    pub charset: Option<String>,
}

impl MediaType {
    /// Reads a header's value; what is not well-formed stays as it is in `essence`.
    #[must_use]
    pub fn parse(value: &str) -> MediaType {
        let mut parts = value.split(';').map(str::trim);
        let essence = parts.next().unwrap_or("").to_ascii_lowercase();
        let charset = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            let is_charset = name.trim().eq_ignore_ascii_case("charset");
            is_charset.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
        });
        MediaType { essence, charset }
    }

    /// Whether the type is `application/json`, whatever its parameters.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.essence == "application/json"
    }

    /// Whether the type is one of JSON documents in lines.
    #[must_use]
    pub fn is_lines(&self) -> bool {
        let subtype = self.essence.split_once('/').map_or("", |(_, subtype)| subtype);
        let subtype = subtype.trim_start_matches("x-");
        matches!(subtype, "ndjson" | "jsonl" | "jsonlines" | "json-lines" | "ldjson" | "json-seq")
    }

    /// The charset, where it names another one than UTF-8.
    #[must_use]
    pub fn foreign_charset(&self) -> Option<&str> {
        self.charset.as_deref().filter(|charset| !matches!(*charset, "utf-8" | "utf8"))
    }
}
