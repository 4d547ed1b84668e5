//! Says in at most ten requests what a target looks like, and what to do before a run.
//!
//! It must not know rules, cases or reports; it judges readiness, not conformance.

mod answers;
mod connection;
mod headers;

use std::sync::Arc;

pub use connection::of_connection;

use crate::send::ConnectionSeen;
use crate::session::Environment;

/// How a line of the examination is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    /// As it should be.
    Ok,
    /// A run is possible; somebody should look.
    Look,
    /// A run would show nothing, or the wrong things.
    Wrong,
}

impl Readiness {
    /// The word that begins the line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Readiness::Ok => "ok",
            Readiness::Look => "look",
            Readiness::Wrong => "wrong",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct ExaminedPoint {
    /// How it is.
    pub readiness: Readiness,
    /// What was looked at, in a word or two.
    pub topic: &'static str,
    /// What was seen.
    pub seen: String,
    /// What to do: a flag, a line of the profile. Empty where nothing is to be done.
    pub remedy: String,
}

impl ExaminedPoint {
    fn ok(topic: &'static str, seen: impl Into<String>) -> ExaminedPoint {
        ExaminedPoint::new(Readiness::Ok, topic, seen, "")
    }

    fn look(
        topic: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ExaminedPoint {
        ExaminedPoint::new(Readiness::Look, topic, seen, remedy)
    }

    fn wrong(
        topic: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ExaminedPoint {
        ExaminedPoint::new(Readiness::Wrong, topic, seen, remedy)
    }

    fn new(
        readiness: Readiness,
        topic: &'static str,
        seen: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ExaminedPoint {
        ExaminedPoint { readiness, topic, seen: seen.into(), remedy: remedy.into() }
    }
}

/// What an examination showed.
#[derive(Debug, Clone, Default)]
pub struct Examination {
    /// Point by point.
    pub points: Vec<ExaminedPoint>,
    /// Whether the target could not be reached at all.
    pub unreached: bool,
    /// Whether items that were sent may be in the target now.
    pub stores: bool,
}

impl Examination {
    /// Whether something has to be mended before a run.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        self.points.iter().any(|point| point.readiness == Readiness::Wrong)
    }
}

/// Looks at the target of an environment, whose connection was looked at already.
pub async fn examine(environment: &Arc<Environment>, connection: &ConnectionSeen) -> Examination {
    let mut examination = Examination {
        points: of_connection(&environment.sender.target, connection),
        unreached: connection.failure.is_some(),
        stores: false,
    };
    if !examination.unreached {
        answers::examine(environment, &mut examination).await;
    }
    examination
}
