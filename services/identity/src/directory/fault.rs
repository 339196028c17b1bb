//! What can go wrong on the way through the directory. None of it quotes what the directory said.

use domain::directory::DirectoryRefusal;
use strum::AsRefStr;

/// Why a sign-in through the directory came to nothing. `as_ref()` is what the trace, the log and the metrics call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Fault {
    /// It does not answer, or not in time.
    #[error("the directory does not answer")]
    Away,
    /// It answers with more than anybody needs.
    #[error("the directory answers with too much")]
    TooLarge,
    /// What it answers is not what the standard has.
    #[error("the directory's answer cannot be read")]
    Unreadable,
    /// It is another than it was set as, or leads to addresses without encryption.
    #[error("the directory describes itself as another, or leads to an address without encryption")]
    NotItself,
    /// It names no address for codes.
    #[error("the directory names no token endpoint")]
    NoTokenEndpoint,
    /// The browser brings back what it was not sent with, or too late, or a second time.
    #[error("the browser was not sent to the directory with this, or too long ago, or has come back before")]
    AnotherErrand,
    /// Another directory answers, or this one does not say that it is itself.
    #[error("another directory answers")]
    AnotherIssuer,
    /// It did not let somebody in, or they turned round.
    #[error("the sign-in at the directory was broken off")]
    BrokenOff,
    /// It does not take the code.
    #[error("the directory does not take the code")]
    CodeRefused,
    /// It gives no word for the code, or none that can be read.
    #[error("the directory gave no ID token")]
    NoWord,
    /// No key of the directory has signed its word.
    #[error("the ID token is not signed with a key of the directory")]
    Unsigned,
    /// It is signed in a way that proves nothing to us: not at all, or with a secret.
    #[error("the ID token is signed in a way that proves nothing")]
    Unproving,
    /// It is the word of another directory.
    #[error("the ID token is another directory's")]
    WrongIssuer,
    /// It is said to somebody else.
    #[error("the ID token is for another service")]
    WrongAudience,
    /// It is too old, or from the future.
    #[error("the ID token has expired, or is not yet good")]
    OutOfTime,
    /// It answers another question than ours.
    #[error("the ID token answers another question")]
    WrongNonce,
    /// Somebody had signed in there before and was not asked again, or it does not say when they signed in (`auth_time`).
    #[error("the directory did not have its user sign in anew, or does not say when they did (auth_time)")]
    NotAskedAnew,
    /// It names nobody.
    #[error("the ID token names nobody")]
    Nobody,
}

impl Fault {
    /// As the console is told.
    pub const fn refusal(self) -> DirectoryRefusal {
        match self {
            Self::Away | Self::TooLarge | Self::Unreadable | Self::NotItself | Self::NoTokenEndpoint => DirectoryRefusal::Away,
            Self::BrokenOff => DirectoryRefusal::BrokenOff,
            _ => DirectoryRefusal::Refused,
        }
    }
}
