//! What the pages name exists: files of the repository, and targets of the Makefile.

use std::collections::BTreeSet;

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

use super::{pages, sources};

/// Code in a page: words in a sentence, and the lines of blocks for a shell.
fn code(text: &str) -> Vec<String> {
    let (mut found, mut in_shell) = (Vec::new(), false);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => in_shell = &*language == "sh",
            Event::End(TagEnd::CodeBlock) => in_shell = false,
            Event::Text(text) if in_shell => found.extend(text.lines().map(str::to_owned)),
            Event::Code(text) => found.push(text.to_string()),
            _ => {}
        }
    }
    found
}

/// Folders whose files the pages may name. What a build or a demo makes (`target/`, `data/`) is nobody's to check.
const FOLDERS: [&str; 7] = ["services/", "tests/", "benches/", "deploy/", "docs/", "proto/", ".ci/"];

#[test]
fn every_path_that_a_page_names_exists() {
    let mut wrong = Vec::new();
    for page in pages::all() {
        for line in code(&page.text) {
            for word in line.split_whitespace() {
                let word = word.trim_matches(['\'', '"', '(', ')', ',', ';', ':']);
                // `services/*/migrations` and `services/<name>` stand for many
                let stands_for_many = word.contains(['*', '<', '…', '$', '{']);
                if FOLDERS.iter().any(|folder| word.starts_with(folder)) && !stands_for_many && !pages::root().join(word).exists() {
                    wrong.push(format!("{}: {word}", page.path));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "no such files: {wrong:#?}");
}

#[test]
fn every_target_that_a_page_makes_is_in_the_makefile() {
    let makefile = std::fs::read_to_string(pages::root().join("Makefile")).unwrap();
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| !line.starts_with(['\t', ' ', '.', '#']))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for page in pages::all() {
        for line in code(&page.text) {
            let words: Vec<&str> = line.split_whitespace().skip_while(|word| word.contains('=')).collect();
            let Some(["make", target, ..]) = words.get(..).filter(|words| words.len() > 1) else { continue };
            seen += 1;
            if !targets.contains(target) {
                wrong.push(format!("{}: make {target}", page.path));
            }
        }
    }
    assert!(wrong.is_empty(), "the Makefile has no {wrong:#?}");
    assert!(seen > 5, "only {seen} were found: are the pages still read?");
}

#[test]
fn every_line_of_a_log_that_the_manual_quotes_is_written_somewhere() {
    let mut written = BTreeSet::new();
    for source in sources::all() {
        source.macros(|name, given| {
            if ["error", "warn", "info", "debug"].contains(&name) {
                let tokens = given.clone().into_iter().map(|token| token.to_string());
                written.extend(tokens.filter_map(|token| Some(token.strip_prefix('"')?.strip_suffix('"')?.to_owned())));
            }
        });
    }
    let page = std::fs::read_to_string(pages::root().join("docs/reference/logs.md")).unwrap();
    let quoted: Vec<String> =
        code(&page).into_iter().filter(|words| words.contains(' ') && !words.contains('=') && !words.starts_with("fenghuo ")).collect();
    let wrong: Vec<&String> = quoted.iter().filter(|line| !written.contains(*line)).collect();
    assert!(wrong.is_empty(), "nobody writes {wrong:#?}");
    assert!(quoted.len() > 20, "only {} were found: is the page still read?", quoted.len());
}
