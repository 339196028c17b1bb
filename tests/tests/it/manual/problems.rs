//! `docs/reference/problems.md`: every code that a caller may be told, found in the sources where it is made.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use http::StatusCode;
use syn::Expr;

use super::{pages, sources};

/// One code: its statuses, who says it, and its sentence in English.
#[derive(Default)]
struct Told {
    statuses: BTreeSet<u16>,
    services: BTreeSet<String>,
    sentences: BTreeSet<String>,
}

/// `StatusCode::CONFLICT` is 409.
fn status(expression: &Expr) -> Option<u16> {
    let Expr::Path(path) = expression else { return None };
    let name = path.path.segments.last()?.ident.to_string();
    let known = (400..600).filter_map(|number| StatusCode::from_u16(number).ok());
    known.into_iter().find(|status| status.canonical_reason().is_some_and(|reason| shouted(reason) == name)).map(|status| status.as_u16())
}

/// `Not Found` is `NOT_FOUND`.
fn shouted(reason: &str) -> String {
    reason.to_uppercase().replace([' ', '-'], "_").replace('\'', "")
}

/// The status and the arguments after it of a call that makes a problem.
fn made<'a>(name: &str, arguments: &'a [&'a Expr]) -> Option<(u16, &'a [&'a Expr])> {
    let status_of = |name| match name {
        "bad_request" => Some(400),
        "forbidden" => Some(403),
        "not_found" => Some(404),
        "conflict" => Some(409),
        _ => None,
    };
    let (of, last) = name.rsplit_once("::")?;
    if !["Problem", "Self"].contains(&of) {
        return None;
    }
    match (last, arguments) {
        ("new", [first, rest @ ..]) => Some((status(first)?, rest)),
        (last, rest) => Some((status_of(last)?, rest)),
    }
}

fn told() -> BTreeMap<String, Told> {
    let mut found: BTreeMap<String, Told> = BTreeMap::new();
    for source in sources::all() {
        let mut take = |status: u16, code: String, sentence: String| {
            let told = found.entry(code).or_default();
            told.statuses.insert(status);
            told.services.insert(source.service.clone());
            told.sentences.insert(sentence);
        };
        source.calls(|name, arguments| {
            if let Some((status, [code, _, english, ..])) = made(name, arguments)
                && let (Some(code), Some(english)) = (sources::text(code), sources::text(english))
            {
                take(status, code, english);
            }
        });
    }
    bare_statuses(&mut found);
    refusals(&mut found);
    found
}

/// What the shell says where an answer was made by no handler: tuples of code and sentences by status, in `platform::http::problem`.
fn bare_statuses(found: &mut BTreeMap<String, Told>) {
    let source = sources::all().into_iter().find(|source| source.path.ends_with("platform/src/http/problem.rs")).unwrap();
    source.arms(|pattern, arm| {
        let Expr::Tuple(tuple) = arm else { return };
        let [code, _, english] = tuple.elems.iter().collect::<Vec<_>>()[..] else { return };
        let (Some(code), Some(english)) = (sources::text(code), sources::text(english)) else { return };
        let statuses = (400..600).filter_map(|number| StatusCode::from_u16(number).ok());
        let named = statuses.filter(|status| status.canonical_reason().is_some_and(|reason| pattern.contains(&shouted(reason))));
        let told = found.entry(code.clone()).or_default();
        told.statuses.extend(named.map(|status| status.as_u16()));
        if told.statuses.is_empty() {
            told.statuses.insert(if code == "internal" { 500 } else { 400 });
        }
        told.services.insert(source.service.clone());
        told.sentences.insert(english);
    });
}

/// What the table of an alert's life refuses: the code is the variant's name, in `review::error`.
fn refusals(found: &mut BTreeMap<String, Told>) {
    let source = sources::all().into_iter().find(|source| source.path.ends_with("review/src/error.rs")).unwrap();
    let (mut statuses, mut sentences) = (BTreeMap::<String, u16>::new(), BTreeMap::<String, String>::new());
    source.arms(|pattern, arm| {
        for name in pattern {
            statuses.extend(status(arm).map(|status| (snake(name), status)));
            sentences.extend(sources::text(arm).map(|sentence| (snake(name), sentence)));
        }
    });
    for code in ["not_from_here", "wrong_role", "outside_scope", "same_person", "not_author", "not_automatic", "reason_missing"] {
        let told = found.entry(code.to_owned()).or_default();
        told.statuses.insert(statuses.get(code).copied().unwrap_or(403));
        told.services.insert(source.service.clone());
        told.sentences.insert(sentences.get(code).unwrap_or_else(|| panic!("{code} has a sentence")).clone());
    }
}

/// `NotFromHere` is `not_from_here`.
fn snake(name: &str) -> String {
    name.char_indices().flat_map(|(at, c)| (c.is_uppercase() && at > 0).then_some('_').into_iter().chain(c.to_lowercase())).collect()
}

fn page() -> String {
    let mut page = pages::head("Problems", "the sources, wherever a problem is made");
    page.push_str(
        "\nA refusal is `application/problem+json` (RFC 9457). `code` is stable and for programs; `detail` (Chinese) and `detail_en` are one \
         sentence that says what to do; `errors` names the fields that are wrong; `instance` is the id of the request, to be quoted when asking \
         for help; `retry_after` and the header `Retry-After` say when trying again makes sense. What is in braces is filled in.\n\n\
         | code | status | said by | in English |\n|---|---|---|---|\n",
    );
    for (code, told) in told() {
        let statuses: Vec<String> = told.statuses.iter().map(u16::to_string).collect();
        let services: Vec<&str> = told.services.iter().map(String::as_str).collect();
        let sentences: Vec<String> = told.sentences.iter().map(|sentence| pages::cell(sentence)).collect();
        writeln!(page, "| `{code}` | {} | {} | {} |", statuses.join(", "), services.join(", "), sentences.join("<br>")).unwrap();
    }
    page
}

#[test]
fn the_page_of_problems_is_what_the_services_say() {
    let told = told();
    for code in ["outside_scope", "role_not_allowed", "invalid_fields", "credential_unknown", "sign_in_required", "internal"] {
        assert!(told.contains_key(code), "{code} is said somewhere, and was not found");
    }
    pages::is_as_written("docs/reference/problems.md", &page());
}
