//! What the channels hand over, as the ledger shows it from one look to the next.
//!
//! Only time in which something was to be sent at both ends counts: a channel with nothing to do is not slow. What a provider put off counts as to
//! be sent, what waits for its next attempt does not.

use chrono::{DateTime, TimeDelta, Utc};
use domain::forecast::{Rates, seen_rate};
use domain::outcome::Channel;
use platform::database::{Connection, Tx, readable};

use super::line::InLine;
use crate::Error;
use crate::settings::{ForecastSettings, Settings};

/// Messages a second that each channel was lately seen to hand over while it had enough to do; none where too little was seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Seen {
    pub app: Option<f64>,
    pub sms: Option<f64>,
}

/// One stretch between two looks.
struct Stretch {
    channel: Channel,
    at: DateTime<Utc>,
    pressing: bool,
    seconds: f64,
    messages: f64,
}

/// What was seen so far.
pub(super) async fn read(connection: &mut Connection, now: DateTime<Utc>, settings: &ForecastSettings) -> Result<Seen, Error> {
    Ok(summed(&stretches(connection, now, settings).await?, settings))
}

/// Adds what happened since the last look, forgets what is too old, and says what was seen.
pub(super) async fn note(tx: &mut Tx, now: DateTime<Utc>, line: &[InLine], rates: &Rates, settings: &Settings) -> Result<Seen, Error> {
    let quiet = settings.quiet_hours.is_quiet(now);
    let settings = &settings.forecast;
    let mut stretches = stretches(tx, now, settings).await?;
    let news = [Channel::App, Channel::Sms].map(|channel| {
        let last = stretches.iter().rfind(|stretch| stretch.channel == channel);
        let pressing = line.iter().any(|entry| entry.is_pressing(channel, quiet));
        let (seconds, messages) = match last {
            Some(last) if last.pressing && pressing => {
                ((now - last.at).as_seconds_f64(), line.iter().map(|entry| entry.handed_over(channel, rates, settings)).sum())
            }
            _ => (0.0, 0.0),
        };
        Stretch { channel, at: now, pressing, seconds, messages }
    });
    // Nothing to send, then as now: nothing to note.
    let last_pressing = |channel| stretches.iter().rfind(|stretch| stretch.channel == channel).is_some_and(|last| last.pressing);
    if !news.iter().any(|news| news.pressing || last_pressing(news.channel)) {
        return Ok(shown(summed(&stretches, settings)));
    }
    sqlx::query!(
        r#"insert into dispatch.seen (channel, at, pressing, seconds, messages)
           select channel, $1, pressing, seconds, messages
             from unnest($2::text[], $3::bool[], $4::float8[], $5::float8[]) as n (channel, pressing, seconds, messages)
           on conflict (channel, at) do update
              set pressing = excluded.pressing, seconds = seen.seconds + excluded.seconds, messages = seen.messages + excluded.messages"#,
        now,
        &news.iter().map(|news| news.channel.to_string()).collect::<Vec<_>>(),
        &news.iter().map(|news| news.pressing).collect::<Vec<_>>(),
        &news.iter().map(|news| news.seconds).collect::<Vec<_>>(),
        &news.iter().map(|news| news.messages).collect::<Vec<_>>(),
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!("delete from dispatch.seen where at <= $1", oldest(now, settings)).execute(&mut **tx).await?;
    stretches.extend(news);
    Ok(shown(summed(&stretches, settings)))
}

/// Puts it into the metrics; 0 while nothing is known.
fn shown(seen: Seen) -> Seen {
    for (channel, rate) in [(Channel::App, seen.app), (Channel::Sms, seen.sms)] {
        metrics::gauge!("dispatch_seen_per_second", "channel" => channel.to_string()).set(rate.unwrap_or_default());
    }
    seen
}

async fn stretches(connection: &mut Connection, now: DateTime<Utc>, settings: &ForecastSettings) -> Result<Vec<Stretch>, Error> {
    let rows = sqlx::query!(
        "select channel, at, pressing, seconds, messages from dispatch.seen where at > $1 and at <= $2 order by at",
        oldest(now, settings),
        now,
    )
    .fetch_all(connection)
    .await?;
    let stretches = rows.into_iter().map(|row| {
        let channel = row.channel.parse().map_err(|error: strum::ParseError| Error::damaged("channel", row.at, error))?;
        Ok::<_, Error>(Stretch { channel, at: row.at, pressing: row.pressing, seconds: row.seconds, messages: row.messages })
    });
    Ok(readable("what channels did", stretches))
}

fn summed(stretches: &[Stretch], settings: &ForecastSettings) -> Seen {
    let of = |channel: Channel| {
        let own = stretches.iter().filter(|stretch| stretch.channel == channel);
        seen_rate(own.map(|stretch| (stretch.seconds, stretch.messages)), f64::from(settings.enough_s))
    };
    Seen { app: of(Channel::App), sms: of(Channel::Sms) }
}

fn oldest(now: DateTime<Utc>, settings: &ForecastSettings) -> DateTime<Utc> {
    now - TimeDelta::seconds(i64::from(settings.observed_s))
}
