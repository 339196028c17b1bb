//! What can go wrong here, and how it is told over HTTP.

use std::time::Duration;

use domain::ids::{ApiKeyId, StaffId};
use domain::staff::{Role, Scope};
use http::StatusCode;
use platform::http::{FieldFault, Problem};

/// A failure of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("database statement failed")]
    Database(#[from] sqlx::Error),
    /// The platform failed below us.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// A row holds what no version of this service writes.
    #[error("stored {what} cannot be read")]
    Stored {
        /// Which column or record.
        what: &'static str,
    },
    /// The password could not be hashed or compared.
    #[error("password hashing failed: {reason}")]
    Hashing {
        /// What the algorithm said.
        reason: String,
    },
    /// Name or password are wrong, or the account is disabled: on purpose nobody is told which.
    #[error("sign-in refused")]
    SignInRefused,
    /// Too many attempts to sign in.
    #[error("too many sign-in attempts")]
    TooManyAttempts {
        /// When the next is allowed.
        after: Duration,
    },
    /// The current password is not the one given.
    #[error("the current password is wrong")]
    CurrentPasswordWrong,
    /// The login name is taken.
    #[error("login name {login} is taken")]
    LoginTaken {
        /// The name.
        login: String,
    },
    /// There is no such account.
    #[error("no staff account {0}")]
    NoSuchStaff(StaffId),
    /// There is no such key.
    #[error("no API key {0}")]
    NoSuchKey(ApiKeyId),
    /// Administrators cannot disable or change themselves.
    #[error("an administrator may not change their own account")]
    OwnAccount,
    /// The role does not go with the scope.
    #[error("role {role} does not go with scope {scope}")]
    ScopeNotForRole {
        /// The role.
        role: Role,
        /// The scope.
        scope: Scope,
    },
    /// Fields of a request are wrong.
    #[error("invalid fields")]
    Invalid(Vec<FieldFault>),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Platform(error) => error.into(),
            Error::Stored { .. } | Error::Hashing { .. } => Self::internal(&error),
            Error::SignInRefused => Self::new(
                StatusCode::UNAUTHORIZED,
                "sign_in_refused",
                "登录名或密码不正确，或账号已停用。请核对后重试，或联系管理员。",
                "Name or password is wrong, or the account is disabled. Check them, or ask the administrator.",
            ),
            Error::TooManyAttempts { after } => Self::too_many_requests(after),
            Error::CurrentPasswordWrong => Self::invalid(vec![FieldFault::new("current", "当前密码不正确", "is not the current password")]),
            Error::LoginTaken { .. } => {
                Self::conflict("login_taken", "该登录名已被使用，请换一个。", "This login name is taken. Choose another.")
            }
            Error::NoSuchStaff(_) => {
                Self::not_found("staff_not_found", "没有此账号，请在列表中核对。", "There is no such account. Check the list of staff.")
            }
            Error::NoSuchKey(_) => {
                Self::not_found("api_key_not_found", "没有此接口密钥，请在列表中核对。", "There is no such key. Check the list of keys.")
            }
            Error::OwnAccount => Self::conflict(
                "own_account",
                "管理员不能停用或更改自己的账号，请由另一位管理员操作。",
                "You cannot disable or change your own account. Ask another administrator.",
            ),
            Error::ScopeNotForRole { role, scope } => Self::invalid(vec![FieldFault::new(
                "scope",
                format!("{} 不能使用此范围 {scope}", role.title()),
                format!("{scope} is no scope for the role {role}"),
            )]),
            Error::Invalid(faults) => Self::invalid(faults),
        }
    }
}
