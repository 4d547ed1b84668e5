//! Where the options of `run` come from: the command line, then `BATCHPROOF_*` variables, then `batchproof.toml`, then
//! their defaults. Other commands take those that they share with `run`.
//!
//! It must not know what an option means: what it gathers is handed to the parser of the command line.

mod file;
mod print;
mod schema;
mod valid;

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};

use super::CommandError;
use super::args::Cli;
use crate::contract::FileError;
use crate::contract::file_error::nearest;
use file::{ConfigFile, Setting};
use valid::valid;

pub use print::shown;
pub use schema::schema;

/// The commands whose options may stand in the file.
const COMMANDS: [&str; 14] = [
    "run", "certify", "replay", "cleanup", "doctor", "init", "import", "new", "sample", "judge",
    "proxy", "serve", "prove", "explain",
];
/// What commands take from the command line alone, though `run` has an option of that name.
const NOT_SHARED: [(&str, &[&str]); 5] = [
    // With a target it sends, and what that accepts stays there.
    ("init", &["target", "profile"]),
    // It chooses among the exchanges of a file.
    ("judge", &["target"]),
    // The time of a soak.
    ("proxy", &["duration"]),
    ("serve", &["token_file", "refusal_mode"]),
    ("prove", &["depth", "seed", "verbose"]),
];
/// The variable of `--config`, also for commands without the option.
const CONFIG_VARIABLE: &str = "BATCHPROOF_CONFIG";
/// The same of `--config-profile`.
const PROFILE_VARIABLE: &str = "BATCHPROOF_CONFIG_PROFILE";
/// Options that choose what is read, or ask about it.
const NOT_SET: [&str; 5] = ["help", "config", "config_profile", "print_config", "save_cases"];
/// Variables that are read and are not options.
const OTHER_VARIABLES: [&str; 15] = [
    "BATCHPROOF_TOKEN",
    "BATCHPROOF_MANUAL",
    CONFIG_VARIABLE,
    PROFILE_VARIABLE,
    crate::case::VARIABLE_PREFIX,
    // What a command of a profile finds, such as one that calls batchproof again.
    "BATCHPROOF_RUN_ID",
    "BATCHPROOF_KEYS",
    "BATCHPROOF_BODY_SHA",
    "BATCHPROOF_METHOD",
    "BATCHPROOF_URL",
    "BATCHPROOF_HOOK",
    // Of the tests and benches of batchproof itself.
    "BATCHPROOF_PROVE",
    "BATCHPROOF_SEEDS",
    "BATCHPROOF_BLESS",
    "BATCHPROOF_SAMPLES",
];
/// Set for the hooks of a run: there, the variables of the run are not options of another.
const HOOK: &str = "BATCHPROOF_HOOK";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    CommandLine,
    /// This variable.
    Variable(String),
    /// This place of a file.
    File(String),
}

/// What the arguments come to.
pub struct Configured {
    /// The arguments.
    pub cli: Cli,
    /// What `--print-config` prints.
    pub shown: String,
}

/// Why there are no arguments.
pub enum ConfigError {
    /// The command line itself.
    Usage(clap::Error),
    /// A variable or a file.
    Unusable(CommandError),
}

impl From<clap::Error> for ConfigError {
    fn from(error: clap::Error) -> ConfigError {
        ConfigError::Usage(error)
    }
}

impl From<FileError> for ConfigError {
    fn from(error: FileError) -> ConfigError {
        ConfigError::Unusable(error.into())
    }
}

/// Reads the arguments of the process, its environment, and the file.
pub fn configured(arguments: Vec<OsString>) -> Result<Configured, ConfigError> {
    let command = Cli::command();
    // What is required may stand in the file.
    let lenient = COMMANDS.iter().fold(command.clone(), |command, name| {
        command.mut_subcommand(name, |own| {
            own.mut_args(|arg| if arg.is_positional() { arg } else { arg.required(false) })
        })
    });
    let matches = lenient.try_get_matches_from(&arguments)?;
    let given = matches.subcommand().filter(|(name, _)| COMMANDS.contains(name));
    let Some((name, given)) = given else {
        return Ok(Configured { cli: Cli::from_arg_matches(&matches)?, shown: String::new() });
    };
    let name = name.to_owned();
    let Some(own) = command.find_subcommand(&name) else {
        return Ok(Configured { cli: Cli::from_arg_matches(&matches)?, shown: String::new() });
    };
    let mut layers = Layers { command: own, given, origins: BTreeMap::new(), words: Vec::new() };
    layers.command_line();
    layers.variables()?;
    let options: Vec<&Arg> = options(&command);
    if let Some(file) = read(given, &options)? {
        layers.file(&file)?;
    }
    let (words, origins) = (layers.words, layers.origins);
    let mut arguments = arguments;
    let at = arguments.iter().position(|argument| *argument == *name).unwrap_or(0) + 1;
    arguments.splice(at..at, words);
    let matches = command.clone().try_get_matches_from(&arguments)?;
    let shown = match matches.subcommand() {
        Some((_, all)) => shown(own, all, &origins),
        None => String::new(),
    };
    Ok(Configured { cli: Cli::from_arg_matches(&matches)?, shown })
}

/// Variables that nothing reads, and whose names are nearly those of options.
pub fn misspelt() -> Vec<String> {
    if std::env::var_os(HOOK).is_some() {
        return Vec::new();
    }
    let command = Cli::command();
    let mut known: Vec<String> = OTHER_VARIABLES.iter().map(|name| (*name).to_owned()).collect();
    known.extend(options(&command).into_iter().map(variable));
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    // A profile names variables of its own, such as BATCHPROOF_TOKEN_B.
    let is_free = |name: &String| {
        name.starts_with("BATCHPROOF_")
            && !known.iter().any(|other| name.starts_with(other.as_str()))
    };
    let mut found: Vec<String> = names
        .filter(is_free)
        .filter_map(|name| {
            let near = nearest(&name, &known)?;
            Some(format!("nothing reads the variable {name}: did you mean {near}?"))
        })
        .collect();
    found.sort();
    found
}

/// The options that may be set: those of `run`.
fn options(command: &Command) -> Vec<&Arg> {
    let run = command.find_subcommand("run");
    run.into_iter().flat_map(Command::get_arguments).filter(|arg| is_option(arg)).collect()
}

fn is_option(arg: &Arg) -> bool {
    !NOT_SET.contains(&arg.get_id().as_str())
}

/// Which options of a command are those of `run`: of the commands that do something else, only what they share with it
/// is set from outside.
fn shared(command: &Command) -> impl Fn(&Arg) -> bool {
    let of_run: Vec<String> = Cli::command()
        .find_subcommand("run")
        .into_iter()
        .flat_map(Command::get_arguments)
        .filter(|arg| !arg.is_positional())
        .map(|arg| arg.get_id().to_string())
        .collect();
    let is_run = command.get_name() == "run";
    let own = NOT_SHARED.iter().find(|(name, _)| *name == command.get_name());
    let own = own.map_or(&[][..], |(_, ids)| *ids);
    let like_run = matches!(command.get_name(), "run" | "certify" | "replay" | "cleanup");
    move |arg: &Arg| {
        let id = arg.get_id().as_str();
        let is_shared = of_run.iter().any(|known| known == id);
        is_option(arg) && (is_run || like_run || is_shared) && !own.contains(&id)
    }
}

/// The name of an option in the file.
fn key(arg: &Arg) -> String {
    arg.get_long().map_or_else(|| arg.get_id().as_str().replace('_', "-"), str::to_owned)
}

/// The variable of an option.
fn variable(arg: &Arg) -> String {
    format!("BATCHPROOF_{}", key(arg).to_uppercase().replace('-', "_"))
}

fn is_flag(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse)
}

fn takes_several(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append) || arg.is_positional()
}

/// Reads the file that applies, and checks all of it, the sections that are not chosen too.
fn read(given: &ArgMatches, options: &[&Arg]) -> Result<Option<ConfigFile>, ConfigError> {
    let working = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    // Some commands have no such options, only the variables.
    let named = given.try_get_one::<PathBuf>("config").ok().flatten().cloned();
    let named = named.or_else(|| variable(CONFIG_VARIABLE).map(PathBuf::from));
    let path = match named {
        Some(path) => Some(path),
        None => file::find(&working)?,
    };
    let chosen = given.try_get_one::<String>("config_profile").ok().flatten().cloned();
    let chosen =
        chosen.or_else(|| variable(PROFILE_VARIABLE).and_then(|name| name.into_string().ok()));
    let chosen = chosen.as_ref();
    let Some(path) = path else {
        return match chosen {
            None => Ok(None),
            Some(name) => Err(FileError::new(
                file::NAME,
                format!("no configuration file has a section [profiles.{name}]"),
            )
            .expected("the file in this directory or above it, or --config FILE")
            .into()),
        };
    };
    let mut file = file::read(&path, &working)?;
    for setting in &file.settings {
        check(&file, setting, options)?;
    }
    if let Some(name) = chosen
        && !file.sections.contains(name)
    {
        let mut error =
            FileError::new(&*file.shown, format!("it has no section [profiles.{name}]"))
                .nearest(name, &file.sections);
        error.expected = Some(if file.sections.is_empty() {
            format!("[profiles.{name}] with its settings")
        } else {
            format!("one of {}", file.sections.join(", "))
        });
        return Err(error.into());
    }
    // The chosen section comes before the file itself.
    file.settings.retain(|s| s.section.is_none() || s.section.as_ref() == chosen);
    file.settings.sort_by_key(|s| s.section.is_none());
    Ok(Some(file))
}

fn check(file: &ConfigFile, setting: &Setting, options: &[&Arg]) -> Result<(), FileError> {
    let wrong = |found: String| FileError::new(&*file.shown, found).at(setting.at.0, setting.at.1);
    let Some(option) = options.iter().find(|arg| key(arg) == setting.key) else {
        let known: Vec<String> = options.iter().map(|arg| key(arg)).collect();
        let mut error = wrong(format!("unknown key `{}`", setting.key))
            .expected("an option of `batchproof run`, without its dashes");
        error.hint = if setting.key == "token" {
            Some(
                "tokens are not allowed in this file; token-file and token-command name its source"
                    .to_owned(),
            )
        } else {
            nearest(&setting.key, known).map(|near| format!("did you mean `{near}`?"))
        };
        return Err(error);
    };
    valid(option, &setting.values).map_err(|why| {
        let error = wrong(why.found);
        match why.expected {
            Some(expected) => error.expected(expected),
            None => error,
        }
    })
}

/// The layers, from the first to the last.
struct Layers<'a> {
    command: &'a Command,
    given: &'a ArgMatches,
    /// The origin of each value that is not a default.
    origins: BTreeMap<String, Origin>,
    /// What the environment and the file add to the command line.
    words: Vec<OsString>,
}

impl Layers<'_> {
    fn command_line(&mut self) {
        for arg in self.command.get_arguments() {
            let id = arg.get_id().as_str();
            let origin = match self.given.value_source(id) {
                Some(ValueSource::CommandLine) => Origin::CommandLine,
                Some(ValueSource::EnvVariable) => Origin::Variable(variable(arg)),
                _ => continue,
            };
            self.origins.insert(id.to_owned(), origin);
        }
    }

    fn variables(&mut self) -> Result<(), ConfigError> {
        if std::env::var_os(HOOK).is_some() {
            return Ok(());
        }
        let command = self.command;
        let mut found = Vec::new();
        let shared = shared(command);
        for arg in command.get_arguments().filter(|arg| shared(arg)) {
            let name = variable(arg);
            let Ok(text) = std::env::var(&name) else { continue };
            if text.trim().is_empty() {
                continue;
            }
            let values = if is_flag(arg) {
                vec![flag(&text).unwrap_or(text)]
            } else if takes_several(arg) && arg.is_positional() {
                text.split_whitespace().map(str::to_owned).collect()
            } else if takes_several(arg) {
                text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned).collect()
            } else {
                vec![text]
            };
            valid(arg, &values)
                .map_err(|why| ConfigError::Unusable(format!("{name}: {why}").into()))?;
            found.push((arg, values, Origin::Variable(name)));
        }
        self.add(found);
        Ok(())
    }

    fn file(&mut self, file: &ConfigFile) -> Result<(), ConfigError> {
        let command = self.command;
        for of_section in [true, false] {
            let settings = file.settings.iter().filter(|s| s.section.is_some() == of_section);
            let mut found = Vec::new();
            for setting in settings {
                // An option of `run` that this command does not have.
                let shared = shared(command);
                let own =
                    command.get_arguments().find(|arg| key(arg) == setting.key && shared(arg));
                let Some(arg) = own else {
                    continue;
                };
                let mut place = format!("{}:{}", file.shown, setting.at.0);
                if let Some(section) = &setting.section {
                    place = format!("{place}, [profiles.{section}]");
                }
                let dir = file.dir.as_deref();
                let values = setting.values.iter().map(|value| located(arg, value, dir)).collect();
                found.push((arg, values, Origin::File(place)));
            }
            for (at, (arg, ..)) in found.iter().enumerate() {
                if let Some((other, _, origin)) =
                    found[..at].iter().find(|(other, ..)| self.excludes(arg, other))
                {
                    let (one, two) = (key(other), key(arg));
                    let Origin::File(place) = origin else { continue };
                    return Err(ConfigError::Unusable(
                        format!("{place}: `{one}` and `{two}` exclude each other").into(),
                    ));
                }
            }
            self.add(found);
        }
        Ok(())
    }

    /// Adds what no earlier layer has set or excludes.
    fn add(&mut self, found: Vec<(&Arg, Vec<String>, Origin)>) {
        let earlier = self.origins.clone();
        for (arg, values, origin) in found {
            let id = arg.get_id().as_str();
            let is_set = |other: &&Arg| earlier.contains_key(other.get_id().as_str());
            let excluded =
                self.command.get_arguments().filter(is_set).any(|other| self.excludes(arg, other));
            // An expiry without waivers to write says nothing.
            let idle = id == "expires" && !self.names_waivers_to_write();
            if self.origins.contains_key(id) || excluded || idle {
                continue;
            }
            self.origins.insert(id.to_owned(), origin);
            for value in &values {
                if is_flag(arg) {
                    if value == "true" {
                        self.words.push(format!("--{}", key(arg)).into());
                    }
                } else if arg.is_positional() {
                    self.words.push(value.into());
                } else {
                    self.words.push(format!("--{}={value}", key(arg)).into());
                }
            }
        }
    }

    fn names_waivers_to_write(&self) -> bool {
        self.origins.contains_key("write_waivers")
    }

    fn excludes(&self, one: &Arg, other: &Arg) -> bool {
        let lists = |a: &Arg, b: &Arg| {
            self.command.get_arg_conflicts_with(a).iter().any(|c| c.get_id() == b.get_id())
        };
        one.get_id() != other.get_id() && (lists(one, other) || lists(other, one))
    }
}

/// A flag's variable as the file would have it.
fn flag(text: &str) -> Option<String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Some("true".to_owned()),
        "0" | "false" | "no" | "off" => Some("false".to_owned()),
        _ => None,
    }
}

/// A path of the file starts from the file's directory; an id of a case stays what it is.
fn located(arg: &Arg, value: &str, dir: Option<&Path>) -> String {
    let Some(dir) = dir else { return value.to_owned() };
    let joined = dir.join(value);
    let is_path = arg.get_value_parser().type_id() == TypeId::of::<PathBuf>();
    if is_path || (arg.get_id() == "cases" && joined.exists()) {
        joined.display().to_string()
    } else {
        value.to_owned()
    }
}
