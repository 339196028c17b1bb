//! What the columns of a source's lists are called: the names that every platform knows, and those that the source has chosen a meaning for.

use std::collections::BTreeMap;

use domain::list::{ColumnMeaning, ColumnNames};
use platform::Platform;
use platform::http::FieldFault;

use crate::{Error, reason};

/// Names that are chosen at once; a list has no more columns that anybody fills in by hand.
const MOST: usize = 200;
/// Longest name, in characters.
const LONGEST: usize = 200;

/// What somebody chose for names in a header.
#[derive(Clone, Debug, Default)]
pub struct Chosen(Vec<(String, ColumnMeaning)>);

impl Chosen {
    /// Reads a choice: a JSON object of names and what they mean (`source_id`, `attributes.site`, `-`).
    ///
    /// # Errors
    /// When it is none, names a meaning that there is not, or is too long.
    pub fn read(text: Option<&str>) -> Result<Self, Error> {
        let Some(text) = text.filter(|text| !text.trim().is_empty()) else { return Ok(Self::default()) };
        let wrong = |why: &str, why_en: &str| Error::Names(FieldFault::new("names", why, why_en));
        let names: BTreeMap<String, String> = serde_json::from_str(text)
            .map_err(|_| wrong("应为 JSON 对象：列名对应含义", "must be a JSON object of names and what they mean"))?;
        let is_none = |name: &String| name.trim().is_empty() || name.chars().count() > LONGEST || reason::may_name_somebody(name);
        if names.len() > MOST || names.keys().any(is_none) {
            return Err(wrong(
                "列名过多、过长、为空或含有号码",
                "has too many names, or one that is empty, too long, or may be somebody's number",
            ));
        }
        let chosen = names.into_iter().map(|(name, word)| ColumnMeaning::of_word(&word).map(|meaning| (name, meaning)));
        let chosen: Option<Vec<_>> = chosen.collect();
        chosen.map(Self).ok_or_else(|| {
            wrong("含义应为字段名、attributes.属性名 或 -（不保留）", "a meaning is a field, attributes.name or - for what is not kept")
        })
    }

    /// Remembers it for the source's next lists.
    pub(crate) async fn keep(&self, platform: &Platform, source: &str) -> Result<(), Error> {
        if self.0.is_empty() {
            return Ok(());
        }
        let (names, words): (Vec<&str>, Vec<String>) = self.0.iter().map(|(name, meaning)| (name.as_str(), meaning.word())).unzip();
        sqlx::query!(
            "insert into ingest.column_name (source, name, meaning, chosen_at)
             select $1, name, meaning, $4 from unnest($2::text[], $3::text[]) as chosen (name, meaning)
             on conflict (source, name) do update set meaning = excluded.meaning, chosen_at = excluded.chosen_at",
            source,
            &names as &[&str],
            &words,
            platform.clock.now()
        )
        .execute(platform.database.pool())
        .await
        .map_err(Error::database("remembering names of columns"))?;
        Ok(())
    }
}

/// The names that are known for this source's lists, and what was chosen now.
pub(crate) async fn of(platform: &Platform, source: &str, chosen: &Chosen) -> Result<ColumnNames, Error> {
    let remembered = sqlx::query!("select name, meaning from ingest.column_name where source = $1 order by chosen_at, name", source)
        .fetch_all(platform.database.pool())
        .await
        .map_err(Error::database("reading names of columns"))?;
    // a meaning that only a newer version knows is as if nothing had been chosen
    let remembered = remembered.into_iter().filter_map(|row| Some((row.name, ColumnMeaning::of_word(&row.meaning)?)));
    let names = ColumnNames::shipped().clone();
    Ok(remembered.chain(chosen.0.iter().cloned()).fold(names, |names, (name, meaning)| names.with(&name, meaning)))
}
