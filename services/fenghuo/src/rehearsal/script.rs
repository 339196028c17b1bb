//! What happens when.
//!
//! Hospitals report at nine in the morning, and again at twenty past nine in the evening: what comes in the evening is
//! approved inside the quiet hours and must wait for the morning. The clock also stops wherever the platform itself has
//! something to do (`stage`).

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Asia::Shanghai;

use super::outbreak::{Outbreak, Report};
use super::people::Readers;

/// One thing that happens.
pub(crate) struct Scene {
    pub(crate) at: DateTime<Utc>,
    pub(crate) act: Act,
}

/// What happens.
pub(crate) enum Act {
    /// These reports come in.
    Report(Vec<Report>),
    /// District reviewers look at what waits for them.
    DistrictReview,
    /// The city command looks at what waits for it.
    CityReview,
    /// Residents answer what they received.
    Answer(Readers),
    /// Time passes.
    Pass,
}

/// The whole outbreak, scene by scene.
pub(crate) fn write(outbreak: &Outbreak) -> Vec<Scene> {
    let mut scenes = Vec::new();
    let mut last = None;
    for (day, reports) in outbreak.days() {
        let (evening, morning): (Vec<_>, Vec<_>) = (0..).zip(reports).partition(|(at, _): &(usize, Report)| at % 3 == 2);
        let without_number = |reports: Vec<(usize, Report)>| reports.into_iter().map(|(_, report)| report).collect::<Vec<_>>();
        half_day(&mut scenes, day, (9, 0), without_number(morning));
        half_day(&mut scenes, day, (21, 20), without_number(evening));
        last = Some(day);
    }
    if let Some(end) = last.and_then(|day| day.checked_add_days(Days::new(4))) {
        scenes.push(Scene { at: at(end, (12, 0)), act: Act::Answer(Readers::Late) });
        scenes.push(Scene { at: at(end, (20, 0)), act: Act::Pass });
    }
    scenes.sort_by_key(|scene| scene.at);
    scenes
}

/// Reports at this time, and what they lead to. What is approved at night is read in the morning.
fn half_day(scenes: &mut Vec<Scene>, day: NaiveDate, (hour, minute): (u32, u32), reports: Vec<Report>) {
    if reports.is_empty() {
        return;
    }
    let began = at(day, (hour, minute));
    let later = |minutes: i64| began + chrono::TimeDelta::minutes(minutes);
    let read = if hour < 12 { later(100) } else { later(11 * 60) };
    scenes.push(Scene { at: began, act: Act::Report(reports) });
    scenes.push(Scene { at: later(40), act: Act::DistrictReview });
    scenes.push(Scene { at: later(55), act: Act::CityReview });
    scenes.push(Scene { at: read, act: Act::Answer(Readers::Prompt) });
    scenes.push(Scene { at: read + chrono::TimeDelta::hours(11), act: Act::Answer(Readers::Late) });
}

fn at(day: NaiveDate, (hour, minute): (u32, u32)) -> DateTime<Utc> {
    let time = NaiveTime::from_hms_opt(hour, minute, 0).unwrap_or_default();
    // China has had no change of clocks since 1991, so the local time exists once.
    Shanghai.from_local_datetime(&day.and_time(time)).earliest().map_or(DateTime::UNIX_EPOCH, |local| local.to_utc())
}
