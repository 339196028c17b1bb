//! The case that an address names, as it was told or dictated.

use axum::extract::FromRequestParts;
use domain::casework::{CaseNumber, NumberError};
use http::request::Parts;
use platform::http::{Path, Problem};

use crate::Error;

/// The parameter `number` of the path. A wrong digit is told apart from what is no number at all.
pub(crate) struct Numbered(pub(crate) CaseNumber);

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await?;
        text.parse().map(Self).map_err(|fault: NumberError| {
            let problem = match fault {
                NumberError::Signs => Problem::bad_request(
                    "invalid_path",
                    "路径中的 number 无效，请核对地址。",
                    "The address is not valid at number. Check it.",
                ),
                NumberError::Check | NumberError::Date => Error::Number(fault).into(),
            };
            problem.fault("number", fault.to_string(), fault.english())
        })
    }
}
