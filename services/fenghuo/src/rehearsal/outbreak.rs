//! The line list and the contact list, as they are.
//!
//! Dates are shifted by whole days so that the first report falls on 2 March 2026; the days between them stay. Nothing
//! that is unknown in the list is made up.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use chrono::NaiveDate;
use serde::Deserialize;

const LINE_LIST: &str = include_str!("../../data/outbreaks/mers_korea_2015_linelist.csv");
const CONTACTS: &str = include_str!("../../data/outbreaks/mers_korea_2015_contacts.csv");

/// The day on which the first report falls.
const FIRST_DAY: NaiveDate = NaiveDate::from_ymd_opt(2026, 3, 2).expect("a day of the calendar");

/// One case of the line list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Case {
    /// `SK_1` and so on.
    pub(crate) id: String,
    /// Where they were treated.
    #[serde(rename = "loc_hosp")]
    pub(crate) hospital: String,
    dt_report: NaiveDate,
}

/// One link of the contact list.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Contact {
    pub(crate) from: String,
    pub(crate) to: String,
    /// Where they met.
    pub(crate) exposure: String,
}

/// What a hospital or tracer reports.
#[derive(Clone, Debug)]
pub(crate) enum Report {
    /// A case was confirmed.
    Case(Case),
    /// Somebody was in contact with a confirmed case.
    Contact(Contact),
}

/// The outbreak in the order in which it was reported.
pub(crate) struct Outbreak {
    pub(crate) cases: Vec<Case>,
    pub(crate) contacts: Vec<Contact>,
    shift: chrono::TimeDelta,
}

impl Outbreak {
    /// South Korea, 2015.
    pub(crate) fn mers_2015() -> Result<Self> {
        let mut cases: Vec<Case> = rows(LINE_LIST).context("the line list cannot be read")?;
        let contacts = rows(CONTACTS).context("the contact list cannot be read")?;
        cases.sort_by(|one, other| (one.dt_report, &one.id).cmp(&(other.dt_report, &other.id)));
        let first = cases.first().context("the line list is empty")?.dt_report;
        Ok(Self { cases, contacts, shift: FIRST_DAY - first })
    }

    /// The reports of each day that has any. A contact is reported with the case that it was in contact with.
    pub(crate) fn days(&self) -> BTreeMap<NaiveDate, Vec<Report>> {
        let mut days: BTreeMap<NaiveDate, Vec<Report>> = BTreeMap::new();
        for case in &self.cases {
            let day = days.entry(case.dt_report + self.shift).or_default();
            day.push(Report::Case(case.clone()));
            day.extend(self.contacts.iter().filter(|contact| contact.from == case.id).cloned().map(Report::Contact));
        }
        days
    }
}

fn rows<T: for<'a> Deserialize<'a>>(text: &str) -> Result<Vec<T>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_and_contact_is_reported_once() {
        let outbreak = Outbreak::mers_2015().unwrap();
        assert_eq!((outbreak.cases.len(), outbreak.contacts.len()), (162, 98));
        let days = outbreak.days();
        assert_eq!(days.values().map(Vec::len).sum::<usize>(), 162 + 98);
        assert_eq!(days.keys().next(), Some(&FIRST_DAY));
    }
}
