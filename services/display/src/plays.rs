//! What reached which screen: hand-over when a screen fetched an alert, proof of play when it showed it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    area::Area,
    ids::{AlertId, ScreenId},
    instant,
};
use platform::{
    Platform,
    database::readable,
    jobs::{Did, Job},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{error::Error, playlist::Playlist, settings::Settings};

/// A screen's clock may be ahead of ours by so much.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::minutes(5);

/// One showing of an alert.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Play {
    /// The screen's own name for this showing; sending it again changes nothing.
    pub play_id: Uuid,
    /// What was shown.
    pub alert_id: AlertId,
    /// When it began.
    pub shown_at: DateTime<Utc>,
    /// For how long, in seconds.
    pub seconds: u16,
}

/// What became of reported plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PlaysTaken {
    /// New ones.
    pub recorded: u64,
    /// Known already, of an alert that this screen was never given, from the future, from before the year 2000, or more than a day may have.
    pub ignored: u64,
}

/// How one screen stands to one alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Showing {
    /// The screen.
    pub screen_id: ScreenId,
    /// Its name.
    pub name: String,
    /// Where it hangs, as people say it.
    pub place: String,
    /// Where it hangs.
    pub area: Area,
    /// When it fetched the alert: the hand-over.
    pub handed_over_at: DateTime<Utc>,
    /// When it first showed it.
    pub first_shown_at: Option<DateTime<Utc>>,
    /// When it last showed it.
    pub last_shown_at: Option<DateTime<Utc>>,
    /// How often it showed it.
    pub plays: i64,
}

/// Notes that a screen has fetched a list. False when the screen is not in use any more.
pub(crate) async fn handed_over(platform: &Platform, screen: ScreenId, playlist: &Playlist) -> Result<bool, Error> {
    let alerts: Vec<Uuid> = playlist.items.iter().map(|item| item.alert_id.uuid()).collect();
    let in_use = sqlx::query_scalar!(
        r#"with in_use as (
               select screen_id from display.screen where screen_id = $1 and retired_at is null
           ), noted as (
               insert into display.hand_over (alert_id, screen_id, handed_over_at)
               select alert_id, screen_id, $3 from unnest($2::uuid[]) as fetched (alert_id), in_use
               on conflict (alert_id, screen_id) do nothing
           )
           select exists (select from in_use) as "in_use!""#,
        screen.uuid(),
        &alerts,
        platform.clock.now(),
    )
    .fetch_one(platform.database.pool())
    .await?;
    Ok(in_use)
}

/// Lets go of single showings.
pub(crate) const FORGET: Job = Job {
    name: "display.forget_plays",
    cron: "0 50 3 * * *",
    about: "删除超过保存期限的逐次播放记录；每块屏幕播放每条弹窗的次数、首次和末次时间永久保留。",
    about_en: "Removes single showings that are older than they are kept; how often each screen showed an alert, first and last, stays.",
    at_start: false,
};

/// Forgets every day what is old enough.
pub(crate) fn forget_old(platform: &Platform, settings: &Settings) -> Result<(), platform::Error> {
    let (database, clock, kept) = (platform.database.clone(), platform.clock.clone(), TimeDelta::days(settings.keep_plays_days.into()));
    platform.jobs.register(&FORGET, move || {
        let (database, before) = (database.clone(), clock.now() - kept);
        async move {
            let plays = sqlx::query!("delete from display.play where shown_at < $1", before).execute(database.pool()).await?;
            sqlx::query!("delete from display.play_day where day < $1", before.date_naive()).execute(database.pool()).await?;
            Ok(Did::nothing().and("删除播放记录", "showings removed", plays.rows_affected()))
        }
    })
}

/// Takes the proof of play of one screen, of so many a day at most.
pub(crate) async fn record(platform: &Platform, screen: ScreenId, reported: &[Play], most_a_day: u32) -> Result<PlaysTaken, Error> {
    let now = platform.clock.now();
    // A screen whose clock was lost says years that no table keeps; its other plays count all the same.
    let plays: Vec<&Play> = reported.iter().filter(|play| instant::is_kept(play.shown_at)).collect();
    let ids: Vec<Uuid> = plays.iter().map(|play| play.play_id).collect();
    let alerts: Vec<Uuid> = plays.iter().map(|play| play.alert_id.uuid()).collect();
    let shown: Vec<DateTime<Utc>> = plays.iter().map(|play| play.shown_at).collect();
    let seconds: Vec<i32> = plays.iter().map(|play| i32::from(play.seconds)).collect();
    let recorded = sqlx::query_scalar!(
        r#"with spent as (
               select coalesce((select plays from display.play_day where screen_id = $1 and day = $7), 0) as plays
           ), fresh as (
               insert into display.play (screen_id, play_id, alert_id, shown_at, seconds)
               select $1, play_id, alert_id, shown_at, seconds
               from unnest($2::uuid[], $3::uuid[], $4::timestamptz[], $5::int[]) as told (play_id, alert_id, shown_at, seconds)
               where shown_at <= $6
                 and exists (select from display.hand_over h where h.alert_id = told.alert_id and h.screen_id = $1)
               limit (select greatest($8 - plays, 0) from spent)
               on conflict (screen_id, play_id) do nothing
               returning alert_id, shown_at
           ), summed as (
               select alert_id, count(*) as plays, min(shown_at) as first, max(shown_at) as last from fresh group by alert_id
           ), noted as (
               update display.hand_over h
               set plays = h.plays + summed.plays, first_shown_at = least(h.first_shown_at, summed.first),
                   last_shown_at = greatest(h.last_shown_at, summed.last)
               from summed where h.alert_id = summed.alert_id and h.screen_id = $1
           ), counted as (
               insert into display.play_day as d (screen_id, day, plays) select $1, $7, count(*) from fresh
               on conflict (screen_id, day) do update set plays = d.plays + excluded.plays
           )
           select count(*) as "recorded!" from fresh"#,
        screen.uuid(),
        &ids,
        &alerts,
        &shown,
        &seconds,
        now + CLOCK_TOLERANCE,
        now.date_naive(),
        i32::try_from(most_a_day).unwrap_or(i32::MAX),
    )
    .fetch_one(platform.database.pool())
    .await?;
    let recorded = u64::try_from(recorded).unwrap_or_default();
    metrics::counter!("display_plays_total").increment(recorded);
    Ok(PlaysTaken { recorded, ignored: (reported.len() as u64).saturating_sub(recorded) })
}

/// The screens that an alert was handed over to, and what they showed.
pub(crate) async fn of_alert(platform: &Platform, alert: AlertId) -> Result<Vec<Showing>, Error> {
    let known = sqlx::query_scalar!(r#"select exists (select from display.alert where alert_id = $1) as "known!""#, alert.uuid())
        .fetch_one(platform.database.pool())
        .await?;
    if !known {
        return Err(Error::NotDisplayed(alert));
    }
    let rows = sqlx::query!(
        "select screen_id, name, place, area, handed_over_at, first_shown_at, last_shown_at, plays
         from display.hand_over join display.screen using (screen_id) where alert_id = $1 order by name, screen_id",
        alert.uuid()
    )
    .fetch_all(platform.database.pool())
    .await?;
    let showings = rows.into_iter().map(|row| {
        let screen_id = ScreenId::from_uuid(row.screen_id);
        let area = row.area.parse().map_err(|error: domain::area::AreaError| Error::damaged("area", screen_id, error))?;
        Ok::<_, Error>(Showing {
            screen_id,
            name: row.name,
            place: row.place,
            area,
            handed_over_at: row.handed_over_at,
            first_shown_at: row.first_shown_at,
            last_shown_at: row.last_shown_at,
            plays: row.plays,
        })
    });
    Ok(readable("screens of an alert", showings))
}
