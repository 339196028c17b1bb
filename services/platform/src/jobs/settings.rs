//! When jobs are due: their own times, and what the operator set instead.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use domain::schedule::{Schedule, ScheduleFault};
use serde::{Deserialize, Serialize};

use super::job::Job;
use crate::error::Error;

const CRON: &str = "jobs.cron";

/// The section `jobs` of the configuration. The same in every process.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct JobSettings {
    /// The city's time zone, by its IANA name.
    ///
    /// Jobs are due by its clock: what is heavy belongs into the city's night.
    pub time_zone: Tz,
    /// When a job is due, instead of its own time: second, minute, hour, day, month, day of the week (0 and 7 are Sunday; a day must
    /// fit both fields), at most once a minute. What is not valid, and a job that does not exist, is refused at the start.
    pub cron: BTreeMap<String, String>,
}

impl Default for JobSettings {
    fn default() -> Self {
        Self { time_zone: Tz::Asia__Shanghai, cron: BTreeMap::new() }
    }
}

impl JobSettings {
    /// Refuses an expression that is none. Whether its job exists is known once the services are named.
    ///
    /// # Errors
    /// [`Error::Setting`] with the job and what is wrong.
    pub fn check(&self) -> Result<(), Error> {
        Times::of(self).map(drop)
    }
}

/// The settings, read.
pub(super) struct Times {
    zone: Tz,
    set: BTreeMap<String, Schedule>,
}

impl Times {
    pub(super) fn of(settings: &JobSettings) -> Result<Self, Error> {
        let read = |(job, expression): (&String, &String)| {
            Ok((job.clone(), Schedule::parse(expression, settings.time_zone).map_err(|fault| refused(job, &fault))?))
        };
        Ok(Self { zone: settings.time_zone, set: settings.cron.iter().map(read).collect::<Result<_, Error>>()? })
    }

    /// When this job is due.
    pub(super) fn of_job(&self, job: &Job) -> Result<Schedule, Error> {
        match self.set.get(job.name) {
            Some(schedule) => Ok(schedule.clone()),
            None => Schedule::parse(job.cron, self.zone).map_err(|fault| refused(job.name, &fault)),
        }
    }

    /// Refuses what is set for jobs that are not among `all`.
    pub(super) fn check<'a>(&self, all: impl IntoIterator<Item = &'a Job>) -> Result<(), Error> {
        let known: Vec<&str> = all.into_iter().map(|job| job.name).collect();
        let unknown: Vec<&str> = self.set.keys().map(String::as_str).filter(|name| !known.contains(name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let reason = format!("there is no job {}; the jobs are {}", unknown.join(", "), known.join(", "));
        Err(Error::Setting { name: CRON, reason })
    }
}

fn refused(job: &str, fault: &ScheduleFault) -> Error {
    Error::Setting { name: CRON, reason: format!("{job}: {fault}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIDY: Job = Job { name: "city.tidy", cron: "0 30 3 * * *", about: "整理", about_en: "Tidies", at_start: false };

    fn set(job: &str, expression: &str) -> JobSettings {
        JobSettings { cron: [(job.to_owned(), expression.to_owned())].into(), ..JobSettings::default() }
    }

    #[test]
    fn a_job_is_due_by_its_own_expression_unless_another_is_set() {
        let expression = |settings: &JobSettings| Times::of(settings).unwrap().of_job(&TIDY).unwrap().expression().to_owned();
        assert_eq!(expression(&JobSettings::default()), "0 30 3 * * *");
        assert_eq!(expression(&set("city.tidy", "0 0 5 * * MON")), "0 0 5 * * MON");
    }

    #[test]
    fn an_expression_that_is_none_is_refused_with_its_job() {
        let Err(error) = Times::of(&set("city.tidy", "nightly")) else { panic!("it was taken") };
        let said = error.to_string();
        assert!(said.contains("jobs.cron") && said.contains("city.tidy") && said.contains("nightly"), "{said}");
    }

    #[test]
    fn a_job_that_does_not_exist_is_refused_by_name_and_the_others_are_told() {
        let times = Times::of(&set("city.tidi", "0 0 5 * * *")).unwrap();
        let said = times.check([&TIDY]).unwrap_err().to_string();
        assert!(said.contains("city.tidi") && said.contains("city.tidy"), "{said}");
        assert!(Times::of(&set("city.tidy", "0 0 5 * * *")).unwrap().check([&TIDY]).is_ok());
    }
}
