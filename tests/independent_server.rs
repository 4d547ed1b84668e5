//! The independent server's own tests: it is correct before the harness is held against it.

mod independent;
