//! The trace context of a request (W3C Trace Context, level 1), by which a server's logs name it.

use std::fmt;

/// The header that carries it.
pub const TRACE_HEADER: &str = "traceparent";

/// The trace context of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceParent {
    /// The run.
    pub trace: u128,
    /// The request.
    pub span: u64,
}

/// As the header's value has it; the request is to be recorded.
impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-01", self.trace, self.span)
    }
}
