//! What the operator sets.

use std::num::NonZeroU32;
use std::path::PathBuf;

use chrono_tz::Tz;
use domain::casework::Promises;
use domain::retention;
use domain::working_day::Calendar;
use serde::{Deserialize, Serialize};

use crate::Error;

/// Settings of casework; section `[casework]` of the configuration. The same in every process.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The city's time zone, by its IANA name.
    ///
    /// A working day ends at its midnight, and a case's number begins with its date.
    pub time_zone: Tz,
    /// The days on which the city's calendar differs from Monday to Friday, as a file of lines such as `2027-10-01,rest,national_day` under a
    /// heading; none: China's, as published until 2026.
    ///
    /// Set it when the State Council has published the notice of the next year, with all earlier years in it: until then what reaches into that
    /// year is due provisionally.
    ///
    /// Example: "/etc/fenghuo/working-days.csv"
    pub days_file: Option<PathBuf>,
    /// What the city's short messages begin with, in brackets.
    ///
    /// The name under which people know the hotline.
    pub signature: String,
    /// The number under which the hotline is called.
    ///
    /// Named in short messages, for those who cannot read the answer on line.
    pub hotline: String,
    /// Cases in a minute that come from one network without signing in.
    ///
    /// A family behind one address writes some; a program that fills the desks writes thousands. Whoever is refused is told the hotline's number.
    ///
    /// Unit: cases
    pub cases_per_minute_from_a_network: NonZeroU32,
    /// Cases in a minute that come without signing in, from everywhere together.
    ///
    /// Above what a city writes on its worst day, below what would stop it.
    ///
    /// Unit: cases
    pub cases_per_minute: NonZeroU32,
    /// Cases that one resident may bring in a day.
    ///
    /// Nobody has more; whoever does calls.
    ///
    /// Unit: cases
    pub cases_per_day: u32,
    /// Wrong PINs for one case in an hour; then it is asked for by the app, or by calling, until the hour is over.
    ///
    /// Five of a million leave a guesser nothing.
    ///
    /// Unit: tries
    pub wrong_pins_per_hour: u32,
    /// Questions for cases by number and PIN in a minute that come from one network.
    ///
    /// People look now and then; who looks all the time tries numbers.
    ///
    /// Unit: questions
    pub looks_per_minute_from_a_network: NonZeroU32,
    /// How often whoever brought a case may add to it or chase it in an hour.
    ///
    /// Each makes a new version, and staff have to look again.
    ///
    /// Unit: times
    pub additions_per_hour: u32,
    /// After so long without anybody at the desk a case of urgent help rings.
    ///
    /// Somebody waits who cannot wait.
    ///
    /// Unit: minutes
    pub help_waits_minutes: u32,
    /// Phone numbers and names of citizens that one member of staff opens in a day.
    ///
    /// Enough for a day of calls; a phone book is no work. Each opening is traced.
    ///
    /// Unit: people
    pub contacts_per_day: u32,
    /// Numbers under which one operator looks for earlier cases in a day.
    ///
    /// A call is looked up once; whoever looks up hundreds is curious. Each is traced.
    ///
    /// Unit: numbers
    pub callers_per_day: u32,
    /// For so many days after its end a case keeps the name and number of whoever brought it.
    ///
    /// As long as somebody may have to be called about it; then both are gone, and the case stays without them.
    ///
    /// Unit: days
    pub keep_contacts_days: u32,
    /// What is promised, and how much time citizens have.
    ///
    /// Every figure of the work plans is the city's to change.
    pub promises: Promises,
}

const THIRTY: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
const A_HUNDRED_AND_TWENTY: NonZeroU32 = NonZeroU32::new(120).expect("not zero");
const SIX_THOUSAND: NonZeroU32 = NonZeroU32::new(6_000).expect("not zero");

impl Default for Settings {
    fn default() -> Self {
        Self {
            time_zone: Tz::Asia__Shanghai,
            days_file: None,
            signature: "烽火".to_owned(),
            hotline: "12320".to_owned(),
            cases_per_minute_from_a_network: THIRTY,
            cases_per_minute: SIX_THOUSAND,
            cases_per_day: 20,
            wrong_pins_per_hour: 5,
            looks_per_minute_from_a_network: A_HUNDRED_AND_TWENTY,
            additions_per_hour: 10,
            help_waits_minutes: 2,
            contacts_per_day: 200,
            callers_per_day: 400,
            keep_contacts_days: retention::CASE_CONTACTS.keeping.length(),
            promises: Promises::default(),
        }
    }
}

impl Settings {
    /// The calendar, and that what is promised makes sense.
    pub(crate) fn calendar(&self) -> Result<Calendar, Error> {
        let promises = &self.promises;
        if promises.call_back_anonymous_percent > 100 {
            return Err(Error::Setting { name: "casework.promises.call_back_anonymous_percent", reason: "is at most 100".to_owned() });
        }
        let days = [promises.finish_simple_days, promises.finish_complex_days, promises.finish_major_days, promises.review_days];
        if days.contains(&0) {
            return Err(Error::Setting {
                name: "casework.promises",
                reason: "gives no time for a result: at least one working day".to_owned(),
            });
        }
        let Some(file) = &self.days_file else { return Ok(Calendar::china().clone()) };
        let wrong = |reason: String| Error::Setting { name: "casework.days_file", reason };
        let list = std::fs::read_to_string(file).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        Calendar::of(&list).map_err(|error| wrong(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_without_time_is_refused_at_the_start() {
        assert!(Settings::default().calendar().is_ok());
        let promises = Promises { finish_simple_days: 0, ..Promises::default() };
        assert!(Settings { promises, ..Settings::default() }.calendar().is_err());
        let promises = Promises { call_back_anonymous_percent: 101, ..Promises::default() };
        assert!(Settings { promises, ..Settings::default() }.calendar().is_err());
    }

    #[test]
    fn a_list_of_days_that_cannot_be_read_is_refused_at_the_start() {
        let settings = Settings { days_file: Some("/nowhere/days.csv".into()), ..Settings::default() };
        assert!(matches!(settings.calendar(), Err(Error::Setting { name: "casework.days_file", .. })));
    }
}
