//! What a run of a written case is going to send, known before anything is sent: its steps are composed, and thrown
//! away.

use super::{Captures, StepSource, compose};
use crate::case::{BatchSpec, Case, Step};
use crate::exchange::BodyIntent;
use crate::session::{Amount, Environment};

/// Requests and items of a run. What captures of answers would add is not known yet, and changes no count.
#[must_use]
pub fn size(environment: &Environment, case: &Case, run: u64, seed: u64) -> Amount {
    let mut captures = Captures::default();
    let mut amount = Amount::default();
    for (number, step) in case.spec.steps.iter().flatten().enumerate() {
        let seed = seed.wrapping_add(number as u64);
        match &step.simultaneously {
            None => amount += size_of_step(environment, case, &mut captures, step, (run, seed)),
            Some(group) => {
                for (member, inner) in group.iter().enumerate() {
                    let seed = group_seed(seed, member);
                    amount += size_of_step(environment, case, &mut captures, inner, (run, seed));
                }
            }
        }
    }
    amount
}

/// The seed of a member of a group, of its step's.
#[must_use]
pub fn group_seed(seed: u64, member: usize) -> u64 {
    seed.wrapping_add(1000 * (member as u64 + 1))
}

fn size_of_step(
    environment: &Environment,
    case: &Case,
    captures: &mut Captures,
    step: &Step,
    (run, seed): (u64, u64),
) -> Amount {
    let source = StepSource { environment, case, exchanges: &[], run, seed };
    // A file that can't be used is reported when it is sent.
    let copies = compose(&source, captures, step).unwrap_or_default();
    let mut amount = Amount::new(copies.len() as u64, 0);
    for copy in copies {
        if let BodyIntent::Batch { items, .. } = &copy.body {
            amount.items += items.len() as u64;
        }
        if let Some(name) = &step.name {
            captures.step(name, 0, copy.request.body);
        }
    }
    amount
}

/// Whether runs of the case differ in how much they send.
#[must_use]
pub fn varies(case: &Case) -> bool {
    fn step_varies(step: &Step) -> bool {
        matches!(&step.batch, Some(BatchSpec::Count(span)) if span.low != span.high)
            || step.simultaneously.iter().flatten().any(step_varies)
    }
    case.spec.steps.iter().flatten().any(step_varies)
}
