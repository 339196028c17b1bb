//! Who plays whom.
//!
//! Each hospital of the line list is a district of the city, the largest hospitals the most populous districts; each case
//! is a synthetic resident of its hospital's district, drawn from the case's number. The same every time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, Utc};
use domain::area::DistrictCode;
use domain::place;
use resident::generate::{People, Person};
use serde_json::{Value, json};

use super::outbreak::{Outbreak, Report};
use crate::residents;

/// The parts of a rehearsal.
pub(crate) struct Cast {
    /// The whole city.
    pub(crate) people: People,
    districts: BTreeMap<String, DistrictCode>,
    residents: BTreeMap<String, u32>,
    hospitals: BTreeMap<String, String>,
}

impl Cast {
    /// Gives every hospital a district and every case a resident.
    pub(crate) fn of(outbreak: &Outbreak, residents: u32) -> Result<Self> {
        ensure!((3_800..=1_000_000).contains(&residents), "--residents is from 3800 (a hundred for each district) to 1000000");
        let people = People::new(residents, residents::SEED);
        let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
        for case in &outbreak.cases {
            *sizes.entry(&case.hospital).or_default() += 1;
        }
        let mut hospitals: Vec<_> = sizes.into_iter().collect();
        hospitals.sort_by_key(|(name, cases)| (std::cmp::Reverse(*cases), *name));
        let mut by_population: Vec<_> = place::districts().iter().collect();
        by_population.sort_by_key(|district| std::cmp::Reverse(district.population_2020));
        let districts: BTreeMap<String, DistrictCode> =
            hospitals.iter().zip(by_population).map(|((name, _), district)| ((*name).to_owned(), district.code)).collect();

        let mut taken = BTreeSet::new();
        let mut cast = BTreeMap::new();
        for case in &outbreak.cases {
            let district = districts.get(&case.hospital).context("every hospital has a district")?;
            let homes = people.of_district(*district);
            let number: u32 = case.id.trim_start_matches("SK_").parse().with_context(|| format!("case {} has no number", case.id))?;
            // Seven steps of a prime through the district meet different neighbourhoods; whoever is taken is passed over.
            let start = number.wrapping_mul(7919) % u32::try_from(homes.len())?.max(1);
            let resident = homes
                .clone()
                .cycle()
                .skip(start as usize)
                .take(homes.len())
                .find(|no| taken.insert(*no))
                .with_context(|| format!("the district of {} is too small: use more --residents", case.hospital))?;
            cast.insert(case.id.clone(), resident);
        }
        let hospitals = outbreak.cases.iter().map(|case| (case.id.clone(), case.hospital.clone())).collect();
        Ok(Self { people, districts, residents: cast, hospitals })
    }

    /// How many districts have a hospital of the list.
    pub(crate) fn districts(&self) -> usize {
        self.districts.len()
    }

    /// The synthetic person with this number.
    pub(crate) fn person(&self, resident_no: u32) -> Result<Person> {
        self.people.person(resident_no).with_context(|| format!("there is no resident {resident_no}"))
    }

    /// The reports as risk records of this moment.
    pub(crate) fn records(&self, reports: &[Report], at: DateTime<Utc>) -> Vec<Value> {
        reports.iter().map(|report| self.record(report, at)).collect()
    }

    fn record(&self, report: &Report, at: DateTime<Utc>) -> Value {
        match report {
            Report::Case(case) => json!({
                "source_id": format!("mers-2015:{}:confirmed", case.id),
                "kind": "test_result",
                "occurred_at": at,
                "level": "high",
                "subject": { "resident_no": self.residents.get(&case.id) },
                "district": self.district(&case.id),
                "attributes": { "hospital": case.hospital, "result": "positive" },
            }),
            Report::Contact(contact) => json!({
                "source_id": format!("mers-2015:{}:contact:{}", contact.from, contact.to),
                "kind": "close_contact",
                "occurred_at": at,
                "level": "high",
                "subject": { "resident_no": self.residents.get(&contact.to) },
                "district": self.district(&contact.to),
                "attributes": { "exposure": contact.exposure.trim() },
            }),
        }
    }

    fn district(&self, case: &str) -> Option<String> {
        self.hospitals.get(case).and_then(|hospital| self.districts.get(hospital)).map(ToString::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_somebody_else_in_the_district_of_their_hospital() {
        let outbreak = Outbreak::mers_2015().unwrap();
        let cast = Cast::of(&outbreak, 3_800).unwrap();
        let played: BTreeSet<_> = cast.residents.values().collect();
        assert_eq!(played.len(), 162);
        for case in &outbreak.cases {
            let person = cast.person(cast.residents[&case.id]).unwrap();
            assert_eq!(person.community.district(), cast.districts[&case.hospital]);
        }
    }
}
