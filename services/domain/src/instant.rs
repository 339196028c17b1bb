//! Times that every part of the platform can keep and show: those of the years 2000 to 2199.
//!
//! A time of chrono may lie a quarter of a million years away, where a database cannot store it, a page cannot read it and a sum
//! overflows. Fields that come in are read with [`read`] and [`read_option`], as `deserialize_with`.

use chrono::{DateTime, Datelike as _, Utc};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

const FIRST_YEAR: i32 = 2000;
const LAST_YEAR: i32 = 2199;

/// Whether the time lies where every part of the platform can keep it.
#[must_use]
pub fn is_kept(time: DateTime<Utc>) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&time.year())
}

/// Reads a time of these years.
///
/// # Errors
/// When there is no time, or one of another year.
pub fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let time = DateTime::<Utc>::deserialize(deserializer)?;
    if is_kept(time) { Ok(time) } else { Err(D::Error::custom(format_args!("a time lies between {FIRST_YEAR} and {LAST_YEAR}"))) }
}

/// Reads a time of these years, where there is one.
///
/// # Errors
/// When it is of another year.
pub fn read_option<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<DateTime<Utc>>, D::Error> {
    #[derive(Deserialize)]
    struct Kept(#[serde(deserialize_with = "read")] DateTime<Utc>);

    Ok(Option::<Kept>::deserialize(deserializer)?.map(|Kept(time)| time))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Both {
        #[serde(deserialize_with = "read")]
        at: DateTime<Utc>,
        #[serde(default, deserialize_with = "read_option")]
        until: Option<DateTime<Utc>>,
    }

    #[rstest]
    #[case(r#"{"at":"2000-01-01T00:00:00Z"}"#, true)]
    #[case(r#"{"at":"2199-12-31T23:59:59.999Z","until":null}"#, true)]
    #[case(r#"{"at":"2026-11-02T08:30:00+08:00","until":"2026-11-02T08:30:00+08:00"}"#, true)]
    #[case(r#"{"at":"1999-12-31T23:59:59Z"}"#, false)]
    #[case(r#"{"at":"2200-01-01T00:00:00Z"}"#, false)]
    #[case(r#"{"at":"9999-12-31T23:59:59Z"}"#, false)]
    #[case(r#"{"at":"-262143-01-01T00:00:00Z"}"#, false)]
    #[case(r#"{"at":"+262142-12-31T23:59:59Z"}"#, false)]
    #[case(r#"{"at":"2026-11-02T08:30:00+08:00","until":"0026-11-02T08:30:00+08:00"}"#, false)]
    #[case::in_the_citys_time_only(r#"{"at":"2000-01-01T00:00:00+08:00"}"#, false)]
    fn a_time_of_another_age_is_not_read(#[case] json: &str, #[case] kept: bool) {
        let read = serde_json::from_str::<Both>(json);
        assert_eq!(read.is_ok(), kept, "{read:?}");
        assert!(read.is_err() || read.is_ok_and(|both| is_kept(both.at) && both.until.is_none_or(is_kept)));
    }
}
