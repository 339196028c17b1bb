//! Web Push: a browser asks for the platform's key, subscribes at its own push service with it, and tells where it is to be told.
//!
//! A subscription is a device as any other ([`crate::devices`]): it is removed there, it moves with whoever signed in last, and it goes when the push
//! service says that it is gone. Which push services may be called at all is decided in [`domain::web_push`].

use axum::extract::State;
use domain::web_push::{Subscription, SubscriptionFault};
use http::StatusCode;
use platform::http::{Access, Credential, FieldFault, Json, Problem, ResidentCaller, Routes, routes};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::devices::{self, Device, DeviceAdded, DeviceKind};
use crate::{Error, Service};

pub(crate) fn routes() -> Routes<Service> {
    Routes::new("web_push").allow(Access::Public, routes!(key)).allow(Access::Resident, routes!(add))
}

/// The platform's key for Web Push.
#[derive(Serialize, ToSchema)]
struct WebPushKey {
    /// A point of P-256, uncompressed, in base64url: the `applicationServerKey` of a subscription.
    #[schema(example = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8")]
    public_key: String,
}

/// A browser's subscription, as `PushSubscription.toJSON()` has it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebPushSubscription {
    /// Where messages go; only the push services of browsers are called.
    #[schema(example = "https://fcm.googleapis.com/fcm/send/…")]
    endpoint: String,
    keys: WebPushKeys,
}

/// How to write so that only this browser can read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebPushKeys {
    /// The browser's public key: a point of P-256, uncompressed, in base64url.
    p256dh: String,
    /// 16 octets in base64url.
    auth: String,
}

/// The key for Web Push
#[utoipa::path(get, path = "/api/v1/web-push/key", responses((status = 200, description = "Subscribe with it", body = WebPushKey)))]
async fn key(State(service): State<Service>) -> Result<axum::Json<WebPushKey>, Problem> {
    let offer = service.settings.web_push.as_ref().ok_or(Error::NoWebPush)?;
    Ok(axum::Json(WebPushKey { public_key: offer.public_key.clone() }))
}

/// Register this browser for alerts
///
/// It is removed like any other device.
#[utoipa::path(post, path = "/api/v1/me/web-push", request_body = WebPushSubscription,
    responses((status = 201, description = "Alerts reach this browser", body = DeviceAdded)))]
async fn add(
    State(service): State<Service>,
    caller: ResidentCaller,
    credential: Credential,
    Json(said): Json<WebPushSubscription>,
) -> Result<(StatusCode, axum::Json<DeviceAdded>), Problem> {
    let offer = service.settings.web_push.as_ref().ok_or(Error::NoWebPush)?;
    let subscription = Subscription::parse(&said.endpoint, &said.keys.p256dh, &said.keys.auth, &offer.services).map_err(told)?;
    let address = subscription.address().to_string();
    let device = Device { kind: DeviceKind::WebPush, name: address.as_bytes(), secret: &subscription.to_bytes() };
    let added = devices::register(&service, caller.no, &credential, device).await?;
    Ok((StatusCode::CREATED, axum::Json(added)))
}

fn told(fault: SubscriptionFault) -> Error {
    let (field, reason, reason_en) = match fault {
        SubscriptionFault::Endpoint(_) => (
            "endpoint",
            "不是推送服务的地址，请更新浏览器后重试。",
            "This is no address of a push service; update the browser and try again.",
        ),
        SubscriptionFault::OtherService => ("endpoint", "平台不向该推送服务发送。", "The platform does not send to this push service."),
        SubscriptionFault::Key => {
            ("keys.p256dh", "不是有效的公钥，请重新打开通知。", "This is no valid public key; turn notifications on again.")
        }
        SubscriptionFault::Secret => {
            ("keys.auth", "不是有效的密钥，请重新打开通知。", "This is no valid secret; turn notifications on again.")
        }
    };
    Error::Invalid(vec![FieldFault::new(field, reason, reason_en)])
}
