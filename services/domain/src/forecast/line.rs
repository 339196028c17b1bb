//! What is in line, played forward: from one change to the next, each channel sends to the first alert that may be sent.

use std::cmp::Reverse;

use chrono::{DateTime, TimeDelta, Utc};

use crate::alert::DeliveryClass;
use crate::deadline;
use crate::outcome::Channel;
use crate::quiet_hours::QuietHours;

use super::rate::lanes_of;
use super::{Brake, HORIZON, Lane, LaneOutlook, LaneRate, Outlook, Rates, Slowest, Work};

/// The channels that hand over in batches.
const CHANNELS: [Channel; 2] = [Channel::App, Channel::Sms];
const LANES: [Lane; 4] = [Lane::Apns, Lane::Fcm, Lane::WebPush, Lane::Sms];

/// What is foreseen for each of `line`, in the order given.
#[must_use]
pub fn of_line(now: DateTime<Utc>, line: &[Work], rates: &Rates, quiet_hours: &QuietHours) -> Vec<Outlook> {
    let mut order: Vec<usize> = (0..line.len()).collect();
    order.sort_by_key(|&at| (Reverse(line[at].class), line[at].due_at, line[at].approved_at));
    let mut play = Play { now, rates, quiet_hours, tasks: order.iter().map(|&at| Task::of(&line[at])).collect() };
    play.run();
    let mut outlooks: Vec<(usize, Outlook)> = order.into_iter().zip(play.tasks.iter().map(|task| play.outlook(task))).collect();
    outlooks.sort_unstable_by_key(|(at, _)| *at);
    outlooks.into_iter().map(|(_, outlook)| outlook).collect()
}

/// An alert's wave while it is played. Arrays are by [`CHANNELS`].
struct Task<'a> {
    work: &'a Work,
    /// People to be sent to at the beginning.
    people: [f64; 2],
    /// People still to be sent to.
    left: [f64; 2],
    /// What went before it when its turn could have come.
    ahead: Option<Ahead>,
    ended: [Option<(DateTime<Utc>, Option<Brake>)>; 2],
}

impl<'a> Task<'a> {
    fn of(work: &'a Work) -> Self {
        let app = work.app as f64;
        let people = [app, work.sms as f64 + app * work.mix.fallback];
        Self { work, people, left: people, ahead: None, ended: [None; 2] }
    }

    fn is_done(&self) -> bool {
        self.left == [0.0; 2]
    }
}

/// Those of alerts that go before one.
#[derive(Clone, Copy, Default)]
struct Ahead {
    people: [f64; 2],
    /// By lane.
    messages: [f64; 4],
}

struct Play<'a> {
    now: DateTime<Utc>,
    rates: &'a Rates,
    quiet_hours: &'a QuietHours,
    /// In the order in which they are sent.
    tasks: Vec<Task<'a>>,
}

impl Play<'_> {
    fn run(&mut self) {
        let (mut t, horizon) = (self.now, self.now + HORIZON);
        while t < horizon && !self.tasks.iter().all(Task::is_done) {
            self.note_what_is_ahead(t);
            let heads = [0, 1].map(|channel| self.head(channel, t));
            let paces = self.paces(heads);
            let ends =
                [0, 1].map(|channel| heads[channel].map(|head| after(t, self.tasks[head].left[channel] / paces[channel].0, horizon)));
            let changes = ends.into_iter().flatten().chain(self.next_begin(t)).chain(self.next_edge(t));
            let next = changes.min().unwrap_or(horizon).min(horizon);
            let passed_s = (next - t).as_seconds_f64();
            for (channel, head) in heads.into_iter().enumerate().filter_map(|(channel, head)| head.map(|head| (channel, head))) {
                let task = &mut self.tasks[head];
                let (pace, brake) = paces[channel];
                if ends[channel].is_some_and(|end| end <= next && end < horizon) {
                    task.left[channel] = 0.0;
                    task.ended[channel] = Some((next, brake));
                } else {
                    task.left[channel] = (task.left[channel] - pace * passed_s).max(f64::MIN_POSITIVE);
                }
            }
            t = next;
        }
    }

    /// The first in line that the channel may send at `t`.
    fn head(&self, channel: usize, t: DateTime<Utc>) -> Option<usize> {
        self.tasks.iter().position(|task| {
            task.left[channel] > 0.0 && task.work.begins_at <= t && deadline::release_at(task.work.class, t, self.quiet_hours) == t
        })
    }

    /// Recipients a second of each channel's head. What the processes can do is shared by what the channels want.
    fn paces(&self, heads: [Option<usize>; 2]) -> [(f64, Option<Brake>); 2] {
        let mut paces = [(0.0, None); 2];
        let mut wanted = [0.0; 2];
        for channel in [0, 1] {
            let Some(head) = heads[channel] else { continue };
            let mix = &self.tasks[head].work.mix;
            paces[channel] = self.rates.pace(CHANNELS[channel], mix);
            // Whatever a channel wants, it gets no more than all there is.
            let messages = mix.messages(CHANNELS[channel]);
            let limit = self.rates.processes.filter(|_| messages > 0.0).map(|all| all / messages);
            if let Some(limit) = limit.filter(|limit| *limit < paces[channel].0) {
                paces[channel] = (limit, Some(Brake::Processes));
            }
            wanted[channel] = if messages > 0.0 { paces[channel].0 * messages } else { 0.0 };
        }
        if let Some(all) = self.rates.processes.filter(|all| *all < wanted[0] + wanted[1]) {
            let share = all / (wanted[0] + wanted[1]);
            for (pace, _) in paces.iter_mut().zip(wanted).filter(|(_, wanted)| *wanted > 0.0) {
                *pace = (pace.0 * share, Some(Brake::Processes));
            }
        }
        paces
    }

    fn next_begin(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.tasks.iter().filter(|task| !task.is_done()).map(|task| task.work.begins_at).filter(|begin| *begin > t).min()
    }

    /// When quiet hours begin or end next, as long as somebody waits for that.
    fn next_edge(&self, t: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.tasks.iter().find(|task| task.work.class == DeliveryClass::Routine && !task.is_done())?;
        match deadline::release_at(DeliveryClass::Routine, t, self.quiet_hours) {
            end if end > t => Some(end),
            _ => self.quiet_hours.begins_after(t),
        }
    }

    /// Counts, for every task whose time has come, what goes before it.
    fn note_what_is_ahead(&mut self, t: DateTime<Utc>) {
        let mut before = Ahead::default();
        for task in &mut self.tasks {
            if task.work.begins_at <= t {
                task.ahead.get_or_insert(before);
            }
            for (people, left) in before.people.iter_mut().zip(task.left) {
                *people += left;
            }
            for lane in LANES {
                before.messages[lane as usize] += task.left[index(lane.channel())] * task.work.mix.cost(lane);
            }
        }
    }

    fn outlook(&self, task: &Task<'_>) -> Outlook {
        let work = task.work;
        let [app, mut sms] = [0, 1].map(|channel| self.end_of(task, channel));
        // Who falls back to SMS does so until the app is done.
        if let (Some(app), Some(sms)) = (app, &mut sms)
            && work.mix.fallback * task.people[0] >= 1.0
            && sms.0 < app.0
        {
            *sms = app;
        }
        let ends = [app, sms];
        let last = match (app, sms) {
            (Some(app), Some(sms)) if sms.0 > app.0 => Some(sms),
            (Some(app), _) => Some(app),
            (None, sms) => sms,
        };
        let lanes = LANES.into_iter().filter_map(|lane| self.lane(task, lane, ends[index(lane.channel())]?.0)).collect();
        Outlook {
            due_at: work.due_at,
            last_at: last.map_or(self.now.max(work.begins_at), |(at, _)| at),
            lanes,
            slowest: last.and_then(|(at, brake)| Some(self.slowest(task, brake?, at))),
        }
    }

    /// When a channel is done with a task, and what held it up; none where it has nobody.
    fn end_of(&self, task: &Task<'_>, channel: usize) -> Option<(DateTime<Utc>, Option<Brake>)> {
        if task.people[channel] == 0.0 {
            return None;
        }
        let horizon = self.now + HORIZON;
        let unfinished = || (horizon, self.rates.pace(CHANNELS[channel], &task.work.mix).1);
        let (at, brake) = task.ended[channel].unwrap_or_else(unfinished);
        let waits = [task.work.app_waits_until, task.work.sms_waits_until][channel];
        match waits.map(|until| deadline::release_at(task.work.class, until, self.quiet_hours)) {
            Some(until) if until > at => Some((until.min(horizon), Some(Brake::Waiting(CHANNELS[channel])))),
            _ => Some((at, brake)),
        }
    }

    fn slowest(&self, task: &Task<'_>, brake: Brake, at: DateTime<Utc>) -> Slowest {
        let (mix, ahead) = (&task.work.mix, task.ahead.unwrap_or_default());
        // Whom it concerns, people and messages, of this alert and before it; and the messages a second that pass.
        let on = |channels: &[usize], per_second: f64| {
            let mut all = (0.0, 0.0, 0.0, per_second);
            for &channel in channels {
                let before: f64 = lanes_of(CHANNELS[channel]).iter().map(|lane| ahead.messages[*lane as usize]).sum();
                all.0 += task.people[channel];
                all.1 += ahead.people[channel];
                all.2 += task.people[channel] * mix.messages(CHANNELS[channel]) + before;
            }
            all
        };
        let (recipients, before, messages, per_second) = match brake {
            Brake::Rate(Lane::Sms) => on(&[1], limit(self.rates.sms).unwrap_or(f64::INFINITY)),
            Brake::Rate(lane) => {
                let (own, before) = (task.people[0] * mix.cost(lane), ahead.messages[lane as usize]);
                (own, before, own + before, limit(self.rates.lane(lane)).unwrap_or(f64::INFINITY))
            }
            Brake::Seen(channel) => on(&[index(channel)], self.rates.seen(channel).unwrap_or(f64::INFINITY)),
            Brake::Processes => on(&[0, 1], self.rates.processes.unwrap_or(f64::INFINITY)),
            Brake::Waiting(channel) => on(&[index(channel)], 0.0),
        };
        let takes_s = if per_second > 0.0 { messages / per_second } else { (at - self.now).as_seconds_f64() };
        let parts = match brake {
            Brake::Rate(Lane::Sms) | Brake::Seen(Channel::Sms) => mix.sms_parts,
            _ => 1,
        };
        Slowest {
            brake,
            per_minute: whole(per_second * 60.0),
            recipients: whole(recipients),
            ahead: whole(before),
            parts,
            takes_s: takes_s.ceil() as i64,
        }
    }

    fn lane(&self, task: &Task<'_>, lane: Lane, last_at: DateTime<Utc>) -> Option<LaneOutlook> {
        let ahead = task.ahead.unwrap_or_default();
        let people = task.people[index(lane.channel())];
        let messages = people * task.work.mix.cost(lane);
        let (recipients, before) = match lane {
            Lane::Apns | Lane::Fcm | Lane::WebPush => (messages, ahead.messages[lane as usize]),
            Lane::Sms => (people, ahead.people[1]),
        };
        if whole(recipients) == 0 {
            return None;
        }
        let rate = self.rates.lane(lane);
        let takes_s = limit(rate).map_or(0.0, |per_second| (messages + ahead.messages[lane as usize]) / per_second);
        Some(LaneOutlook {
            lane,
            recipients: whole(recipients),
            ahead: whole(before),
            per_minute: limit(rate).map(|per_second| whole(per_second * 60.0)),
            assumed: matches!(rate, LaneRate::Assumed(_)),
            takes_s: takes_s.ceil() as i64,
            last_at,
        })
    }
}

const fn limit(rate: LaneRate) -> Option<f64> {
    match rate {
        LaneRate::Granted(per_second) | LaneRate::Assumed(per_second) => Some(per_second),
        LaneRate::Absent | LaneRate::Unlimited => None,
    }
}

const fn index(channel: Channel) -> usize {
    match channel {
        Channel::App | Channel::Display => 0,
        Channel::Sms => 1,
    }
}

fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// The time `seconds` after `t`, a begun millisecond counted whole, and not after `horizon`.
fn after(t: DateTime<Utc>, seconds: f64, horizon: DateTime<Utc>) -> DateTime<Utc> {
    if seconds < HORIZON.as_seconds_f64() { (t + TimeDelta::milliseconds((seconds * 1000.0).ceil() as i64)).min(horizon) } else { horizon }
}
