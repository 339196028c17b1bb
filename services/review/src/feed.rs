//! What changed lately, told to everybody who listens.
//!
//! One reader per process asks the history: at once when something of this process changed it, and every half second for what
//! other processes changed. So a thousand open pages cost the database four small statements a second.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::area::{AreaError, DistrictCode};
use domain::retraction::Kind;
use platform::database::readable;
use platform::worker::{self, Turn, Wake};
use platform::{BoxError, Platform};
use serde::Serialize;
use tokio::sync::broadcast;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Error;
use crate::in_review::work::What;

const REFRESH: Duration = Duration::from_millis(500);
/// A step may be committed so long after its time, and still be told of.
const LATEST_COMMIT: TimeDelta = TimeDelta::seconds(10);
/// Turns that a slow listener may be behind before it is told to look at everything anew.
const BEHIND: usize = 64;
/// Changes of one turn at most; the rest comes with the next.
const A_TURN: i64 = 1000;

/// An alert that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AlertChange)]
pub(crate) struct Change {
    /// Which.
    pub(crate) alert_id: Uuid,
    /// Its version from then on.
    pub(crate) version: i32,
    /// Where it stands.
    pub(crate) state: String,
    /// Whether it is urgent.
    pub(crate) urgent: bool,
    /// What waits for a second person to say it of this alert.
    pub(crate) retraction: Option<Kind>,
    /// Whose it is; none: the whole city's.
    #[serde(skip)]
    pub(crate) district: Option<DistrictCode>,
    /// Whether it was approved.
    #[serde(skip)]
    pub(crate) approved: bool,
}

/// Something of the work on an alert that changed: who reviews it, the remarks on it, who has it open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = WorkChange)]
pub(crate) struct WorkChange {
    /// On which.
    pub(crate) alert_id: Uuid,
    /// What is to be read again.
    pub(crate) what: What,
    /// When it changed.
    pub(crate) at: DateTime<Utc>,
    /// Whose the alert is; none: the whole city's.
    #[serde(skip)]
    pub(crate) district: Option<DistrictCode>,
}

/// What changed in one turn.
#[derive(Debug, Default)]
pub(crate) struct News {
    pub(crate) alerts: Vec<Change>,
    pub(crate) work: Vec<WorkChange>,
}

/// Where changes are heard of.
#[derive(Clone, Debug)]
pub(crate) struct Feed(broadcast::Sender<Arc<News>>);

impl Feed {
    /// Starts the reader.
    pub(crate) fn start(platform: &Platform, changed: &Wake) -> Self {
        let (told, _) = broadcast::channel(BEHIND);
        let feed = Self(told.clone());
        let platform = platform.clone();
        let reader = Arc::new(tokio::sync::Mutex::new(Reader::from(platform.clock.now())));
        worker::run(&platform.tasks.clone(), &platform.clock.clone(), "review.feed", REFRESH, changed, move || {
            let (platform, told, reader) = (platform.clone(), told.clone(), Arc::clone(&reader));
            async move {
                let mut reader = reader.lock().await;
                // Nobody listens: nothing is asked, and who comes later looks at everything first anyway.
                if told.receiver_count() == 0 {
                    *reader = Reader::from(platform.clock.now());
                    return Ok(Turn::Idle);
                }
                let alerts = reader.read(&platform).await?;
                let mut more = is_full(alerts.len());
                // Whoever stopped listening meanwhile is not missed.
                if !alerts.is_empty() {
                    let _ = told.send(Arc::new(News { alerts, work: Vec::new() }));
                }
                // what was read is told, whatever becomes of the rest
                let work = reader.read_work(&platform).await?;
                more |= is_full(work.len());
                if !work.is_empty() {
                    let _ = told.send(Arc::new(News { alerts: Vec::new(), work }));
                }
                Ok(if more { Turn::More } else { Turn::Idle })
            }
        });
        feed
    }

    /// Listens from now on.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Arc<News>> {
        self.0.subscribe()
    }
}

/// Whether there may be more than what was read at once.
fn is_full(read: usize) -> bool {
    i64::try_from(read).is_ok_and(|read| read >= A_TURN)
}

/// How far the history has been read.
struct Reader {
    since: DateTime<Utc>,
    /// The versions told of lately, with their times.
    known: BTreeMap<(Uuid, i32), DateTime<Utc>>,
    /// How far the work has been read.
    since_work: DateTime<Utc>,
    /// The work told of lately, with its times.
    known_work: BTreeMap<(Uuid, What, i64), DateTime<Utc>>,
}

impl Reader {
    const fn from(since: DateTime<Utc>) -> Self {
        Self { since, known: BTreeMap::new(), since_work: since, known_work: BTreeMap::new() }
    }

    async fn read(&mut self, platform: &Platform) -> Result<Vec<Change>, BoxError> {
        let (versions, alerts): (Vec<i32>, Vec<Uuid>) = self.known.keys().map(|(alert, version)| (*version, *alert)).unzip();
        let rows = sqlx::query!(
            r#"select step.alert_id, step.version, step.to_state as state, step.at, alert.district,
                      alert.approved_at is not null as "approved!", alert.class = 'urgent' as "urgent!", waiting.kind as "retraction?"
                 from review.step join review.alert using (alert_id)
                 left join review.retraction waiting on waiting.alert_id = step.alert_id and waiting.progress = 'asked'
                where step.at >= $1
                  and not exists (select from unnest($2::uuid[], $3::int[]) as known (alert_id, version)
                                  where known.alert_id = step.alert_id and known.version = step.version)
                order by step.at, step.alert_id, step.version limit $4"#,
            self.since - LATEST_COMMIT,
            &alerts,
            &versions,
            A_TURN
        )
        .fetch_all(platform.database.pool())
        .await?;
        let read = rows.into_iter().map(|row| {
            self.since = self.since.max(row.at);
            self.known.insert((row.alert_id, row.version), row.at);
            let district = row.district.map(DistrictCode::try_from).transpose()?;
            Ok::<_, AreaError>(Change {
                alert_id: row.alert_id,
                version: row.version,
                state: row.state,
                urgent: row.urgent,
                retraction: row.retraction.and_then(|kind| kind.parse().ok()),
                district,
                approved: row.approved,
            })
        });
        let changes = readable("changes of alerts", read);
        let oldest = self.since - LATEST_COMMIT;
        self.known.retain(|_, at| *at >= oldest);
        Ok(changes)
    }

    async fn read_work(&mut self, platform: &Platform) -> Result<Vec<WorkChange>, BoxError> {
        let known: Vec<_> = self.known_work.keys().copied().collect();
        let alerts: Vec<Uuid> = known.iter().map(|(alert, ..)| *alert).collect();
        let whats: Vec<String> = known.iter().map(|(_, what, _)| what.as_ref().to_owned()).collect();
        let nths: Vec<i64> = known.iter().map(|(.., nth)| *nth).collect();
        let rows = sqlx::query!(
            "select work.alert_id, work.what, work.at, work.nth, alert.district
               from review.work join review.alert using (alert_id)
              where work.at >= $1
                and not exists (select from unnest($2::uuid[], $3::text[], $4::bigint[]) as known (alert_id, what, nth)
                                where known.alert_id = work.alert_id and known.what = work.what and known.nth = work.nth)
              order by work.at, work.alert_id, work.what limit $5",
            self.since_work - LATEST_COMMIT,
            &alerts,
            &whats,
            &nths,
            A_TURN
        )
        .fetch_all(platform.database.pool())
        .await?;
        let read = rows.into_iter().map(|row| {
            let what: What = row.what.parse().map_err(|_| Error::Stored { what: "work" })?;
            self.since_work = self.since_work.max(row.at);
            self.known_work.insert((row.alert_id, what, row.nth), row.at);
            let district = row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?;
            Ok::<_, Error>(WorkChange { alert_id: row.alert_id, what, at: row.at, district })
        });
        let changes = readable("work on alerts", read);
        let oldest = self.since_work - LATEST_COMMIT;
        self.known_work.retain(|_, at| *at >= oldest);
        Ok(changes)
    }
}
