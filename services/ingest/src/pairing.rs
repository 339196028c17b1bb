//! Records that name a phone and an identity document of one person, from sources that are trusted with that.
//!
//! The person is who has proved the document, else who has the phone. Resident is told of the pair: whoever has the phone and claims the document has
//! proved it by that. A phone that went to somebody else takes no record along, since the document says whom it is about.

use domain::risk_record::{Subject, SubjectHash};
use platform::database::Tx;
use proto::IdentitiesPaired;
use proto::identities_paired::Pair;

use crate::check::Candidate;
use crate::subjects::Known;
use crate::{Error, SCHEMA};

/// Pairs in one event.
const TOGETHER: usize = 2_000;

/// Whom a record may be about.
pub(crate) fn subjects(candidate: &Candidate) -> impl Iterator<Item = Subject> {
    std::iter::once(candidate.record.subject).chain(candidate.paired.map(Subject::IdentityHash))
}

/// Settles whom each record with a pair is about, and returns the pairs.
pub(crate) fn settle<'c>(candidates: impl Iterator<Item = &'c mut Candidate>, known: &Known) -> Vec<(SubjectHash, SubjectHash)> {
    let mut pairs = Vec::new();
    for candidate in candidates {
        let (Subject::PhoneHash(phone), Some(document)) = (candidate.record.subject, candidate.paired) else { continue };
        pairs.push((phone, document));
        let by_document = Subject::IdentityHash(document);
        if known.home(&by_document).is_some() {
            candidate.record.subject = by_document;
        }
    }
    pairs
}

/// Tells resident of them.
pub(crate) async fn tell(tx: &mut Tx, pairs: Vec<(SubjectHash, SubjectHash)>) -> Result<(), Error> {
    for some in pairs.chunks(TOGETHER) {
        let pair = |(phone, document): &(SubjectHash, SubjectHash)| Pair {
            phone_hash: phone.bytes().to_vec(),
            identity_hash: document.bytes().to_vec(),
        };
        tx.publish(SCHEMA, &IdentitiesPaired { pairs: some.iter().map(pair).collect() }).await?;
    }
    Ok(())
}
