//! The pages as they stand in the repository.

use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A page by its path in the repository.
pub struct Page {
    pub path: String,
    pub text: String,
}

/// README.md and every page below `docs/`.
pub fn all() -> Vec<Page> {
    let mut paths = vec!["README.md".to_owned()];
    collect(&root(), "docs", "md", &mut paths);
    paths.sort();
    paths.into_iter().map(|path| Page { text: std::fs::read_to_string(root().join(&path)).unwrap(), path }).collect()
}

/// Adds the files below a directory that end so, by their path from `from`.
pub fn collect(from: &Path, directory: &str, ending: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(from.join(directory)).unwrap_or_else(|error| panic!("{directory}: {error}")) {
        let entry = entry.unwrap();
        let path = format!("{directory}/{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            if !path.ends_with("/node_modules") && !path.ends_with("/target") {
                collect(from, &path, ending, found);
            }
        } else if Path::new(&path).extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

/// Holds a page against what was made from the code, or writes it anew.
pub fn is_as_written(path: &str, written: &str) {
    let file = root().join(path);
    if std::env::var_os("FENGHUO_RENEW").is_some() {
        std::fs::write(&file, written).unwrap_or_else(|error| panic!("{path}: {error}"));
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == written, "{path} is old: FENGHUO_RENEW=1 cargo test -p tests manual");
}

/// What stands at the head of a page that is made.
pub fn head(title: &str, from: &str) -> String {
    format!("# {title}\n\n*This page is made from {from}: `FENGHUO_RENEW=1 cargo test -p tests manual` writes it.*\n")
}

/// A cell of a table: bars would end it.
pub fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}
