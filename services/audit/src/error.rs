//! What can go wrong here, and how it is told over HTTP.

use platform::http::Problem;

/// A failure of this service.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A statement failed.
    #[error("database statement failed")]
    Database(#[from] sqlx::Error),
    /// The platform failed below us.
    #[error(transparent)]
    Platform(#[from] platform::Error),
    /// An entry arrived that cannot be read. It is not appended and ends as a dead letter, for somebody to look at.
    #[error("audit entry cannot be read: {field}")]
    NotAnEntry {
        /// Which field.
        field: &'static str,
    },
    /// A row of the trace holds what no version of this service writes.
    #[error("a row of the audit trace is malformed: {field}")]
    Malformed {
        /// Which field.
        field: &'static str,
    },
    /// Entries that the tree has to be built over are not there.
    #[error("entries between {after} and {until} are gone from the trace")]
    EntriesAreGone {
        /// After this one.
        after: i64,
        /// Up to this one.
        until: i64,
    },
    /// What is stored as the tree's end is none, or of more entries than there are.
    #[error("the end of the tree over the audit trace is damaged: run `fenghuo audit verify`")]
    TreeDamaged,
    /// Heads were signed that the table does not have any more.
    #[error(
        "a head over {size} entries was signed and is not in the database any more: run `fenghuo audit verify` with the heads that were kept"
    )]
    HeadsAreGone {
        /// The size of one of them.
        size: u64,
    },
    /// The key that signs heads does not work.
    #[error("the key that signs heads of the audit trace: {reason}")]
    SigningKey {
        /// Why not.
        reason: &'static str,
    },
    /// The head that was signed last is not of the trace that is there.
    #[error("the audit trace of {size} entries is not the one that was signed: run `fenghuo audit verify`")]
    NotWhatWasSigned {
        /// The size of the head that was signed.
        size: u64,
    },
    /// A signed head could not be written into the folder `audit.publish_heads_to`.
    #[error("a signed head could not be published")]
    Unpublished {
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A row holds what no version of this service writes.
    #[error("stored audit entry {sequence} cannot be read")]
    Stored {
        /// Which.
        sequence: i64,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

impl Error {
    /// Whether it says that the tree cannot be grown; the chain needs no tree.
    pub(crate) fn is_of_the_tree(&self) -> bool {
        matches!(self, Self::EntriesAreGone { .. } | Self::TreeDamaged)
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Database(error) => error.into(),
            Error::Platform(error) => error.into(),
            Error::NotAnEntry { .. }
            | Error::Malformed { .. }
            | Error::TreeDamaged
            | Error::HeadsAreGone { .. }
            | Error::EntriesAreGone { .. }
            | Error::SigningKey { .. }
            | Error::NotWhatWasSigned { .. }
            | Error::Unpublished { .. }
            | Error::Stored { .. } => Self::internal(&error),
        }
    }
}
