//! The list of what an attacker cannot do names tests, and they are tests.

use std::collections::BTreeSet;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
use syn::visit::Visit;

use super::pages;

/// Names of all functions that a test runner runs.
fn tests() -> BTreeSet<String> {
    let mut paths = Vec::new();
    for folder in ["services", "tests", "benches", "proto"] {
        pages::collect(&pages::root(), folder, "rs", &mut paths);
    }
    let mut found = Found::default();
    for path in paths {
        let text = std::fs::read_to_string(pages::root().join(&path)).unwrap();
        found.visit_file(&syn::parse_file(&text).unwrap_or_else(|error| panic!("{path}: {error}")));
    }
    found.0
}

#[derive(Default)]
struct Found(BTreeSet<String>);

impl<'ast> Visit<'ast> for Found {
    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        // #[test], #[tokio::test], #[rstest]
        let is_test =
            |attribute: &syn::Attribute| attribute.path().segments.last().is_some_and(|last| last.ident.to_string().ends_with("test"));
        if function.attrs.iter().any(is_test) {
            self.0.insert(function.sig.ident.to_string());
        }
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        // properties stand in proptest! { #[test] fn name(value in strategy) { … } }
        if call.path.is_ident("proptest") {
            let text = call.tokens.to_string();
            let named = text.split("fn ").skip(1).filter_map(|rest| rest.split_once('(')).map(|(name, _)| name.trim().to_owned());
            self.0.extend(named);
        }
    }
}

/// The rows of the list: what the finding is called, and the tests.
fn rows() -> Vec<(String, Vec<String>)> {
    let text = std::fs::read_to_string(pages::root().join("tests/attacks/README.md")).unwrap();
    let (mut rows, mut cell, mut row) = (Vec::new(), 0, (String::new(), Vec::new()));
    for event in Parser::new_ext(&text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::TableRow) => (cell, row) = (0, (String::new(), Vec::new())),
            Event::End(TagEnd::TableCell) => cell += 1,
            Event::Text(text) if cell == 0 => row.0.push_str(&text),
            Event::Code(name) if cell == 2 => row.1.push(name.to_string()),
            Event::End(TagEnd::TableRow) => rows.push(std::mem::take(&mut row)),
            _ => {}
        }
    }
    rows
}

#[test]
fn every_attack_is_tried_by_tests_that_there_are() {
    let (rows, tests) = (rows(), tests());
    let without: Vec<_> = rows.iter().filter(|(_, named)| named.is_empty()).map(|(finding, _)| finding).collect();
    assert!(without.is_empty(), "no test of {without:?}");
    let missing: BTreeSet<_> = rows.iter().flat_map(|(_, named)| named).filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "no such tests: {missing:#?}");
    assert!(rows.len() > 40 && tests.len() > 1000, "{} attacks, {} tests: are they still read?", rows.len(), tests.len());
}
