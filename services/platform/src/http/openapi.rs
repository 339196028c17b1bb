//! The description of the whole interface (OpenAPI 3.1), made from the code and served as `/openapi.json`.

use std::collections::{BTreeMap, BTreeSet};

use domain::staff::Role;
use strum::VariantArray;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa::{PartialSchema, ToSchema};

use super::operation::{RESIDENT, SCREEN, SOURCE, STAFF, STAFF_COOKIE, operations};
use super::problem::FieldFault;
use super::{Problem, Routes, SESSION_COOKIE};

const TITLE: &str = "Fenghuo 烽火";
const DESCRIPTION: &str = "Health alerts for a city: risk records in, reviewed alerts out, acknowledgements back. \
    Every failure is a problem document (RFC 9457) whose `code` is stable and whose `detail` says what to do. \
    Times are RFC 3339 in UTC; durations are seconds.";

/// The document for these routes.
pub(super) fn document(routes: &Routes) -> OpenApi {
    let mut components =
        ComponentsBuilder::new().schema(Problem::name(), Problem::schema()).schema(FieldFault::name(), FieldFault::schema());
    for (name, schema) in &routes.schemas {
        components = components.schema(name, schema.clone());
    }
    let bearer = |format: &str, what: &str| {
        SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format(format).description(Some(what)).build())
    };
    let cookie = "The same session as a cookie. Changes also take the header x-fenghuo-request: 1.";
    let roles = Role::VARIANTS.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    components = components
        .security_scheme(STAFF, bearer("fhs_…", &format!("Session of a member of staff. Roles: {roles}.")))
        .security_scheme(STAFF_COOKIE, SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(SESSION_COOKIE, cookie))))
        .security_scheme(RESIDENT, bearer("fhr_…", "Session of a resident's app."))
        .security_scheme(SOURCE, bearer("fhk_…", "Key of a source system."))
        .security_scheme(SCREEN, bearer("fhd_…", "Key of a public display."));
    OpenApiBuilder::new()
        .info(InfoBuilder::new().title(TITLE).version(env!("CARGO_PKG_VERSION")).description(Some(DESCRIPTION)).build())
        .paths(routes.paths.clone())
        .components(Some(components.build()))
        .build()
}

/// What is missing from the description of these routes, one sentence each: operations without a summary or a successful
/// response, ids used twice, references to schemas that nobody gave, schemas of one name and two shapes.
pub fn faults(routes: &Routes) -> Vec<String> {
    let mut document = document(routes);
    let mut faults: Vec<String> = routes.clashes.iter().map(|name| format!("schema {name} is described in two ways")).collect();
    let mut ids = BTreeSet::new();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            if operation.summary.as_deref().is_none_or(str::is_empty) {
                faults.push(format!("{method} {path} has no summary"));
            }
            if !operation.responses.responses.keys().any(|status| status.starts_with(['1', '2', '3'])) {
                faults.push(format!("{method} {path} does not say what success looks like"));
            }
            if let Some(id) = operation.operation_id.clone()
                && !ids.insert(id.clone())
            {
                faults.push(format!("{method} {path}: the operation id {id} is used twice"));
            }
        }
    }
    faults.extend(dangling(&document));
    faults
}

fn dangling(document: &OpenApi) -> Vec<String> {
    let schemas: BTreeMap<_, _> = document.components.iter().flat_map(|components| components.schemas.iter()).collect();
    let text = serde_json::to_string(document).unwrap_or_default();
    let names: BTreeSet<&str> = text.split("#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    names
        .into_iter()
        .filter(|name| !schemas.contains_key(&(*name).to_owned()))
        .map(|name| format!("schema {name} is referred to but not described"))
        .collect()
}
