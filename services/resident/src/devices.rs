//! Devices of the app: where push messages go. Browsers register in [`crate::web_push`].
//!
//! A token that another person's app registers leaves the first person, since a phone is used by whoever signed in last. What a
//! provider says is gone ([`crate::gone_devices`]) comes back when it is registered again.

use axum::extract::State;
use domain::ids::ResidentNo;
use http::StatusCode;
use platform::crypto::Purpose;
use platform::http::{Access, Credential, FieldFault, Json, Path, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, Service, directory, session};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("devices").allow(Access::Resident, routes!(add)).allow(Access::Resident, routes!(remove))
}

domain::words! {
    /// What kind of endpoint a token names.
    pub(crate) enum TokenKind {
        /// Apple: device token, hexadecimal.
        Apns,
        /// Google: registration token.
        FcmToken,
        /// Google: Firebase installation id.
        FcmFid,
    }
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

/// A phone to be reached.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Device)]
struct Phone {
    kind: TokenKind,
    token: String,
}

/// The device's number, with which it can be removed.
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviceAdded {
    endpoint_id: i64,
}

/// What is stored of any device.
pub(crate) struct Device<'a> {
    pub(crate) kind: DeviceKind,
    /// What names it, and nothing else: the token of a phone, the address of a browser's subscription.
    pub(crate) name: &'a [u8],
    /// What a message to it takes.
    pub(crate) secret: &'a [u8],
}

/// Every kind of device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeviceKind {
    /// By a phone's own service.
    Phone(TokenKind),
    /// A browser, by its push service.
    WebPush,
}

impl DeviceKind {
    /// As the table names it.
    fn stored(&self) -> &str {
        match self {
            Self::Phone(kind) => kind.as_ref(),
            Self::WebPush => "web_push",
        }
    }
}

/// Register this device for alerts
#[utoipa::path(post, path = "/api/v1/me/devices", request_body = Phone,
    responses((status = 201, description = "Alerts reach this device", body = DeviceAdded)))]
async fn add(
    State(service): State<Service>,
    caller: ResidentCaller,
    credential: Credential,
    Json(phone): Json<Phone>,
) -> Result<(StatusCode, axum::Json<DeviceAdded>), Problem> {
    if !phone.kind.accepts(&phone.token) {
        return Err(Error::Invalid(vec![FieldFault::new(
            "token",
            "设备标识的格式与类型不符，请更新应用后重试。",
            "This is no token of that kind; update the app and try again.",
        )])
        .into());
    }
    let token = phone.token.as_bytes();
    let device = Device { kind: DeviceKind::Phone(phone.kind), name: token, secret: token };
    Ok((StatusCode::CREATED, axum::Json(register(&service, caller.no, &credential, device).await?)))
}

/// Registers a device for alerts to this resident, and to nobody else, for as long as they are signed in there.
pub(crate) async fn register(service: &Service, no: ResidentNo, signed_in: &Credential, device: Device<'_>) -> Result<DeviceAdded, Error> {
    let (platform, stored) = (&service.platform, directory::stored(no));
    let hash = platform.keyring.hash(Purpose::PushToken, device.name);
    let sealed = platform.keyring.seal(Purpose::PushToken, device.secret).into_bytes();
    let mut tx = platform.database.begin().await?;
    let before = sqlx::query_scalar!("select resident_no from resident.device where token_hash = $1 for update", &hash.bytes()[..])
        .fetch_optional(&mut *tx)
        .await
        .map_err(Error::database("finding the device"))?;
    // Sealed anew, too: a browser may get new keys at the same address.
    let endpoint_id = sqlx::query_scalar!(
        "insert into resident.device (resident_no, kind, token_hash, token_sealed, registered_at, session_hash) values ($1, $2, $3, $4, $5, $6)
         on conflict (token_hash) do update set resident_no = excluded.resident_no, kind = excluded.kind, token_sealed = excluded.token_sealed,
             registered_at = excluded.registered_at, session_hash = excluded.session_hash, gone_at = null, gone_alert = null
         returning endpoint_id",
        stored,
        device.kind.stored(),
        &hash.bytes()[..],
        sealed,
        platform.clock.now(),
        &session::hash(signed_in.token())[..]
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("adding a device"))?;
    sqlx::query!(
        "delete from resident.device where resident_no = $1 and endpoint_id in
             (select endpoint_id from resident.device where resident_no = $1
               order by gone_at is null desc, registered_at desc, endpoint_id desc offset $2)",
        stored,
        i64::from(service.settings.devices)
    )
    .execute(&mut *tx)
    .await
    .map_err(Error::database("dropping the oldest devices"))?;
    let owners: Vec<i32> = std::iter::once(stored).chain(before).collect();
    count_again(&mut tx, &owners).await?;
    tx.commit().await?;
    Ok(DeviceAdded { endpoint_id })
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

/// Keeps `has_apns`, `has_fcm` and `has_web` true to the devices that are not gone.
pub(crate) async fn count_again(tx: &mut platform::database::Tx, residents: &[i32]) -> Result<(), Error> {
    // Waited for first: a statement that begins afterwards sees the devices that others have committed until then.
    sqlx::query!("select from resident.resident where resident_no = any($1) order by resident_no for no key update", residents)
        .execute(&mut **tx)
        .await
        .map_err(Error::database("waiting for the owners of devices"))?;
    sqlx::query!(
        "update resident.resident set has_apns = device.apns, has_fcm = device.fcm, has_web = device.web
         from (select owner as resident_no, coalesce(bool_or(kind = 'apns'), false) as apns,
                      coalesce(bool_or(kind in ('fcm_token', 'fcm_fid')), false) as fcm, coalesce(bool_or(kind = 'web_push'), false) as web
               from unnest($1::int[]) as owner left join resident.device on device.resident_no = owner and device.gone_at is null
               group by owner) as device
         where resident.resident_no = device.resident_no
           and (resident.has_apns, resident.has_fcm, resident.has_web) is distinct from (device.apns, device.fcm, device.web)",
        residents
    )
    .execute(&mut **tx)
    .await
    .map_err(Error::database("counting devices"))?;
    Ok(())
}
