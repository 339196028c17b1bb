//! What became of a draft in review: whom it gathered were told by it, or it came to nothing and they count as not told.
//!
//! A draft that is refused, thrown away or cancelled gives its people back, so that no record about them is passed over in a cooldown from
//! a message that nobody received: neither the next one, nor one that came while the draft was in review. One that nobody decides
//! about gives them back when its validity ends.

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use platform::BoxError;
use platform::bus::understood;
use platform::database::Tx;
use platform::worker::{self, Turn, Wake};
use proto::DraftSettled;
use proto::topology::RULES_SETTLED;
use uuid::Uuid;

use crate::{Error, Service, cooled, ended};

/// People given back in one transaction.
const AT_ONCE: i64 = 5_000;

pub(crate) fn subscribe(service: &Service) -> Result<(), Error> {
    let own = service.clone();
    service.platform.bus.subscribe(&RULES_SETTLED, 1, move |event: DraftSettled| {
        let service = own.clone();
        async move { Ok(settle(&service, understood("draft id", event.draft_id.parse())?, event.approved).await?) }
    })?;
    Ok(())
}

async fn settle(service: &Service, draft: AlertId, approved: bool) -> Result<(), Error> {
    if approved {
        let people = approved_by(service, draft).await?;
        tracing::info!(%draft, people, "a draft was approved");
        return Ok(());
    }
    let people = give_back(service, Whose::Draft(draft)).await?;
    tracing::info!(%draft, people, "a draft came to nothing");
    Ok(())
}

/// From now on its people count as told by it, also where its claim had lapsed before somebody approved it after all; whom another draft
/// claimed meanwhile counts as told by that.
async fn approved_by(service: &Service, draft: AlertId) -> Result<u64, Error> {
    let told = sqlx::query!(
        "insert into rules.alerted as before (rule_id, resident_no, alerted_at, draft_id)
         select distinct d.rule_id, m.resident_no, coalesce(d.closed_at, $2), d.draft_id
           from rules.draft d join rules.match m using (draft_id)
          where d.draft_id = $1 and m.resident_no is not null and m.ended_at is null order by m.resident_no
         on conflict (rule_id, resident_no) do update set lapses_at = null where before.draft_id = excluded.draft_id",
        draft.uuid(),
        service.platform.clock.now()
    )
    .execute(service.platform.database.pool())
    .await
    .map_err(Error::database("settling the cooldown of a draft"))?;
    Ok(told.rows_affected())
}

/// Whose people are given back.
#[derive(Clone, Copy)]
enum Whose {
    /// Of a draft that came to nothing.
    Draft(AlertId),
    /// Of drafts that nobody decided about.
    Lapsed,
}

/// Whom a rule counted as told since then and does so no more.
pub(crate) struct Told {
    pub(crate) rule_id: Uuid,
    pub(crate) resident_no: i32,
    pub(crate) alerted_at: DateTime<Utc>,
}

async fn of_draft(tx: &mut Tx, draft: AlertId) -> Result<Vec<Told>, Error> {
    sqlx::query_as!(Told, "delete from rules.alerted where draft_id = $1 returning rule_id, resident_no, alerted_at", draft.uuid())
        .fetch_all(&mut **tx)
        .await
        .map_err(Error::database("giving the cooldowns of a draft back"))
}

/// Some whose draft nobody decided about as long as it was valid.
async fn lapsed(tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<Told>, Error> {
    sqlx::query_as!(
        Told,
        "delete from rules.alerted using (
             select rule_id, resident_no from rules.alerted where lapses_at <= $1 order by lapses_at limit $2 for update skip locked
         ) as lapsed
          where alerted.rule_id = lapsed.rule_id and alerted.resident_no = lapsed.resident_no
         returning alerted.rule_id, alerted.resident_no, alerted.alerted_at",
        now,
        AT_ONCE
    )
    .fetch_all(&mut **tx)
    .await
    .map_err(Error::database("giving lapsed cooldowns back"))
}

/// Gives people back, and gathers what was left out of them meanwhile. Returns how many people they are.
async fn give_back(service: &Service, whose: Whose) -> Result<usize, Error> {
    let rulebook = service.rulebook.current().await?;
    let now = service.platform.clock.now();
    let mut tx = service.platform.database.begin().await?;
    ended::wait_for_loads(&mut tx).await?;
    let told = match whose {
        Whose::Draft(draft) => of_draft(&mut tx, draft).await?,
        Whose::Lapsed => lapsed(&mut tx, now).await?,
    };
    let gathered = cooled::gather(&mut tx, &rulebook, &told, now).await?;
    tx.commit().await?;
    metrics::counter!("rules_cooldown_given_back_total").increment(told.len() as u64);
    metrics::counter!("rules_matches_total").increment(gathered);
    Ok(told.len())
}

/// Looks after drafts that nobody decided about.
pub(crate) fn start(service: &Service) {
    let (platform, own) = (&service.platform, service.clone());
    let interval = service.settings.close_interval();
    worker::run(&platform.tasks, &platform.clock, "rules.lapsing", interval, &Wake::new(), move || {
        let service = own.clone();
        async move { turn(&service).await.map_err(BoxError::from) }
    });
}

async fn turn(service: &Service) -> Result<Turn, Error> {
    let now = service.platform.clock.now();
    let due = sqlx::query_scalar!(r#"select exists (select from rules.alerted where lapses_at <= $1) as "due!""#, now)
        .fetch_one(service.platform.database.pool())
        .await
        .map_err(Error::database("looking for lapsed cooldowns"))?;
    if !due {
        return Ok(Turn::Idle);
    }
    let people = give_back(service, Whose::Lapsed).await?;
    tracing::info!(people, "people count as not told, since nobody decided about their draft");
    Ok(if people > 0 { Turn::More } else { Turn::Idle })
}
