//! Messages that the centre has in part, or may have: where the next try of the same message goes on.
//!
//! A message of three parts whose second was refused is tried again in another batch; its first part must not come twice. A part whose
//! answer stayed out may be there: it is submitted once more at most, and an answer that comes late settles it here. Such messages
//! are few, so the usual message never touches this table.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::ids::{AlertId, ResidentNo, WaveNo};
use platform::database::Database;

use crate::{
    error::Error,
    smpp::{
        late::LateAnswer,
        submit::{Progress, Taken},
    },
};

/// Begun messages of a wave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OfWave {
    pub(crate) alert: AlertId,
    pub(crate) wave: WaveNo,
}

/// What is known of the parts of these residents' messages, where something is.
pub(crate) async fn load(database: &Database, of: OfWave, residents: &[ResidentNo]) -> Result<HashMap<ResidentNo, Vec<Progress>>, Error> {
    let numbers = columns(residents);
    let rows = sqlx::query!(
        r#"select resident_no, part, parts, smsc_id, unanswered, at from sms.begun
            where alert_id = $1 and wave = $2 and resident_no = any ($3::bigint[])"#,
        of.alert.uuid(),
        i16::from(of.wave.get()),
        &numbers,
    )
    .fetch_all(database.pool())
    .await?;
    let mut begun: HashMap<ResidentNo, Vec<Progress>> = HashMap::new();
    for row in rows {
        let Ok(resident) = u32::try_from(row.resident_no).map(ResidentNo::new) else { continue };
        let (Ok(part), Ok(parts)) = (usize::try_from(row.part), usize::try_from(row.parts)) else { continue };
        let progress = match row.smsc_id {
            Some(id) => Progress::Taken(Taken { id, at: row.at }),
            None => Progress::Unanswered(u8::try_from(row.unanswered).unwrap_or(u8::MAX)),
        };
        let message = begun.entry(resident).or_default();
        message.resize(parts, Progress::Open);
        if let Some(known) = message.get_mut(part - 1) {
            *known = progress;
        }
    }
    Ok(begun)
}

/// Keeps what is known of messages that are not whole. What came late meanwhile stays.
pub(crate) async fn keep(database: &Database, of: OfWave, messages: &[(ResidentNo, &[Progress])], now: DateTime<Utc>) -> Result<(), Error> {
    let mut rows = Rows::default();
    for (resident, parts) in messages {
        let count = i16::try_from(parts.len()).unwrap_or(i16::MAX);
        for (part, progress) in (1..).zip(parts.iter()) {
            let (id, unanswered, at) = match progress {
                Progress::Open => continue,
                Progress::Unanswered(times) => (None, i16::from(*times), now),
                Progress::Taken(taken) => (Some(taken.id.clone()), 0, taken.at),
            };
            rows.add(Row { resident: *resident, part, parts: count, id, unanswered, at });
        }
    }
    rows.write(database, of).await
}

/// Removes what is known of messages that are whole, or that begin anew.
pub(crate) async fn end(database: &Database, of: OfWave, residents: &[ResidentNo]) -> Result<(), Error> {
    if residents.is_empty() {
        return Ok(());
    }
    let delete = sqlx::query!(
        "delete from sms.begun where alert_id = $1 and wave = $2 and resident_no = any ($3::bigint[])",
        of.alert.uuid(),
        i16::from(of.wave.get()),
        &columns(residents),
    );
    delete.execute(database.pool()).await?;
    Ok(())
}

/// Settles parts by answers that came late: what the centre took is there, what it refused is open.
pub(crate) async fn settle_late(database: &Database, answers: Vec<LateAnswer>, now: DateTime<Utc>) -> Result<(), Error> {
    let mut by_wave: HashMap<(AlertId, WaveNo), Vec<LateAnswer>> = HashMap::new();
    for answer in answers {
        by_wave.entry((answer.of.alert, answer.of.wave)).or_default().push(answer);
    }
    for ((alert, wave), answers) in by_wave {
        let (of, mut taken, mut refused) = (OfWave { alert, wave }, Rows::default(), Rows::default());
        for LateAnswer { of: part, id } in answers {
            let rows = if id.is_some() { &mut taken } else { &mut refused };
            rows.add(Row { resident: part.resident, part: part.part.into(), parts: part.parts.into(), id, unanswered: 0, at: now });
        }
        taken.write(database, of).await?;
        refused.reopen(database, of).await?;
    }
    Ok(())
}

/// Removes what was never completed.
pub(crate) async fn forget(database: &Database, before: DateTime<Utc>) -> Result<u64, Error> {
    Ok(sqlx::query!("delete from sms.begun where at < $1", before).execute(database.pool()).await?.rows_affected())
}

struct Row {
    resident: ResidentNo,
    part: i16,
    parts: i16,
    id: Option<String>,
    unanswered: i16,
    at: DateTime<Utc>,
}

/// Rows of one wave, as columns.
#[derive(Default)]
struct Rows {
    residents: Vec<i64>,
    parts: Vec<i16>,
    counts: Vec<i16>,
    ids: Vec<Option<String>>,
    unanswered: Vec<i16>,
    at: Vec<DateTime<Utc>>,
}

impl Rows {
    fn add(&mut self, row: Row) {
        self.residents.push(i64::from(row.resident.get()));
        self.parts.push(row.part);
        self.counts.push(row.parts);
        self.ids.push(row.id);
        self.unanswered.push(row.unanswered);
        self.at.push(row.at);
    }

    /// Writes the rows. A part that the centre is known to have stays so.
    async fn write(self, database: &Database, of: OfWave) -> Result<(), Error> {
        if self.residents.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            r#"insert into sms.begun as b (alert_id, wave, resident_no, part, parts, smsc_id, unanswered, at)
               select distinct on (resident_no, part) $1::uuid, $2::smallint, resident_no, part, parts, smsc_id, unanswered, at
                 from unnest($3::bigint[], $4::smallint[], $5::smallint[], $6::text[], $7::smallint[], $8::timestamptz[])
                      as new (resident_no, part, parts, smsc_id, unanswered, at)
                order by resident_no, part, smsc_id nulls last
               on conflict (alert_id, wave, resident_no, part) do update
               set smsc_id = coalesce(excluded.smsc_id, b.smsc_id), unanswered = excluded.unanswered, parts = excluded.parts,
                   at = case when excluded.smsc_id is null and b.smsc_id is not null then b.at else excluded.at end"#,
            of.alert.uuid(),
            i16::from(of.wave.get()),
            &self.residents,
            &self.parts,
            &self.counts,
            &self.ids as &[Option<String>],
            &self.unanswered,
            &self.at,
        )
        .execute(database.pool())
        .await?;
        Ok(())
    }

    /// The centre does not have these parts after all.
    async fn reopen(self, database: &Database, of: OfWave) -> Result<(), Error> {
        if self.residents.is_empty() {
            return Ok(());
        }
        sqlx::query!(
            "delete from sms.begun b using unnest($3::bigint[], $4::smallint[]) as refused (resident_no, part)
              where b.alert_id = $1 and b.wave = $2 and b.resident_no = refused.resident_no and b.part = refused.part and b.smsc_id is null",
            of.alert.uuid(),
            i16::from(of.wave.get()),
            &self.residents,
            &self.parts,
        )
        .execute(database.pool())
        .await?;
        Ok(())
    }
}

fn columns(residents: &[ResidentNo]) -> Vec<i64> {
    residents.iter().map(|resident| i64::from(resident.get())).collect()
}
