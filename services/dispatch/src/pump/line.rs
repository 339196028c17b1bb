//! Who is in line, and what of them goes on its way.
//!
//! How much is left of each alert costs a look at all its open batches, and a busy channel turns the pump many times a second: what was seen is kept
//! for so long that a small part of the time goes into looking.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use domain::outcome::Channel;
use domain::turn::{self, InLine, Load, Window};
use platform::database::Tx;
use tokio::time::Instant;

use super::window;
use crate::Error;
use crate::forecast::Capacity;
use crate::ledger::people;
use crate::settings::Settings;

/// What was seen is kept for so many times the time that it took to look.
const KEPT_FOR: u32 = 20;
const KEPT_AT_MOST: Duration = Duration::from_secs(1);

/// What has a window of its own: a channel and a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane {
    pub channel: Channel,
    pub urgent: bool,
}

const LANES: [Lane; 4] = [
    Lane { channel: Channel::App, urgent: true },
    Lane { channel: Channel::Sms, urgent: true },
    Lane { channel: Channel::App, urgent: false },
    Lane { channel: Channel::Sms, urgent: false },
];

/// The open batches of an alert's wave in a lane.
#[derive(Clone, Debug)]
struct Waiting {
    lane: Lane,
    alert_id: AlertId,
    of: InLine,
    /// Recipients that can be sent to now, on their way or not.
    ready: u64,
}

/// What was seen of the line.
struct Kept {
    until: Instant,
    waiting: Vec<Waiting>,
}

/// The line before the windows.
pub(super) struct Line {
    settings: Settings,
    capacity: Capacity,
    kept: Mutex<Option<Kept>>,
}

/// A batch that goes on its way.
pub(super) struct Next {
    pub lane: Lane,
    pub alert_id: AlertId,
    pub batch_id: i64,
}

/// By lane, alert and deadline.
type OnWay = HashMap<(Lane, AlertId, DateTime<Utc>), Load>;

impl Line {
    pub(super) fn new(settings: Settings, capacity: Capacity) -> Self {
        Self { settings, capacity, kept: Mutex::default() }
    }

    /// The batches that go on their way now, in the order of their turns.
    pub(super) async fn next(&self, tx: &mut Tx, now: DateTime<Utc>, quiet: bool) -> Result<Vec<Next>, Error> {
        let on_way = on_way(tx).await?;
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut next = Vec::new();
        let mut kept = kept.filter(|kept| Instant::now() < kept.until);
        if let Some(kept) = &kept {
            next = self.of_all(tx, &kept.waiting, &on_way, now, quiet).await?;
        }
        if next.is_empty() {
            // Somebody may have come since.
            let seen = kept.insert(look(tx, now).await?);
            next = self.of_all(tx, &seen.waiting, &on_way, now, quiet).await?;
        }
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        Ok(next)
    }

    async fn of_all(&self, tx: &mut Tx, waiting: &[Waiting], on_way: &OnWay, now: DateTime<Utc>, quiet: bool) -> Result<Vec<Next>, Error> {
        let mut next = Vec::new();
        for lane in LANES.into_iter().filter(|lane| lane.urgent || !quiet) {
            let line: Vec<&Waiting> = waiting.iter().filter(|waiting| waiting.lane == lane).collect();
            next.extend(self.of_lane(tx, lane, &line, on_way, now).await?);
        }
        Ok(next)
    }

    async fn of_lane(&self, tx: &mut Tx, lane: Lane, waiting: &[&Waiting], on_way: &OnWay, now: DateTime<Utc>) -> Result<Vec<Next>, Error> {
        let window = window::of(lane.channel, &self.settings, &self.capacity);
        let line: Vec<InLine> = waiting.iter().map(|waiting| waiting.of.clone()).collect();
        let order = turn::order(&line, now, self.capacity.recipients_per_second(lane.channel, &self.settings.forecast));
        let own: Vec<Load> =
            waiting.iter().map(|waiting| on_way.get(&(lane, waiting.alert_id, waiting.of.due_at)).copied().unwrap_or_default()).collect();
        let looked_at = looked_at(&line, waiting, &order, window, own.iter().map(|load| load.batches).sum());
        if looked_at.is_empty() {
            return Ok(Vec::new());
        }
        let batches = first_batches(tx, lane, waiting, &looked_at, now).await?;
        let sizes: Vec<Vec<u64>> = batches.iter().map(|of| of.iter().map(|(_, people)| *people).collect()).collect();
        let taken = turn::next(&line, &order, window, &own, &sizes);
        let of = |at: usize| {
            let own = batches[at].iter().take(taken[at]);
            own.map(move |(batch_id, _)| Next { lane, alert_id: waiting[at].alert_id, batch_id: *batch_id })
        };
        Ok(order.iter().flat_map(|at| of(*at)).collect())
    }
}

/// Of whom the next batches are looked at, and how many: those whose turn fills the window beside what is `on_way`, and those for whom a share of it
/// is.
fn looked_at(line: &[InLine], waiting: &[&Waiting], order: &[usize], window: Window, on_way: usize) -> Vec<(usize, usize)> {
    let share = window.for_others().0;
    let most = window.0.batches.saturating_sub(on_way).max(share.batches);
    let mut looked_at: Vec<(usize, usize)> = Vec::new();
    let mut people = 0;
    for &at in order {
        if waiting[at].ready > 0 {
            looked_at.push((at, most));
            people += waiting[at].ready;
        }
        if people >= window.0.people {
            break;
        }
    }
    let mut people = 0;
    for at in turn::others(line, order) {
        if waiting[at].ready > 0 && !looked_at.iter().any(|(known, _)| *known == at) {
            looked_at.push((at, share.batches));
            people += waiting[at].ready;
        }
        if people >= share.people || looked_at.len() >= 2 * window.0.batches {
            break;
        }
    }
    looked_at
}

/// The next batches of each in `waiting`, with their recipients; of those that are not looked at none.
async fn first_batches(
    tx: &mut Tx,
    lane: Lane,
    waiting: &[&Waiting],
    looked_at: &[(usize, usize)],
    now: DateTime<Utc>,
) -> Result<Vec<Vec<(i64, u64)>>, Error> {
    let channel: &str = lane.channel.as_ref();
    let rows = sqlx::query!(
        r#"select l.place as "place!", b.batch_id as "batch_id!", b.people as "people!"
             from unnest($3::uuid[], $4::timestamptz[], $5::bigint[]) with ordinality as l (alert_id, due_at, most, place)
            cross join lateral (
                  select r.batch_id, (r.size - r.accepted)::bigint as people from dispatch.batch r
                   where r.state = 'ready' and r.channel = $1 and r.urgent = $2 and r.due_at = l.due_at and r.alert_id = l.alert_id
                     and r.not_before <= $6
                   order by r.batch_id limit l.most
                     for update skip locked) as b
            order by l.place, b.batch_id"#,
        channel,
        lane.urgent,
        &looked_at.iter().map(|(at, _)| waiting[*at].alert_id.uuid()).collect::<Vec<_>>(),
        &looked_at.iter().map(|(at, _)| waiting[*at].of.due_at).collect::<Vec<_>>(),
        &looked_at.iter().map(|(_, most)| i64::try_from(*most).unwrap_or(i64::MAX)).collect::<Vec<_>>(),
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    let mut batches = vec![Vec::new(); waiting.len()];
    for row in rows {
        let place = usize::try_from(row.place - 1).ok().and_then(|place| looked_at.get(place));
        if let Some((at, _)) = place {
            batches[*at].push((row.batch_id, people(row.people)));
        }
    }
    Ok(batches)
}

/// What is on its way.
async fn on_way(tx: &mut Tx) -> Result<OnWay, Error> {
    let rows = sqlx::query!(
        r#"select channel as "channel!", urgent as "urgent!", alert_id as "alert_id!", due_at as "due_at!", count(*) as "batches!",
                   coalesce(sum(size - accepted), 0) as "people!"
             from dispatch.batch where state in ('released', 'claimed') group by channel, urgent, alert_id, due_at"#
    )
    .fetch_all(&mut **tx)
    .await?;
    rows.into_iter()
        .map(|row| {
            let load = Load { people: people(row.people), batches: usize::try_from(row.batches).unwrap_or(usize::MAX) };
            Ok::<_, Error>(((lane(&row.channel, row.urgent, row.alert_id)?, AlertId::from_uuid(row.alert_id), row.due_at), load))
        })
        .collect()
}

/// Everybody in line.
async fn look(tx: &mut Tx, now: DateTime<Utc>) -> Result<Kept, Error> {
    let began = Instant::now();
    let rows = sqlx::query!(
        r#"select b.channel as "channel!", b.urgent as "urgent!", b.alert_id as "alert_id!", b.due_at as "due_at!", a.personal,
                  b.left as "left!", b.ready as "ready!"
             from (select channel, urgent, alert_id, due_at, coalesce(sum(size - accepted), 0) as left,
                          coalesce(sum(size - accepted) filter (where state in ('released', 'claimed') or not_before <= $1), 0) as ready
                     from dispatch.batch
                    where state <> 'closed'
                      -- an alert that is being checked stands in no line; what tells of an end does
                      and (wave >= 9 or alert_id <> all(array(select h.alert_id from dispatch.alert h where h.held_at is not null)))
                    group by channel, urgent, alert_id, due_at) as b
             join dispatch.alert a on a.alert_id = b.alert_id"#,
        now,
    )
    .fetch_all(&mut **tx)
    .await?;
    let waiting = rows
        .into_iter()
        .map(|row| {
            Ok::<_, Error>(Waiting {
                lane: lane(&row.channel, row.urgent, row.alert_id)?,
                alert_id: AlertId::from_uuid(row.alert_id),
                of: InLine { due_at: row.due_at, personal: row.personal, left: people(row.left) },
                ready: people(row.ready),
            })
        })
        .collect::<Result<_, Error>>()?;
    Ok(Kept { until: Instant::now() + (began.elapsed() * KEPT_FOR).min(KEPT_AT_MOST), waiting })
}

fn lane(channel: &str, urgent: bool, of: uuid::Uuid) -> Result<Lane, Error> {
    let channel = channel.parse().map_err(|error: strum::ParseError| Error::damaged("channel", of, error))?;
    Ok(Lane { channel, urgent })
}
