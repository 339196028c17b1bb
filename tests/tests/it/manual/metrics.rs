//! `docs/reference/metrics.md`, and that the table behind it is whole: every metric that is recorded stands in it, with its labels.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use platform::measures::{MEASURES, Measure};
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;
use syn::{Expr, ExprLit, Lit, Token};

use super::{pages, sources};

/// A metric as it is recorded: kind, labels, and where.
#[derive(Default)]
struct Recorded {
    kinds: BTreeSet<String>,
    labels: BTreeSet<Vec<String>>,
    services: BTreeSet<String>,
}

/// `"name"` or `"name" => value`.
struct Part {
    name: String,
}

impl syn::parse::Parse for Part {
    fn parse(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        let name = match input.parse::<Expr>()? {
            Expr::Lit(ExprLit { lit: Lit::Str(name), .. }) => name.value(),
            other => return Err(syn::Error::new_spanned(other, "a metric and its labels are named by literals")),
        };
        if input.parse::<Option<Token![=>]>>()?.is_some() {
            input.parse::<Expr>()?;
        }
        Ok(Self { name })
    }
}

/// Every metric that the services record.
fn recorded() -> BTreeMap<String, Recorded> {
    let mut found: BTreeMap<String, Recorded> = BTreeMap::new();
    for source in sources::all() {
        source.macros(|name, given| {
            if !["counter", "gauge", "histogram"].contains(&name) {
                return;
            }
            let parts = Punctuated::<Part, Token![,]>::parse_terminated.parse2(given.clone());
            let mut parts = parts.unwrap_or_else(|error| panic!("{}: {error}", source.path)).into_iter().map(|part| part.name);
            let metric = found.entry(parts.next().unwrap_or_else(|| panic!("{}: a metric has a name", source.path))).or_default();
            metric.kinds.insert(name.to_owned());
            metric.labels.insert(parts.collect());
            metric.services.insert(source.service.clone());
        });
    }
    found
}

#[test]
fn every_metric_that_is_recorded_stands_in_the_table_and_the_other_way_round() {
    let recorded = recorded();
    let table: BTreeMap<&str, &Measure> = MEASURES.iter().map(|measure| (measure.name, measure)).collect();
    assert_eq!(table.len(), MEASURES.len(), "a metric stands twice in the table");
    let (names, described): (BTreeSet<&str>, BTreeSet<&str>) =
        (recorded.keys().map(String::as_str).collect(), table.keys().copied().collect());
    assert_eq!(names, described, "left: recorded somewhere, right: in platform::measures");
    for (name, found) in &recorded {
        let measure = table[name.as_str()];
        assert_eq!(found.kinds, BTreeSet::from([measure.kind.to_string()]), "{name}");
        let labels: Vec<String> = measure.labels.iter().map(|(label, _)| (*label).to_owned()).collect();
        assert_eq!(found.labels, BTreeSet::from([labels]), "{name} is recorded with the labels of the table, wherever it is recorded");
    }
}

/// The page of the manual.
fn page() -> String {
    let mut page =
        pages::head("Metrics", "the table `services/platform/src/measures.rs`, against which a test holds every metric in the sources");
    page.push_str(
        "\nEach process shows its own at `/metrics` in the text form of Prometheus. Labels hold no personal data: a route stands there as its \
         template, never as the path that was asked for. Histograms have buckets from 1 ms to 2 h.\n\n\
         | metric | kind, unit | labels | what it tells | when to act |\n|---|---|---|---|---|\n",
    );
    let recorded = recorded();
    for Measure { name, kind, unit, labels, meaning, act } in MEASURES {
        let labels: Vec<String> = labels.iter().map(|(label, says)| format!("`{label}`: {says}")).collect();
        let services: Vec<&str> = recorded.get(*name).into_iter().flat_map(|found| &found.services).map(String::as_str).collect();
        let unit = unit.as_canonical_label();
        let unit = if unit.is_empty() { String::new() } else { format!(", {unit}") };
        let (labels, act) = (labels.join("<br>"), pages::cell(act));
        writeln!(page, "| `{name}` ({}) | {kind}{unit} | {labels} | {meaning} | {act} |", services.join(", ")).unwrap();
    }
    page
}

#[test]
fn the_page_of_metrics_is_the_table() {
    pages::is_as_written("docs/reference/metrics.md", &page());
}
