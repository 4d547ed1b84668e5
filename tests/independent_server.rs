//! The independent server's own tests: it is correct before the harness is run against it.

mod independent;
