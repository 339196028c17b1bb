//! Devices of the app: where push messages go.
//!
//! A token that another person's app registers leaves the first person, since a phone is used by whoever signed in last. A
//! token that a provider says is gone is removed, and the person is reached by SMS from then on.

use axum::extract::State;
use http::StatusCode;
use platform::crypto::Purpose;
use platform::http::{Access, FieldFault, Json, Path, Problem, ResidentCaller, Routes, routes};
use proto::EndpointsGone;
use proto::topology::RESIDENT_ENDPOINTS_GONE;
use serde::{Deserialize, Serialize};
use strum::AsRefStr;
use utoipa::ToSchema;

use crate::{Error, Service, directory};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("devices").allow(Access::Resident, routes!(add)).allow(Access::Resident, routes!(remove))
}

/// What kind of endpoint a token names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, AsRefStr, ToSchema)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
enum TokenKind {
    /// Apple: device token, hexadecimal.
    Apns,
    /// Google: registration token.
    FcmToken,
    /// Google: Firebase installation id.
    FcmFid,
}

impl TokenKind {
    fn accepts(self, token: &str) -> bool {
        match self {
            Self::Apns => (64..=200).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_hexdigit()),
            Self::FcmToken => (20..=4096).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"'),
            Self::FcmFid => token.len() == 22 && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'),
        }
    }
}

/// A device to be reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Device {
    kind: TokenKind,
    token: String,
}

/// The device's number, with which it can be removed.
#[derive(Serialize, ToSchema)]
struct DeviceAdded {
    endpoint_id: i64,
}

/// Register this device for alerts
#[utoipa::path(post, path = "/api/v1/me/devices", request_body = Device,
    responses((status = 201, description = "Alerts reach this device", body = DeviceAdded)))]
async fn add(
    State(service): State<Service>,
    caller: ResidentCaller,
    Json(device): Json<Device>,
) -> Result<(StatusCode, axum::Json<DeviceAdded>), Problem> {
    if !device.kind.accepts(&device.token) {
        return Err(Error::Invalid(vec![FieldFault::new(
            "token",
            "设备标识的格式与类型不符，请更新应用后重试。",
            "This is no token of that kind; update the app and try again.",
        )])
        .into());
    }
    let (platform, stored) = (&service.platform, directory::stored(caller.no));
    let hash = platform.keyring.hash(Purpose::PushToken, device.token.as_bytes());
    let sealed = platform.keyring.seal(Purpose::PushToken, device.token.as_bytes()).into_bytes();
    let mut tx = platform.database.begin().await.map_err(Error::from)?;
    let before = sqlx::query_scalar!("select resident_no from resident.device where token_hash = $1 for update", &hash.bytes()[..])
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("finding the device"))?;
    let endpoint_id = sqlx::query_scalar!(
        "insert into resident.device (resident_no, kind, token_hash, token_sealed, registered_at) values ($1, $2, $3, $4, $5)
         on conflict (token_hash) do update set resident_no = excluded.resident_no, kind = excluded.kind, registered_at = excluded.registered_at
         returning endpoint_id",
        stored,
        device.kind.as_ref(),
        &hash.bytes()[..],
        sealed,
        platform.clock.now()
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("adding a device"))?;
    sqlx::query!(
        "delete from resident.device where resident_no = $1 and endpoint_id in
             (select endpoint_id from resident.device where resident_no = $1 order by registered_at desc, endpoint_id desc offset $2)",
        stored,
        i64::from(service.settings.devices)
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("dropping the oldest devices"))?;
    let owners: Vec<i32> = std::iter::once(stored).chain(before).collect();
    count_again(&mut tx, &owners).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok((StatusCode::CREATED, axum::Json(DeviceAdded { endpoint_id })))
}

/// Stop alerts to a device
#[utoipa::path(delete, path = "/api/v1/me/devices/{endpoint_id}", params(("endpoint_id" = i64, Path, description = "Number of the device")),
    responses((status = 204, description = "Nothing is sent there any more")))]
async fn remove(State(service): State<Service>, caller: ResidentCaller, Path(endpoint_id): Path<i64>) -> Result<StatusCode, Problem> {
    let stored = directory::stored(caller.no);
    let mut tx = service.platform.database.begin().await.map_err(Error::from)?;
    sqlx::query!("delete from resident.device where endpoint_id = $1 and resident_no = $2", endpoint_id, stored)
        .execute(&mut *tx)
        .await
        .map_err(Error::database("removing a device"))?;
    count_again(&mut tx, &[stored]).await?;
    tx.commit().await.map_err(Error::from)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes what providers said is gone.
pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let database = service.platform.database.clone();
    service.platform.bus.subscribe(&RESIDENT_ENDPOINTS_GONE, 2, move |event: EndpointsGone| {
        let database = database.clone();
        async move {
            let (ids, residents): (Vec<i64>, Vec<i32>) =
                event.entries.iter().filter_map(|entry| Some((entry.endpoint_id, i32::try_from(entry.resident_no).ok()?))).unzip();
            let mut tx = database.begin().await?;
            // With its resident, so that a token which has moved to somebody else in the meantime stays.
            sqlx::query!(
                "delete from resident.device using unnest($1::bigint[], $2::int[]) as gone (endpoint_id, resident_no)
                     where device.endpoint_id = gone.endpoint_id and device.resident_no = gone.resident_no",
                &ids,
                &residents
            )
            .execute(&mut *tx)
            .await
            .map_err(Error::database("removing endpoints that are gone"))?;
            count_again(&mut tx, &residents).await?;
            tx.commit().await?;
            Ok(())
        }
    })?;
    Ok(())
}

/// Keeps `has_app` true to the devices.
async fn count_again(tx: &mut platform::database::Tx, residents: &[i32]) -> Result<(), Error> {
    sqlx::query!(
        "update resident.resident set has_app = not has_app
         where resident_no = any($1)
           and has_app is distinct from exists (select from resident.device where device.resident_no = resident.resident_no)",
        residents
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("counting devices"))?;
    Ok(())
}
