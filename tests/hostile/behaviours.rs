//! The behaviours, each with what a run comes to.

use super::server::{Answer, Plays};
use super::{below_tls, bodies, framing, heads, texts};

/// Something that a server does.
#[derive(Clone, Copy)]
pub struct Behaviour {
    pub name: &'static str,
    pub plays: Plays,
    /// Further arguments.
    pub arguments: &'static [&'static str],
    /// Exit statuses that fit; none: 1 and 3.
    pub exits: &'static [i32],
    /// Something that is said.
    pub says: &'static str,
    /// Whether it is played over TLS too, or there alone.
    pub tls_too: bool,
    pub only_tls: bool,
    /// Certificates beyond the server's own.
    pub certificates: usize,
}

impl Behaviour {
    pub const fn always(name: &'static str, answer: Answer) -> Behaviour {
        Behaviour::of(name, Plays::Always(answer))
    }

    pub const fn later(name: &'static str, answer: Answer) -> Behaviour {
        Behaviour::of(name, Plays::Later(answer))
    }

    pub const fn of(name: &'static str, plays: Plays) -> Behaviour {
        Behaviour {
            name,
            plays,
            arguments: &[],
            exits: &[],
            says: "",
            tls_too: true,
            only_tls: super::is_below(plays),
            certificates: 0,
        }
    }

    pub const fn with(self, arguments: &'static [&'static str]) -> Behaviour {
        Behaviour { arguments, ..self }
    }

    pub const fn exits(self, exits: &'static [i32]) -> Behaviour {
        Behaviour { exits, ..self }
    }

    pub const fn says(self, says: &'static str) -> Behaviour {
        Behaviour { says, ..self }
    }

    pub const fn plain_only(self) -> Behaviour {
        Behaviour { tls_too: false, ..self }
    }

    /// What is played below TLS, on a target that has none.
    pub const fn without_tls(self) -> Behaviour {
        Behaviour { tls_too: false, only_tls: false, ..self }
    }

    pub const fn tls_only(self) -> Behaviour {
        Behaviour { only_tls: true, ..self }
    }
}

/// All of them.
pub fn all() -> Vec<Behaviour> {
    [
        bodies::BEHAVIOURS,
        framing::BEHAVIOURS,
        heads::BEHAVIOURS,
        texts::BEHAVIOURS,
        below_tls::BEHAVIOURS,
    ]
    .concat()
}
