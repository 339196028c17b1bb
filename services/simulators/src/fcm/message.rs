//! The body of a send request: read for its target only, or checked against Google's schema ("REST Resource: projects.messages").

use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, de::IgnoredAny};

use super::refusal::Refusal;

/// Octets of data and notification together.
const LARGEST_PAYLOAD: usize = 4096;
/// Four weeks, Android's longest time to live.
const LONGEST_TTL_S: f64 = 2_419_200.0;

/// Whom a message is for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Registration token or Firebase installation id.
    pub(super) recipient: Cow<'a, str>,
    pub(super) collapse_key: Option<Cow<'a, str>>,
    /// What the app puts it in the place of, by the `tag` of its data.
    pub(super) tag: Option<Cow<'a, str>>,
    /// Google's library shows it, without the app.
    pub(super) notifies: bool,
}

impl Target<'_> {
    /// What makes two messages one on the phone.
    pub(super) fn place(&self) -> Option<&str> {
        self.collapse_key.as_deref().or(self.tag.as_deref())
    }
}

/// Reads the target and skips the rest.
pub(super) fn target<'a>(body: &'a [u8]) -> Result<Target<'a>, Refusal> {
    #[derive(Deserialize)]
    struct Request<'a> {
        #[serde(borrow)]
        message: Message<'a>,
    }
    #[derive(Deserialize)]
    struct Message<'a> {
        #[serde(borrow, default)]
        token: Cow<'a, str>,
        #[serde(borrow, default)]
        fid: Cow<'a, str>,
        #[serde(default)]
        notification: Option<IgnoredAny>,
        #[serde(borrow, default)]
        data: Data<'a>,
        #[serde(borrow, default)]
        android: Android<'a>,
    }
    #[derive(Deserialize, Default)]
    struct Data<'a> {
        #[serde(borrow, default)]
        tag: Cow<'a, str>,
    }
    #[derive(Deserialize, Default)]
    struct Android<'a> {
        #[serde(borrow, alias = "collapseKey", default)]
        collapse_key: Cow<'a, str>,
    }
    let Message { token, fid, notification, data, android } =
        serde_json::from_slice::<Request<'a>>(body).map_err(|error| schema(&error))?.message;
    let recipient = if token.is_empty() { fid } else { token };
    if recipient.is_empty() {
        return Err(no_target());
    }
    let said = |text: Cow<'a, str>| Some(text).filter(|text| !text.is_empty());
    Ok(Target { recipient, collapse_key: said(android.collapse_key), tag: said(data.tag), notifies: notification.is_some() })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    #[serde(default, alias = "validateOnly", rename = "validate_only")]
    _validate_only: bool,
    message: Message,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    #[serde(default)]
    token: String,
    #[serde(default)]
    fid: String,
    #[serde(default)]
    topic: String,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    data: BTreeMap<String, String>,
    #[serde(default)]
    notification: Option<Notification>,
    #[serde(default)]
    android: Android,
    #[serde(default, rename = "webpush")]
    _webpush: IgnoredAny,
    #[serde(default, rename = "apns")]
    _apns: IgnoredAny,
    #[serde(default, rename = "fcm_options", alias = "fcmOptions")]
    _fcm_options: IgnoredAny,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Notification {
    title: String,
    body: String,
    image: String,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Android {
    #[serde(alias = "collapseKey")]
    collapse_key: Option<String>,
    priority: Option<String>,
    ttl: Option<String>,
    data: BTreeMap<String, String>,
    #[serde(rename = "notification")]
    _notification: BTreeMap<String, serde_json::Value>,
    #[serde(alias = "restrictedPackageName", rename = "restricted_package_name")]
    _restricted_package_name: String,
    #[serde(alias = "fcmOptions", rename = "fcm_options")]
    _fcm_options: IgnoredAny,
    #[serde(alias = "directBootOk", rename = "direct_boot_ok")]
    _direct_boot_ok: bool,
    #[serde(alias = "bandwidthConstrainedOk", rename = "bandwidth_constrained_ok")]
    _bandwidth_constrained_ok: bool,
}

/// Checks the whole body.
pub(super) fn check(body: &[u8]) -> Result<Target<'static>, Refusal> {
    let message = serde_json::from_slice::<Request>(body).map_err(|error| schema(&error))?.message;
    let Message { token, fid, topic, condition, data, notification, android, .. } = message;
    let notifies = notification.is_some();
    let notification = notification.unwrap_or_default();
    if [&token, &fid, &topic, &condition].into_iter().filter(|target| !target.is_empty()).count() != 1 {
        return Err(no_target());
    }
    if token.is_empty() && fid.is_empty() {
        return Err(invalid("Topics are not simulated: send to a registration token or an installation id"));
    }
    let recipient = if token.is_empty() { fid } else { token };
    if !recipient.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte)) {
        return Err(Refusal::InvalidToken);
    }
    let texts = [&notification.title, &notification.body, &notification.image];
    let pairs = data.iter().chain(&android.data).flat_map(|(key, value)| [key, value]);
    if texts.into_iter().chain(pairs).map(String::len).sum::<usize>() > LARGEST_PAYLOAD {
        return Err(invalid("Android message is too big"));
    }
    if let Some(key) = data.keys().chain(android.data.keys()).find(|key| is_reserved(key)) {
        return Err(invalid(&format!("Invalid data payload key: {key}")));
    }
    if let Some(ttl) = &android.ttl {
        check_ttl(ttl)?;
    }
    if let Some(priority) = android.priority.as_deref().filter(|priority| !["HIGH", "NORMAL", "high", "normal"].contains(priority)) {
        return Err(invalid(&format!(
            "Invalid value at 'message.android.priority' (type.googleapis.com/google.firebase.fcm.v1.AndroidConfig.AndroidMessagePriority), \"{priority}\""
        )));
    }
    let said = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Cow::Owned);
    let tag = said(data.get("tag").cloned());
    Ok(Target { recipient: Cow::Owned(recipient), collapse_key: said(android.collapse_key), tag, notifies })
}

/// "Duration in seconds with up to nine fractional digits, terminated by s".
fn check_ttl(ttl: &str) -> Result<(), Refusal> {
    let seconds = ttl.strip_suffix('s').and_then(|seconds| seconds.parse::<f64>().ok());
    match seconds {
        Some(seconds) if (0.0..=LONGEST_TTL_S).contains(&seconds) => Ok(()),
        Some(_) => Err(invalid("The TTL must be between 0 and 4 weeks")),
        None => Err(invalid(&format!("Invalid value at 'message.android.ttl' (type.googleapis.com/google.protobuf.Duration), \"{ttl}\""))),
    }
}

fn is_reserved(key: &str) -> bool {
    key == "from" || key == "message_type" || key.starts_with("google.") || key.starts_with("gcm.")
}

fn no_target() -> Refusal {
    invalid("Exactly one of message.token, message.fid, message.topic and message.condition must be set")
}

fn schema(error: &serde_json::Error) -> Refusal {
    invalid(&format!("Invalid JSON payload received. {error}"))
}

fn invalid(message: &str) -> Refusal {
    Refusal::InvalidArgument(message.to_owned())
}
