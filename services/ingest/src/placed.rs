//! A checked record with its person and its place, and many of them as the columns of a statement.

use chrono::{DateTime, Utc};
use domain::area::{Area, CommunityCode, DistrictCode, TownshipCode};
use domain::risk_record::{Subject, SubjectHash};
use platform::http::FieldFault;

use crate::check::Candidate;
use crate::sender::Sender;
use crate::subjects::{Home, Known};
use crate::{Error, reason};

/// A candidate with its person and its place.
pub(crate) struct Placed {
    pub candidate: Candidate,
    pub district: DistrictCode,
    pub township: Option<TownshipCode>,
    pub community: Option<CommunityCode>,
    pub home: Option<Home>,
}

impl Placed {
    /// Where a record belongs: as it says, else where its person lives.
    ///
    /// The home makes a place that was said more exact only within the district that was said: a sender of one district never learns where in
    /// another one somebody lives, and nobody there is told by an alert of this one.
    ///
    /// # Errors
    /// When that is nowhere, or the sender may not deliver it there; with the candidate, which its sender gets back.
    pub(crate) fn of(candidate: Candidate, sender: &Sender, known: &Known) -> Result<Self, Box<(Candidate, FieldFault)>> {
        let home = known.home(&candidate.record.subject);
        if home.is_none() && matches!(candidate.record.subject, Subject::Resident(_)) {
            return Err(Box::new((candidate, reason::resident_no())));
        }
        let district = match candidate.district.map_or_else(|| district_of(&candidate, sender, home), Ok) {
            Ok(district) => district,
            Err(fault) => return Err(Box::new((candidate, fault))),
        };
        let near = home.filter(|home| home.district == district);
        let township = candidate.township.or(near.map(|home| home.township));
        let community = candidate.community.or(near.filter(|home| Some(home.township) == township).map(|home| home.community));
        Ok(Self { candidate, district, township, community, home })
    }

    pub(crate) fn source_id(&self) -> &str {
        &self.candidate.record.source_id
    }
}

/// Where the person of a record lives that says nothing of a place. Who may deliver for a part of the city has to say it: an answer by
/// the home would tell them who is registered, and where.
fn district_of(candidate: &Candidate, sender: &Sender, home: Option<Home>) -> Result<DistrictCode, FieldFault> {
    if sender.area() != Area::City {
        return Err(reason::district_needed());
    }
    let home = home.ok_or_else(reason::district_unknown)?;
    sender.may_deliver(candidate.record.kind, home.district, Some(home.community))?;
    Ok(home.district)
}

/// The columns of some records, each value at the place of its record.
pub(crate) struct Columns<'r> {
    pub ids: Vec<&'r str>,
    pub content_hashes: Vec<&'r [u8]>,
    pub kinds: Vec<&'static str>,
    pub origins: Vec<&'static str>,
    pub levels: Vec<&'static str>,
    pub districts: Vec<i32>,
    pub townships: Vec<Option<i32>>,
    pub communities: Vec<Option<i64>>,
    pub times: Vec<DateTime<Utc>>,
    pub residents: Vec<Option<i32>>,
    pub subject_hashes: Vec<Option<Vec<u8>>>,
    pub subject_kinds: Vec<&'static str>,
    pub attributes: Vec<String>,
}

impl<'r> Columns<'r> {
    /// The columns of these records.
    ///
    /// # Errors
    /// When attributes cannot be written as JSON.
    pub(crate) fn of(records: &'r [Placed]) -> Result<Self, Error> {
        let each = || records.iter().map(|placed| (placed, &placed.candidate.record));
        let (subject_kinds, subject_hashes) = records.iter().map(subject).unzip();
        let attributes = each().map(|(_, record)| serde_json::to_string(&record.attributes)).collect::<Result<_, _>>();
        Ok(Self {
            ids: each().map(|(_, record)| record.source_id.as_str()).collect(),
            content_hashes: each().map(|(placed, _)| &placed.candidate.content_hash[..]).collect(),
            kinds: each().map(|(_, record)| record.kind.into()).collect(),
            origins: each().map(|(_, record)| record.origin.into()).collect(),
            levels: each().map(|(_, record)| record.level.into()).collect(),
            // six and nine digits fit an int, twelve a bigint
            districts: each().map(|(placed, _)| placed.district.get() as i32).collect(),
            townships: each().map(|(placed, _)| placed.township.map(|code| code.get() as i32)).collect(),
            communities: each().map(|(placed, _)| placed.community.map(|code| code.get() as i64)).collect(),
            times: each().map(|(_, record)| record.occurred_at).collect(),
            residents: each().map(|(placed, _)| placed.home.map(|home| home.resident_no)).collect(),
            subject_hashes,
            subject_kinds,
            attributes: attributes.map_err(|_| Error::Stored { what: "attributes" })?,
        })
    }
}

/// How a record names its subject, and the hash by which somebody who is not registered is found later.
fn subject(placed: &Placed) -> (&'static str, Option<Vec<u8>>) {
    let hash = |hash: &SubjectHash| placed.home.is_none().then(|| hash.bytes().to_vec());
    match &placed.candidate.record.subject {
        Subject::Resident(_) => ("resident", None),
        Subject::PhoneHash(phone) => ("phone", hash(phone)),
        Subject::IdentityHash(identity) => ("identity", hash(identity)),
        Subject::Place(_) => ("place", None),
    }
}
