//! What is in line: the waves that are waiting, being planned or being sent, with what is left of them.

use chrono::{DateTime, Utc};
use domain::alert::DeliveryClass;
use domain::area::DistrictCode;
use domain::forecast::{Mix, Rates, Reach, Work};
use domain::ids::AlertId;
use domain::outcome::Channel;
use platform::database::{Connection, readable};
use serde_json::Value;

use crate::Error;
use crate::ledger::people;
use crate::settings::ForecastSettings;

/// From so many recipients on, the share of them that the app did not reach is the alert's own.
const ENOUGH_DONE: u64 = 1_000;

/// How a wave left the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// Everybody was handed over or closed as unreachable by the deadline.
    InTime,
    /// The same, after the deadline.
    Late,
    /// Nobody else is to be reached: cancelled, superseded, no longer valid.
    Stopped,
}

/// One wave.
#[derive(Clone, Debug)]
pub(super) struct InLine {
    pub alert_id: AlertId,
    pub wave: i16,
    pub class: DeliveryClass,
    pub district: Option<DistrictCode>,
    pub over: Option<Over>,
    pub due_at: DateTime<Utc>,
    approved_at: DateTime<Utc>,
    begins_at: DateTime<Utc>,
    /// People of the audience who are not in a batch yet.
    to_plan: u64,
    people: u64,
    reach: Reach,
    sms_parts: Option<u8>,
    pub app: OnChannel,
    pub sms: OnChannel,
    /// App recipients who went on by SMS.
    fell_back: u64,
    pub told_s: Option<i64>,
    pub in_danger_since: Option<DateTime<Utc>>,
    /// What was foreseen last.
    pub outlook: Option<Value>,
}

/// What the ledger says of one channel of a wave, in recipients.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OnChannel {
    /// In batches that are not closed, not yet handed over.
    open: u64,
    /// Handed over, given on to the other channel, or unreachable.
    pub done: u64,
    /// The same when the last forecast was kept.
    done_before: u64,
    /// Something is to be sent at this moment, or would be if its provider let it.
    pressing: bool,
    /// The latest time to which a batch waits.
    waits_until: Option<DateTime<Utc>>,
}

impl InLine {
    /// What of it is left to be sent.
    pub(super) fn work(&self, now: DateTime<Utc>, rates: &Rates, settings: &ForecastSettings) -> Work {
        let to_plan =
            |of: u64| if self.people == 0 { 0 } else { (u128::from(self.to_plan) * u128::from(of) / u128::from(self.people)) as u64 };
        let waits = |channel: OnChannel| channel.waits_until.filter(|until| *until > now);
        Work {
            class: self.class,
            due_at: self.due_at,
            approved_at: self.approved_at,
            begins_at: self.begins_at,
            app: self.app.open + to_plan(self.reach.app),
            sms: self.sms.open + to_plan(self.reach.sms),
            mix: self.mix(rates, settings),
            app_waits_until: waits(self.app),
            sms_waits_until: waits(self.sms),
        }
    }

    fn mix(&self, rates: &Rates, settings: &ForecastSettings) -> Mix {
        let parts = self.sms_parts.unwrap_or(settings.sms_parts);
        let mix = Mix::of(&self.reach, rates, settings.fallback_share(), parts);
        if self.app.done < ENOUGH_DONE { mix } else { Mix { fallback: self.fell_back as f64 / self.app.done as f64, ..mix } }
    }

    fn on(&self, channel: Channel) -> OnChannel {
        if channel == Channel::Sms { self.sms } else { self.app }
    }

    /// Whether a channel has something of it to send at this moment.
    pub(super) fn is_pressing(&self, channel: Channel, quiet: bool) -> bool {
        self.on(channel).pressing && (self.class == DeliveryClass::Urgent || !quiet)
    }

    /// Whether its channels are done with nobody else since the last forecast.
    pub(super) fn stood_still(&self) -> bool {
        [self.app, self.sms].iter().all(|on| on.done == on.done_before)
    }

    /// Messages that a channel has handed over since the last forecast.
    pub(super) fn handed_over(&self, channel: Channel, rates: &Rates, settings: &ForecastSettings) -> f64 {
        let on = self.on(channel);
        on.done.saturating_sub(on.done_before) as f64 * self.mix(rates, settings).messages(channel)
    }
}

/// Everything in line, and whatever has left it since the last forecast. One pass over the batches of these waves.
pub(super) async fn read(connection: &mut Connection, now: DateTime<Utc>) -> Result<Vec<InLine>, Error> {
    let rows = sqlx::query!(
        r#"with line as (
               select alert_id, wave from dispatch.wave where state = 'planning' and wave < 9
               union select alert_id, wave from dispatch.wave where state = 'sending' and wave < 9
               union select alert_id, wave from dispatch.forecast where ended_at is null
               union select alert_id, 1::smallint from dispatch.alert where state = 'waiting' and expires_at > release_at
           )
           select a.alert_id, l.wave as "wave!", a.class, a.district, a.approved_at,
                  a.state in ('closed', 'cancelled', 'superseded') as "stopped!",
                  case when w.state in ('closed', 'settled') then w.closed_at end as closed_at,
                  coalesce(w.due_at, a.due_at) as "due_at!", coalesce(w.began_at, a.release_at) as "begins_at!",
                  case when l.wave = 1 and coalesce(w.state, 'planning') = 'planning'
                       then greatest(0, coalesce(h.people, 0) - coalesce(w.recipients + w.no_channel, 0)) else 0 end as "to_plan!",
                  coalesce(h.people, 0) as "people!", coalesce(h.app, 0) as "app!", coalesce(h.apns, 0) as "apns!",
                  coalesce(h.fcm, 0) as "fcm!", coalesce(h.web, 0) as "web!", coalesce(h.sms, 0) as "sms!", h.sms_parts as "sms_parts?",
                  coalesce(f.app_done, 0) as "app_before!", coalesce(f.sms_done, 0) as "sms_before!",
                  f.told_s as "told_s?", f.in_danger_since as "in_danger_since?", f.outlook as "outlook?",
                  b.app_open as "app_open!", b.app_done as "app_done!", b.app_pressing as "app_pressing!", b.app_waits_until,
                  b.sms_open as "sms_open!", b.sms_done as "sms_done!", b.sms_pressing as "sms_pressing!", b.sms_waits_until,
                  b.fell_back as "fell_back!"
             from line l
             join dispatch.alert a on a.alert_id = l.alert_id
             left join dispatch.wave w on w.alert_id = l.alert_id and w.wave = l.wave
             left join dispatch.headcount h on h.alert_id = l.alert_id
             left join dispatch.forecast f on f.alert_id = l.alert_id and f.wave = l.wave
            cross join lateral (
                  select coalesce(sum(size - accepted) filter (where app and open), 0) as app_open,
                         coalesce(sum(size - accepted) filter (where not app and open), 0) as sms_open,
                         coalesce(sum(accepted + fell_back + unreachable) filter (where app), 0) as app_done,
                         coalesce(sum(accepted + unreachable) filter (where not app), 0) as sms_done,
                         coalesce(bool_or(pressing) filter (where app), false) as app_pressing,
                         coalesce(bool_or(pressing) filter (where not app), false) as sms_pressing,
                         max(not_before) filter (where app and open) as app_waits_until,
                         max(not_before) filter (where not app and open) as sms_waits_until,
                         coalesce(sum(fell_back), 0) as fell_back
                    from (select size, accepted, fell_back, unreachable, not_before, channel = 'app' as app, state <> 'closed' as open,
                                 -- given back by a holder whose provider would not take it: a retry has no lease before its turn
                                 state in ('released', 'claimed') or state = 'ready' and (lease > 0 or not_before <= $1) as pressing
                            from dispatch.batch where alert_id = l.alert_id and wave = l.wave) as batch
                  ) as b
            -- an alert that is being checked misses nothing by waiting
            where a.held_at is null"#,
        now,
    )
    .fetch_all(connection)
    .await?;
    let line = rows.into_iter().map(|row| {
        let alert_id = AlertId::from_uuid(row.alert_id);
        let over = match (row.stopped, row.closed_at) {
            (true, _) => Some(Over::Stopped),
            (false, Some(closed_at)) if closed_at <= row.due_at => Some(Over::InTime),
            (false, Some(_)) => Some(Over::Late),
            (false, None) => None,
        };
        let on = |open: i64, done: i64, before: i64, pressing: bool, waits_until: Option<DateTime<Utc>>| OnChannel {
            open: people(open),
            done: people(done),
            done_before: people(before),
            pressing: pressing && over.is_none(),
            waits_until,
        };
        Ok::<_, Error>(InLine {
            alert_id,
            wave: row.wave,
            class: row.class.parse().map_err(|error: strum::ParseError| Error::damaged("class", alert_id, error))?,
            district: row.district.map(DistrictCode::try_from).transpose().map_err(|error| Error::damaged("district", alert_id, error))?,
            over,
            due_at: row.due_at,
            approved_at: row.approved_at,
            begins_at: row.begins_at,
            to_plan: people(row.to_plan),
            people: people(row.people),
            reach: Reach { app: people(row.app), apns: people(row.apns), fcm: people(row.fcm), web: people(row.web), sms: people(row.sms) },
            sms_parts: row.sms_parts.and_then(|parts| u8::try_from(parts).ok()),
            app: on(row.app_open, row.app_done, row.app_before, row.app_pressing, row.app_waits_until),
            sms: on(row.sms_open, row.sms_done, row.sms_before, row.sms_pressing, row.sms_waits_until),
            fell_back: people(row.fell_back),
            told_s: row.told_s,
            in_danger_since: row.in_danger_since,
            outlook: row.outlook,
        })
    });
    Ok(readable("waves in line", line))
}
