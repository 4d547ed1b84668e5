//! What a certificate says in words: whom it is for, who issued it, when it ends (RFC 5280, section 4.1).
//!
//! It judges nothing. What cannot be read is left out.

use chrono::{DateTime, NaiveDate, Utc};

/// The parts that people ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CertificateWords {
    /// Common name, or organisation, of the holder.
    pub subject: Option<String>,
    /// The same of the issuer.
    pub issuer: Option<String>,
    /// When it ends.
    pub ends: Option<DateTime<Utc>>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `id-at-commonName` and `id-at-organizationName`.
const COMMON_NAME: &[u8] = &[0x55, 0x04, 0x03];
const ORGANIZATION: &[u8] = &[0x55, 0x04, 0x0a];

impl CertificateWords {
    /// Reads a certificate in DER.
    #[must_use]
    pub fn read(der: &[u8]) -> CertificateWords {
        CertificateWords::parts(der).unwrap_or_default()
    }

    fn parts(der: &[u8]) -> Option<CertificateWords> {
        let certificate = Elements(der).inside(SEQUENCE)?;
        let mut body = Elements(certificate).inside(SEQUENCE).map(Elements)?;
        let (mut tag, _) = body.next()?;
        // The version is left out where it is the first.
        if tag == 0xa0 {
            (tag, _) = body.next()?;
        }
        let (_, issuer) = (tag == 0x02).then(|| body.nth(1))??;
        let (_, validity) = body.next()?;
        let (_, subject) = body.next()?;
        let (kind, end) = Elements(validity).nth(1)?;
        Some(CertificateWords {
            subject: name(subject),
            issuer: name(issuer),
            ends: time(kind, end),
        })
    }
}

/// The elements of some DER, one after the other: tag and content.
struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The content of the first element, where it has that tag.
    fn inside(mut self, tag: u8) -> Option<&'a [u8]> {
        self.next().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let digits = rest.get(..usize::from(first & 0x7f)).filter(|d| d.len() <= 4)?;
            let length = digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit));
            (length, &rest[digits.len()..])
        };
        let content = rest.get(..length)?;
        self.0 = &rest[length..];
        Some((tag, content))
    }
}

/// The common name of a name, or else its organisation.
fn name(der: &[u8]) -> Option<String> {
    let of = |wanted: &[u8]| {
        Elements(der).filter(|(tag, _)| *tag == SET).find_map(|(_, set)| {
            let mut pair = Elements(Elements(set).inside(SEQUENCE)?);
            let (tag, kind) = pair.next()?;
            let (_, value) = pair.next()?;
            let is_it = tag == OBJECT_IDENTIFIER && kind == wanted;
            is_it.then(|| String::from_utf8_lossy(value).into_owned())
        })
    };
    of(COMMON_NAME).or_else(|| of(ORGANIZATION))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let short: i32 = text.get(..2)?.parse().ok()?;
            (if short < 50 { 2000 + short } else { 1900 + short }, text.get(2..)?)
        }
        GENERALIZED_TIME => (text.get(..4)?.parse().ok()?, text.get(4..)?),
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u32>().ok();
    let date = NaiveDate::from_ymd_opt(year, part(0)?, part(2)?)?;
    Some(date.and_hms_opt(part(4)?, part(6)?, part(8)?)?.and_utc())
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    fn certificate(name: &str) -> CertificateDer<'static> {
        let file = format!("{}/tests/tls/{name}", env!("CARGO_MANIFEST_DIR"));
        CertificateDer::from_pem_file(file).unwrap()
    }

    #[test]
    fn a_certificate_says_who_issued_it_and_when_it_ends() {
        let words = CertificateWords::read(&certificate("expired.pem"));
        assert!(words.issuer.is_some() && words.subject.is_some(), "{words:?}");
        assert!(words.ends.unwrap() < Utc::now());
        let words = CertificateWords::read(&certificate("server.pem"));
        assert!(words.ends.unwrap() > Utc::now(), "{words:?}");
    }

    #[test]
    fn anything_else_says_nothing_and_does_no_harm() {
        let whole = certificate("server.pem");
        for end in 0..whole.len() {
            let _ = CertificateWords::read(&whole[..end]);
        }
        for at in 0..whole.len() {
            let mut broken = whole.to_vec();
            broken[at] ^= 0xff;
            let _ = CertificateWords::read(&broken);
        }
        assert_eq!(CertificateWords::read(b""), CertificateWords::default());
    }
}
