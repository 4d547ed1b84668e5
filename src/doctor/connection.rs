//! What a connection tells: address, proxy, encryption, versions of HTTP.

use chrono::Utc;

use super::{ExaminedPoint, Readiness};
use crate::exchange::LossKind;
use crate::send::{ConnectionSeen, EncryptionSeen, Target};

/// Days before the end of a certificate from which somebody should look.
const SOON: i64 = 21;

/// The points that need no request.
#[must_use]
pub fn of_connection(target: &Target, seen: &ConnectionSeen) -> Vec<ExaminedPoint> {
    let mut points = Vec::new();
    let failure = seen.failure.as_ref();
    match &seen.proxy {
        Some(proxy) => points.push(ExaminedPoint::look(
            "proxy",
            format!("requests go through {proxy}"),
            "It comes from HTTPS_PROXY, HTTP_PROXY or ALL_PROXY; NO_PROXY names hosts that are reached directly.",
        )),
        None if matches!(failure, Some((LossKind::Resolve, _))) => {}
        None => {
            let all: Vec<String> = seen.addresses.iter().map(ToString::to_string).collect();
            points.push(ExaminedPoint::ok("address", format!("{} is {}", seen.host, all.join(", "))));
        }
    }
    if let Some((kind, why)) = failure {
        let (topic, remedy) = match kind {
            LossKind::Resolve => {
                ("address", "Is the host name right, and known to this machine's name service?")
            }
            LossKind::Proxy => ("proxy", "Name the host in NO_PROXY if it is reached directly."),
            LossKind::Tls => ("encryption", ""),
            _ => (
                "connection",
                "Is it running, is the address right, and may this machine connect to it?",
            ),
        };
        let why =
            if *kind == LossKind::Resolve { format!("{}: {why}", seen.host) } else { why.clone() };
        points.push(ExaminedPoint::wrong(topic, why, remedy));
        if let Some(encryption) = &seen.encryption {
            points.push(certificate(encryption));
        }
        return points;
    }
    points.push(ExaminedPoint::ok(
        "connection",
        format!("made in {}", super::answers::time(seen.took)),
    ));
    match &seen.encryption {
        Some(encryption) => {
            points.push(ExaminedPoint::ok("encryption", encryption.version.clone()));
            points.push(certificate(encryption));
        }
        None if target.is_loopback() => {
            points.push(ExaminedPoint::ok("encryption", "none, on this machine"));
        }
        None => points.push(ExaminedPoint::look(
            "encryption",
            "none: the token can be read on the way",
            "Is there an https URL?",
        )),
    }
    match seen.versions {
        Some((true, true)) => points.push(ExaminedPoint::ok("HTTP", "1.1 and 2; 1.1 is used")),
        Some((true, false)) => points.push(ExaminedPoint::ok("HTTP", "1.1")),
        Some((false, _)) => points.push(ExaminedPoint::look(
            "HTTP",
            "2 only",
            "What needs the framing of HTTP/1.1 is not applicable.",
        )),
        None => points.push(ExaminedPoint::ok("HTTP", "1.1")),
    }
    points
}

fn certificate(encryption: &EncryptionSeen) -> ExaminedPoint {
    let words = &encryption.certificate;
    let mut seen = words.subject.clone().unwrap_or_else(|| "(no name)".to_owned());
    if let Some(issuer) = &words.issuer {
        seen = format!("{seen}, issued by {issuer}");
    }
    let days = words.ends.map(|end| (end - Utc::now()).num_days());
    if let (Some(end), Some(days)) = (words.ends, days) {
        seen = format!("{seen}, ends {} (in {days} days)", end.format("%Y-%m-%d"));
    }
    match days {
        _ if !encryption.is_trusted => {
            ExaminedPoint::new(Readiness::Wrong, "certificate", format!("{seen}; not trusted"), "")
        }
        Some(days) if days < SOON => ExaminedPoint::look("certificate", seen, "Have it renewed."),
        _ => ExaminedPoint::ok("certificate", seen),
    }
}
