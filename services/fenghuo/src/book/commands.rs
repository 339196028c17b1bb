//! `docs/reference/commands.md`, and the commands on all pages: whatever begins with `fenghuo` is a command line that this binary takes.

use std::fmt::Write as _;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, CommandFactory as _};

use super::{Code, code, pages};
use crate::command::Arguments;

const HEAD: &str = "# Commands

*This page is made from the command line itself (`services/fenghuo/src/book/commands.rs`): `FENGHUO_RENEW=1 cargo test -p fenghuo book` \
writes it. Every command explains itself with `--help`.*
";

/// The page of all commands.
fn page() -> String {
    let mut command = Arguments::command();
    command.build();
    let mut page = HEAD.to_owned();
    let everywhere: Vec<&Arg> = command.get_arguments().filter(|argument| is_shown(argument)).collect();
    page.push_str("\nBefore or after any command:\n\n");
    table(&mut page, &everywhere);
    commands(&mut page, "fenghuo", &command);
    page
}

fn commands(page: &mut String, line: &str, command: &Command) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help" && !below.is_hide_set()) {
        let line = format!("{line} {}", below.get_name());
        if below.has_subcommands() {
            commands(page, &line, below);
            continue;
        }
        let positional: String = below.get_positionals().map(|one| format!(" {one}")).collect();
        let about = below.get_long_about().or_else(|| below.get_about()).map(ToString::to_string).unwrap_or_default();
        writeln!(page, "\n## `{line}{positional}`\n\n{}", about.trim_end_matches('.').to_owned() + ".").unwrap();
        let own: Vec<&Arg> = below.get_arguments().filter(|argument| is_shown(argument) && !argument.is_global_set()).collect();
        if !own.is_empty() {
            page.push('\n');
            table(page, &own);
        }
    }
}

fn is_shown(argument: &Arg) -> bool {
    !argument.is_hide_set() && !["help", "version"].contains(&argument.get_id().as_str())
}

fn table(page: &mut String, arguments: &[&Arg]) {
    page.push_str("| | default | what it does |\n|---|---|---|\n");
    for argument in arguments {
        let values = argument.get_value_names().unwrap_or_default().iter().map(|name| format!(" {name}")).collect::<String>();
        let name = match argument.get_long() {
            Some(long) if matches!(argument.get_action(), ArgAction::SetTrue) => format!("`--{long}`"),
            Some(long) => format!("`--{long}{values}`"),
            None => format!("`{argument}`"),
        };
        let default = argument.get_default_values().iter().map(|value| value.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ");
        let default = if default.is_empty() || default == "false" { String::new() } else { format!("`{default}`") };
        let mut does =
            argument.get_long_help().or_else(|| argument.get_help()).map(ToString::to_string).unwrap_or_default().replace('\n', " ");
        if let Some(variable) = argument.get_env() {
            write!(does, " Also `{}`.", variable.to_string_lossy()).unwrap();
        }
        let words: Vec<_> = argument.get_possible_values().iter().map(|value| format!("`{}`", value.get_name())).collect();
        if !words.is_empty() && !matches!(argument.get_action(), ArgAction::SetTrue) {
            write!(does, " One of {}.", words.join(", ")).unwrap();
        }
        writeln!(page, "| {name} | {default} | {does} |").unwrap();
    }
}

#[test]
fn the_page_of_all_commands_is_what_the_binary_takes() {
    super::is_as_written("docs/reference/commands.md", &page());
}

/// The command lines of a shell block: continued lines joined, comments, variables before and what follows a pipe left out.
fn command_lines(block: &str) -> Vec<Vec<String>> {
    let joined = block.replace("\\\n", " ");
    let mut lines = Vec::new();
    for line in joined.lines() {
        let line = line.split(" # ").next().unwrap_or_default();
        for part in line.split("&&").flat_map(|part| part.split(" | ")) {
            let words: Vec<String> = part.split_whitespace().filter(|word| !["&", "sudo"].contains(word)).map(str::to_owned).collect();
            let begins = words.iter().position(|word| !word.contains('=')).unwrap_or(words.len());
            let words = words[begins..].to_vec();
            if words.first().is_some_and(|word| word == "fenghuo" || word.ends_with("/fenghuo")) {
                lines.push(words);
            }
        }
    }
    lines
}

/// Why the binary would not take it, if it would not.
fn refused(words: &[String], whole: bool) -> Option<String> {
    let error = Arguments::command().try_get_matches_from(words).err()?;
    let lacking = [ErrorKind::MissingRequiredArgument, ErrorKind::MissingSubcommand, ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand];
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => None,
        // a sentence may speak of `fenghuo import` without naming files
        kind if !whole && lacking.contains(&kind) => None,
        _ => Some(error.to_string()),
    }
}

#[test]
fn every_command_on_every_page_is_one_that_the_binary_takes() {
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (page, text) in pages() {
        for code in code(&text) {
            let (lines, whole) = match code {
                Code::Shell(block) => (command_lines(&block), true),
                // the headings of the page above name places for arguments
                Code::Inline(_) if page == "docs/reference/commands.md" => continue,
                Code::Inline(words) => (command_lines(&words), false),
            };
            seen += lines.len();
            wrong.extend(lines.iter().filter_map(|words| Some(format!("{page}: {}: {}", words.join(" "), refused(words, whole)?))));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 20, "only {seen} commands were found: are the pages still read?");
}

#[test]
fn a_command_that_does_not_exist_would_be_found() {
    let lines = command_lines("export A=1\nB=2 target/release/fenghuo up --data x \\\n  --empti &\nmake run && fenghuo migrate\n");
    assert_eq!(lines.len(), 2);
    assert!(refused(&lines[0], true).is_some_and(|why| why.contains("--empti")));
    assert_eq!(refused(&lines[1], true), None);
}
