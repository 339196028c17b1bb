//! `deploy/fenghuo.toml` and `docs/setup/settings.md`: every setting with its default, its unit and why.
//!
//! What a setting means stands in the comment of its field: first what it is, then why, then where needed `Unit: …` and
//! `Example: …`. Its default is what the running code has, not what a comment says.

use std::fmt::Write as _;

use platform::jobs::Job;
use strum::VariantArray as _;
use toml::{Table, Value};

use super::sources::{Comment, Kind, Name, Sources};
use crate::configuration::Configuration;
use crate::services::Service;

/// Longest line of the commented file.
const WIDTH: usize = 120;

/// One section of the file.
struct Section {
    /// `push.apns`.
    path: String,
    /// Not there unless it is set.
    optional: bool,
    /// One of several, `[[push.fcm.projects]]`.
    several: bool,
    comment: Comment,
    settings: Vec<Setting>,
}

/// One setting.
struct Setting {
    key: String,
    /// As it stands in the file; none where there is none.
    default: Option<String>,
    /// Shown, but behind the marker: it holds without being set.
    aside: bool,
    /// What it may look like, where there is no default.
    example: Option<String>,
    unit: String,
    what: String,
    why: String,
}

/// All sections in the order of the file.
fn sections() -> Vec<Section> {
    let sources = Sources::read();
    let mut found = Vec::new();
    let whole = ("fenghuo".to_owned(), "Configuration".to_owned());
    walk(&sources, &whole, "", &Value::Table(defaults()), (false, false), &Comment::new(), &mut found);
    found.remove(0);
    found
}

/// What holds when nothing is set, with what is only there when it is set.
fn defaults() -> Table {
    let mut settings = Configuration::default();
    settings.identity.directory = Some(identity::DirectorySettings::default());
    settings.push.apns = Some(push::ApnsSettings::default());
    settings.push.fcm = Some(push::FcmSettings { projects: vec![push::FcmProject::default()], ..push::FcmSettings::default() });
    settings.push.web_push = Some(push::WebPushSettings::default());
    Table::try_from(settings).unwrap()
}

fn walk(
    sources: &Sources,
    of: &Name,
    path: &str,
    values: &Value,
    (optional, several): (bool, bool),
    comment: &Comment,
    found: &mut Vec<Section>,
) {
    let fields = sources.fields(of);
    let known: Vec<&String> = values.as_table().into_iter().flat_map(Table::keys).collect();
    let unknown: Vec<_> = known.iter().filter(|key| fields.iter().all(|field| field.name != ***key)).collect();
    assert!(unknown.is_empty(), "[{path}] has {unknown:?}, which the sources of {of:?} do not have");
    let mut settings = Vec::new();
    let (mut below, mut by_name) = (Vec::new(), Vec::new());
    for field in fields {
        let value = values.get(&field.name);
        match field.is {
            Kind::Section { of, optional: may_lack, several } => {
                let path = if path.is_empty() { field.name } else { format!("{path}.{}", field.name) };
                below.push((of, path, value, (optional || may_lack, several), field.comment));
            }
            Kind::Word(words) => settings.push(setting(path, field.name, &field.comment, value, &listed(&words))),
            Kind::Value(of) if of == "BTreeMap" => by_name.push(times_of_jobs(path, &field.name, field.comment)),
            Kind::Value(of) => settings.push(setting(path, field.name, &field.comment, value, &of)),
        }
    }
    found.push(Section { path: path.to_owned(), optional, several, comment: comment.clone(), settings });
    found.extend(by_name);
    for (of, path, value, how, comment) in below {
        let value = value.unwrap_or_else(|| panic!("[{path}] has defaults"));
        let value = value.as_array().and_then(|all| all.first()).unwrap_or(value);
        walk(sources, &of, &path, value, how, &comment, found);
    }
}

/// The one section whose keys are names that the code gives: those of the jobs, with their own times.
fn times_of_jobs(path: &str, name: &str, comment: Comment) -> Section {
    assert_eq!((path, name), ("jobs", "cron"), "another section by name has other keys");
    let jobs = Service::VARIANTS.iter().flat_map(|service| service.jobs());
    let setting = |job: &Job| Setting {
        key: format!("\"{}\"", job.name),
        default: Some(format!("\"{}\"", job.cron)),
        aside: true,
        example: None,
        unit: "cron".to_owned(),
        what: job.about_en.to_owned(),
        why: job.about.to_owned(),
    };
    Section { path: format!("{path}.{name}"), optional: false, several: false, comment, settings: jobs.map(setting).collect() }
}

fn setting(section: &str, key: String, comment: &Comment, value: Option<&Value>, of: &str) -> Setting {
    let said = |what: &str| comment.iter().find_map(|paragraph| paragraph.strip_prefix(what)).map(str::to_owned);
    let (unit, example) = (said("Unit: "), said("Example: "));
    let text: Vec<&str> =
        comment.iter().map(String::as_str).filter(|one| !one.starts_with("Unit: ") && !one.starts_with("Example: ")).collect();
    assert!(text.len() >= 2, "[{section}] {key} says what it is and, in a second paragraph, why");
    let default = value.map(Value::to_string).filter(|written| written != "\"\"" || example.is_none());
    assert!(default.is_some() || example.is_some(), "[{section}] {key} has neither a default nor an example");
    let unit = unit.or_else(|| unit_of(&key, of)).unwrap_or_else(|| panic!("[{section}] {key} of type {of} says its unit"));
    Setting { default, aside: false, example, unit, what: text[0].to_owned(), why: text[1..].join(" "), key }
}

/// The words of a choice, for the column of the unit.
fn listed(words: &[(String, Comment)]) -> String {
    let words: Vec<_> = words.iter().map(|(word, comment)| format!("`\"{word}\"`: {}", comment.join(" "))).collect();
    format!("one of {}", words.join(" "))
}

/// The unit that a name or a type says by itself.
fn unit_of(key: &str, of: &str) -> Option<String> {
    let by_name = [
        ("_ms", "milliseconds"),
        ("_s", "seconds"),
        ("_seconds", "seconds"),
        ("_minutes", "minutes"),
        ("_hours", "hours"),
        ("_months", "months"),
        ("_percent", "percent"),
        ("_per_second", "a second"),
        ("_per_minute", "a minute"),
    ];
    if let Some((_, unit)) = by_name.iter().find(|(end, _)| key.ends_with(end)) {
        return Some((*unit).to_owned());
    }
    let by_type = match of {
        "bool" => "true or false",
        "String" | "SecretString" => "text",
        "PathBuf" => "path",
        "SocketAddr" => "address:port",
        "Vec<AddressBlock>" => "list of addresses and networks",
        "PushServices" => "list of hosts",
        "NaiveTime" => "hours:minutes",
        "Tz" => "IANA name",
        words if words.starts_with("one of ") => words,
        _ => return None,
    };
    Some(by_type.to_owned())
}

/// The commented file.
fn commented() -> String {
    let mut file = HEAD.to_owned();
    for section in sections().iter().filter(|section| !section.settings.is_empty() || !section.comment.is_empty()) {
        let (open, close) = if section.several { ("[[", "]]") } else { ("[", "]") };
        let mark = if section.optional { "#: " } else { "" };
        file.push('\n');
        file.push_str(&remark(&section.comment.join(" ")));
        writeln!(file, "{mark}{open}{}{close}", section.path).unwrap();
        for setting in &section.settings {
            let unit = if setting.unit.starts_with("one of ") { setting.unit.clone() } else { format!("({})", setting.unit) };
            let end = if setting.unit.starts_with("one of ") { format!(" O{}", &unit[1..]) } else { format!(" {unit}") };
            file.push_str(&remark(&format!("{}{end} {}", setting.what, setting.why)));
            match (&setting.default, &setting.example) {
                (Some(default), _) if setting.aside => writeln!(file, "#: {} = {default}", setting.key),
                (Some(default), _) => writeln!(file, "{mark}{} = {default}", setting.key),
                (None, Some(example)) => writeln!(file, "#: {} = {example}", setting.key),
                (None, None) => Ok(()),
            }
            .unwrap();
        }
    }
    file
}

/// Text as comment lines.
fn remark(text: &str) -> String {
    let (mut lines, mut line) = (String::new(), String::from("#"));
    for word in text.split(' ') {
        if line.chars().count() + word.chars().count() >= WIDTH {
            writeln!(lines, "{line}").unwrap();
            line = String::from("#");
        }
        line.push(' ');
        line.push_str(word);
    }
    writeln!(lines, "{line}").unwrap();
    lines
}

const HEAD: &str = r#"# Every setting of Fenghuo 烽火 with its default: a file without any of these lines does the same.
# Made from the code (services/fenghuo/src/book/settings.rs): change the comment of a field there, not this file.
#
#   fenghuo --config fenghuo.toml serve          (or FENGHUO_CONFIG=fenghuo.toml)
#
# The environment wins over the file: FENGHUO_SECTION__KEY is `key` in [section], a further double underscore goes one level
# deeper. FENGHUO_SMS__HOST is `host` in [sms], FENGHUO_DISPATCH__QUIET_HOURS__FROM is `from` in [dispatch.quiet_hours].
# A list is written as here: FENGHUO_HTTP__TRUSTED_PROXIES='["10.0.0.1"]'.
#
# Any value may be read from a file, less its last line break, so that no secret need stand here:
#
#   password = { from_file = "/run/secrets/smpp" }          or FENGHUO_SMS__PASSWORD__FROM_FILE=/run/secrets/smpp
#
# A key that nobody knows is an error that names it. Lines that begin with `#: ` show settings that are not set by default;
# take the marker away to set them. Paths are relative to the directory in which the process is started.
"#;

/// The page of the manual.
fn page() -> String {
    let mut page = PAGE_HEAD.to_owned();
    for section in sections() {
        if section.settings.is_empty() && section.comment.is_empty() {
            continue;
        }
        let (open, close) = if section.several { ("[[", "]]") } else { ("[", "]") };
        writeln!(page, "\n## `{open}{}{close}`\n\n{}", section.path, section.comment.join(" ")).unwrap();
        if section.optional && !section.several {
            page.push_str("\nNot there by default; the defaults below hold once the section is set.\n");
        }
        if section.settings.is_empty() {
            continue;
        }
        page.push_str("\n| key | default | unit | what it is, and why |\n|---|---|---|---|\n");
        for setting in section.settings {
            let default = match (&setting.default, &setting.example) {
                (Some(default), _) => format!("`{default}`"),
                (None, Some(example)) => format!("none; such as `{example}`"),
                (None, None) => String::new(),
            };
            let row = format!("| `{}` | {default} | {} | {} *{}* |", setting.key, setting.unit, setting.what, setting.why);
            writeln!(page, "{row}").unwrap();
        }
    }
    page
}

const PAGE_HEAD: &str = "# Every setting

*This page is made from the code and its defaults (`services/fenghuo/src/book/settings.rs`), and `deploy/fenghuo.toml` with it: \
`FENGHUO_RENEW=1 cargo test -p fenghuo book` writes both. How settings are given is told in [Configure](configure.md).*

A setting in `[section]` with key `key` is `FENGHUO_SECTION__KEY` in the environment.
";

#[test]
fn the_commented_file_is_what_the_code_has() {
    super::is_as_written("deploy/fenghuo.toml", &commented());
}

#[test]
fn the_page_of_all_settings_is_what_the_code_has() {
    super::is_as_written("docs/setup/settings.md", &page());
}

#[test]
fn the_commented_file_says_what_holds_without_it() {
    let read: Configuration = toml::from_str(&commented()).unwrap();
    assert_eq!(toml::to_string(&read).unwrap(), toml::to_string(&Configuration::default()).unwrap());
}

#[test]
fn every_setting_that_the_file_shows_may_be_set() {
    let whole = commented().replace("\n#: ", "\n");
    toml::from_str::<Configuration>(&whole).unwrap_or_else(|error| panic!("{error}"));
}

/// Every key as `section.key`, and every section.
fn known() -> Vec<String> {
    let of_section = |section: Section| {
        let path = section.path;
        let keys = section.settings.into_iter().map(|setting| format!("{path}.{}", setting.key)).collect::<Vec<_>>();
        keys.into_iter().chain([path.clone()]).collect::<Vec<_>>()
    };
    sections().into_iter().flat_map(of_section).collect()
}

/// Whether a word in the text is the name of a setting: `dispatch.window`, or `FENGHUO_DISPATCH__WINDOW`.
fn means_a_setting(word: &str, sections: &[String]) -> Option<String> {
    if let Some(name) = word.strip_prefix("FENGHUO_").filter(|name| name.contains("__")) {
        let name = name.split('=').next()?.to_ascii_lowercase().replace("__", ".");
        return (name != "section.key").then(|| name.trim_end_matches(".from_file").to_owned());
    }
    let is_name = word.contains('.') && word.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c == '.');
    let of_a_section = sections.iter().any(|section| word.split('.').next() == Some(section.as_str()));
    (is_name && of_a_section).then(|| word.to_owned())
}

#[test]
fn every_setting_that_a_page_names_exists() {
    let known = known();
    let tops: Vec<String> = known.iter().filter(|name| !name.contains('.')).cloned().collect();
    let jobs = Service::VARIANTS.iter().flat_map(|service| service.jobs()).map(|job| job.name);
    let tables: Vec<&str> = domain::retention::KINDS.iter().flat_map(|kind| kind.tables).copied().chain(jobs).collect();
    let mut wrong = Vec::new();
    // What is for developers names events, queues and views, whose names look alike.
    let others = ["docs/reference/", "docs/development/", "docs/decisions/"];
    for (page, text) in super::pages().into_iter().filter(|(page, _)| !others.iter().any(|other| page.starts_with(other))) {
        for code in super::code(&text) {
            let words = match code {
                super::Code::Inline(word) => word,
                super::Code::Shell(block) => block,
            };
            for word in words.split_whitespace() {
                let named = means_a_setting(word, &tops);
                wrong.extend(
                    named.filter(|name| !known.contains(name) && !tables.contains(&name.as_str())).map(|name| format!("{page}: {name}")),
                );
            }
        }
    }
    assert!(wrong.is_empty(), "no such settings: {wrong:#?}");
}

#[test]
fn a_length_in_the_table_of_retention_is_the_default_of_its_setting() {
    let defaults = Value::Table(defaults());
    for kind in domain::retention::KINDS {
        let Some(setting) = kind.setting else { continue };
        let value = setting.split('.').try_fold(&defaults, |at, key| at.get(key));
        let value = value.unwrap_or_else(|| panic!("{setting} exists"));
        let length = i64::from(kind.keeping.length());
        assert!(length == 0 || value.as_integer() == Some(length), "{setting} is {value}, its row says {length}");
    }
}
