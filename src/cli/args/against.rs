//! The second target of a run: options of a comparison in lockstep.

use std::path::PathBuf;

use clap::Args;

use super::values::compared_place;

/// What a run is compared with.
#[derive(Args)]
#[command(next_help_heading = "Comparing two targets")]
pub struct AgainstArgs {
    /// Base URL of an older target: every request goes to both with the same bytes, and the answers are compared. The exit
    /// code is then that of the comparison: 0 no difference, 1 differences, 3 not compared.
    #[arg(long, value_name = "URL", conflicts_with_all = ["plan", "watch"])]
    pub against: Option<String>,
    /// Leave this JSON pointer of the answers, and what is below it, out of the comparison (repeatable); `*` is any step. Or
    /// a header, such as content-type.
    #[arg(long, value_name = "POINTER", value_parser = compared_place, requires = "against")]
    pub ignore: Vec<String>,
    /// File with the token for --against [default: the token of the target].
    #[arg(long, value_name = "F", requires = "against")]
    pub against_token_file: Option<PathBuf>,
    /// Both targets store into one database: send each other keys [default: what the first requests show].
    #[arg(long, requires = "against")]
    pub shared_database: bool,
}
