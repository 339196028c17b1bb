//! What can go wrong here, and how it is told over HTTP.

use std::time::Duration;

use domain::directory::DirectoryRefusal;
use domain::ids::{ApiKeyId, FactorId, ProposalId, SessionId, StaffId};
use domain::second_person::Refusal;
use domain::staff::{Role, Scope};
use http::StatusCode;
use platform::http::{FieldFault, Problem};

use crate::directory::Fault;

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
    /// Too many passwords wait to be compared.
    #[error("too many passwords wait to be compared")]
    SignInBusy {
        /// When to come again.
        after: Duration,
    },
    /// What was shown as a second factor is none of this account's, or came too late: nobody is told which.
    #[error("the proof is refused")]
    ProofRefused,
    /// The code is right and was used before.
    #[error("the code was used before")]
    CodeUsed,
    /// A passkey signs nobody in.
    #[error("the passkey is refused")]
    PasskeyRefused,
    /// The operator has not said where the console is reached.
    #[error("passkeys are not set up")]
    NoPasskeys,
    /// The account has no such factor.
    #[error("no second factor {0}")]
    NoSuchFactor(FactorId),
    /// The account has no factor at all.
    #[error("the account has no second factor")]
    NoFactor,
    /// The last factor of an account that needs one.
    #[error("the last factor stays")]
    LastFactor,
    /// The account has as many factors as it may, or this one already.
    #[error("too many factors")]
    TooManyFactors,
    /// The session ended while it was asking.
    #[error("the session has ended")]
    SessionOver,
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
    /// The account has no such session.
    #[error("no session {0}")]
    NoSuchSession(SessionId),
    /// There is no such proposal.
    #[error("no proposal {0}")]
    NoSuchProposal(ProposalId),
    /// The rules about two people do not permit the step.
    #[error("the step is not permitted: {}", .0.as_ref())]
    Refused(#[from] Refusal),
    /// What a proposal is about is not as it was.
    #[error("the account is not as it was when the change was proposed")]
    ProposalOutdated,
    /// There is nothing to change: it is so already.
    #[error("nothing would change")]
    NothingToChange,
    /// The code with which somebody sets their password is wrong, void or used.
    #[error("activation refused")]
    ActivationRefused,
    /// The city has no directory.
    #[error("there is no directory")]
    NoDirectory,
    /// A sign-in through the directory came to nothing.
    #[error("the directory let nobody in: {0}")]
    Directory(#[from] Fault),
    /// The directory knows somebody whose account here is none that could be used.
    #[error("nobody's account here is bound to who came by the directory")]
    NotBound,
    /// Another account is bound to the same subject, or this one to another.
    #[error("the subject of the directory is bound to another account")]
    SubjectTaken,
    /// The account is bound to nobody in the directory.
    #[error("the account is bound to nobody in the directory")]
    NotBoundYet,
    /// The key is not as it was, or is revoked.
    #[error("the key is not as it was when the change was proposed")]
    KeyChanged,
    /// The city has administrators, who make others.
    #[error(
        "this city has administrators already: they make accounts, two of them for each; for one who cannot sign in there is `fenghuo staff administrator`"
    )]
    AdministratorsExist,
    /// A setting makes no sense.
    #[error("setting {name}: {reason}")]
    Setting {
        /// The key in the configuration file.
        name: &'static str,
        /// What is wanted.
        reason: String,
    },
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
            Error::Stored { .. } | Error::Hashing { .. } | Error::Setting { .. } => Self::internal(&error),
            Error::SignInRefused => Self::new(
                StatusCode::UNAUTHORIZED,
                "sign_in_refused",
                "登录名或密码不正确，或账号已停用。请核对后重试，或联系管理员。",
                "Name or password is wrong, or the account is disabled. Check them, or ask the administrator.",
            ),
            Error::SessionOver => {
                Self::new(StatusCode::UNAUTHORIZED, "session_over", "登录已结束，请重新登录。", "Your session has ended. Sign in again.")
            }
            Error::TooManyAttempts { after } => Self::too_many_requests(after),
            Error::SignInBusy { after } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "sign_in_busy",
                "同时登录的人过多，请稍候几秒重试；已登记通行密钥者可直接使用通行密钥登录。",
                "Too many people are signing in at once. Try again in a few seconds, or sign in with a passkey.",
            )
            .retry_after(after),
            Error::ProofRefused => Self::forbidden(
                "proof_refused",
                "验证未通过：口令、恢复码或通行密钥不正确，或已过期。请核对后重试。",
                "That did not prove it: the code, recovery code or passkey is wrong, or came too late. Check it and try again.",
            ),
            Error::CodeUsed => Self::forbidden(
                "code_already_used",
                "此动态口令已使用过，请等待应用显示下一个口令（最多 30 秒）。",
                "This code was used before. Wait for the next one, half a minute at most.",
            ),
            Error::PasskeyRefused => Self::new(
                StatusCode::UNAUTHORIZED,
                "passkey_refused",
                "通行密钥未通过验证，或账号已停用。请重试，或改用登录名和密码。",
                "The passkey was refused, or the account is disabled. Try again, or sign in with name and password.",
            ),
            Error::NoPasskeys => Self::conflict(
                "passkeys_not_set_up",
                "尚未启用通行密钥：请技术支撑人员设置 identity.console_address。现可使用动态口令。",
                "Passkeys are not set up: the operator has to set identity.console_address. An authenticator app works.",
            ),
            Error::NoSuchFactor(_) => {
                Self::not_found("no_such_factor", "没有此第二因素，请刷新列表。", "There is no such second factor. Reload the list.")
            }
            Error::NoFactor => {
                Self::conflict("no_factor", "请先登记第二因素，再生成恢复码。", "Enrol a second factor first; recovery codes come with it.")
            }
            Error::LastFactor => Self::conflict(
                "last_factor",
                "您的角色必须至少保留一个第二因素：请先登记另一个，再删除此项。",
                "Your role must have a second factor: enrol another before you remove this one.",
            ),
            Error::TooManyFactors => Self::conflict(
                "too_many_factors",
                "第二因素已达上限，或该通行密钥已登记。请先删除不再使用的。",
                "There are as many second factors as there may be, or this passkey is enrolled already. Remove one that is not used any more.",
            ),
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
            Error::NoSuchSession(_) => {
                Self::not_found("session_not_found", "没有此登录，可能已经结束。", "There is no such session. It may have ended already.")
            }
            Error::NoSuchProposal(_) => {
                Self::not_found("proposal_not_found", "没有此提议，请在列表中核对。", "There is no such proposal. Check the list.")
            }
            Error::Refused(refusal) => refused(refusal),
            Error::ProposalOutdated => Self::conflict(
                "proposal_outdated",
                "账号在提议之后已有变化，该提议不再适用。请撤回或否决，并重新提议。",
                "The account was changed after this was proposed. Withdraw or stop it, and propose again.",
            ),
            Error::NothingToChange => Self::conflict(
                "nothing_to_change",
                "账号已是如此，无须变更。",
                "The account is like that already. There is nothing to change.",
            ),
            Error::ActivationRefused => Self::new(
                StatusCode::UNAUTHORIZED,
                "activation_refused",
                "登录名或启用码不正确，或启用码已过期、已使用。请核对两段启用码，或请管理员重置账号。",
                "Login or code is wrong, or the code has expired or was used. Check both halves, or ask the administrators for a new one.",
            ),
            Error::NoDirectory => Self::not_found(
                "no_directory",
                "本市未接入统一身份目录，请使用登录名和密码或通行密钥登录。",
                "This city has no directory. Sign in with name and password, or with a passkey.",
            ),
            Error::Directory(fault) if fault.refusal() == DirectoryRefusal::Away => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "directory_away",
                "统一身份目录暂时无法使用，请改用登录名和密码或通行密钥登录。",
                "The directory does not answer at the moment. Sign in with name and password, or with a passkey.",
            )
            .retry_after(Duration::from_secs(30)),
            Error::Directory(_) => Self::new(
                StatusCode::UNAUTHORIZED,
                "directory_refused",
                "目录登录未通过核对，请从登录页重新开始，或改用登录名和密码。",
                "The sign-in at the directory did not hold. Begin again on the sign-in page, or use name and password.",
            ),
            Error::NotBound => Self::new(
                StatusCode::UNAUTHORIZED,
                "directory_not_bound",
                "您的目录身份未绑定可用的账号：请联系两位管理员绑定；新账号须先用启用码设置密码。",
                "Your name in the directory is bound to no account that can be used: ask two administrators to bind it. A new account needs its own \
                 password first.",
            ),
            Error::SubjectTaken => Self::conflict(
                "subject_taken",
                "此目录身份已绑定另一个账号，请先解除后再绑定。",
                "This subject of the directory is bound to another account. Unbind that first.",
            ),
            Error::NotBoundYet => Self::conflict(
                "not_bound",
                "此账号没有绑定目录身份，无须解除。",
                "This account is bound to nobody in the directory. There is nothing to unbind.",
            ),
            Error::KeyChanged => Self::conflict(
                "key_changed",
                "接口密钥在提议之后已有变化或已吊销，该提议不再适用。请撤回或否决，并重新提议。",
                "The key was changed or revoked after this was proposed. Withdraw or stop it, and propose again.",
            ),
            Error::AdministratorsExist => Self::conflict(
                "administrators_exist",
                "已有管理员，请由管理员建立账号。",
                "There are administrators already: they make accounts.",
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

fn refused(refusal: Refusal) -> Problem {
    let (detail, code) = (format!("{refusal}。"), refusal.as_ref());
    match refusal {
        Refusal::OwnAccount => {
            Problem::conflict(code, detail, "You cannot change your own account, nor confirm what is about it. Ask another administrator.")
        }
        Refusal::NotAdministrator => Problem::forbidden(code, detail, "Only administrators do this."),
        Refusal::SamePerson => Problem::conflict(code, detail, "You proposed it: another administrator has to decide."),
        Refusal::TooEarly { at } => {
            Problem::conflict(code, detail, format!("In an emergency it takes effect from {at} on, unless somebody objects."))
        }
        Refusal::StillWaiting { from } => {
            Problem::forbidden("account_too_new", detail, format!("Your account may approve, confirm and send from {from} on."))
        }
        Refusal::NotWaiting { state } => {
            Problem::conflict("proposal_ended", detail, format!("The proposal is {state}: nothing more can be done about it."))
        }
        Refusal::ProposerGone => {
            Problem::conflict(code, detail, "Whoever proposed it is no administrator in use any more. Stop it, and propose it yourself.")
        }
        Refusal::NotProposer => {
            Problem::conflict(code, detail, "Only who proposed it can withdraw it or declare an emergency; you can stop it.")
        }
        Refusal::AlreadyEmergency => Problem::conflict(code, detail, "An emergency was declared for it before."),
        Refusal::ProposerWaiting { from } => {
            Problem::conflict(code, detail, format!("The account of whoever proposed it waits itself: it can be confirmed from {from} on."))
        }
        Refusal::NoEmergency => Problem::conflict(
            code,
            detail,
            "Administrators' accounts, keys, ways in by the directory and waiting times are changed by two administrators: not even an emergency does.",
        ),
        Refusal::EmergencyOver { at } => Problem::conflict(
            code,
            detail,
            format!(
                "The time to confirm it alone ended at {at}. Have another administrator confirm it, or withdraw it and propose it again."
            ),
        ),
        Refusal::ObjectorStopped { until } => Problem::conflict(
            code,
            detail,
            format!("You disabled or signed out somebody who could object: until {until} no emergency is open to you."),
        ),
        Refusal::NobodyToObject => {
            Problem::conflict(code, detail, "No other administrator or officer of the city command could object: no emergency is possible.")
        }
    }
}
