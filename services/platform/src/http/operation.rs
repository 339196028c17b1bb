//! What the description of the interface says of one operation.

use domain::staff::Role;
use http::Method;
use strum::VariantArray as _;
use utoipa::ToSchema as _;
use utoipa::openapi::path::{HttpMethod, Operation, PathItem};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use super::problem::MEDIA_TYPE;
use super::{Access, Problem};

// The kinds of token, by the names that the description gives them.
pub(super) const STAFF: &str = "staff_session";
pub(super) const STAFF_COOKIE: &str = "staff_cookie";
pub(super) const RESIDENT: &str = "resident_session";
pub(super) const SOURCE: &str = "source_key";
pub(super) const SCREEN: &str = "screen_key";

/// Adds to an operation what follows from its rule: chapter, unique id, security, and the refusals that come with it.
pub(super) fn describe(operation: &mut Operation, tag: &str, access: Access) {
    operation.tags = Some(vec![tag.to_owned()]);
    if let Some(id) = &operation.operation_id {
        operation.operation_id = Some(format!("{}_{id}", tag.replace([' ', '-'], "_")));
    }
    operation.security = Some(requirements(access));
    let mut refusals = vec![("default", "Anything else that went wrong")];
    if access != Access::Public {
        refusals.push(("401", "No session or key, or one that is not valid any more"));
        refusals.push(("403", "This caller may not do this, or not to this object"));
    }
    for (status, meaning) in refusals {
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(problem(meaning)));
    }
    // A service writes `(status = 404, description = "…")`; that it is a problem goes without saying.
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with(['4', '5']), response)
            && response.content.is_empty()
        {
            response.content = problem("").content;
        }
    }
}

fn problem(meaning: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(Problem::name()))).build();
    ResponseBuilder::new().description(meaning).content(MEDIA_TYPE, content).build()
}

fn requirements(access: Access) -> Vec<SecurityRequirement> {
    let staff = |roles: &[Role]| {
        let roles: Vec<&str> = roles.iter().map(AsRef::as_ref).collect();
        [SecurityRequirement::new(STAFF, roles.clone()), SecurityRequirement::new(STAFF_COOKIE, roles)]
    };
    let key = |name: &str| SecurityRequirement::new(name, [""; 0]);
    match access {
        Access::Public => Vec::new(),
        Access::Staff(roles) => staff(roles).into(),
        Access::SessionOwner => staff(Role::VARIANTS).into(),
        Access::Resident => vec![key(RESIDENT)],
        Access::Source => vec![key(SOURCE)],
        Access::SourceOrStaff(roles) => std::iter::once(key(SOURCE)).chain(staff(roles)).collect(),
        Access::Screen => vec![key(SCREEN)],
    }
}

/// The operations of a path, with their methods.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    [
        (HttpMethod::Get, &mut item.get),
        (HttpMethod::Put, &mut item.put),
        (HttpMethod::Post, &mut item.post),
        (HttpMethod::Delete, &mut item.delete),
        (HttpMethod::Patch, &mut item.patch),
        (HttpMethod::Head, &mut item.head),
        (HttpMethod::Options, &mut item.options),
        (HttpMethod::Trace, &mut item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.as_mut().map(|operation| (name(&method), operation)))
}

fn name(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Post => Method::POST,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Trace => Method::TRACE,
    }
}
