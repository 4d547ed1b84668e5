//! Mutations of date-times (INTERPRETATION-19), and text that is plainly not of a format.

use chrono::{Duration, Utc};
use serde_json::Value;

use super::Catalogue;
use super::site::SchemaSite;

/// Text that no date-time parser may take; what is taken most often comes first.
const NONSENSE: [(&str, &str); 13] = [
    ("a word", "yesterday"),
    ("a date alone", "2023-09-05"),
    ("text", "not a date-time"),
    ("the present", "now"),
    ("a duration", "P1DT2H"),
    ("a date and an offset", "2023-09-05+02:00"),
    ("a time alone", "08:07:34Z"),
    ("a year and month", "2023-09"),
    ("slashed", "09/05/2023"),
    ("an object written out", "{\"year\":2023}"),
    ("null written out", "null"),
    ("letters for digits", "YYYY-MM-DDTHH:MM:SSZ"),
    ("digits of another script", "\u{662}\u{660}\u{662}\u{663}-09-05T08:07:34Z"),
];

/// Wrong, but commonly taken; what differs most comes first.
const DOUBTFUL: [(&str, &str); 22] = [
    ("no offset", "2024-05-26T16:49:50.237"),
    ("30 February", "2024-02-30T08:07:34Z"),
    ("seconds since 1970", "1693901254"),
    ("no offset and no fraction", "2024-05-26T16:49:50"),
    ("29 February of a common year", "2023-02-29T08:07:34Z"),
    ("29 February of a century", "2100-02-29T08:07:34Z"),
    ("31 April", "2023-04-31T08:07:34Z"),
    ("month 13", "2023-13-01T08:07:34Z"),
    ("month 0", "2023-00-10T08:07:34Z"),
    ("day 0", "2023-09-00T08:07:34Z"),
    ("day 32", "2023-01-32T08:07:34Z"),
    ("hour 25", "2023-09-05T25:07:34Z"),
    ("minute 60", "2023-09-05T08:60:34Z"),
    ("second 61", "2023-09-05T08:07:61Z"),
    ("an offset of 25 hours", "2023-09-05T08:07:34+25:00"),
    ("text behind it", "2023-09-05T08:07:34Zjunk"),
    ("single digits", "2023-9-5T8:7:34Z"),
    ("morning and evening", "09/05/2023 08:07:34 PM"),
    ("dotted", "05.09.2023 08:07:34"),
    ("an HTTP date", "Tue, 05 Sep 2023 08:07:34 GMT"),
    ("a year of two digits", "23-09-05T08:07:34Z"),
    ("a date in basic form", "20230905T080734Z"),
];

/// What must be accepted.
const PLAIN: [(&str, &str); 29] = [
    ("Z", "2023-09-05T08:07:34Z"),
    ("+00:00", "2023-09-05T08:07:34+00:00"),
    ("+02:00", "2023-09-05T08:07:34+02:00"),
    ("-05:00", "2023-09-05T08:07:34-05:00"),
    ("+05:30", "2023-09-05T08:07:34+05:30"),
    ("-03:30", "2023-09-05T08:07:34-03:30"),
    ("+13:45", "2023-09-05T08:07:34+13:45"),
    ("+14:00", "2023-09-05T08:07:34+14:00"),
    ("-12:00", "2023-09-05T08:07:34-12:00"),
    ("-14:00", "2023-09-05T08:07:34-14:00"),
    ("+00:01", "2023-09-05T08:07:34+00:01"),
    ("1 fractional digit", "2023-09-05T08:07:34.6Z"),
    ("2 fractional digits", "2023-09-05T08:07:34.60Z"),
    ("3 fractional digits", "2023-09-05T08:07:34.605Z"),
    ("4 fractional digits", "2023-09-05T08:07:34.6051Z"),
    ("5 fractional digits", "2023-09-05T08:07:34.60512Z"),
    ("6 fractional digits", "2023-09-05T08:07:34.605123Z"),
    ("7 fractional digits", "2023-09-05T08:07:34.6051234Z"),
    ("8 fractional digits", "2023-09-05T08:07:34.60512345Z"),
    ("9 fractional digits", "2023-09-05T08:07:34.605123456Z"),
    ("9 fractional digits and an offset", "2023-09-05T08:07:34.999999999+05:45"),
    ("midnight", "2023-09-05T00:00:00Z"),
    ("the last second of a day", "2023-09-05T23:59:59.999Z"),
    ("a leap day", "2024-02-29T12:00:00Z"),
    ("a leap day of a century", "2000-02-29T12:00:00Z"),
    ("a day that differs in UTC", "2024-01-01T00:30:00+14:00"),
    ("an hour that summer time leaves out", "2024-03-31T02:30:00+01:00"),
    ("the first second of 1970", "1970-01-01T00:00:00Z"),
    ("after 2^31 milliseconds", "1999-12-31T23:59:59Z"),
];

/// Where libraries differ.
const EDGE: [(&str, &str); 25] = [
    ("a leap second", "2016-12-31T23:59:60Z"),
    ("a leap second out of place", "2023-09-05T08:07:60Z"),
    ("24:00", "2023-09-05T24:00:00Z"),
    ("lower-case t", "2023-09-05t08:07:34Z"),
    ("lower-case z", "2023-09-05T08:07:34z"),
    ("a space for the T", "2023-09-05 08:07:34Z"),
    ("no seconds", "2023-09-05T08:07Z"),
    ("hour alone", "2023-09-05T08Z"),
    ("an offset without colon", "2023-09-05T08:07:34+0200"),
    ("an offset of hours", "2023-09-05T08:07:34+02"),
    ("an unknown local offset", "2023-09-05T08:07:34-00:00"),
    ("an offset beyond 14:00", "2023-09-05T08:07:34+14:01"),
    ("an offset of a day", "2023-09-05T08:07:34+24:00"),
    ("a zone name", "2023-09-05T08:07:34[Europe/Vilnius]"),
    ("an offset and a zone name", "2023-09-05T08:07:34+03:00[Europe/Vilnius]"),
    ("10 fractional digits", "2023-09-05T08:07:34.6051234567Z"),
    ("40 fractional digits", "2023-09-05T08:07:34.0000000000000000000000000000000000000001Z"),
    ("a point without digits", "2023-09-05T08:07:34.Z"),
    ("a comma for the point", "2023-09-05T08:07:34,605Z"),
    ("before 1970", "1969-12-31T23:59:59Z"),
    ("before 1900", "1815-12-10T08:07:34Z"),
    ("year 1", "0001-01-01T00:00:00Z"),
    ("year 9999", "9999-12-31T23:59:59Z"),
    ("a signed year", "+12023-09-05T08:07:34Z"),
    ("white space around", "2023-09-05T08:07:34Z "),
];

pub(super) fn derive(catalogue: &mut Catalogue<'_>) {
    for site in catalogue.sites.clone() {
        let Some(format) = site.flat.text("format").filter(|_| site.is_text() && !site.unique)
        else {
            continue;
        };
        if format == "date-time" {
            all(catalogue, &site, "break-format", &NONSENSE);
        } else {
            for (class, text) in foreign(format) {
                catalogue.add("break-format", &site, "format", class, Value::from(*text));
            }
        }
        if site.is_instant() {
            all(catalogue, &site, "doubtful-instant", &DOUBTFUL);
            all(catalogue, &site, "plain-instant", &PLAIN);
            recent(catalogue, &site);
            all(catalogue, &site, "edge-instant", &EDGE);
        }
    }
}

fn all(
    catalogue: &mut Catalogue<'_>,
    site: &SchemaSite,
    name: &'static str,
    list: &[(&str, &str)],
) {
    for (class, text) in list {
        catalogue.add(name, site, "format", class, Value::from(*text));
    }
}

/// The only values that depend on today: a service that refuses the future must know what today is, and that a
/// clock in the east is ahead.
fn recent(catalogue: &mut Catalogue<'_>, site: &SchemaSite) {
    let now = Utc::now();
    // An hour ago: no target's clock is as wrong as that.
    let hour = (now - Duration::hours(1)).format("%Y-%m-%dT%H:00:00Z").to_string();
    let ahead = (now + Duration::hours(13)).format("%Y-%m-%dT%H:00:00+14:00").to_string();
    for (class, text) in [("an hour ago", hour), ("an hour ago, far east", ahead)] {
        catalogue.add("plain-instant", site, "format", class, Value::String(text));
    }
    let yesterday = (now - Duration::days(1)).date_naive();
    for (class, rest) in [
        ("yesterday", "T12:00:00Z"),
        ("yesterday, far east", "T23:59:59+14:00"),
        ("yesterday, far west", "T00:00:00-12:00"),
    ] {
        let text = format!("{yesterday}{rest}");
        catalogue.add("plain-instant", site, "format", class, Value::String(text));
    }
}

/// Text that is not of a format; what the validator takes all the same is left out later.
fn foreign(format: &str) -> &'static [(&'static str, &'static str)] {
    match format {
        "date" => &[
            ("a word", "yesterday"),
            ("a date-time", "2023-09-05T08:07:34Z"),
            ("dotted", "05.09.2023"),
            ("month 13", "2023-13-01"),
        ],
        "time" => &[("a word", "noon"), ("a date", "2023-09-05"), ("hour 25", "25:00:00Z")],
        "uuid" => &[
            ("a word", "uuid"),
            ("a digit missing", "744251ab-d599-473e-a79f-8bd993a8b33"),
            ("no hexadecimal digit", "744251ab-d599-473e-a79f-8bd993a8b33g"),
        ],
        "email" => &[("no at sign", "somebody.example.com"), ("no domain", "somebody@")],
        "uri" => &[("a word", "not a uri"), ("no scheme", "//example.com/")],
        "ipv4" => &[("a word", "localhost"), ("256", "256.0.0.1"), ("three parts", "192.0.2")],
        "ipv6" => &[("a word", "localhost"), ("nine parts", "1:2:3:4:5:6:7:8:9")],
        "hostname" => &[("a space", "not a host"), ("a hyphen first", "-example.com")],
        _ => &[("text", "\u{1}not of any format <>\\^`{|}")],
    }
}
