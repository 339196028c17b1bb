//! Synthetic residents, spread over districts, townships and communities by the 2020 census.
//!
//! The same seed makes the same people: [`People`] says who resident number *n* is without a database, so that
//! rehearsals and load tests can know a person's phone and token from the number alone. Sealing draws fresh nonces, so
//! stored bytes differ from run to run; what they say does not.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use domain::area::{CommunityCode, DistrictCode};
use domain::industry::Industry;
use domain::language::Language;
use domain::place;
use platform::crypto::{Keyring, Purpose};
use platform::database::Database;
use strum::VariantArray as _;

use crate::{Error, SCHEMA};

/// Of a hundred people, those who have the app, unless [`People::with_app`] says otherwise.
pub const APP_PERCENT: u8 = 70;
/// Residents copied in one statement.
const CHUNK: u32 = 20_000;
/// From so many residents on, indexes are made after the rows.
const MANY: u32 = 1_000_000;

/// A synthetic population.
#[derive(Clone, Debug)]
pub struct People {
    count: u32,
    seed: u64,
    app_percent: u8,
    /// First resident number of each community, ascending, with the community.
    homes: Vec<(u32, CommunityCode)>,
}

/// How a synthetic person is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// An iPhone with this device token.
    Apns(String),
    /// An Android phone with this registration token.
    Fcm(String),
}

/// One synthetic person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their number.
    pub resident_no: u32,
    /// `+86…`
    pub phone: String,
    /// Where they live.
    pub community: CommunityCode,
    /// Their industry, for two in five.
    pub industry: Option<Industry>,
    /// English for one in a hundred.
    pub language: Language,
    /// The app, for seven in ten or as many as [`People::with_app`] says.
    pub device: Option<Device>,
}

impl People {
    /// `count` people, numbered from 1, district by district, community by community.
    pub fn new(count: u32, seed: u64) -> Self {
        let mut homes = Vec::new();
        let mut first = 1;
        for (district, residents) in shares(count) {
            let communities: Vec<_> =
                place::townships_of(district).iter().flat_map(|township| place::communities_of(township.code)).map(|c| c.code).collect();
            let total = communities.len() as u64;
            for (at, community) in (0u64..).zip(&communities) {
                let share = |n: u64| u64::from(residents) * n / total;
                let here = share(at + 1) - share(at);
                if here > 0 {
                    homes.push((first, *community));
                    first += u32::try_from(here).unwrap_or(0);
                }
            }
        }
        Self { count, seed, app_percent: APP_PERCENT, homes }
    }

    /// The same people, of whom `percent` in a hundred have the app: four on Android for three on iPhones.
    #[must_use]
    pub fn with_app(self, percent: u8) -> Self {
        Self { app_percent: percent, ..self }
    }

    /// How many there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Who has this number; `None` outside 1..=count.
    pub fn person(&self, resident_no: u32) -> Option<Person> {
        if resident_no == 0 || resident_no > self.count {
            return None;
        }
        let home = self.homes.partition_point(|(first, _)| *first <= resident_no).checked_sub(1)?;
        let dice = mix(self.seed ^ u64::from(resident_no));
        let (share, app) = (dice % 10 * 10 + dice / 10 % 10, u64::from(self.app_percent));
        let device = match share {
            _ if share >= app => None,
            _ if share < app * 4 / 7 => {
                Some(Device::Fcm(format!("{resident_no:08x}:fenghuo-{:016x}{:016x}", mix(dice ^ 1), mix(dice ^ 2))))
            }
            _ => Some(Device::Apns(format!(
                "{resident_no:08x}{:016x}{:016x}{:016x}{:08x}",
                mix(dice ^ 3),
                mix(dice ^ 4),
                mix(dice ^ 5),
                dice as u32
            ))),
        };
        Some(Person {
            resident_no,
            phone: phone(resident_no),
            community: self.homes.get(home)?.1,
            industry: Industry::VARIANTS.get((dice >> 8) as usize % 30).copied(),
            language: if (dice >> 16).is_multiple_of(100) { Language::En } else { Language::ZhCn },
            device,
        })
    }

    /// The numbers of everybody in a district, as a range.
    pub fn of_district(&self, district: DistrictCode) -> std::ops::Range<u32> {
        let begin = self.homes.partition_point(|(_, home)| home.district() < district);
        let end = self.homes.partition_point(|(_, home)| home.district() <= district);
        let at = |index: usize| self.homes.get(index).map_or(self.count + 1, |(first, _)| *first);
        at(begin)..at(end)
    }
}

/// The phone of synthetic resident `resident_no`.
pub fn phone(resident_no: u32) -> String {
    format!("+86190{resident_no:08}")
}

/// Writes the population into the database by COPY, reporting how many are in after each chunk. The table must be empty.
///
/// # Errors
/// When the database fails or residents are there already.
pub async fn write(
    people: &People,
    database: &Database,
    keyring: &Keyring,
    now: DateTime<Utc>,
    mut progress: impl FnMut(u32),
) -> Result<(), Error> {
    let mut tx = database.begin().await?;
    if sqlx::query_scalar!(r#"select exists (select from resident.resident) as "any!""#)
        .fetch_one(&mut *tx)
        .await
        .map_err(Error::database("looking for residents"))?
    {
        return Err(Error::ResidentsExist);
    }
    let at = now.to_rfc3339();
    // Hashes fall all over an index: with millions it is quicker, and far less is written, to make the indexes when the rows are in.
    let indexes = if people.count >= MANY { take_indexes(&mut tx).await? } else { Vec::new() };
    let mut first = 1;
    while first <= people.count {
        let last = people.count.min(first + CHUNK - 1);
        let (mut residents, mut devices) = (String::new(), String::new());
        for person in (first..=last).filter_map(|no| people.person(no)) {
            residents_line(&mut residents, &person, keyring, &at);
            device_line(&mut devices, &person, keyring, &at);
        }
        copy(
            &mut tx,
            "copy resident.resident (resident_no, phone_hash, phone_sealed, district, township, community, industry, language, notices, has_apns, has_fcm, registered_at) from stdin",
            residents,
        )
        .await?;
        copy(&mut tx, "copy resident.device (resident_no, kind, token_hash, token_sealed, registered_at) from stdin", devices).await?;
        progress(last);
        first = last + 1;
    }
    sqlx::query!(
        "select setval(pg_get_serial_sequence('resident.resident', 'resident_no'), greatest(1, (select max(resident_no) from resident.resident)))"
    )
    .fetch_one(&mut *tx)
    .await
    .map_err(Error::database("setting the next resident number"))?;
    for index in indexes {
        sqlx::raw_sql(sqlx::AssertSqlSafe(index)).execute(&mut *tx).await.map_err(Error::database("making an index again"))?;
    }
    // The embedded database does it at no other time, and its plans would go by an empty table.
    sqlx::query!("analyze resident.headcount").execute(&mut *tx).await.map_err(Error::database("analysing the headcount"))?;
    tx.commit().await?;
    tracing::info!(schema = SCHEMA, residents = people.count, "synthetic residents written");
    Ok(())
}

/// Drops the indexes of residents and devices that no constraint needs, and returns the statements that make them.
async fn take_indexes(tx: &mut platform::database::Tx) -> Result<Vec<String>, Error> {
    let failed = Error::database("putting indexes aside");
    let found = sqlx::query!(
        r#"select format('drop index resident.%I', i.indexname) as "dropped!", i.indexdef as "made!"
             from pg_indexes i
            where i.schemaname = 'resident' and i.tablename in ('resident', 'device')
              and not exists (select from pg_constraint c where c.conindid = format('resident.%I', i.indexname)::regclass)"#
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(failed)?;
    let mut made = vec!["set local maintenance_work_mem = '1GB'".to_owned()];
    for index in found {
        sqlx::raw_sql(sqlx::AssertSqlSafe(index.dropped)).execute(&mut **tx).await.map_err(Error::database("dropping an index"))?;
        made.push(index.made);
    }
    Ok(made)
}

async fn copy(tx: &mut platform::database::Tx, statement: &'static str, lines: String) -> Result<(), Error> {
    let mut into = tx.driver().copy_in_raw(statement).await.map_err(Error::database("beginning COPY"))?;
    into.send(lines.into_bytes()).await.map_err(Error::database("sending rows by COPY"))?;
    into.finish().await.map_err(Error::database("ending COPY"))?;
    Ok(())
}

// Writing to a String does not fail, so the results of `write!` say nothing.
fn residents_line(lines: &mut String, person: &Person, keyring: &Keyring, at: &str) {
    let plain = person.phone.as_bytes();
    let _ = writeln!(
        lines,
        "{}\t\\\\x{}\t\\\\x{}\t{}\t{}\t{}\t{}\t{}\tt\t{}\t{}\t{at}",
        person.resident_no,
        hex::encode(keyring.hash(Purpose::ResidentPhone, plain).bytes()),
        hex::encode(keyring.seal(Purpose::ResidentPhone, plain).as_bytes()),
        person.community.district(),
        person.community.township(),
        person.community,
        person.industry.map_or("\\N", Into::into),
        person.language,
        if matches!(person.device, Some(Device::Apns(_))) { 't' } else { 'f' },
        if matches!(person.device, Some(Device::Fcm(_))) { 't' } else { 'f' },
    );
}

fn device_line(lines: &mut String, person: &Person, keyring: &Keyring, at: &str) {
    let Some(device) = &person.device else { return };
    let (kind, token) = match device {
        Device::Apns(token) => ("apns", token),
        Device::Fcm(token) => ("fcm_token", token),
    };
    let _ = writeln!(
        lines,
        "{}\t{kind}\t\\\\x{}\t\\\\x{}\t{at}",
        person.resident_no,
        hex::encode(keyring.hash(Purpose::PushToken, token.as_bytes()).bytes()),
        hex::encode(keyring.seal(Purpose::PushToken, token.as_bytes()).as_bytes()),
    );
}

/// Each district's share of `count` by the 2020 census, rounded so that the shares add up to `count`.
fn shares(count: u32) -> Vec<(DistrictCode, u32)> {
    let total: u64 = place::districts().iter().map(|district| u64::from(district.population_2020)).sum();
    let mut before = 0u64;
    let mut districts: Vec<_> = place::districts().iter().collect();
    districts.sort_by_key(|district| district.code);
    districts
        .into_iter()
        .map(|district| {
            let share = |people: u64| u64::from(count) * people / total;
            let here = share(before + u64::from(district.population_2020)) - share(before);
            before += u64::from(district.population_2020);
            (district.code, u32::try_from(here).unwrap_or(u32::MAX))
        })
        .collect()
}

/// SplitMix64: a fixed function from a number to one that looks random, the same in every version of everything.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_whole_census_lives_where_the_census_found_it() {
        let people = People::new(32_054_159, 1);
        for district in place::districts() {
            assert_eq!(people.of_district(district.code).len() as u32, district.population_2020, "{}", district.name_en);
        }
    }

    #[test]
    fn a_small_city_has_everybody_it_was_asked_for_and_the_same_people_every_time() {
        let (people, again) = (People::new(5_000, 7), People::new(5_000, 7));
        let mut homes = BTreeMap::new();
        for no in 1..=5_000 {
            let person = people.person(no).expect("numbered from 1 to the count");
            assert_eq!(Some(&person), again.person(no).as_ref());
            assert!(place::community(person.community).is_some());
            assert!(people.of_district(person.community.district()).contains(&no));
            *homes.entry(person.community.district()).or_insert(0u32) += 1;
        }
        assert_eq!(homes.len(), 38);
        assert_eq!(people.person(0), None);
        assert_eq!(people.person(5_001), None);
    }

    #[test]
    fn seven_in_ten_have_the_app() {
        let people = People::new(100_000, 3);
        let with_app = (1..=100_000).filter(|no| people.person(*no).is_some_and(|person| person.device.is_some())).count();
        assert!((69_000..71_000).contains(&with_app), "{with_app}");
    }
}
