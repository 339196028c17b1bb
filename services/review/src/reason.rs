//! Why somebody decides as they do: words for the history, and for those whom an alert is taken back from.

use platform::http::FieldFault;

use crate::Error;

/// Longest reason, in characters: it stands under every alert in a list.
const LONGEST: usize = 500;

/// That none is given where one is due.
pub(crate) fn missing() -> Error {
    Error::Invalid(vec![FieldFault::new("reason", "请写明理由", "is missing: say why")])
}

/// The reason, if one is given; one that is too long is refused.
pub(crate) fn check(reason: &str) -> Result<Option<&str>, Error> {
    let reason = reason.trim();
    let length = reason.chars().count();
    if length > LONGEST {
        return Err(Error::Invalid(vec![FieldFault::new(
            "reason",
            format!("理由有 {length} 个字，最多 {LONGEST} 个，请缩短"),
            format!("has {length} characters; write at most {LONGEST}"),
        )]));
    }
    Ok((!reason.is_empty()).then_some(reason))
}
