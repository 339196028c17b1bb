//! Opening a person's name and phone number, for those who have to call them. Every opening is traced (CQ14).

use std::time::Duration;

use axum::extract::State;
use domain::area::{Area, CommunityCode};
use domain::identity_document::IdentityKind;
use domain::ids::ResidentNo;
use domain::phone::PhoneNumber;
use domain::second_factor::Act;
use domain::staff::Role;
use platform::crypto::{Keyring, Purpose, Sealed};
use platform::http::{Access, FieldFault, Json, Path, Problem, Routes, StaffCaller, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, SCHEMA, Service, directory};

/// Openings are counted for so long.
const DAY: Duration = Duration::from_hours(24);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("residents").allow(Access::Staff(&[Role::CommunityWorker, Role::DistrictReviewer]), routes!(open_contact))
}

/// Why the data is opened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ContactReason)]
struct Reason {
    /// At least five characters; kept in the trace.
    reason: String,
}

/// How to reach a person.
#[derive(Serialize, ToSchema)]
struct Contact {
    name: Option<String>,
    phone: Option<String>,
    /// Kind of the identity document that they gave; its number is not kept.
    identity_kind: Option<IdentityKind>,
    /// Whether it is proved to be theirs.
    identity_proved: bool,
}

/// Open a resident's name and phone, with a reason
///
/// Whoever opens many in a day has to show their second factor anew (`fresh_proof_needed`).
#[utoipa::path(post, path = "/api/v1/residents/{resident_no}/contact", params(("resident_no" = u32, Path, description = "The resident")),
    request_body = Reason, responses((status = 200, description = "Traced and opened", body = Contact)))]
async fn open_contact(
    State(service): State<Service>,
    caller: StaffCaller,
    Path(no): Path<u32>,
    Json(request): Json<Reason>,
) -> Result<axum::Json<Contact>, Problem> {
    let no = ResidentNo::new(no);
    let reason = request.reason.trim();
    if !(5..=200).contains(&reason.chars().count()) {
        return Err(
            Error::Invalid(vec![FieldFault::new("reason", "请写明查看原因，5 到 200 个字。", "Say why, in 5 to 200 characters.")]).into()
        );
    }
    let stored = i32::try_from(no.get()).map_err(|_| Error::NoSuchResident(no))?;
    let row = sqlx::query!(
        r#"select community, phone_sealed, name_sealed, identity_hash is not null as "proved!", claimed_hash is not null as "claimed!",
                  coalesce(identity_kind, claimed_kind) as identity_kind
             from resident.resident where resident_no = $1"#,
        stored
    )
    .fetch_optional(service.platform.database.pool())
    .await
    .map_err(Error::database("reading a resident"))?;
    // The same answer for "does not exist" and "not yours", so that numbers cannot be probed.
    let row = row.ok_or(Error::OutsideScope)?;
    let community = CommunityCode::try_from(row.community.unsigned_abs()).map_err(|_| Error::Stored { what: "community" })?;
    if !caller.scope.covers(Area::Community(community)) {
        return Err(Error::OutsideScope.into());
    }
    within_the_day(&service, &caller).await?;
    let keyring = &service.platform.keyring;
    let contact = Contact {
        name: open_text(keyring, Purpose::ResidentName, row.name_sealed)?,
        phone: open_phone(keyring, row.phone_sealed)?.map(|phone| phone.e164()),
        identity_kind: directory::identity_kind(row.proved || row.claimed, row.identity_kind.as_deref()),
        identity_proved: row.proved,
    };
    // The trace first: nothing is shown that is not traced.
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    tx.publish(
        SCHEMA,
        &proto::AuditEntry {
            entry_id: uuid::Uuid::now_v7().to_string(),
            actor_kind: "staff".to_owned(),
            actor: caller.id.to_string(),
            role: caller.role.to_string(),
            action: "contact_opened".to_owned(),
            object_kind: "resident".to_owned(),
            object: no.to_string(),
            district: Some(community.district().get()),
            at_ms: service.platform.clock.now().timestamp_millis(),
            detail_json: serde_json::json!({ "reason": reason }).to_string(),
            ..proto::AuditEntry::default()
        },
    )
    .await
    .map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(axum::Json(contact))
}

/// Counts an opening of this member of staff, and refuses more of them in a day than work takes: a phone book is no work.
async fn within_the_day(service: &Service, caller: &StaffCaller) -> Result<(), Problem> {
    let (most, many) = (service.settings.contacts_per_day, u64::from(service.settings.contacts_before_fresh_proof));
    let now = service.platform.clock.now();
    // before it is counted: what is refused for want of a proof takes nothing from the day
    let past = format!("contact-day-past:{}", caller.id);
    let is_past = service.platform.cache.get(&past).await.map_err(Error::from)?.is_some();
    caller.must_have_proved(Act::OpenContact { opened: if is_past { many + 1 } else { 1 }, many }, now)?;
    let opened = service.platform.cache.incr(&format!("contact-day:{}", caller.id), DAY).await.map_err(Error::from)?;
    if opened >= many {
        service.platform.cache.set_if_absent(&past, b"1", DAY).await.map_err(Error::from)?;
    }
    caller.must_have_proved(Act::OpenContact { opened, many }, now)?;
    let exhausted = opened > u64::from(most);
    metrics::counter!("contacts_opened_total", "outcome" => if exhausted { "refused" } else { "opened" }).increment(1);
    if exhausted {
        tracing::warn!(staff = %caller.id, most, "a member of staff opens more contacts than a day may have");
        return Err(Error::TooManyContacts { most }.into());
    }
    Ok(())
}

/// Opens a sealed phone number.
pub(crate) fn open_phone(keyring: &Keyring, sealed: Option<Vec<u8>>) -> Result<Option<PhoneNumber>, Error> {
    open_text(keyring, Purpose::ResidentPhone, sealed)?
        .map(|phone| phone.parse().map_err(|_| Error::Stored { what: "phone number" }))
        .transpose()
}

/// Opens sealed text.
pub(crate) fn open_text(keyring: &Keyring, purpose: Purpose, sealed: Option<Vec<u8>>) -> Result<Option<String>, Error> {
    let Some(sealed) = sealed else { return Ok(None) };
    let plain = keyring.open(purpose, &Sealed::from_bytes(sealed)?)?;
    String::from_utf8(plain.to_vec()).map(Some).map_err(|_| Error::Stored { what: "text" })
}
