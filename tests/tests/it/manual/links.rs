//! Links lead to a file, and within it to a heading; every page is in the contents.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::pages::{self, Page};

/// What a page offers and asks for.
#[derive(Default)]
struct Read {
    headings: BTreeSet<String>,
    links: Vec<String>,
}

fn read(text: &str) -> Read {
    let (mut read, mut heading) = (Read::default(), None::<String>);
    for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
            Event::Text(text) | Event::Code(text) => {
                if let Some(heading) = &mut heading {
                    heading.push_str(&text);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                let name = anchor(&heading.take().unwrap_or_default());
                // the second heading of a name is `name-1`
                let taken = (1..).map(|number| format!("{name}-{number}")).find(|other| !read.headings.contains(other)).unwrap();
                let free = !read.headings.contains(&name);
                read.headings.insert(if free { name } else { taken });
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => read.links.push(dest_url.to_string()),
            _ => {}
        }
    }
    read
}

/// The name of a heading in an address, as code hosts and mdbook make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || ['-', '_', ' '].contains(c));
    kept.flat_map(|c| if c == ' ' { '-'.to_lowercase() } else { c.to_lowercase() }).collect()
}

/// `docs/setup/try.md` and `../use/resident.md` are `docs/use/resident.md`.
fn joined(page: &str, link: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// Why a link of a page leads nowhere, if it does.
fn fault(page: &str, link: &str, all: &BTreeMap<String, Read>) -> Option<String> {
    if link.starts_with("https://") || link.starts_with("mailto:") {
        return None;
    }
    if link.contains("://") {
        return Some("is neither https nor a path".to_owned());
    }
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() { page.to_owned() } else { joined(page, path) };
    if !pages::root().join(&target).exists() {
        return Some(format!("there is no {target}"));
    }
    if page.starts_with("docs/") && !target.starts_with("docs/") {
        return Some("leads out of the book: name the path as `code` instead".to_owned());
    }
    let heading_is_there = heading.is_empty() || all.get(&target).is_some_and(|read| read.headings.contains(heading));
    (!heading_is_there).then(|| format!("{target} has no heading #{heading}"))
}

fn read_all() -> BTreeMap<String, Read> {
    pages::all().into_iter().map(|Page { path, text }| (path, read(&text))).collect()
}

#[test]
fn no_link_is_dead() {
    let all = read_all();
    let links = all.iter().flat_map(|(page, read)| read.links.iter().map(move |link| (page, link)));
    let dead: Vec<_> = links.filter_map(|(page, link)| Some(format!("{page}: {link}: {}", fault(page, link, &all)?))).collect();
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn a_dead_link_would_be_found() {
    let all = BTreeMap::from([
        ("docs/README.md".to_owned(), read("# Fenghuo 烽火\n## What is *there*?\n## Same\n## Same\n")),
        ("README.md".to_owned(), read("[a](docs/README.md#what-is-there)")),
    ]);
    for good in ["#fenghuo-烽火", "README.md#what-is-there", "#same", "#same-1", "https://example.com", "SUMMARY.md"] {
        assert_eq!(fault("docs/README.md", good, &all), None, "{good}");
    }
    for dead in ["#nothing", "nowhere.md", "http://example.com", "#same-2", "../Cargo.toml"] {
        assert!(fault("docs/README.md", dead, &all).is_some(), "{dead}");
    }
}

#[test]
fn the_contents_name_every_page_once() {
    let summary = read(&std::fs::read_to_string(pages::root().join("docs/SUMMARY.md")).unwrap());
    let mut named = BTreeSet::new();
    for link in summary.links {
        let path = joined("docs/SUMMARY.md", &link);
        assert!(named.insert(path.clone()), "{path} stands twice in the contents");
    }
    let written: BTreeSet<String> =
        pages::all().into_iter().map(|page| page.path).filter(|path| path.starts_with("docs/") && path != "docs/SUMMARY.md").collect();
    assert_eq!(written, named, "left: pages there are, right: pages that docs/SUMMARY.md names");
}

#[test]
fn the_readme_is_short_and_begins_with_the_two_commands() {
    let readme = std::fs::read_to_string(pages::root().join("README.md")).unwrap();
    let lines: Vec<&str> = readme.lines().collect();
    assert!(lines.len() <= 120, "README.md has {} lines: what explains belongs into docs/", lines.len());
    let commands: Vec<&str> = lines.iter().copied().filter(|line| line.starts_with("make ")).take(2).collect();
    assert!(commands[0].starts_with("make run") && commands[1].starts_with("make test"), "{commands:?}");
    assert!(lines.iter().position(|line| line.starts_with("make run")).unwrap() < 10, "the commands come first");
}

#[test]
fn pictures_are_small() {
    let mut pictures = Vec::new();
    for ending in ["png", "webp", "svg"] {
        pages::collect(&pages::root(), "docs", ending, &mut pictures);
    }
    for picture in pictures {
        let bytes = std::fs::metadata(Path::new(&pages::root()).join(&picture)).unwrap().len();
        assert!(bytes < 200_000, "{picture} has {bytes} bytes");
    }
}
