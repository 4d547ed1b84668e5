//! Which configuration file applies.

use std::path::PathBuf;

use clap::Args;

/// Every option of `run` may stand in batchproof.toml, and in a variable such as `BATCHPROOF_MAX_TIME`.
#[derive(Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Configuration file (TOML) [default: batchproof.toml in this directory or above it].
    #[arg(long, value_name = "F", env = "BATCHPROOF_CONFIG", hide_env = true)]
    pub config: Option<PathBuf>,
    /// Section [profiles.NAME] of the file, whose settings come first.
    #[arg(long, value_name = "NAME", env = "BATCHPROOF_CONFIG_PROFILE", hide_env = true)]
    pub config_profile: Option<String>,
}
