//! Settings: one TOML file, then the environment, then the command line; the later wins.
//!
//! `FENGHUO_SECTION__KEY` overrides `key` in `[section]`; deeper levels take further double underscores. Variables without
//! a double underscore belong to the command line and are not looked at. A list is written as in TOML: `["a", "b"]`.
//!
//! A secret need not stand in the file: any value may be given as `{ from_file = "path" }` (or as
//! `FENGHUO_SECTION__KEY__FROM_FILE=path`), and is then the content of that file without its last line break. Hold secrets as
//! [`secrecy::SecretString`], which never prints.
//!
//! A key that nobody knows is an error that names it: give every settings type `#[serde(default, deny_unknown_fields)]`.

use std::io;
use std::path::{Path, PathBuf};

use config::{Config, FileFormat, Map, Source, Value, ValueKind};
use serde::de::DeserializeOwned;

const PREFIX: &str = "FENGHUO_";
const LEVEL: &str = "__";
const FROM_FILE: &str = "from_file";

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("the configuration file {} cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A key is unknown, or its value is not what it should be. The message names the key and where it was given.
    #[error("the configuration is not valid: {0}")]
    Invalid(#[from] config::ConfigError),
    /// A list in the environment is not written as in TOML.
    #[error("{variable} is not a list such as [\"a\", \"b\"]")]
    List {
        /// The variable.
        variable: String,
        /// What is wrong with it.
        #[source]
        source: toml::de::Error,
    },
    /// A value was to be read from a file that cannot be read.
    #[error("the value of {key} cannot be read from {}", path.display())]
    ValueFile {
        /// The key.
        key: String,
        /// The file it names.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// The process's environment, as [`load`] takes it. Variables that are not UTF-8 cannot be ours.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Reads the settings. `overrides` are `("section.key", value)` from the command line.
pub fn load<T: DeserializeOwned>(
    path: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    overrides: &[(&str, String)],
) -> Result<T, ConfigError> {
    let mut builder = Config::builder();
    if let Some(path) = path {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::File { path: path.to_owned(), source })?;
        builder = builder.add_source(config::File::from_str(&text, FileFormat::Toml));
    }
    for (variable, text) in environment {
        if let Some(key) = key_of(&variable) {
            let kind = value_of(&variable, text)?;
            builder = builder.set_override(key, Value::new(Some(&variable), kind))?;
        }
    }
    for (key, text) in overrides {
        builder = builder.set_override(key, Value::new(Some(&"the command line".to_owned()), text.as_str()))?;
    }
    let mut settings = builder.build()?.collect()?;
    read_named_files("", &mut settings)?;
    Ok(Value::new(None, ValueKind::Table(settings)).try_deserialize()?)
}

/// `FENGHUO_SMS__SMSC__HOST` is `sms.smsc.host`.
fn key_of(variable: &str) -> Option<String> {
    let name = variable.strip_prefix(PREFIX)?;
    name.contains(LEVEL).then(|| name.to_ascii_lowercase().replace(LEVEL, "."))
}

/// The variable that overrides a key: `sms.host` is `FENGHUO_SMS__HOST`.
pub fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', LEVEL))
}

/// Text, which the setting's type then reads as number or truth; or a list.
fn value_of(variable: &str, text: String) -> Result<ValueKind, ConfigError> {
    if !text.trim_start().starts_with('[') {
        return Ok(ValueKind::String(text));
    }
    let parsed =
        format!("list = {text}").parse::<toml::Table>().map_err(|source| ConfigError::List { variable: variable.to_owned(), source })?;
    let items = parsed.get("list").and_then(toml::Value::as_array).into_iter().flatten();
    let as_text = |item: &toml::Value| item.as_str().map_or_else(|| item.to_string(), str::to_owned);
    Ok(ValueKind::Array(items.map(|item| Value::new(Some(&variable.to_owned()), as_text(item))).collect()))
}

fn read_named_files(section: &str, values: &mut Map<String, Value>) -> Result<(), ConfigError> {
    for (name, value) in values.iter_mut() {
        let key = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        let ValueKind::Table(table) = &mut value.kind else { continue };
        let named = match table.get(FROM_FILE) {
            Some(path) if table.len() == 1 => Some(PathBuf::from(path.clone().into_string()?)),
            _ => None,
        };
        match named {
            None => read_named_files(&key, table)?,
            Some(path) => match std::fs::read_to_string(&path) {
                Ok(text) => value.kind = ValueKind::String(text.trim_end_matches(['\r', '\n']).to_owned()),
                Err(source) => return Err(ConfigError::ValueFile { key, path, source }),
            },
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret, SecretString};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct City {
        sms: Sms,
        http: Http,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sms {
        host: String,
        port: u16,
        password: SecretString,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Http {
        trusted: Vec<String>,
        secure: bool,
    }

    fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fenghuo.toml");
        std::fs::write(&path, text).unwrap();
        (directory, path)
    }

    fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_environment_overrides_the_file_and_the_command_line_overrides_both() {
        let (_directory, path) = written("[sms]\nhost = \"file\"\nport = 1\n[http]\nsecure = false\n");
        let environment = variables(&[
            ("FENGHUO_SMS__HOST", "environment"),
            ("FENGHUO_SMS__PORT", "2775"),
            ("FENGHUO_HTTP__SECURE", "true"),
            ("FENGHUO_HTTP__TRUSTED", "[\"10.0.0.1\", \"10.0.0.2\"]"),
            ("FENGHUO_DATA", "belongs to the command line"),
            ("HOME", "/nowhere"),
        ]);
        let city: City = load(Some(&path), environment, &[("sms.host", "command line".to_owned())]).unwrap();
        assert_eq!((city.sms.host.as_str(), city.sms.port), ("command line", 2775));
        assert!(city.http.secure);
        assert_eq!(city.http.trusted, ["10.0.0.1", "10.0.0.2"]);
    }

    #[test]
    fn nothing_given_means_the_defaults() {
        let city: City = load(None, [], &[]).unwrap();
        assert_eq!(city.sms.port, 0);
    }

    #[rstest::rstest]
    #[case::in_the_file("[sms]\nhots = \"x\"\n", &[], "hots")]
    #[case::a_whole_section("[smms]\nhost = \"x\"\n", &[], "smms")]
    #[case::in_the_environment("", &[("FENGHUO_SMS__HOTS", "x")], "hots")]
    fn an_unknown_key_is_refused_by_name(#[case] text: &str, #[case] environment: &[(&str, &str)], #[case] key: &str) {
        let (_directory, path) = written(text);
        let error = load::<City>(Some(&path), variables(environment), &[]).unwrap_err().to_string();
        assert!(error.contains(&format!("`{key}`")), "{error}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused_with_its_key_and_variable() {
        let error = load::<City>(None, variables(&[("FENGHUO_SMS__PORT", "many")]), &[]).unwrap_err().to_string();
        assert!(error.contains("sms.port") && error.contains("FENGHUO_SMS__PORT"), "{error}");
    }

    #[test]
    fn a_secret_is_read_from_the_file_it_names_and_never_prints() {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("password");
        std::fs::write(&secret, "beacon tower\n").unwrap();
        let (_directory, path) = written("[sms]\npassword = \"old\"\n");
        let environment = variables(&[("FENGHUO_SMS__PASSWORD__FROM_FILE", secret.to_str().unwrap())]);
        let city: City = load(Some(&path), environment, &[]).unwrap();
        assert_eq!(city.sms.password.expose_secret(), "beacon tower");
        assert!(!format!("{city:?}").contains("beacon"));
    }

    #[test]
    fn a_secret_whose_file_is_missing_is_named() {
        let environment = variables(&[("FENGHUO_SMS__PASSWORD__FROM_FILE", "/does/not/exist")]);
        let error = load::<City>(None, environment, &[]).unwrap_err().to_string();
        assert!(error.contains("sms.password") && error.contains("/does/not/exist"), "{error}");
    }

    #[test]
    fn a_missing_configuration_file_is_named() {
        let error = load::<City>(Some(Path::new("/does/not/exist.toml")), [], &[]).unwrap_err().to_string();
        assert!(error.contains("/does/not/exist.toml"), "{error}");
    }
}
