//! What the manual in `docs/` says about this binary is true: its settings and commands are written down from the code.
//!
//! * [`settings`]: `deploy/fenghuo.toml` and the page of all settings are made from the settings' types, their comments and their defaults.
//! * [`commands`]: the page of all commands is made from the command line, and every command that any page shows is one.
//! * [`jobs`]: the page of the scheduled work is made from what the services declare.
//!
//! With `FENGHUO_RENEW=1` in the environment these tests write the pages anew.

mod commands;
mod jobs;
mod settings;
mod sources;

use std::path::{Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Holds a file against what the code says, or writes it anew.
fn is_as_written(file: &str, written: &str) {
    let path = root().join(file);
    if std::env::var_os("FENGHUO_RENEW").is_some() {
        std::fs::write(&path, written).unwrap_or_else(|error| panic!("{file}: {error}"));
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == written, "{file} is old: FENGHUO_RENEW=1 cargo test -p fenghuo book");
}

/// README.md and all pages of the manual, by their path in the repository.
fn pages() -> Vec<(String, String)> {
    fn collect(directory: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let root = root();
    let mut found = vec![root.join("README.md")];
    collect(&root.join("docs"), &mut found);
    found.sort();
    let name = |path: &Path| path.strip_prefix(&root).unwrap().display().to_string();
    found.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

/// Code on a page.
enum Code {
    /// A block for a shell.
    Shell(String),
    /// A word or two in a sentence.
    Inline(String),
}

/// The code of a page, in its order.
fn code(text: &str) -> Vec<Code> {
    let (mut found, mut block) = (Vec::new(), None);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) if &*language == "sh" => block = Some(String::new()),
            Event::Text(text) => {
                if let Some(block) = &mut block {
                    block.push_str(&text);
                }
            }
            Event::End(TagEnd::CodeBlock) => found.extend(block.take().map(Code::Shell)),
            Event::Code(text) => found.push(Code::Inline(text.to_string())),
            _ => {}
        }
    }
    found
}
