//! What was approved is what leaves: whatever is not as it was approved is held, and rings.
//!
//! Whoever approved an alert sealed what they had before them ([`domain::approval_seal`]). It is asked again when the alert is taken over, when it is released,
//! with each chunk of its people, and when its words go to a channel ([`crate::ledger`]). What differs is noted ([`note`]), the alert waits from then on as
//! one that is being checked does, and everything else goes on: nothing of it leaves, nothing of it is lost ([`hold`]).
//!
//! Words, audience and terms that nobody approved are sent by nobody's word: the alert is corrected or withdrawn. That there are more people than the
//! approver was shown is for an officer of the city command to say ([`go_on`]).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::approval_seal::{ApprovalSeal, Difference, Part, Tolerance, may_go_on, sentence};
use domain::area::DistrictCode;
use domain::ids::{AlertId, StaffId};
use domain::language::Language;
use domain::outcome::Channel;
use platform::Platform;
use platform::cache::Cache;
use platform::database::{Connection, Database, Tx, readable};
use proto::AuditEntry;
use uuid::Uuid;

use crate::settings::Settings;
use crate::{Error, SCHEMA, signals, word};

/// A seal as dispatch keeps it.
pub(crate) fn seal_of(alert_id: AlertId, stored: Option<serde_json::Value>) -> Result<Option<ApprovalSeal>, Error> {
    stored.map(serde_json::from_value).transpose().map_err(|error| Error::damaged("seal", alert_id, error))
}

/// Whether an alert that was approved then has a seal: a missing one was taken away.
pub(crate) async fn must_be_sealed(connection: &mut Connection, approved_at: DateTime<Utc>) -> Result<bool, Error> {
    Ok(sqlx::query_scalar!(r#"select $1 > at + interval '1 day' as "sealed!" from dispatch.seals_since"#, approved_at)
        .fetch_optional(connection)
        .await?
        .unwrap_or(true))
}

/// How many more people than were approved may be planned.
pub(crate) const fn tolerance(settings: &Settings) -> Tolerance {
    Tolerance { percent: settings.more_people_percent, people: settings.more_people }
}

/// Notes what is not as it was approved. The caller commits.
pub(crate) async fn note(
    connection: &mut Connection,
    alert_id: AlertId,
    differences: &[Difference],
    now: DateTime<Utc>,
) -> Result<(), Error> {
    let column = |of: fn(&Difference) -> String| differences.iter().map(of).collect::<Vec<_>>();
    sqlx::query!(
        "insert into dispatch.unlike_approved as known (alert_id, part, language, channel, approved, found, found_at)
         select $1, part, language, channel, approved, found, $7
           from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as unlike (part, language, channel, approved, found)
         on conflict (alert_id, part, language, channel) do update
            set found = excluded.found, found_at = excluded.found_at, went_on_at = null, went_on_by = null, reason = null
          where known.found <> excluded.found or known.went_on_at is not null",
        alert_id.uuid(),
        &column(|unlike| unlike.part.to_string()),
        &column(|unlike| unlike.language.map(|language| language.to_string()).unwrap_or_default()),
        &column(|unlike| unlike.channel.map(|channel| channel.to_string()).unwrap_or_default()),
        &column(|unlike| unlike.approved.clone()),
        &column(|unlike| unlike.found.clone()),
        now
    )
    .execute(connection)
    .await?;
    for part in differences.iter().map(|unlike| unlike.part) {
        metrics::counter!("dispatch_unlike_approved_total", "part" => part.as_ref().to_owned()).increment(1);
    }
    tracing::error!(%alert_id, parts = ?differences.iter().map(|unlike| unlike.part).collect::<Vec<_>>(), "what would leave is not what was approved: it is held");
    Ok(())
}

/// Notes what differs, and holds the alert with a trace of it. The caller commits, and leaves word ([`tell`]).
pub(crate) async fn hold(tx: &mut Tx, alert_id: AlertId, differences: &[Difference], now: DateTime<Utc>) -> Result<(), Error> {
    note(tx, alert_id, differences, now).await?;
    hold_noted(tx, alert_id, differences, now).await
}

/// Holds an alert of which it is noted what differs.
async fn hold_noted(tx: &mut Tx, alert_id: AlertId, differences: &[Difference], now: DateTime<Utc>) -> Result<(), Error> {
    let held = sqlx::query!(
        "update dispatch.alert set unlike_at = $2, held_at = coalesce(held_at, $2)
          where alert_id = $1 and unlike_at is null and state in ('waiting', 'dispatching', 'active') returning district",
        alert_id.uuid(),
        now
    )
    .fetch_optional(&mut **tx)
    .await?;
    // it is held already, or over
    let Some(held) = held else { return Ok(()) };
    let parts: Vec<_> = differences
        .iter()
        .map(|unlike| {
            serde_json::json!({
                "part": unlike.part, "language": unlike.language, "channel": unlike.channel, "approved": unlike.approved, "found": unlike.found,
            })
        })
        .collect();
    let entry = AuditEntry {
        entry_id: Uuid::now_v7().to_string(),
        actor_kind: "system".to_owned(),
        actor: "dispatch".to_owned(),
        action: "alert.unlike_approved".to_owned(),
        object_kind: "alert".to_owned(),
        object: alert_id.to_string(),
        district: held.district.map(i32::cast_unsigned),
        at_ms: now.timestamp_millis(),
        detail_json: serde_json::json!({ "unlike": parts }).to_string(),
        ..AuditEntry::default()
    };
    Ok(tx.publish(SCHEMA, &entry).await?)
}

/// Tells whoever sends batches of it. After the commit.
pub(crate) async fn tell(cache: &Cache, alert_id: AlertId) {
    word::leave_of_check(cache, alert_id).await;
}

/// Holds one alert of which a sender has noted what differs. False: there is none.
pub(crate) async fn turn(platform: &Platform) -> Result<bool, Error> {
    let now = platform.clock.now();
    let mut tx = platform.database.begin().await?;
    let found = sqlx::query_scalar!(
        "select a.alert_id from dispatch.unlike_approved u join dispatch.alert a using (alert_id)
          where u.went_on_at is null and a.unlike_at is null and a.state in ('waiting', 'dispatching', 'active')
          limit 1 for no key update of a skip locked"
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(alert_id) = found.map(AlertId::from_uuid) else { return Ok(false) };
    let differences: Vec<Difference> = of(&mut tx, alert_id).await?.into_iter().map(|unlike| unlike.difference).collect();
    hold_noted(&mut tx, alert_id, &differences, now).await?;
    tx.commit().await?;
    tell(&platform.cache, alert_id).await;
    Ok(true)
}

/// Something that is not as it was approved, and that nobody has let go on.
#[derive(Clone, Debug)]
pub(crate) struct Unlike {
    pub(crate) difference: Difference,
    pub(crate) found_at: DateTime<Utc>,
}

/// What holds an alert back.
pub(crate) async fn of(connection: &mut Connection, alert_id: AlertId) -> Result<Vec<Unlike>, Error> {
    let rows = sqlx::query!(
        "select part, language, channel, approved, found, found_at from dispatch.unlike_approved
          where alert_id = $1 and went_on_at is null order by part, language, channel",
        alert_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    let read = rows.into_iter().map(|row| {
        let part: Part = row.part.parse().map_err(|error: strum::ParseError| Error::damaged("part", alert_id, error))?;
        let difference = Difference {
            part,
            language: row.language.parse::<Language>().ok(),
            channel: row.channel.parse::<Channel>().ok(),
            approved: row.approved,
            found: row.found,
        };
        Ok::<_, Error>(Unlike { difference, found_at: row.found_at })
    });
    Ok(readable("differences from what was approved", read))
}

/// How many people an officer has let an alert go on to; none: nobody has.
pub(crate) async fn let_go_to(connection: &mut Connection, alert_id: AlertId) -> Result<Option<u64>, Error> {
    let found = sqlx::query_scalar!(
        "select found from dispatch.unlike_approved where alert_id = $1 and part = 'people' and went_on_at is not null",
        alert_id.uuid()
    )
    .fetch_optional(connection)
    .await?;
    Ok(found.and_then(|found| found.parse().ok()))
}

/// An officer's word that it may go to more people than were approved.
#[derive(Debug)]
pub(crate) struct Word<'a> {
    /// Whose.
    pub(crate) by: StaffId,
    /// How many they know of, as it was told.
    pub(crate) planned: &'a str,
    /// Why.
    pub(crate) reason: &'a str,
}

/// Lets an alert go on. Says whose district it is. The caller commits.
///
/// # Errors
/// [`Error::NotAsApproved`] where something else differs too, [`Error::CountChanged`] where there are more by now, [`Error::NothingHeld`].
pub(crate) async fn go_on(tx: &mut Tx, alert_id: AlertId, word: &Word<'_>, now: DateTime<Utc>) -> Result<Option<DistrictCode>, Error> {
    let row = sqlx::query!("select district, unlike_at, state from dispatch.alert where alert_id = $1 for no key update", alert_id.uuid())
        .fetch_optional(&mut **tx)
        .await?
        .ok_or(Error::NoSuchAlert)?;
    let unlike = of(tx, alert_id).await?;
    let is_over = !matches!(row.state.as_str(), "waiting" | "dispatching" | "active");
    if is_over || row.unlike_at.is_none() || unlike.is_empty() {
        return Err(Error::NothingHeld);
    }
    if !may_go_on(unlike.iter().map(|unlike| unlike.difference.part)) {
        let differences: Vec<Difference> = unlike.into_iter().map(|unlike| unlike.difference).collect();
        return Err(Error::NotAsApproved(differences));
    }
    if let Some(other) = unlike.iter().find(|unlike| unlike.difference.found != word.planned) {
        return Err(Error::CountChanged { planned: other.difference.found.clone() });
    }
    sqlx::query!(
        "update dispatch.unlike_approved set went_on_at = $2, went_on_by = $3, reason = $4 where alert_id = $1 and went_on_at is null",
        alert_id.uuid(),
        now,
        word.by.uuid(),
        word.reason
    )
    .execute(&mut **tx)
    .await?;
    // it may be stopped for another reason
    sqlx::query!(
        "update dispatch.alert set unlike_at = null, held_at = (select r.held_at from review.alert_standing r where r.alert_id = $1)
          where alert_id = $1",
        alert_id.uuid()
    )
    .execute(&mut **tx)
    .await?;
    row.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))
}

/// Senders and planners may go on. After the commit.
pub(crate) async fn tell_of_going_on(platform: &Platform, alert_id: AlertId) {
    word::take_back_of_check(&platform.cache, alert_id).await;
    signals::PUMP.wake();
    signals::PLANNER.wake();
    signals::URGENT_PLANNER.wake();
}

/// Shows how many alerts are held.
pub(crate) async fn measure(database: &Database) -> Result<(), Error> {
    let held = sqlx::query_scalar!(
        r#"select count(*) as "held!" from dispatch.alert where unlike_at is not null and state in ('waiting', 'dispatching', 'active')"#
    )
    .fetch_one(database.pool())
    .await?;
    metrics::gauge!("dispatch_unlike_approved").set(held as f64);
    Ok(())
}

/// The words that have left, by language and channel.
pub(crate) async fn sent(
    connection: &mut Connection,
    alert_id: AlertId,
) -> Result<BTreeMap<(Language, Channel), (String, DateTime<Utc>)>, Error> {
    // composed is not sent: it has left when somebody was handed it
    let rows = sqlx::query!(
        r#"select t.channel, t.language, t.digest, coalesce(b.first_at, t.sent_at) as "sent_at!"
             from dispatch.sent_text t join dispatch.alert a using (alert_id)
            cross join lateral (select min(first_hand_over_at) as first_at, coalesce(sum(accepted), 0) as accepted from dispatch.batch
                                 where batch.alert_id = t.alert_id and batch.channel = t.channel and batch.wave < 9) as b
            where t.alert_id = $1 and (b.accepted > 0 or a.handed_over_at is not null)"#,
        alert_id.uuid()
    )
    .fetch_all(connection)
    .await?;
    let read =
        rows.into_iter().filter_map(|row| Some(((row.language.parse().ok()?, row.channel.parse().ok()?), (row.digest, row.sent_at))));
    Ok(read.collect())
}

/// What people are told of what holds an alert back.
pub(crate) fn told(unlike: &[Unlike]) -> (String, String) {
    sentence(&unlike.iter().map(|unlike| unlike.difference.clone()).collect::<Vec<_>>())
}
