//! Where a push goes: a device's token, and whether it may be sent to.
//!
//! An [`Endpoint`] carries in its type to which alerts it is open. Endpoints [`Public`] come out of the query for live alerts,
//! endpoints [`Enrolled`] out of the query for exercises, and a letter made of a [`Live`] notice fits only the first,
//! one made of a [`Drill`] notice only the second: an exercise cannot reach the public.
//!
//! ```compile_fail,E0308
//! use domain::exercise::Drill;
//! use push::apns::Apns;
//! use push::endpoint::{Endpoint, Public};
//! use push::notice::Notice;
//!
//! async fn exercise_the_public(apns: &Apns, exercise: &Drill<Notice>, phone: &Endpoint<Public>) {
//!     if let Ok(letter) = apns.letter(exercise).await {
//!         apns.send(&letter, phone).await;
//!     }
//! }
//! ```

use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use dispatch::ledger::GoneEndpoint;
use domain::exercise::{Drill, Live};
use domain::ids::ResidentNo;
use domain::language::Language;
use domain::web_push::Subscription;

use crate::notice::Notice;

/// Everybody who agreed to notices: for live alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Public {}

/// The enrolled participants of exercises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolled {}

/// [`Public`] or [`Enrolled`], and nothing else.
pub trait Reach: sealed::Sealed + Send + Sync + 'static {
    /// Whether what it gets are exercises.
    const EXERCISE: bool;
}
impl Reach for Public {
    const EXERCISE: bool = false;
}
impl Reach for Enrolled {
    const EXERCISE: bool = true;
}

/// A notice that knows whom it may reach.
pub trait Addressed: sealed::Sealed {
    /// The endpoints it fits.
    type To: Reach;
    /// The words.
    fn notice(&self) -> &Notice;
}

impl Addressed for Live<Notice> {
    type To = Public;
    fn notice(&self) -> &Notice {
        self.get()
    }
}

impl Addressed for Drill<Notice> {
    type To = Enrolled;
    fn notice(&self) -> &Notice {
        self.get()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Public {}
    impl Sealed for super::Enrolled {}
    impl Sealed for super::Live<super::Notice> {}
    impl Sealed for super::Drill<super::Notice> {}
}

/// A device that may be sent to.
pub struct Endpoint<R: Reach> {
    /// Whose.
    pub resident_no: ResidentNo,
    /// Its id in the view `resident.endpoint`.
    pub id: i64,
    /// What its owner reads.
    pub language: Language,
    /// The provider's name for it.
    pub token: Token,
    /// When the app registered it last.
    pub registered_at: DateTime<Utc>,
    reach: PhantomData<R>,
}

impl<R: Reach> Endpoint<R> {
    /// Only [`crate::endpoints`] knows who may be reached.
    pub(crate) fn new(resident_no: ResidentNo, id: i64, language: Language, token: Token, registered_at: DateTime<Utc>) -> Self {
        Self { resident_no, id, language, token, registered_at, reach: PhantomData }
    }

    /// What is told of it where it is gone.
    pub(crate) fn as_gone(&self) -> GoneEndpoint {
        GoneEndpoint { resident_no: self.resident_no, endpoint_id: self.id, registered_at: Some(self.registered_at) }
    }
}

/// A provider's name for a device. Printed as dots: whoever has it and a key can write to a person.
#[derive(Clone, PartialEq, Eq)]
pub enum Token {
    /// An APNs device token, hexadecimal.
    Apns(String),
    /// An FCM registration token.
    FcmToken(String),
    /// A Firebase installation id.
    FcmFid(String),
    /// A browser's subscription.
    WebPush(Box<Subscription>),
}

/// A stored token that cannot be one. It was never an endpoint, and is treated as one that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token of its kind")]
pub struct NoToken;

impl Token {
    /// A token of a kind, as the view names it. What passes needs no escaping, neither in a path nor in JSON.
    ///
    /// # Errors
    /// When the kind is unknown or the text has characters that no such token has.
    pub fn parse(kind: &str, text: &[u8]) -> Result<Self, NoToken> {
        if kind == "web_push" {
            return Subscription::from_bytes(text).map(|subscription| Self::WebPush(Box::new(subscription))).map_err(|_| NoToken);
        }
        let text = std::str::from_utf8(text).map_err(|_| NoToken)?;
        let hexadecimal = |byte: u8| byte.is_ascii_hexdigit();
        let registration = |byte: u8| byte.is_ascii_alphanumeric() || b"-_:.".contains(&byte);
        let (token, fits) = match kind {
            "apns" => (Self::Apns(text.to_owned()), text.bytes().all(hexadecimal)),
            "fcm_token" => (Self::FcmToken(text.to_owned()), text.bytes().all(registration)),
            "fcm_fid" => (Self::FcmFid(text.to_owned()), text.bytes().all(registration)),
            _ => return Err(NoToken),
        };
        if fits && (1..=4096).contains(&text.len()) { Ok(token) } else { Err(NoToken) }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Apns(_) => "Apns(…)",
            Self::FcmToken(_) => "FcmToken(…)",
            Self::FcmFid(_) => "FcmFid(…)",
            Self::WebPush(_) => "WebPush(…)",
        })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("apns", "00ffAA")]
    #[case("fcm_token", "fGv-x_1:APA91b")]
    #[case("fcm_fid", "cIwJEXAMPLE")]
    fn a_token_of_its_kind_is_taken_and_never_printed(#[case] kind: &str, #[case] text: &str) {
        let token = Token::parse(kind, text.as_bytes()).unwrap();
        assert!(!format!("{token:?}").contains(text));
    }

    #[rstest]
    #[case::not_hexadecimal("apns", b"00fg")]
    #[case::another_path("apns", b"00/../11")]
    #[case::breaks_out_of_the_json("fcm_token", b"x\",\"topic\":\"all")]
    #[case::not_text("fcm_fid", b"\xff\xfe")]
    #[case::empty("apns", b"")]
    #[case::no_subscription("web_push", b"https://fcm.googleapis.com/x")]
    #[case::another_kind("phone", b"123")]
    fn anything_else_was_never_an_endpoint(#[case] kind: &str, #[case] text: &[u8]) {
        assert_eq!(Token::parse(kind, text), Err(NoToken));
    }
}
