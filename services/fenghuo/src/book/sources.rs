//! The settings' types as they stand in the sources: names, types and comments.

use std::collections::BTreeMap;
use std::path::Path;

use syn::{Attribute, Expr, Fields, Item, Lit, Meta, Type};

/// A type by crate and name.
pub(super) type Name = (String, String);

/// A comment, paragraph by paragraph.
pub(super) type Comment = Vec<String>;

/// One field of a section.
pub(super) struct Field {
    pub name: String,
    pub comment: Comment,
    pub is: Kind,
}

/// What a field holds.
pub(super) enum Kind {
    /// Another section; optional where it stands for something that need not be set, several where it may be set many times.
    Section { of: Name, optional: bool, several: bool },
    /// One of a few words, each with its comment.
    Word(Vec<(String, Comment)>),
    /// A value of a type.
    Value(String),
}

/// All settings' types.
pub(super) struct Sources {
    sections: BTreeMap<Name, Vec<(String, Comment, Type)>>,
    words: BTreeMap<Name, Vec<(String, Comment)>>,
}

impl Sources {
    /// Reads the sources of all crates.
    pub(super) fn read() -> Self {
        let mut sources = Self { sections: BTreeMap::new(), words: BTreeMap::new() };
        for service in std::fs::read_dir(super::root().join("services")).unwrap() {
            let service = service.unwrap();
            let directory = service.path().join("src");
            if service.path().join("Cargo.toml").exists() {
                sources.look_through(&service.file_name().to_string_lossy(), &directory);
            }
        }
        sources
    }

    fn look_through(&mut self, of: &str, directory: &Path) {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.look_through(of, &path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = syn::parse_file(&std::fs::read_to_string(&path).unwrap()).unwrap();
                file.items.into_iter().for_each(|item| self.take(of, item));
            }
        }
    }

    fn take(&mut self, of: &str, item: Item) {
        match item {
            Item::Struct(item) if is_section(&item.attrs) => {
                let Fields::Named(fields) = item.fields else { return };
                let fields = fields.named.into_iter().filter(|field| !has(&field.attrs, "serde", "skip"));
                let fields = fields.map(|field| (field.ident.unwrap().to_string(), comment(&field.attrs), field.ty)).collect();
                let known = self.sections.insert((of.to_owned(), item.ident.to_string()), fields);
                assert!(known.is_none(), "two settings' types of {of} are called {}", item.ident);
            }
            Item::Enum(item) if has(&item.attrs, "derive", "Deserialize") && item.variants.iter().all(|one| one.fields.is_empty()) => {
                let words = item.variants.iter().map(|one| (snake(&one.ident.to_string()), comment(&one.attrs))).collect();
                self.words.insert((of.to_owned(), item.ident.to_string()), words);
            }
            _ => {}
        }
    }

    /// The fields of a section, in their order.
    pub(super) fn fields(&self, section: &Name) -> Vec<Field> {
        let fields = self.sections.get(section).unwrap_or_else(|| panic!("{section:?} is a settings' type"));
        fields
            .iter()
            .map(|(name, comment, of)| Field { name: name.clone(), comment: comment.clone(), is: self.kind(&section.0, of) })
            .collect()
    }

    fn kind(&self, home: &str, of: &Type) -> Kind {
        let (outer, inner) = peeled(of);
        let path = words_of(inner);
        let (optional, several) = (outer == Some("Option"), outer == Some("Vec"));
        if let Some(of) = find(&self.sections, home, &path) {
            Kind::Section { of, optional, several }
        } else if let Some(of) = find(&self.words, home, &path) {
            Kind::Word(self.words[&of].clone())
        } else {
            let last = path.last().cloned().unwrap_or_default();
            Kind::Value(if several { format!("Vec<{last}>") } else { last })
        }
    }
}

/// The type that a field means: of its own crate, of the crate that it names, or the only one of that name.
fn find<T>(known: &BTreeMap<Name, T>, home: &str, path: &[String]) -> Option<Name> {
    let last = path.last()?;
    let named = path.len().checked_sub(2).map(|before| path[before].clone());
    if let Some(own) = named.or_else(|| Some(home.to_owned())).map(|of| (of, last.clone())).filter(|name| known.contains_key(name)) {
        return Some(own);
    }
    let mut all = known.keys().filter(|(_, name)| name == last);
    let found = all.next()?;
    assert!(all.next().is_none(), "{last} is the name of several types");
    Some(found.clone())
}

/// `Option<T>` and `Vec<T>` without their wrapping.
fn peeled(of: &Type) -> (Option<&'static str>, &Type) {
    if let Type::Path(path) = of
        && let Some(last) = path.path.segments.last()
        && let syn::PathArguments::AngleBracketed(inner) = &last.arguments
        && let Some(syn::GenericArgument::Type(inner)) = inner.args.first()
    {
        return match last.ident.to_string().as_str() {
            "Option" => (Some("Option"), inner),
            "Vec" => (Some("Vec"), inner),
            _ => (None, of),
        };
    }
    (None, of)
}

fn words_of(of: &Type) -> Vec<String> {
    match of {
        Type::Path(path) => path.path.segments.iter().map(|segment| segment.ident.to_string()).collect(),
        _ => Vec::new(),
    }
}

fn is_section(attributes: &[Attribute]) -> bool {
    has(attributes, "serde", "deny_unknown_fields") && has(attributes, "serde", "default")
}

/// Whether an attribute lists this word.
fn has(attributes: &[Attribute], attribute: &str, word: &str) -> bool {
    attributes.iter().filter(|one| one.path().is_ident(attribute)).any(|one| match &one.meta {
        Meta::List(list) => list.tokens.clone().into_iter().any(|token| token.to_string() == word),
        _ => false,
    })
}

/// The lines of a comment, joined to paragraphs.
fn comment(attributes: &[Attribute]) -> Comment {
    let mut paragraphs = vec![String::new()];
    for attribute in attributes.iter().filter(|one| one.path().is_ident("doc")) {
        if let Meta::NameValue(pair) = &attribute.meta
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(line) = &value.lit
        {
            let line = line.value().trim().to_owned();
            match paragraphs.last_mut() {
                _ if line.is_empty() => paragraphs.push(String::new()),
                Some(open) if !open.is_empty() => *open = format!("{open} {line}"),
                Some(open) => *open = line,
                None => {}
            }
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// `InProcess` is written `in_process`.
fn snake(name: &str) -> String {
    name.char_indices().flat_map(|(at, c)| (c.is_uppercase() && at > 0).then_some('_').into_iter().chain(c.to_lowercase())).collect()
}
