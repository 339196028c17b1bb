//! Opening whoever brought a case, for those who have to call them. Every opening is traced (CQ14).

use std::time::Duration;

use axum::extract::State as Shared;
use domain::area::DistrictCode;
use domain::casework::{Event, Refusal};
use domain::staff::Scope;
use platform::crypto::Purpose;
use platform::http::{Json, Problem, Routes, StaffCaller, routes};
use proto::AuditEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::CALLING;
use crate::numbered::Numbered;
use crate::store::{self, Kept};
use crate::{Error, SCHEMA, Service, file, texts};

const A_DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("casework").allow(CALLING, routes!(open))
}

/// Why they are called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CallPurpose {
    /// At least five characters; kept in the trace.
    purpose: String,
}

/// How to reach whoever brought a case.
#[derive(Serialize, ToSchema)]
struct CallerContact {
    name: Option<String>,
    #[schema(example = "+8613812345678")]
    phone: String,
}

/// Open the number of whoever brought a case, to call them
#[utoipa::path(post, path = "/api/v1/casework/cases/{number}/phone", params(("number" = String, Path, description = "The case")),
    request_body = CallPurpose, responses((status = 200, description = "Traced and opened", body = CallerContact)))]
async fn open(
    Shared(service): Shared<Service>,
    caller: StaffCaller,
    Numbered(number): Numbered,
    Json(request): Json<CallPurpose>,
) -> Result<axum::Json<CallerContact>, Problem> {
    let purpose = request.purpose.trim();
    if !(5..=200).contains(&purpose.chars().count()) {
        return Err(Error::field("purpose", "请写明联系事由，5 到 200 个字", "says why, in 5 to 200 characters").into());
    }
    let (keyring, now) = (&service.platform.keyring, service.now());
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    let kept = store::load(&mut tx, number, false).await?;
    file::must_see(&mut tx, &caller, &kept).await?;
    may_call(&caller, &kept)?;
    let phone = texts::open_some(keyring, Purpose::ResidentPhone, kept.phone_sealed.clone())?.ok_or(Error::NoPhone)?;
    let most = service.settings.contacts_per_day;
    if service.platform.cache.incr(&format!("case-contacts:{}", caller.id), A_DAY).await.map_err(Error::from)? > u64::from(most) {
        return Err(Error::TooManyContacts { most }.into());
    }
    // The trace first: nothing is shown that is not traced.
    let entry = AuditEntry {
        district: kept.case.district.map(DistrictCode::get),
        detail_json: serde_json::json!({ "purpose": purpose }).to_string(),
        ..caller.did("case_contact_opened", "case", number, now)
    };
    tx.publish(SCHEMA, &entry).await.map_err(Error::from)?;
    tx.commit().await.map_err(Error::from)?;
    Ok(axum::Json(CallerContact { name: texts::open_some(keyring, Purpose::CaseName, kept.name_sealed)?, phone }))
}

/// A unit calls while it leads the case, and not after its end: one that refused, assisted or was complained of has no business with who said so.
fn may_call(caller: &StaffCaller, kept: &Kept) -> Result<(), Error> {
    match caller.scope {
        Scope::Unit(unit) if kept.case.lead != Some(unit) || !kept.case.state.has_a_lead() => {
            Err(Refusal::OutsideUnit { event: Event::CallBack }.into())
        }
        _ => Ok(()),
    }
}
