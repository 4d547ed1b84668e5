//! A `curl` command line, as documentation shows it and browsers copy it.

use super::ImportedRequest;

/// Short options that take a value and say nothing here.
const WITH_VALUE: &str = "AbceoxmwETKryzCD";
/// The same, long.
const LONG_WITH_VALUE: &[&str] = &[
    "output",
    "proxy",
    "max-time",
    "connect-timeout",
    "write-out",
    "cacert",
    "cert",
    "key",
    "retry",
    "user-agent",
    "referer",
    "cookie-jar",
    "resolve",
    "config",
    "dump-header",
    "interface",
    "limit-rate",
    "proto",
    "range",
    "form",
    "upload-file",
    "trace",
    "trace-ascii",
    "stderr",
    "ciphers",
    "capath",
    "retry-delay",
    "noproxy",
];

/// Reads the command.
///
/// # Errors
/// What can't be read.
pub fn read(command: &str) -> Result<ImportedRequest, String> {
    let mut words = words(command)?.into_iter();
    words.next();
    let mut request = ImportedRequest::default();
    let mut data: Vec<String> = Vec::new();
    let mut method = None;
    while let Some(word) = words.next() {
        let mut value =
            |name: &str| words.next().ok_or_else(|| format!("curl: {name} has no value"));
        if let Some(long) = word.strip_prefix("--") {
            let (name, attached) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let mut value = |name: &str| attached.clone().map_or_else(|| value(name), Ok);
            match name {
                "request" => method = Some(value(name)?),
                "header" => header(&mut request, &value(name)?),
                "data" | "data-ascii" => data.push(body(&value(name)?, true)?),
                "data-binary" => data.push(body(&value(name)?, false)?),
                "data-raw" => data.push(value(name)?),
                "json" => {
                    data.push(body(&value(name)?, false)?);
                    request
                        .headers
                        .push(("Content-Type".to_owned(), "application/json".to_owned()));
                }
                "url" => request.url = value(name)?,
                "user" | "oauth2-bearer" => {
                    request
                        .headers
                        .push(("Authorization".to_owned(), format!("Basic {}", value(name)?)));
                }
                "cookie" => request.headers.push(("Cookie".to_owned(), value(name)?)),
                "get" => method = Some("GET".to_owned()),
                "head" => method = Some("HEAD".to_owned()),
                other if LONG_WITH_VALUE.contains(&other) => {
                    value(other)?;
                }
                _ => {}
            }
        } else if let Some(short) = word.strip_prefix('-').filter(|short| !short.is_empty()) {
            for (at, option) in short.char_indices() {
                let rest = &short[at + option.len_utf8()..];
                let mut value = || if rest.is_empty() { value(&word) } else { Ok(rest.to_owned()) };
                match option {
                    'X' => method = Some(value()?),
                    'H' => header(&mut request, &value()?),
                    'd' => data.push(body(&value()?, true)?),
                    'u' => {
                        request
                            .headers
                            .push(("Authorization".to_owned(), format!("Basic {}", value()?)));
                    }
                    'b' => request.headers.push(("Cookie".to_owned(), value()?)),
                    'G' => {
                        method = Some("GET".to_owned());
                        continue;
                    }
                    'I' => {
                        method = Some("HEAD".to_owned());
                        continue;
                    }
                    other if WITH_VALUE.contains(other) => {
                        value()?;
                    }
                    _ => continue,
                }
                break;
            }
        } else {
            request.url = word;
        }
    }
    if request.url.is_empty() {
        return Err("the curl command has no URL".to_owned());
    }
    if !data.is_empty() {
        request.body = Some(data.join("&"));
    }
    let usual = if request.body.is_some() { "POST" } else { "GET" };
    request.method = method.unwrap_or_else(|| usual.to_owned()).to_uppercase();
    Ok(request)
}

fn header(request: &mut ImportedRequest, line: &str) {
    if let Some((name, value)) = line.split_once(':') {
        request.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

/// Data, or that of the file that `@FILE` names; `-d` takes line ends out of a file.
fn body(data: &str, without_lines: bool) -> Result<String, String> {
    let Some(file) = data.strip_prefix('@') else { return Ok(data.to_owned()) };
    let text =
        std::fs::read_to_string(file).map_err(|error| format!("curl reads {file}: {error}"))?;
    Ok(if without_lines { text.replace(['\n', '\r'], "") } else { text })
}

/// The words of a command as a POSIX shell reads them, `$'…'` too.
fn words(command: &str) -> Result<Vec<String>, String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = command.chars().peekable();
    let open = || "a quotation mark in the curl command is not closed".to_owned();
    while let Some(c) = letters.next() {
        match c {
            '\\' => match letters.next() {
                Some('\n') | None => {}
                Some('\r') => {
                    letters.next_if_eq(&'\n');
                }
                Some(other) => word.get_or_insert_default().push(other),
            },
            '\'' => {
                let text = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or_else(open)? {
                        '\'' => break,
                        other => text.push(other),
                    }
                }
            }
            '$' if letters.peek() == Some(&'\'') => {
                letters.next();
                let text = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or_else(open)? {
                        '\'' => break,
                        '\\' => text.push(escaped(&mut letters).ok_or_else(open)?),
                        other => text.push(other),
                    }
                }
            }
            '"' => {
                let text = word.get_or_insert_default();
                loop {
                    match letters.next().ok_or_else(open)? {
                        '"' => break,
                        '\\' => match letters.next().ok_or_else(open)? {
                            '\n' => {}
                            special @ ('"' | '\\' | '$' | '`') => text.push(special),
                            other => text.extend(['\\', other]),
                        },
                        other => text.push(other),
                    }
                }
            }
            c if c.is_whitespace() => words.extend(word.take()),
            ';' | '|' | '&' | '>' => break,
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Ok(words)
}

/// The character that an escape in `$'…'` stands for.
fn escaped(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
    Some(match letters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        marker @ ('x' | 'u' | 'U') => {
            let most = match marker {
                'x' => 2,
                'u' => 4,
                _ => 8,
            };
            let mut code = 0;
            for _ in 0..most {
                let Some(digit) = letters.peek().and_then(|c| c.to_digit(16)) else { break };
                code = code << 4 | digit;
                letters.next();
            }
            char::from_u32(code).unwrap_or('\u{fffd}')
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_those_of_a_shell() {
        let words =
            super::words("curl -H 'a: b' \\\n \"c\\\"d\\n\" $'e\\n\\u00e9' f'g'\"h\" | jq .")
                .unwrap();
        assert_eq!(words, ["curl", "-H", "a: b", "c\"d\\n", "e\né", "fgh"]);
        assert!(super::words("curl 'open").is_err());
    }
}
