//! The waves of a delivery in numbers. Everybody of a wave is counted once: handed over, open, unreachable or withdrawn.

use chrono::{DateTime, Utc};
use domain::ids::AlertId;
use domain::outcome::Channel;
use platform::database::readable_row;
use serde::Serialize;
use utoipa::ToSchema;

use super::shared::Shared;
use crate::Error;

/// One pass over the audience: 1 is the first push, 2 the reminder, 9 the word that the alert has ended.
#[derive(Serialize, ToSchema)]
pub(super) struct WaveDelivery {
    pub(super) wave: i16,
    /// planning, sending, closed (waiting for acknowledgements) or settled.
    #[schema(example = "sending")]
    pub(super) state: String,
    pub(super) due_at: DateTime<Utc>,
    /// People planned so far; final when `planned_at` is there.
    pub(super) recipients: i64,
    /// People in the audience who are reachable neither by app nor by SMS.
    pub(super) no_channel: i64,
    pub(super) planned_at: Option<DateTime<Utc>>,
    pub(super) closed_at: Option<DateTime<Utc>>,
    /// Of the recipients: handed over. With `open`, `unreachable` and `withdrawn` they are all of them, each once.
    pub(super) accepted: i64,
    /// Of the recipients: not done with yet.
    pub(super) open: i64,
    /// Of the recipients: given up as unreachable.
    pub(super) unreachable: i64,
    /// Of the recipients: not sent to, because the alert ended or they acknowledged before their turn.
    pub(super) withdrawn: i64,
    /// Of the recipients: done with after the deadline of their batch, or not yet when it had passed.
    pub(super) late: i64,
    pub(super) channels: Vec<ChannelDelivery>,
}

/// One wave on one channel, in people but for the batches. Who went on in another batch is counted there as well: once as `retried` or
/// `fell_back`, once by what became of them.
#[derive(Serialize, ToSchema)]
pub(super) struct ChannelDelivery {
    pub(super) channel: Channel,
    /// Batches in all.
    pub(super) batches: i64,
    /// Of them: not closed.
    pub(super) batches_open: i64,
    /// People whose message was handed over to the provider.
    pub(super) accepted: i64,
    /// People not done with yet.
    pub(super) open: i64,
    /// People tried again in a later batch, of this channel as long as nobody has asked to send again to those who were not reached.
    pub(super) retried: i64,
    /// People sent an SMS instead.
    pub(super) fell_back: i64,
    /// People given up as unreachable.
    pub(super) unreachable: i64,
    /// People not sent to: the alert ended, or they acknowledged before the reminder left.
    pub(super) withdrawn: i64,
    pub(super) first_hand_over_at: Option<DateTime<Utc>>,
    pub(super) last_closed_at: Option<DateTime<Utc>>,
}

/// The channel, if this version knows it.
pub(super) fn channel_of(alert_id: AlertId, stored: &str) -> Option<Channel> {
    let channel = stored.parse().map_err(|error: strum::ParseError| Error::damaged("channel", alert_id, error));
    readable_row("channels of a delivery", channel)
}

pub(super) async fn waves(shared: &Shared, alert_id: AlertId) -> Result<Vec<WaveDelivery>, Error> {
    let rows = sqlx::query!(
        "select wave, state, due_at, recipients, no_channel, planned_at, closed_at from dispatch.wave where alert_id = $1 order by wave",
        alert_id.uuid()
    )
    .fetch_all(shared.database.pool())
    .await?;
    let mut waves: Vec<WaveDelivery> = rows
        .into_iter()
        .map(|row| WaveDelivery {
            wave: row.wave,
            state: row.state,
            due_at: row.due_at,
            recipients: row.recipients,
            no_channel: row.no_channel,
            planned_at: row.planned_at,
            closed_at: row.closed_at,
            accepted: 0,
            open: 0,
            unreachable: 0,
            withdrawn: 0,
            late: 0,
            channels: Vec::new(),
        })
        .collect();
    let channels = sqlx::query!(
        r#"select wave, channel, count(*) as "batches!", count(*) filter (where state <> 'closed') as "batches_open!",
                  coalesce(sum(accepted), 0) as "accepted!", coalesce(sum(size - accepted) filter (where state <> 'closed'), 0) as "open!",
                  coalesce(sum(retried), 0) as "retried!", coalesce(sum(fell_back), 0) as "fell_back!",
                  coalesce(sum(unreachable), 0) as "unreachable!", coalesce(sum(withdrawn), 0) as "withdrawn!",
                  coalesce(sum(case when state = 'closed' then accepted + unreachable else size - accepted end)
                           filter (where coalesce(closed_at, $2) > due_at), 0) as "late!",
                  min(first_hand_over_at) as first_hand_over_at, max(closed_at) as last_closed_at
             from dispatch.batch where alert_id = $1 group by wave, channel order by wave, channel"#,
        alert_id.uuid(),
        shared.clock.now(),
    )
    .fetch_all(shared.database.pool())
    .await?;
    for row in channels {
        let Some(channel) = channel_of(alert_id, &row.channel) else { continue };
        if let Some(wave) = waves.iter_mut().find(|wave| wave.wave == row.wave) {
            wave.accepted += row.accepted;
            wave.open += row.open;
            wave.unreachable += row.unreachable;
            wave.withdrawn += row.withdrawn;
            wave.late += row.late;
            wave.channels.push(ChannelDelivery {
                channel,
                batches: row.batches,
                batches_open: row.batches_open,
                accepted: row.accepted,
                open: row.open,
                retried: row.retried,
                fell_back: row.fell_back,
                unreachable: row.unreachable,
                withdrawn: row.withdrawn,
                first_hand_over_at: row.first_hand_over_at,
                last_closed_at: row.last_closed_at,
            });
        }
    }
    Ok(waves)
}

/// When the first of all was handed over.
pub(super) fn first_hand_over_at(waves: &[WaveDelivery]) -> Option<DateTime<Utc>> {
    waves.iter().flat_map(|wave| &wave.channels).filter_map(|channel| channel.first_hand_over_at).min()
}
