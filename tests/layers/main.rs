//! How the code hangs together: modules import to their left only, and files of a crate never in a circle.

mod cycles;
mod direction;
mod imports;
mod sources;
mod unique_names;
