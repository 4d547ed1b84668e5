//! What small batches tell: whether the plain one is accepted, credentials, used keys, broken items.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;

use super::headers::of_headers;
use super::{Examination, ExaminedPoint};
use crate::case::Credential;
use crate::compose::{BodyStyle, OutgoingItem, batch, intent, plain_request};
use crate::contract::shape::Again;
use crate::exchange::{Answer, Exchange, LossKind};
use crate::execution::send_request;
use crate::generate::OptionalFields;
use crate::probe::{SeenAnswer, one_broken};
use crate::run::profile_to_paste;
use crate::session::Environment;

/// A plain answer that takes longer makes a run tedious.
const SLOW: Duration = Duration::from_secs(2);

/// A time as people read it.
pub fn time(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 10.0 { format!("{ms:.1} ms") } else { format!("{ms:.0} ms") }
}

/// An answer with what is read from it.
struct Told {
    seen: SeenAnswer,
    exchange: Exchange,
}

impl Told {
    fn header(&self, name: &str) -> Option<&str> {
        self.exchange.answer.response().and_then(|response| response.header(name))
    }
}

/// Sends up to eight requests.
pub async fn examine(environment: &Arc<Environment>, examination: &mut Examination) {
    let points = &mut examination.points;
    let fresh: Vec<OutgoingItem> = [OptionalFields::All, OptionalFields::None, OptionalFields::All]
        .into_iter()
        .zip(500..)
        .map(|(fields, nth)| {
            OutgoingItem::with_fresh_key(environment, environment.generator.item(nth, fields))
        })
        .collect();
    let first = send(environment, &fresh, Credential::Good, &[]).await;
    // A refusal as a whole stores nothing; what follows it is refused likewise.
    examination.stores = !matches!(first.seen.status(), Some(300..=499));
    if let Answer::Lost(loss) = &first.exchange.answer {
        examination.unreached = loss.kind.is_unreached() || matches!(loss.kind, LossKind::NoHttp);
        let remedy = match loss.kind {
            LossKind::NoHttp => "Is the port right, and is it https rather than http?",
            LossKind::Timeout => "Is it up, and is --timeout long enough?",
            LossKind::Credentials => {
                "The profile's `auth` names the command. Does it work in a shell?"
            }
            _ => {
                "Does the server want a client certificate (--cert F)? Is it http rather than https?"
            }
        };
        points.push(ExaminedPoint::wrong("batch", first.seen.words(), remedy));
        return;
    }
    let accepted = plain(environment, &first, &fresh, points).await;
    if let Some(response) = first.exchange.answer.response() {
        points.extend(of_headers(response, Utc::now()));
        let took = time(response.elapsed);
        points.push(if response.elapsed > SLOW {
            let jobs = "More --jobs shorten a run, if the target can bear them.";
            ExaminedPoint::look("time", format!("a batch of 3 took {took}"), jobs)
        } else {
            ExaminedPoint::ok("time", format!("a batch of 3 took {took}"))
        });
    }
    // What a target refuses for another reason says nothing of the rest.
    if matches!(first.seen.status(), Some(404 | 405 | 300..=399)) {
        return;
    }
    credentials(environment, points).await;
    if accepted {
        habits(environment, &fresh, points).await;
    }
}

/// Whether the plain batch was accepted, or some of it; where not, what to do.
async fn plain(
    environment: &Arc<Environment>,
    first: &Told,
    fresh: &[OutgoingItem],
    points: &mut Vec<ExaminedPoint>,
) -> bool {
    let words = first.seen.words();
    let operation = &environment.contract.operation;
    let is_page = first
        .exchange
        .answer
        .response()
        .is_some_and(|r| r.body.trim_ascii_start().starts_with(b"<"));
    let wrong = |remedy: &str| ExaminedPoint::wrong("batch", words.clone(), remedy);
    match first.seen.status() {
        Some(200..=299) if first.seen.all(true) => {
            points.push(ExaminedPoint::ok("batch", words));
            return true;
        }
        Some(401 | 403) => {
            let given = environment.sender.token().is_given();
            points.push(ExaminedPoint::wrong(
                "credentials",
                format!("refused: {words}"),
                if given {
                    "Is the token right and still valid? --token-file FILE, --token-command CMD or BATCHPROOF_TOKEN give it."
                } else {
                    "No token was given: --token-file FILE or BATCHPROOF_TOKEN (or `auth: none` in a profile)."
                },
            ));
            return false;
        }
        Some(404 | 405) => points.push(ExaminedPoint::wrong(
            "batch",
            format!("there is no {} {}: {words}", operation.method, operation.path),
            "Is --target the base URL, or the whole URL of the endpoint?",
        )),
        Some(300..=399) => {
            let to = first.header("location").unwrap_or("somewhere");
            points.push(ExaminedPoint::wrong(
                "batch",
                format!("{words}: it redirects to {to}"),
                "Redirects are not followed: give the final URL as --target.",
            ));
        }
        Some(429 | 503) => {
            points.push(wrong("It is under load, or limits requests: try later, or --rate N/s."));
        }
        _ if is_page => points.push(wrong(
            "A page for people: is --target the endpoint itself, and not a gateway's sign-in page?",
        )),
        Some(500..=599) => {
            points.push(wrong("A plain batch must not fail: look into the target's log."));
        }
        _ => {
            // The simplest item alone: where it is accepted, only some fields are the trouble.
            let simplest = fresh[1].renumbered(environment);
            let alone = send(environment, &[simplest], Credential::Good, &[]).await;
            let some = first
                .seen
                .results()
                .is_some_and(|all| all.iter().any(|r| r.accepted == Some(true)));
            if some || alone.seen.all(true) {
                points.push(ExaminedPoint::look(
                    "batch",
                    format!("{words}; an item with mandatory fields alone: {}", alone.seen.words()),
                    "Some optional field is the trouble; in a profile: omit: [FIELD], or values: { FIELD: [VALUE] }",
                ));
                return true;
            }
            points.push(ExaminedPoint::wrong(
                "references",
                format!("every plain item is refused: {words}"),
                if environment.contract.batch.references.is_empty() {
                    "Compare the item with what the target documents: `batchproof sample` prints one.".to_owned()
                } else {
                    format!("If it knows only its own values, write a profile, and add --profile profile.yaml:\n{}", profile_to_paste(environment))
                },
            ));
        }
    }
    false
}

/// Whether other credentials are refused.
async fn credentials(environment: &Arc<Environment>, points: &mut Vec<ExaminedPoint>) {
    if let Some(why) = &environment.profile.undemanded {
        points.push(ExaminedPoint::ok("credentials", why.clone()));
        return;
    }
    for (credential, what) in [(Credential::Wrong, "a wrong token"), (Credential::None, "no token")]
    {
        let item = OutgoingItem::with_fresh_key(
            environment,
            environment.generator.item(510, OptionalFields::All),
        );
        let told = send(environment, &[item], credential, &[]).await;
        let words = told.seen.words();
        points.push(match told.seen.status() {
            Some(401 | 403) => ExaminedPoint::ok("credentials", format!("{what} is refused with {}", told.seen.status().unwrap_or_default())),
            Some(200..=299) => ExaminedPoint::look(
                "credentials",
                format!("{what} is accepted: {words}"),
                "Is this meant to be open? Then say `auth: none` in a profile; else the rules of AUTH will fail.",
            ),
            Some(429 | 503) => ExaminedPoint::look("credentials", format!("{what}: {words}"), "It is under load: try later."),
            _ => ExaminedPoint::look("credentials", format!("{what}: {words}"), "401 or 403 was expected; the rules of AUTH will say more."),
        });
    }
}

/// What the contract has used keys get.
fn again(environment: &Environment) -> Again {
    environment.contract.shape.as_ref().map_or(Again::Rejected, |shape| shape.again)
}

/// What it does with used keys, broken items, and clients that accept compression.
async fn habits(
    environment: &Arc<Environment>,
    fresh: &[OutgoingItem],
    points: &mut Vec<ExaminedPoint>,
) {
    if environment.contract.batch.has_key() {
        let told = send(environment, fresh, Credential::Good, &[]).await;
        let words = told.seen.words();
        let status = told.seen.status();
        let is_processed = matches!(status, Some(200..=299));
        let known = status.map(|status| environment.contract.known_status(status));
        let (is_expected, expected) = match again(environment) {
            Again::Rejected => (is_processed && told.seen.all(false), "rejected"),
            Again::Refused => (known == Some(400), "refused with the whole batch"),
            Again::Replaced | Again::Free => (is_processed && told.seen.all(true), "accepted"),
            Again::Returned => {
                (is_processed && told.seen.all(true), "answered with the first results")
            }
        };
        points.push(if is_expected {
            ExaminedPoint::ok("used keys", words)
        } else {
            let remedy = format!(
                "Items of a batch that is sent again are expected to be {expected}; the rules of UNIQUE will say more."
            );
            ExaminedPoint::look("used keys", words, remedy)
        });
    }
    if let Some((broken, without)) = one_broken(environment) {
        let told = send(environment, &broken, Credential::Good, &[]).await;
        let verdicts: Vec<_> =
            told.seen.results().into_iter().flatten().map(|r| r.accepted).collect();
        let words =
            format!("an item without {without} between two good ones: {}", told.seen.words());
        let known = told.seen.status().map(|status| environment.contract.known_status(status));
        points.push(match (known, verdicts.as_slice()) {
            (Some(400), _) => ExaminedPoint::ok("refusal", format!("{words} (mode `request`)")),
            (Some(200), [Some(true), Some(false), Some(true)]) => {
                ExaminedPoint::ok("refusal", format!("{words} (mode `item`)"))
            }
            _ => ExaminedPoint::look(
                "refusal",
                words,
                "Neither of the two refusal modes; the rules of REFUSE will say more.",
            ),
        });
    }
    let item = OutgoingItem::with_fresh_key(
        environment,
        environment.generator.item(520, OptionalFields::All),
    );
    let told =
        send(environment, &[item], Credential::Good, &[("Accept-Encoding", "gzip, br")]).await;
    if let Some(response) = told.exchange.answer.response() {
        let coding = response.header("content-encoding").unwrap_or("identity");
        points.push(ExaminedPoint::ok(
            "compression",
            if coding == "identity" {
                "none, even if the client accepts it".to_owned()
            } else {
                format!("{coding}, for clients that accept it; batchproof does not ask for it")
            },
        ));
    }
}

/// Sends a batch with these credentials and header fields.
async fn send(
    environment: &Arc<Environment>,
    items: &[OutgoingItem],
    credential: Credential,
    headers: &[(&str, &str)],
) -> Told {
    let (bytes, body) = batch(environment, items, BodyStyle::Compact);
    let mut request = plain_request(environment, bytes);
    request.credential = credential;
    for (name, value) in headers {
        request.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        request.headers.push(((*name).to_owned(), (*value).to_owned()));
    }
    environment.trace(&mut request);
    let intent = intent(environment, &request, body);
    let answer = send_request(environment, &request, items.len()).await;
    let exchange = Exchange {
        index: 0,
        step: "doctor".to_owned(),
        group: None,
        request,
        intent,
        answer,
        always_busy: false,
    };
    Told { seen: SeenAnswer::of(&environment.contract, &exchange), exchange }
}
