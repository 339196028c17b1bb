//! Records that name a phone and an identity document of one person, from sources that are trusted with that.
//!
//! The person is who has proved the document by more than their word, else who has the phone, else whoever says that the document is theirs. Resident is
//! told of the pairs of records that were taken: whoever has the phone and claims the document has proved it by that.

use domain::risk_record::{Subject, SubjectHash};
use platform::database::Tx;
use proto::IdentitiesPaired;
use proto::identities_paired::Pair;

use crate::check::Candidate;
use crate::subjects::Known;
use crate::{Error, SCHEMA};

/// Pairs in one event.
const TOGETHER: usize = 2_000;

/// A phone and a document of one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paired {
    pub phone: SubjectHash,
    pub document: SubjectHash,
}

/// Whom a record may be about.
pub(crate) fn subjects(candidate: &Candidate) -> impl Iterator<Item = Subject> {
    std::iter::once(candidate.record.subject).chain(candidate.paired.map(|paired| Subject::IdentityHash(paired.document)))
}

/// Settles whom each record with a pair is about.
pub(crate) fn settle<'c>(candidates: impl Iterator<Item = &'c mut Candidate>, known: &Known) {
    for candidate in candidates {
        let Some(paired) = candidate.paired else { continue };
        let by_document = Subject::IdentityHash(paired.document);
        if known.has_proved(&paired.document) || (known.home(&by_document).is_some() && known.home(&candidate.record.subject).is_none()) {
            candidate.record.subject = by_document;
        }
    }
}

/// Tells resident of them.
pub(crate) async fn tell(tx: &mut Tx, pairs: &[Paired]) -> Result<(), Error> {
    for some in pairs.chunks(TOGETHER) {
        let pair = |paired: &Paired| Pair { phone_hash: paired.phone.bytes().to_vec(), identity_hash: paired.document.bytes().to_vec() };
        tx.publish(SCHEMA, &IdentitiesPaired { pairs: some.iter().map(pair).collect() }).await?;
    }
    Ok(())
}
