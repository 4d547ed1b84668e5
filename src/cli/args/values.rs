//! Values of options, read from text.

use std::time::Duration;

use crate::contract::header;
use crate::lockstep::HEADERS;
use crate::waiver::Day;

/// The longest time that an option takes.
const LONGEST: Duration = Duration::from_hours(264);

/// The variable in which Kubernetes numbers the pods of an indexed Job, from 0.
const INDEX: &str = "JOB_COMPLETION_INDEX";

/// A time such as `30s`, `10m` or `1h30m`; a number alone is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let time = match text.parse::<u32>() {
        Ok(seconds) => Duration::from_secs(seconds.into()),
        Err(_) => humantime::parse_duration(text)
            .map_err(|_| "expected a time such as 30s, 10m or 1h30m".to_owned())?,
    };
    if time.is_zero() || time > LONGEST {
        return Err("expected more than 0 and at most 11 days".to_owned());
    }
    Ok(time)
}

/// The last day on which something holds: `2027-01-31`, or a time from now on, such as `30d`.
pub fn last_day(text: &str) -> Result<Day, String> {
    let text = text.trim();
    if let Ok(day) = text.parse() {
        return Ok(day);
    }
    let expected =
        || format!("`{text}` is neither a time such as 30d nor a day such as 2027-01-31");
    let time = humantime::parse_duration(text).map_err(|_| expected())?;
    let time = chrono::Duration::from_std(time).map_err(|_| expected())?;
    let end = chrono::Utc::now().checked_add_signed(time).ok_or_else(expected)?;
    Day::of(&end.to_rfc3339()).ok_or_else(expected)
}

/// A header such as `X-Tenant: acme`.
pub fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("expected `Name: value`")?;
    let (name, value) = (name.trim(), value.trim());
    if !header::is_name(name) {
        return Err("the name has letters, digits and `-`, such as X-Tenant: acme".to_owned());
    }
    if header::is_framing(name) {
        return Err(format!("`{name}` is set by batchproof itself"));
    }
    if name.eq_ignore_ascii_case("authorization") {
        return Err(
            "credentials are not an argument: use the variable BATCHPROOF_TOKEN or --token-file"
                .to_owned(),
        );
    }
    if !header::is_value(value) {
        return Err("the value is one line without control characters".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A variable of case files, such as `account=ACC-1`.
pub fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected NAME=VALUE")?;
    let named = !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    if !named {
        return Err("a name has letters, digits, `-` and `_`".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// A size in bytes, such as `64MiB`.
pub fn bytes(text: &str) -> Result<u64, String> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| format!("`{text}` is not a size: write 64MiB"))?;
    let factor: u64 = match unit.trim() {
        "" | "B" => 1,
        "k" | "kB" | "KB" => 1000,
        "KiB" | "K" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" | "M" => 1 << 20,
        "GB" => 1_000_000_000,
        "GiB" | "G" => 1 << 30,
        other => return Err(format!("`{other}` is not a unit of size: expected KiB, MiB or GiB")),
    };
    match number.checked_mul(factor) {
        Some(bytes) if bytes > 0 => Ok(bytes),
        _ => Err(format!("`{text}` is out of range")),
    }
}

/// A part of a run, such as `2/5`.
pub fn partition(text: &str) -> Result<(u32, u32), String> {
    if let Some(parts) = text.strip_prefix("index/") {
        let index = std::env::var(INDEX).map_err(|_| {
            format!("`{text}` needs the variable {INDEX}, which Kubernetes sets in an indexed Job")
        })?;
        let index: u32 =
            index.trim().parse().map_err(|_| format!("{INDEX} is `{index}`: expected a number"))?;
        return partition(&format!("{}/{parts}", u64::from(index) + 1))
            .map_err(|_| format!("{INDEX} is {index}, but `{text}` has fewer parts"));
    }
    let parts = text
        .split_once('/')
        .and_then(|(i, n)| Some((i.trim().parse::<u32>().ok()?, n.trim().parse::<u32>().ok()?)));
    match parts {
        Some((i, n)) if i >= 1 && i <= n => Ok((i, n)),
        _ => Err(format!("expected I/N with I from 1 to N, such as 2/5; got `{text}`")),
    }
}

/// A place in an answer that is left out of a comparison: a JSON pointer, or a header that is compared.
pub fn compared_place(text: &str) -> Result<String, String> {
    if text.starts_with('/') && text.len() > 1 {
        return Ok(text.to_owned());
    }
    let header = text.to_ascii_lowercase();
    if HEADERS.contains(&header.as_str()) {
        return Ok(header);
    }
    Err(format!(
        "expected a JSON pointer such as /results/*/errorDescription, or one of {}",
        HEADERS.join(", ")
    ))
}
