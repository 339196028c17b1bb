//! "I have read it": once per person and alert, by the button or by SMS (CQ11).
//!
//! When an urgent alert reaches millions, they answer within minutes. What many say at once is recorded in one statement, and
//! nobody is answered before it is committed. What counts is when it was said, also where it could only be sent later
//! ([`domain::late_answer`]). Acknowledgements are kept by the month of their alert and dropped by the month.
//!
//! Whoever holds the push can acknowledge: who is not in the audience that is known here yet is looked for among those to whom it is sent, after
//! all the others were answered.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, SubsecRound as _, Utc};
use domain::ids::{AlertId, ResidentNo};
use domain::late_answer;
use platform::Platform;
use platform::database::{self, Database, Monthly};
use platform::gather::{Batch, Gather, Limits};
use platform::jobs::Job;
use uuid::Uuid;

use crate::inbox::live_alerts::{LiveAlerts, Said};
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
enum By {
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
    inboxes: LiveAlerts,
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
        let (by_app, by_sms) = (gather("resident.acknowledgements", By::App), gather("resident.acknowledgements_by_sms", By::Sms));
        Ok(Self { by_app, by_sms, inboxes: inboxes.clone() })
    }

    /// Records what somebody said in the app so long `ago`, or finds the one that is there. It is durable when this returns the time of the first.
    ///
    /// # Errors
    /// When the alert was not in the person's inbox at that time or is over for too long, or the database fails.
    pub(crate) async fn record_tap(
        &self,
        alert: AlertId,
        no: ResidentNo,
        now: DateTime<Utc>,
        ago: Duration,
    ) -> Result<DateTime<Utc>, Error> {
        // as the database keeps it, so that a repeat is told the same
        let said = Said { alert, no, now: now.trunc_subsecs(6), ago };
        if let Some(first) = self.by_app.ask(Told { said, found: false }).await? {
            return Ok(first);
        }
        // What was said while the alert held counts from then, as for whom an audience holds.
        let ago = ago.min(late_answer::LATE.to_std().unwrap_or_default());
        let said = Said { now: said.now - ago, ago: Duration::ZERO, ..said };
        if !self.inboxes.is_being_sent(alert, no, said.now).await? {
            return Err(Error::NotInInbox(alert));
        }
        self.by_app.ask(Told { said, found: true }).await?.ok_or(Error::NotInInbox(alert))
    }

    /// Records the reply of somebody who was handed the alert or has it in their inbox.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn record_reply(&self, alert: AlertId, no: ResidentNo, at: DateTime<Utc>) -> Result<(), Error> {
        let said = Said { alert, no, now: at.trunc_subsecs(6), ago: Duration::ZERO };
        self.by_sms.ask(Told { said, found: true }).await?;
        Ok(())
    }
}

#[derive(Clone, Copy)]
struct Acknowledgement {
    alert: AlertId,
    no: ResidentNo,
    at: DateTime<Utc>,
}

/// What somebody said, to be recorded.
#[derive(Clone, Copy)]
struct Told {
    said: Said,
    /// Whether it is known already that the alert is for this person.
    found: bool,
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
    type Item = Told;
    /// When it was first said; none if the alert is not in the inbox.
    type Answer = Option<DateTime<Utc>>;
    type Error = Error;

    async fn run(&self, told: &[Told]) -> Result<Vec<Option<DateTime<Utc>>>, Error> {
        let from = if told.iter().all(|told| told.found) {
            vec![None; told.len()]
        } else {
            self.inboxes.count_from(&told.iter().map(|told| told.said).collect::<Vec<_>>()).await?
        };
        let counted = |(told, from): (&Told, Option<DateTime<Utc>>)| {
            let Told { said, found } = told;
            let from = from.or(found.then_some(said.now))?;
            Some(Acknowledgement { alert: said.alert, no: said.no, at: from.trunc_subsecs(6) })
        };
        let counted: Vec<Option<Acknowledgement>> = told.iter().zip(from).map(counted).collect();
        let first = self.record(counted.iter().flatten().copied().collect()).await?;
        Ok(counted.into_iter().map(|said| said.map(|said| first.get(&said.key()).copied().unwrap_or(said.at))).collect())
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
