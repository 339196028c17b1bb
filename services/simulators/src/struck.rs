//! Requests that a fault strikes. What happens on the wire is the same for every push service; saying no, each does in its own words.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};

use crate::{fault::FaultKind, http2::Action, statistics::Tallies};

/// What becomes of the request.
pub(crate) enum Struck {
    /// Its end, without a word of the service.
    Ended(Action),
    /// The message was taken: such a fault shows in the receipts of short messages only.
    Taken,
    /// The service says no.
    Refused(Objection),
}

/// Why a push service says no; as in [`FaultKind`].
pub(crate) enum Objection {
    Gone { at_ms: Option<i64> },
    BadRecipient,
    Foreign,
    BadMessage,
    Throttled { retry_after_s: u32 },
    InternalError,
    Unavailable,
    CredentialsRefused,
    CredentialsExpired,
    ThirdPartyAuthError,
}

/// Strikes; `accept` takes the message where it arrives all the same.
pub(crate) fn strike(fault: &FaultKind, tallies: &Tallies, accept: impl FnOnce()) -> Struck {
    let ended = |reason, action| {
        tallies.refused(reason);
        Struck::Ended(action)
    };
    match fault {
        FaultKind::Hang => ended("hung", Action::Hang),
        FaultKind::CloseConnection => ended("connection closed", Action::Break),
        FaultKind::Nonsense => ended("nonsense", Action::Respond(nonsense())),
        FaultKind::AnswerLost => {
            accept();
            Struck::Ended(Action::Break)
        }
        FaultKind::Undeliverable
        | FaultKind::NoReceipt
        | FaultKind::AcceptedThenUndeliverable
        | FaultKind::Refused { .. }
        | FaultKind::AnsweredLate { .. } => {
            accept();
            Struck::Taken
        }
        FaultKind::Gone => Struck::Refused(Objection::Gone { at_ms: None }),
        FaultKind::GoneSince { at_ms } => Struck::Refused(Objection::Gone { at_ms: Some(*at_ms) }),
        FaultKind::Foreign => Struck::Refused(Objection::Foreign),
        FaultKind::BadMessage => Struck::Refused(Objection::BadMessage),
        FaultKind::BadRecipient => Struck::Refused(Objection::BadRecipient),
        FaultKind::Throttled { retry_after_s } => Struck::Refused(Objection::Throttled { retry_after_s: *retry_after_s }),
        FaultKind::InternalError => Struck::Refused(Objection::InternalError),
        FaultKind::Unavailable => Struck::Refused(Objection::Unavailable),
        FaultKind::CredentialsRefused => Struck::Refused(Objection::CredentialsRefused),
        FaultKind::CredentialsExpired => Struck::Refused(Objection::CredentialsExpired),
        FaultKind::ThirdPartyAuthError => Struck::Refused(Objection::ThirdPartyAuthError),
    }
}

/// What no provider says.
fn nonsense() -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"\xff\xfe<html>\x00not what you expected"));
    *response.status_mut() = StatusCode::IM_A_TEAPOT;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    response
}
