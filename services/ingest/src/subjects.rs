//! Whom the records of a chunk are about: one query for all of them.

use std::collections::{HashMap, HashSet};

use domain::area::{CommunityCode, DistrictCode, TownshipCode};
use domain::risk_record::{Subject, SubjectHash};
use platform::database::Connection;

use crate::Error;

/// Where a registered person lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    pub resident_no: i32,
    pub district: DistrictCode,
    pub township: TownshipCode,
    pub community: CommunityCode,
}

/// The registered ones among the subjects of a chunk.
#[derive(Debug, Default)]
pub(crate) struct Known {
    by_hash: HashMap<[u8; 32], Home>,
    by_number: HashMap<i32, Home>,
    /// Documents that are proved by more than the word of whoever registered.
    proved: HashSet<[u8; 32]>,
}

impl Known {
    /// The person, if registered.
    pub(crate) fn home(&self, subject: &Subject) -> Option<Home> {
        match subject {
            Subject::Resident(no) => i32::try_from(no.get()).ok().and_then(|no| self.by_number.get(&no)).copied(),
            Subject::PhoneHash(hash) | Subject::IdentityHash(hash) => self.by_hash.get(hash.bytes()).copied(),
            Subject::Place(_) => None,
        }
    }

    /// Whether somebody has proved this document by more than their word.
    pub(crate) fn has_proved(&self, document: &SubjectHash) -> bool {
        self.proved.contains(document.bytes())
    }

    /// Looks all subjects up.
    pub(crate) async fn among<'s>(connection: &mut Connection, subjects: impl Iterator<Item = &'s Subject>) -> Result<Self, Error> {
        let (mut phones, mut identities, mut numbers) = (Vec::new(), Vec::new(), Vec::new());
        for subject in subjects {
            match subject {
                Subject::PhoneHash(hash) => phones.push(&hash.bytes()[..]),
                Subject::IdentityHash(hash) => identities.push(&hash.bytes()[..]),
                Subject::Resident(no) => numbers.extend(i32::try_from(no.get())),
                Subject::Place(_) => {}
            }
        }
        if phones.is_empty() && identities.is_empty() && numbers.is_empty() {
            return Ok(Self::default());
        }
        // hashes of phones and of identity numbers cannot be equal, so both fit one column
        let rows = sqlx::query!(
            r#"select wanted.hash as "hash?", person.resident_no as "resident_no!", person.district as "district!",
                   person.township as "township!", person.community as "community!", false as "proved!"
               from unnest($1::bytea[]) as wanted (hash) join resident.subject person on person.phone_hash = wanted.hash
               union all
               select wanted.hash, person.resident_no, person.district, person.township, person.community,
                   person.identity_proved
               from unnest($2::bytea[]) as wanted (hash) join resident.subject person on person.identity_hash = wanted.hash
               union all
               select null, person.resident_no, person.district, person.township, person.community, false
               from unnest($3::int[]) as wanted (number) join resident.subject person on person.resident_no = wanted.number"#,
            &phones as &[&[u8]],
            &identities as &[&[u8]],
            &numbers
        )
        .fetch_all(connection)
        .await
        .map_err(Error::database("looking for the subjects of records"))?;
        let mut known = Self::default();
        for row in rows {
            let home = home(row.resident_no, row.district, row.township, row.community)?;
            match row.hash.and_then(|hash| <[u8; 32]>::try_from(hash).ok()) {
                Some(hash) => {
                    if row.proved {
                        known.proved.insert(hash);
                    }
                    known.by_hash.insert(hash, home)
                }
                None => known.by_number.insert(row.resident_no, home),
            };
        }
        Ok(known)
    }
}

/// A home as the database keeps it.
pub(crate) fn home(resident_no: i32, district: i32, township: i32, community: i64) -> Result<Home, Error> {
    let wrong = |_| Error::Stored { what: "area of a resident" };
    Ok(Home {
        resident_no,
        district: district.try_into().map_err(wrong)?,
        township: township.try_into().map_err(wrong)?,
        community: community.try_into().map_err(wrong)?,
    })
}
