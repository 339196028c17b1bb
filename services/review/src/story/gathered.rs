//! What the services tell of an alert, part by part.

use domain::alert_view::AlertView;
use domain::approval_seal::ToldSeal;
use domain::area::DistrictCode;
use domain::ids::AlertId;
use platform::database::{Connection, readable};
use uuid::Uuid;

use super::{StoryEntry, StoryEvent, WaveEvent};
use crate::Error;
use crate::colleagues::Colleagues;
use crate::in_review::shown_answers;
use crate::store::Alert;

/// Of each part at most: the newest records, acknowledgements by the hour of a whole month, steps of a long life.
const MOST: i64 = 1_000;
/// Of an alert to more people acknowledgements are not told by the hour: counting them anew takes longer than anybody waits.
const MOST_COUNTED: i64 = 2_000_000;

/// Everything that is told of an alert, part by part and each in its order of time.
pub(super) async fn entries(connection: &mut Connection, alert: &Alert, view: AlertView) -> Result<Vec<StoryEntry>, Error> {
    let mut entries = records(connection, alert).await?;
    entries.extend(steps(connection, alert).await?);
    if let (Some(at), Some(seal)) = (alert.approved_at, &alert.seal) {
        entries.push(StoryEntry { at, event: StoryEvent::Sealed { seal: ToldSeal::from(seal) } });
    }
    entries.extend(words(connection, alert).await?);
    entries.extend(corrections(connection, alert, view).await?);
    if alert.approved_at.is_some() {
        let (sending, planned) = sending(connection, alert).await?;
        entries.extend(sending);
        entries.extend(handed(connection, alert).await?);
        entries.extend(unlike(connection, alert).await?);
        entries.extend(answers(connection, alert, planned <= MOST_COUNTED).await?);
        entries.extend(visits(connection, alert).await?);
    }
    Ok(entries)
}

/// The records behind it; of a correction those behind what it corrects.
async fn records(connection: &mut Connection, alert: &Alert) -> Result<Vec<StoryEntry>, Error> {
    let behind: Vec<Uuid> = [Some(alert.id), alert.corrects].into_iter().flatten().map(AlertId::uuid).collect();
    let rows = sqlx::query!(
        r#"select record_id as "record_id!", kind, source as "source!", area as "area!", place as "place!", occurred_at as "occurred_at!",
                  matched_at as "matched_at!", ended_at
             from rules.behind_alert where alert_id = any($1) order by matched_at desc, record_id desc limit $2"#,
        &behind,
        MOST
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading the records behind an alert"))?;
    Ok(rows
        .into_iter()
        .map(|row| StoryEntry {
            at: row.matched_at,
            event: StoryEvent::Record {
                record_no: row.record_id,
                record_kind: row.kind,
                source: row.source,
                area: row.area,
                place: row.place,
                occurred_at: row.occurred_at,
                ended_at: row.ended_at,
            },
        })
        .collect())
}

/// Every step, with who took it.
async fn steps(connection: &mut Connection, alert: &Alert) -> Result<Vec<StoryEntry>, Error> {
    let rows = sqlx::query!(
        r#"select version, action, from_state, to_state, actor, reason, public_reason, passage, checked, answers, content is not null as "writes!", at
             from review.step where alert_id = $1 order by version limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::database("reading an alert's steps"))?;
    let actors: Vec<Uuid> = rows.iter().filter_map(|row| row.actor).collect();
    let colleagues = Colleagues::of(connection, &actors).await?;
    let entries = rows.into_iter().map(|row| StoryEntry {
        at: row.at,
        event: StoryEvent::Step {
            version: row.version,
            action: row.action,
            from: row.from_state,
            to: row.to_state,
            by: row.actor.map(|actor| colleagues.with(actor)),
            reason: row.reason,
            public_reason: row.public_reason.and_then(|word| word.parse().ok()),
            passage: row.passage.and_then(|passage| serde_json::from_value(passage).ok()),
            checked: row.checked,
            answers: row.answers.and_then(|answers| serde_json::from_value(answers).ok()).map(shown_answers).unwrap_or_default(),
            content_changed: row.writes,
        },
    });
    Ok(entries.collect())
}

/// What was asked to be said of it, and whether it was.
async fn words(connection: &mut Connection, alert: &Alert) -> Result<Vec<StoryEntry>, Error> {
    let rows = sqlx::query!(
        "select retraction_id, kind, progress, reason, texts, asked_by, asked_at, decided_by, decided_reason, decided_at
           from review.retraction where alert_id = $1 order by asked_at limit $2",
        alert.id.uuid(),
        MOST
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::database("reading what was said of an alert"))?;
    let people: Vec<Uuid> = rows.iter().flat_map(|row| [Some(row.asked_by), row.decided_by]).flatten().collect();
    let colleagues = Colleagues::of(connection, &people).await?;
    let read = rows.into_iter().map(|row| {
        let what = row.kind.parse().map_err(|_| Error::Stored { what: "kind of a retraction" })?;
        let progress = row.progress.parse().map_err(|_| Error::Stored { what: "progress of a retraction" })?;
        let texts: std::collections::BTreeMap<_, _> =
            serde_json::from_value(row.texts).map_err(|_| Error::Stored { what: "texts of a retraction" })?;
        let word = |progress, by: Option<Uuid>, reason, texts| StoryEvent::Word {
            retraction_id: row.retraction_id,
            what,
            progress,
            by: by.map(|by| colleagues.with(by)),
            reason,
            texts,
        };
        let asked = StoryEntry {
            at: row.asked_at,
            event: word(domain::retraction::Progress::Asked, Some(row.asked_by), Some(row.reason), texts.clone()),
        };
        let decided = row.decided_at.map(|at| StoryEntry { at, event: word(progress, row.decided_by, row.decided_reason, texts) });
        Ok::<_, Error>([Some(asked), decided])
    });
    Ok(readable("words about an alert", read).into_iter().flatten().flatten().collect())
}

/// What corrects it, as far as the caller sees that.
async fn corrections(connection: &mut Connection, alert: &Alert, view: AlertView) -> Result<Vec<StoryEntry>, Error> {
    let rows = sqlx::query!(
        r#"select alert_id, district, state, coalesce(content #>> '{texts,zh-CN,headline}', '') as "headline!", created_at, approved_at
             from review.alert where corrects = $1 order by created_at limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::database("reading what corrects an alert"))?;
    let read = rows.into_iter().map(|row| {
        let district = row.district.map(DistrictCode::try_from).transpose().map_err(|_| Error::Stored { what: "district" })?;
        let event = StoryEvent::CorrectedBy {
            alert_id: AlertId::from_uuid(row.alert_id),
            headline: row.headline,
            state: row.state.parse().map_err(|_| Error::Stored { what: "state" })?,
        };
        let is_seen = view.shows(district, row.approved_at.is_some());
        Ok::<_, Error>(is_seen.then_some(StoryEntry { at: row.approved_at.unwrap_or(row.created_at), event }))
    });
    let mut entries: Vec<StoryEntry> = readable("corrections of an alert", read).into_iter().flatten().collect();
    let withdrawn = sqlx::query!(
        r#"select withdrawn_at, count(*) as "people!" from review.withdrawal where alert_id = $1 group by withdrawn_at order by withdrawn_at limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading for whom an alert was withdrawn"))?;
    entries.extend(
        withdrawn.into_iter().map(|row| StoryEntry { at: row.withdrawn_at, event: StoryEvent::WithdrawnFor { people: row.people } }),
    );
    Ok(entries)
}

/// When sending began and ended, and each pass over its people; how many there were in the first.
async fn sending(connection: &mut Connection, alert: &Alert) -> Result<(Vec<StoryEntry>, i64), Error> {
    let mut entries = Vec::new();
    let progress = sqlx::query!(
        r#"select state as "state!", released_at, ended_at from dispatch.alert_progress where alert_id = $1"#,
        alert.id.uuid()
    )
    .fetch_optional(&mut *connection)
    .await
    .map_err(Error::database("reading how far an alert is"))?;
    if let Some(progress) = progress {
        entries.extend(progress.released_at.map(|at| StoryEntry { at, event: StoryEvent::Released {} }));
        entries.extend(progress.ended_at.map(|at| StoryEntry { at, event: StoryEvent::Ended { how: progress.state } }));
    }
    let waves = sqlx::query!(
        r#"select wave as "wave!", recipients as "recipients!", no_channel as "no_channel!", began_at as "began_at!", planned_at, closed_at
             from dispatch.wave_story where alert_id = $1 order by wave limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading the waves of an alert"))?;
    let planned = waves.iter().find(|wave| wave.wave == 1).map_or(0, |wave| wave.recipients);
    for wave in waves {
        let events = [(Some(wave.began_at), WaveEvent::Began), (wave.planned_at, WaveEvent::Planned), (wave.closed_at, WaveEvent::Done)];
        entries.extend(events.into_iter().filter_map(|(at, event)| {
            let event = StoryEvent::Wave { wave: wave.wave, event, people: wave.recipients, no_channel: wave.no_channel };
            Some(StoryEntry { at: at?, event })
        }));
    }
    Ok((entries, planned))
}

/// How each pass went on each channel, and on screens.
async fn handed(connection: &mut Connection, alert: &Alert) -> Result<Vec<StoryEntry>, Error> {
    let rows = sqlx::query!(
        r#"select wave as "wave!", channel as "channel!", first_at, last_at, handed_over as "handed_over!", unreachable as "unreachable!",
                  withdrawn as "withdrawn!", open as "open!"
             from dispatch.handed_story where alert_id = $1 order by wave, channel limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::database("reading how an alert was handed over"))?;
    let read = rows.into_iter().map(|row| {
        let event = StoryEvent::Handed {
            wave: row.wave,
            channel: row.channel.parse().map_err(|_| Error::Stored { what: "channel" })?,
            handed_over: row.handed_over,
            unreachable: row.unreachable,
            withdrawn: row.withdrawn,
            open: row.open,
            first_at: row.first_at,
        };
        Ok::<_, Error>(row.first_at.or(row.last_at).map(|at| StoryEntry { at, event }))
    });
    let mut entries: Vec<StoryEntry> = readable("hand-overs of an alert", read).into_iter().flatten().collect();
    let shown = sqlx::query!(
        r#"select screens as "screens!", plays as "plays!", first_at, last_at, given_at as "given_at!" from display.shown_story where alert_id = $1"#,
        alert.id.uuid()
    )
    .fetch_optional(connection)
    .await
    .map_err(Error::database("reading which screens showed an alert"))?;
    entries.extend(shown.map(|row| StoryEntry {
        at: row.first_at.unwrap_or(row.given_at),
        event: StoryEvent::Screens { screens: row.screens, plays: row.plays, last_at: row.last_at },
    }));
    Ok(entries)
}

/// What of it was not as it was approved.
async fn unlike(connection: &mut Connection, alert: &Alert) -> Result<Vec<StoryEntry>, Error> {
    let rows = sqlx::query!(
        r#"select part as "part!", language as "language!", channel as "channel!", approved as "approved!", found as "found!",
                  found_at as "found_at!", went_on_at, went_on_by, reason
             from dispatch.unlike_story where alert_id = $1 order by found_at limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::database("reading what was not as it was approved"))?;
    let people: Vec<Uuid> = rows.iter().filter_map(|row| row.went_on_by).collect();
    let colleagues = Colleagues::of(connection, &people).await?;
    let read = rows.into_iter().map(|row| {
        let went_on = row.went_on_at.zip(row.went_on_by).map(|(at, by)| StoryEntry {
            at,
            event: StoryEvent::WentOn { by: colleagues.with(by), planned: row.found.clone(), reason: row.reason },
        });
        let event = StoryEvent::UnlikeApproved {
            part: row.part.parse().map_err(|_| Error::Stored { what: "part of an alert" })?,
            language: row.language.parse().ok(),
            channel: row.channel.parse().ok(),
            approved: row.approved,
            found: row.found,
        };
        Ok::<_, Error>([Some(StoryEntry { at: row.found_at, event }), went_on])
    });
    Ok(readable("differences from what was approved", read).into_iter().flatten().flatten().collect())
}

/// Who acknowledged it by the hour, and what was said about it, in numbers.
async fn answers(connection: &mut Connection, alert: &Alert, by_the_hour: bool) -> Result<Vec<StoryEntry>, Error> {
    let hours = sqlx::query!(
        r#"select people as "people!", first_at as "first_at!" from resident.acknowledged_story where $3 and alert_id = $1 order by hour limit $2"#,
        alert.id.uuid(),
        MOST,
        by_the_hour
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(Error::database("reading when an alert was acknowledged"))?;
    let mut entries: Vec<StoryEntry> =
        hours.into_iter().map(|row| StoryEntry { at: row.first_at, event: StoryEvent::Acknowledged { people: row.people } }).collect();
    let said = sqlx::query!(
        r#"select kind as "kind!", times as "times!", first_at as "first_at!" from resident.feedback_story where alert_id = $1 order by kind limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading what was said about an alert"))?;
    entries.extend(
        said.into_iter().map(|row| StoryEntry { at: row.first_at, event: StoryEvent::Feedback { kind_of: row.kind, count: row.times } }),
    );
    Ok(entries)
}

/// Who was to be visited, by what came of it.
async fn visits(connection: &mut Connection, alert: &Alert) -> Result<Vec<StoryEntry>, Error> {
    let rows = sqlx::query!(
        r#"select outcome as "outcome!", people as "people!", first_at as "first_at!" from dispatch.follow_up_story where alert_id = $1
            order by outcome limit $2"#,
        alert.id.uuid(),
        MOST
    )
    .fetch_all(connection)
    .await
    .map_err(Error::database("reading what came of visits"))?;
    let entries = rows
        .into_iter()
        .map(|row| StoryEntry { at: row.first_at, event: StoryEvent::FollowUps { outcome: row.outcome, people: row.people } });
    Ok(entries.collect())
}
