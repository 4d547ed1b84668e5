//! Trace contexts: one trace for a run, one span for each request of it.

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

use crate::contract::Profile;
use crate::exchange::TraceParent;

/// Spreads consecutive numbers over all spans (Steele, Lea and Flood: `SplitMix64`).
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Gives each request its trace context.
pub(super) struct Traces {
    /// None where requests carry no trace context of ours.
    trace: Option<u128>,
    next: AtomicU64,
}

impl Traces {
    /// Those of the run with that id: its parts share a trace. Spans differ from process to process.
    pub fn new(run_id: &str, profile: &Profile) -> Traces {
        let own = profile.headers.keys().any(|name| name.eq_ignore_ascii_case("traceparent"));
        let wanted = profile.traceparent != Some(false) && !own;
        let digest = Sha256::digest(format!("batchproof trace {run_id}"));
        let trace = digest.iter().take(16).fold(0, |trace, byte| trace << 8 | u128::from(*byte));
        let start = std::hash::RandomState::new().build_hasher().finish();
        Traces { trace: wanted.then_some(trace.max(1)), next: AtomicU64::new(start) }
    }

    /// None at all.
    pub fn none() -> Traces {
        Traces { trace: None, next: AtomicU64::new(0) }
    }

    /// The same trace, with other spans from here on.
    pub fn go_on(&self) -> Traces {
        let start = std::hash::RandomState::new().build_hasher().finish();
        Traces { trace: self.trace, next: AtomicU64::new(start) }
    }

    /// The context of the next request.
    pub fn next(&self) -> Option<TraceParent> {
        let trace = self.trace?;
        let mut span = self.next.fetch_add(STRIDE, Ordering::Relaxed);
        span = (span ^ (span >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        span = (span ^ (span >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        span ^= span >> 31;
        // A span of zeros is none.
        Some(TraceParent { trace, span: span.max(1) })
    }
}
