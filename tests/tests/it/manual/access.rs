//! `docs/reference/access.md`: who may call what, from the routes themselves; what a role is; and every step of an alert's life.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use domain::alert_state::{By, TRANSITIONS};
use domain::staff::{Role, Scope};
use platform::http::Access;
use serde_json::Value;
use strum::VariantArray as _;
use tests::Whole;

use super::pages;

/// The scopes that there are, one of each kind.
const SCOPES: [(&str, &str); 5] = [
    ("city", "the city"),
    ("district:500103", "one district"),
    ("industry:education", "one industry"),
    ("community:500103001001", "one community"),
    ("unit:1", "one unit"),
];

fn scopes_of(role: Role) -> String {
    let fitting = SCOPES.iter().filter(|(scope, _)| role.accepts(&scope.parse::<Scope>().unwrap()));
    fitting.map(|(_, name)| *name).collect::<Vec<_>>().join(" or ")
}

/// A role in two letters, for the columns.
fn short(role: Role) -> &'static str {
    match role {
        Role::CityCommandOfficer => "CC",
        Role::DistrictReviewer => "DR",
        Role::SubmittingUnit => "SU",
        Role::IndustrySupervisor => "IS",
        Role::CommunityWorker => "CW",
        Role::TechnicalOperator => "TO",
        Role::Auditor => "AU",
        Role::Administrator => "AD",
        Role::HotlineOperator => "HO",
        Role::UnitHandler => "UH",
        Role::UnitLead => "UL",
        Role::Supervisor => "SV",
    }
}

fn who(access: Access) -> String {
    let roles = access.roles().iter().map(|role| short(*role)).collect::<Vec<_>>().join(" ");
    let all = access.roles().len() == Role::VARIANTS.len();
    match access {
        Access::Public => "everybody".to_owned(),
        Access::Resident => "residents".to_owned(),
        Access::Source => "sources".to_owned(),
        Access::SourceOrStaff(_) => format!("sources, {roles}"),
        Access::Screen => "screens".to_owned(),
        Access::SessionOwner => "all staff, before their second factor too".to_owned(),
        Access::Staff(_) if all => "all staff".to_owned(),
        Access::Staff(_) => roles,
    }
}

fn by(by: By) -> &'static str {
    match by {
        By::Author => "whoever wrote it, in their own area",
        By::AuthorOrCity => "whoever wrote it, or the city command",
        By::RuleEngine => "the platform, for a rule's draft that lacks nothing and was never returned",
        By::FirstReviewer => "a reviewer of its district (of the city command where it has none), not the submitter",
        By::FinalReviewer => "an officer of the city command, neither submitter nor first reviewer",
        By::CityOfficer => "an officer of the city command",
        By::SecondOfficer => "another officer of the city command than the composer",
        By::System => "the platform",
    }
}

async fn page() -> String {
    let now = "2026-03-02T02:00:00Z".parse().unwrap();
    let whole = Whole::start(now).await;
    let (_, document) = whole.ask(None, &http::Method::GET, "/openapi.json", &Value::Null).await;
    let mut page = pages::head("Who may what", "the access rules of all routes, `domain::staff` and the table `domain::alert_state`");
    page.push_str(
        "\n## Roles\n\nAn account has one role, and a scope in which it holds. A role with another kind of scope does not exist.\n\n",
    );
    page.push_str("| | role | in Chinese | scope |\n|---|---|---|---|\n");
    for &role in Role::VARIANTS {
        writeln!(page, "| {} | `{role}` | {} | {} |", short(role), role.title(), scopes_of(role)).unwrap();
    }
    page.push_str(
        "\n## Steps of an alert's life\n\nThis table is all there is: service, interface and console ask it. Above it stand three rules: three \
         different people for a routine alert, two for an urgent one; a district's alert is first reviewed in that district; who sends back, \
         refuses, cancels or throws away says why.\n\n| from | step | to | by whom | reason |\n|---|---|---|---|---|\n",
    );
    for step in TRANSITIONS {
        let (from, to) = (format!("{} {}", step.from.title(), step.from.as_ref()), format!("{} {}", step.to.title(), step.to.as_ref()));
        let reason = if step.needs_reason { "yes" } else { "" };
        writeln!(page, "| {from} | {} `{}` | {to} | {} | {reason} |", step.action.title(), step.action.as_ref(), by(step.by)).unwrap();
    }
    page.push_str(
        "\n## Routes\n\nWhich kind of caller a route admits, by the abbreviations above. Beyond that, staff of a district or community see and \
         decide only what lies there: another district's alert does not exist for them.\n",
    );
    let mut chapters: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for rule in &whole.table {
        let operation = &document["paths"][&rule.path][rule.method.as_str().to_lowercase()];
        let chapter = operation["tags"][0].as_str().unwrap_or("operation").to_owned();
        let summary = operation["summary"].as_str().unwrap_or_default();
        let row = format!("| `{} {}` | {} | {} |", rule.method, rule.path, who(rule.access), pages::cell(summary.trim_end_matches('.')));
        chapters.entry(chapter).or_default().push(row);
    }
    whole.end().await;
    for (chapter, mut rows) in chapters {
        rows.sort();
        writeln!(page, "\n### {chapter}\n\n| route | who | what |\n|---|---|---|\n{}", rows.join("\n")).unwrap();
    }
    page
}

#[tokio::test]
async fn the_page_of_access_is_what_the_routes_admit() {
    pages::is_as_written("docs/reference/access.md", &page().await);
}
