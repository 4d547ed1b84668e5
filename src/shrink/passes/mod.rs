//! The passes of the shrinker: each proposes smaller scenarios of one kind.

mod fewer;
mod fewer_requests;
mod simpler;
mod strings;
