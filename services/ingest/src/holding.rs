//! A delivery that is unlike what its source usually brings: its rows are kept sealed, and nothing of them counts before a person has decided.

use std::sync::Arc;

use domain::held_list::State;
use domain::ids::LoadId;
use domain::unusual_list::{Profile, Unlike};
use platform::Platform;

use crate::check::Chunk;
use crate::columns::Columns;
use crate::load::{REPORTED_ROWS, RefusedLine};
use crate::sender::Sender;
use crate::{Error, held, sealed_block, stored_sender};

/// A delivery that is being held back.
pub(crate) struct Holding {
    load: LoadId,
    /// The first rows that would be refused.
    pub refused_rows: Vec<RefusedLine>,
}

/// What became of a chunk that was to be held back.
pub(crate) enum Held {
    /// It waits, or was dropped since the list was discarded.
    Back(Holding),
    /// The list was released while it still arrived: this chunk and what follows count at once.
    Released(Chunk),
}

impl Holding {
    /// Holds back what comes of a delivery from now on.
    pub(crate) async fn begin(
        platform: &Platform,
        sender: &Sender,
        load: LoadId,
        columns: Option<&Arc<Columns>>,
        why: Vec<Unlike>,
        profile: &Profile,
    ) -> Result<Self, Error> {
        let columns: Option<Vec<(String, String)>> =
            columns.map(|columns| columns.read_as().map(|(name, meaning)| (name.to_owned(), meaning.word())).collect());
        let written = |what: Result<serde_json::Value, serde_json::Error>| what.map_err(|_| Error::Stored { what: "list that waits" });
        sqlx::query!(
            "insert into ingest.held_load (load_id, source, area, sender, columns, why, profile, state, held_at)
             values ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8)",
            load.uuid(),
            sender.source(),
            sender.area().to_string(),
            stored_sender::stored(sender)?,
            columns.map(serde_json::to_value).map(written).transpose()?,
            written(serde_json::to_value(&why))?,
            written(serde_json::to_value(profile))?,
            platform.clock.now()
        )
        .execute(platform.database.pool())
        .await
        .map_err(Error::database("holding a list back"))?;
        for one in &why {
            metrics::counter!("ingest_lists_held_total", "why" => one.word()).increment(1);
        }
        let words = why.iter().map(Unlike::sentence_en).collect::<Vec<_>>().join(" ");
        tracing::warn!(%load, why = words, "a list is unlike what its source usually brings and waits for a person");
        held::measure(platform).await;
        Ok(Self { load, refused_rows: Vec::new() })
    }

    /// Keeps a chunk.
    pub(crate) async fn keep(mut self, platform: &Platform, chunk: Chunk) -> Result<Held, Error> {
        let rows = (chunk.candidates.len() + chunk.corrections.len() + chunk.refusals.len()) as i64;
        let mut tx = platform.database.begin().await?;
        let state = sqlx::query_scalar!("select state from ingest.held_load where load_id = $1 for update", self.load.uuid())
            .fetch_one(&mut *tx)
            .await
            .map_err(Error::database("looking for a list that waits"))?;
        match state.parse() {
            Ok(State::Released) => {
                tx.rollback().await?;
                return Ok(Held::Released(chunk));
            }
            Ok(State::Waiting | State::Releasing) => {
                let keyring = platform.keyring.clone();
                let (sealed, refusals) = tokio::task::spawn_blocking(move || (sealed_block::seal(&keyring, &chunk), chunk.refusals))
                    .await
                    .map_err(|_| Error::Interrupted { step: "sealing rows" })?;
                sqlx::query!(
                    "with held as (update ingest.held_load set blocks = blocks + 1, rows = rows + $2, refused = refused + $3
                                   where load_id = $1 returning blocks)
                     insert into ingest.held_block (load_id, block, rows, block_sealed) select $1, blocks, $2, $4 from held",
                    self.load.uuid(),
                    rows,
                    refusals.len() as i64,
                    sealed?
                )
                .execute(&mut *tx)
                .await
                .map_err(Error::database("keeping rows of a list that waits"))?;
                let mut refusals = refusals;
                refusals.sort_by_key(|refusal| refusal.line);
                let room = REPORTED_ROWS - self.refused_rows.len();
                self.refused_rows.extend(refusals.into_iter().take(room).map(RefusedLine::from));
            }
            // it was discarded while it still arrived
            _ => {
                sqlx::query!("update ingest.held_load set rows = rows + $2 where load_id = $1", self.load.uuid(), rows)
                    .execute(&mut *tx)
                    .await
                    .map_err(Error::database("counting rows of a list that was discarded"))?;
            }
        }
        tx.commit().await?;
        Ok(Held::Back(self))
    }
}
