//! "I have read it": once per person and alert, by the button or by SMS (CQ11).
//!
//! When an urgent alert reaches millions, they answer within minutes. What many say at once is recorded in one statement, and
//! nobody is answered before it is committed. Acknowledgements are kept by the month of their alert and dropped by the month.

use std::collections::HashMap;

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::ids::{AlertId, ResidentNo};
use platform::Platform;
use platform::database::{self, Database, Monthly};
use platform::gather::{Batch, Gather, Limits};
use platform::jobs::Job;
use uuid::Uuid;

use crate::inbox::live_alerts::LiveAlerts;
use crate::{Error, SCHEMA, directory};

/// Makes their months and drops them.
pub(crate) const KEEP_ACKNOWLEDGEMENTS: Job = Job {
    name: "resident.keep_acknowledgements",
    cron: "0 12 */6 * * *",
    about: "居民确认按月保存：提前建好后两个月的分区，删除超过保留期的月份。",
    about_en: "Keeps acknowledgements by the month: makes the two months to come, drops those past their time.",
    at_start: true,
};

/// How somebody acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// With the button.
    App,
    /// With a reply.
    Sms,
}

impl By {
    fn stored(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Sms => "sms",
        }
    }
}

/// Two batches at a time: while one waits for the disk the other is worked on, and a third one grows.
const AT_ONCE: Limits = Limits { batches: 2, items: 2_000 };

/// Where acknowledgements are recorded. Clones share it.
#[derive(Clone)]
pub(crate) struct Acknowledgements {
    by_app: Gather<Recording>,
    by_sms: Gather<Recording>,
}

impl Acknowledgements {
    /// Records in the platform's database what these inboxes hold, and keeps acknowledgements there for so many months.
    ///
    /// # Errors
    /// When the job that keeps their table is set to an expression that is none.
    pub(crate) fn start(platform: &Platform, inboxes: &LiveAlerts, months: u32) -> Result<Self, Error> {
        let table = Monthly { schema: SCHEMA, table: "acknowledgement", column: "alert_id", months };
        Monthly::keep(platform, &KEEP_ACKNOWLEDGEMENTS, vec![table])?;
        let gather = |name, by| {
            let recording = Recording { by, database: platform.database.clone(), inboxes: inboxes.clone() };
            Gather::new(&platform.tasks, name, AT_ONCE, recording)
        };
        Ok(Self { by_app: gather("resident.acknowledgements", By::App), by_sms: gather("resident.acknowledgements_by_sms", By::Sms) })
    }

    /// Records the acknowledgement, or finds the one that is there. It is durable when this returns the time of the first.
    ///
    /// # Errors
    /// When the alert was not in the person's inbox at that time, or the database fails.
    pub(crate) async fn record(&self, alert: AlertId, no: ResidentNo, by: By, now: DateTime<Utc>) -> Result<DateTime<Utc>, Error> {
        // as the database keeps it, so that a repeat is told the same
        let said = Acknowledgement { alert, no, at: now.trunc_subsecs(6) };
        let recorded = match by {
            By::App => self.by_app.ask(said).await?,
            By::Sms => self.by_sms.ask(said).await?,
        };
        recorded.ok_or(Error::NotInInbox(alert))
    }
}

#[derive(Clone, Copy)]
struct Acknowledgement {
    alert: AlertId,
    no: ResidentNo,
    at: DateTime<Utc>,
}

impl Acknowledgement {
    fn key(&self) -> (Uuid, i32) {
        (self.alert.uuid(), directory::stored(self.no))
    }
}

struct Recording {
    by: By,
    database: Database,
    inboxes: LiveAlerts,
}

impl Batch for Recording {
    type Item = Acknowledgement;
    /// When it was first said; none if the alert is not in the inbox.
    type Answer = Option<DateTime<Utc>>;
    type Error = Error;

    async fn run(&self, said: &[Acknowledgement]) -> Result<Vec<Option<DateTime<Utc>>>, Error> {
        let held = match self.by {
            By::App => {
                let asked: Vec<_> = said.iter().map(|said| (said.alert, said.no, said.at)).collect();
                self.inboxes.hold(&asked).await?
            }
            // who replies names what was found in their inbox
            By::Sms => vec![true; said.len()],
        };
        let taken = said.iter().zip(&held).filter(|(_, held)| **held).map(|(said, _)| *said).collect();
        let first = self.record(taken).await?;
        Ok(said.iter().zip(held).map(|(said, held)| held.then(|| first.get(&said.key()).copied().unwrap_or(said.at))).collect())
    }

    fn may_blame_an_item(error: &Error) -> bool {
        matches!(error, Error::Database { source, .. } if database::refuses_the_data(source))
    }
}

impl Recording {
    /// Writes down what was not there yet, and returns when the others were first said.
    async fn record(&self, mut said: Vec<Acknowledgement>) -> Result<HashMap<(Uuid, i32), DateTime<Utc>>, Error> {
        if said.is_empty() {
            return Ok(HashMap::new());
        }
        // In one order, so that two statements that say the same wait for each other and never crosswise.
        said.sort_by_key(Acknowledgement::key);
        let (alerts, numbers): (Vec<Uuid>, Vec<i32>) = said.iter().map(Acknowledgement::key).unzip();
        let times: Vec<DateTime<Utc>> = said.iter().map(|said| said.at).collect();
        let new = sqlx::query!(
            "insert into resident.acknowledgement (alert_id, resident_no, acknowledged_at, by)
             select *, $4 from unnest($1::uuid[], $2::int[], $3::timestamptz[])
             on conflict (alert_id, resident_no) do nothing",
            &alerts,
            &numbers,
            &times,
            self.by.stored()
        )
        .execute(self.database.pool())
        .await
        .map_err(Error::database("recording acknowledgements"))?
        .rows_affected();
        metrics::counter!("acknowledgements_total", "by" => self.by.stored()).increment(new);
        if new == said.len() as u64 {
            return Ok(HashMap::new());
        }
        self.first_times(&alerts, &numbers).await
    }

    /// When these were acknowledged. Asked after the statement that met them, whose own view of the table may be older.
    async fn first_times(&self, alerts: &[Uuid], numbers: &[i32]) -> Result<HashMap<(Uuid, i32), DateTime<Utc>>, Error> {
        let rows = sqlx::query!(
            "select alert_id, resident_no, acknowledged_at
             from unnest($1::uuid[], $2::int[]) as said (alert_id, resident_no) join resident.acknowledgement using (alert_id, resident_no)",
            alerts,
            numbers
        )
        .fetch_all(self.database.pool())
        .await
        .map_err(Error::database("reading the first acknowledgements"))?;
        Ok(rows.into_iter().filter_map(|row| Some(((row.alert_id?, row.resident_no?), row.acknowledged_at))).collect())
    }
}
