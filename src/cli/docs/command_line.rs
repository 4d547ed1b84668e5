//! Every command with its arguments and options.

use std::fmt::Write as _;

use clap::{Arg, Command, CommandFactory};

use super::Page;
use crate::cli::args::Cli;

pub(super) fn page() -> Page {
    let mut text = "# Command line\n\nNames and exit codes are a promise: more may be added, none is renamed. `batchproof COMMAND --help` \
                    prints the same. See also [exit codes](exit-codes.md) and [environment variables](environment.md).\n"
        .to_owned();
    let mut cli = Cli::command();
    cli.build();
    for command in cli.get_subcommands_mut().filter(|command| !command.is_hide_set()) {
        if command.get_name() != "help" {
            describe(command, &mut text);
        }
    }
    Page { path: "reference/command-line.md".to_owned(), text }
}

fn describe(command: &mut Command, text: &mut String) {
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let _ = writeln!(text, "\n## {}\n\n{about}.\n\n```text\n{usage}\n```", command.get_name());
    let shown = |argument: &&Arg| !argument.is_hide_set() && argument.get_id() != "help";
    let arguments: Vec<&Arg> = command.get_arguments().filter(shown).collect();
    let mut headings: Vec<Option<&str>> = Vec::new();
    for argument in &arguments {
        if !headings.contains(&argument.get_help_heading()) {
            headings.push(argument.get_help_heading());
        }
    }
    for heading in headings {
        if let Some(heading) = heading {
            let _ = writeln!(text, "\n{heading}:");
        }
        text.push('\n');
        for argument in arguments.iter().filter(|a| a.get_help_heading() == heading) {
            let _ = writeln!(text, "- {}: {}", name(argument), meaning(argument));
        }
    }
}

/// `--option VALUE`, or the name of a positional argument.
fn name(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let values: Vec<String> = names.iter().map(ToString::to_string).collect();
    let value = values.join(" ");
    let name = match (argument.get_long(), argument.get_short()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some(short)) => format!("-{short}"),
        (None, None) => return format!("`{value}`"),
    };
    if argument.get_action().takes_values() {
        format!("`{name} {value}`")
    } else {
        format!("`{name}`")
    }
}

/// What it means, its choices, its default and its variable.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut text = help.map(ToString::to_string).unwrap_or_default();
    text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    // clap takes the full stop of a short help away.
    if !text.ends_with('.') {
        text.push('.');
    }
    let choices = argument.get_possible_values();
    if argument.get_action().takes_values() && !choices.is_empty() {
        let names: Vec<String> = choices
            .iter()
            .filter(|choice| !choice.is_hide_set())
            .map(|choice| match choice.get_help() {
                Some(help) => format!("`{}` ({help})", choice.get_name()),
                None => format!("`{}`", choice.get_name()),
            })
            .collect();
        let _ = write!(text, " One of {}.", names.join(", "));
    }
    let defaults: Vec<String> =
        argument.get_default_values().iter().map(|v| v.to_string_lossy().into_owned()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        let _ = write!(text, " Default: `{}`.", defaults.join(" "));
    }
    if let Some(variable) = argument.get_env() {
        let _ = write!(text, " Variable: `{}`.", variable.to_string_lossy());
    }
    text.replace('<', "&lt;")
}
