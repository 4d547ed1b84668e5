//! The command line: reads arguments, wires the modules, prints, and turns outcomes into exit codes.
//!
//! The one place that prints. It decides nothing about targets.

mod args;
mod asserting;
mod certify;
mod cleanup;
mod config;
mod docs;
mod doctor;
mod explain;
mod filter;
mod import;
mod init;
mod judge;
mod list;
mod new;
mod pauses;
mod progress;
mod prove;
mod proxy;
mod replay;
mod replay_hooks;
mod report;
mod run;
mod sample;
mod serve;
mod signals;
mod target;
mod verify;
mod version;
mod watch;

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;
use clap::error::ErrorKind;

use args::{Cli, Command};
use config::{ConfigError, Configured, configured};

pub use config::schema as config_schema;

/// Usage, or a file that can't be used.
const USAGE: u8 = 2;

/// Runs the command that the arguments name; the process' exit code.
#[must_use]
pub fn main() -> ExitCode {
    // The message of a panic may hold a secret of the target: only its place is printed.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        say_error(&format!("panicked at {place}: a defect of batchproof"));
    }));
    let Configured { cli, shown } = match configured(std::env::args_os().collect()) {
        Ok(configured) => configured,
        Err(ConfigError::Unusable(error)) => {
            say_error(&error.to_string());
            set_reports_aside(report_dir(std::env::args_os().skip(1)).as_deref());
            return ExitCode::from(USAGE);
        }
        Err(ConfigError::Usage(error))
            if error.kind() == ErrorKind::DisplayVersion
                && std::env::args_os().any(|argument| argument == "--version") =>
        {
            return match version::print() {
                Ok(code) => ExitCode::from(code),
                Err(error) => {
                    say_error(&error.to_string());
                    ExitCode::from(USAGE)
                }
            };
        }
        Err(ConfigError::Usage(error)) => {
            let _ = error.print();
            if error.use_stderr() {
                set_reports_aside(report_dir(std::env::args_os().skip(1)).as_deref());
            }
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    for warning in config::misspelt() {
        say_error(&warning);
    }
    let reports = match &cli.command {
        Some(Command::Run(args)) if !args.plan && !args.print_config && !args.watch => {
            Some(args.report_dir.clone())
        }
        Some(Command::Certify(args)) => Some(args.run.report_dir.clone()),
        Some(Command::Judge(args)) => Some(args.judging.report_dir.clone()),
        Some(Command::Proxy(args)) => Some(args.judging.report_dir.clone()),
        _ => None,
    };
    let outcome = match cli.command {
        Some(Command::Run(args)) if args.print_config => {
            say(&shown);
            Ok(0)
        }
        Some(Command::Run(args)) if args.watch => watch::watch(&args),
        Some(Command::Run(args)) => run::run(&args),
        Some(Command::Init(args)) => init::init(&args),
        Some(Command::Doctor(args)) => doctor::doctor(&args),
        Some(Command::New(args)) => new::new(&args),
        Some(Command::Import(args)) => import::import(&args),
        Some(Command::Judge(args)) => judge::judge(&args),
        Some(Command::Proxy(args)) => proxy::proxy(&args),
        Some(Command::List(args)) => list::list(&args),
        Some(Command::Explain(args)) => explain::explain(&args),
        Some(Command::Sample(args)) => sample::sample(&args),
        Some(Command::Serve(args)) => serve::serve(&args),
        Some(Command::Prove(args)) => prove::prove(&args),
        Some(Command::Replay(args)) => replay::replay(&args),
        Some(Command::Cleanup(args)) => cleanup::cleanup(&args),
        Some(Command::Report(args)) => report::report(&args),
        Some(Command::Certify(args)) => certify::certify(*args),
        Some(Command::Verify(args)) => verify::verify(&args),
        Some(Command::Docs(args)) => docs::docs(&args),
        Some(Command::Man { dir }) => man(&dir),
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "batchproof", &mut script);
            say(String::from_utf8_lossy(&script).trim_end());
            Ok(0)
        }
        None => {
            let _ = Cli::command().print_help();
            return ExitCode::from(USAGE);
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            say_error(&error.to_string());
            set_reports_aside(reports.as_deref());
            ExitCode::from(USAGE)
        }
    }
}

/// Writes a man page for each command.
fn man(dir: &Path) -> Result<u8, CommandError> {
    std::fs::create_dir_all(dir)?;
    clap_mangen::generate_to(Cli::command(), dir)?;
    Ok(0)
}

/// A run that did not take place leaves no report of the run before, which a CI job would publish as its own.
fn set_reports_aside(dir: Option<&Path>) {
    if let Some(dir) = dir
        && let Err(error) = crate::record::move_earlier(dir)
    {
        say_error(&format!("{}: the earlier reports stay: {error}", dir.display()));
    }
}

/// Where arguments that could not be read wanted the reports of a run.
fn report_dir(arguments: impl Iterator<Item = OsString>) -> Option<PathBuf> {
    let mut arguments = arguments.skip_while(|argument| argument != "run" && argument != "certify");
    arguments.next()?;
    while let Some(argument) = arguments.next() {
        if argument == "--report-dir" {
            return arguments.next().map(PathBuf::from);
        }
        let text = argument.to_string_lossy();
        if let Some(dir) = text.strip_prefix("--report-dir=") {
            return Some(PathBuf::from(dir));
        }
    }
    Some(PathBuf::from(args::REPORT_DIR))
}

/// What stops a command before its job was done.
pub(crate) type CommandError = Box<dyn std::error::Error + Send + Sync>;

pub(crate) fn say_error(text: &str) {
    // What a file or a target holds must not move the cursor.
    let _ = writeln!(std::io::stderr(), "batchproof: {}", crate::report::visible_block(text));
}

/// Prints a line on standard error, which is not the result of the command.
pub(crate) fn say_aside(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Values for case files: these, and those of the environment.
pub(crate) fn variables(given: &[(String, String)]) -> crate::case::Variables {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    crate::case::Variables::new(given, environment)
}

/// Prints a line; a closed pipe is not an error.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}
