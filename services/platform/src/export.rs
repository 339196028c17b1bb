//! A list as a file: CSV or a workbook, written while it is read.
//!
//! No cell is one that a spreadsheet would calculate. CSV leaves page by page as the statements find it, with memory for one page; a workbook is written
//! row by row to a file of its own and leaves when it is whole, so it has fewer rows. Whoever takes a list along is in the trace with what they asked for and
//! how much it was, and a day has no more than work takes.

mod csv_file;
#[cfg(test)]
mod tests;
mod workbook;

use std::time::Duration;

use axum::response::Response;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use domain::area::DistrictCode;
use domain::ids::StaffId;
use domain::language::Language;
use domain::place;
use futures::Stream;
use http::StatusCode;

use crate::Platform;
use crate::http::Problem;

/// Lists are counted for so long.
const DAY: Duration = Duration::from_hours(24);

domain::words! {
    /// What a list is exported as.
    #[schema(as = ExportFormat)]
    #[derive(Default)]
    pub enum Format {
        /// Text with commas, UTF-8.
        #[default]
        Csv,
        /// A workbook.
        Xlsx,
    }
}

impl Format {
    /// Rows of a file at most.
    pub const fn most_rows(self) -> u64 {
        match self {
            Self::Csv => 1_000_000,
            Self::Xlsx => 100_000,
        }
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }
}

/// The head of a column in Chinese and in English.
pub type Head = (&'static str, &'static str);

/// What a file is.
#[derive(Clone, Debug)]
pub struct Listing {
    /// CSV or a workbook.
    pub format: Format,
    /// In which language its columns are headed.
    pub language: Language,
    /// Its name, without what it ends in: letters, digits and dashes.
    pub name: &'static str,
    /// Its columns.
    pub heads: &'static [Head],
    /// By which clock its times are written.
    pub zone: Tz,
}

impl Listing {
    fn heads(&self) -> Vec<&'static str> {
        self.heads.iter().map(|(zh, en)| if self.language == Language::ZhCn { *zh } else { *en }).collect()
    }

    /// A time as people and spreadsheets read it.
    pub fn time(&self, at: DateTime<Utc>) -> String {
        at.with_timezone(&self.zone).format("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// A word in the language of the file.
    pub fn word(&self, zh: &str, en: &str) -> String {
        if self.language == Language::ZhCn { zh.to_owned() } else { en.to_owned() }
    }

    /// A district by its name; none: the whole city.
    pub fn district(&self, code: Option<DistrictCode>) -> String {
        match code.map(|code| (code, place::district(code))) {
            None => self.word("全市", "whole city"),
            Some((_, Some(district))) => self.word(district.name, district.name_en),
            Some((code, None)) => code.to_string(),
        }
    }

    /// The word for yes or no in the language of the file.
    pub fn yes_or_no(&self, yes: bool) -> String {
        if yes { self.word("是", "yes") } else { self.word("否", "no") }
    }

    /// The file, of `pages` of rows with a cell for each column. `done` hears how many rows it had when it is whole, and not before.
    ///
    /// # Errors
    /// When a page of a workbook cannot be read; of CSV the answer breaks off there.
    pub async fn answer<E, D>(
        self,
        pages: impl Stream<Item = Result<Vec<Vec<String>>, E>> + Send + 'static,
        done: impl FnOnce(u64) -> D + Send + 'static,
    ) -> Result<Response, Problem>
    where
        E: Into<Problem> + std::error::Error + Send + Sync + 'static,
        D: Future<Output = Result<(), E>> + Send + 'static,
    {
        match self.format {
            Format::Csv => Ok(csv_file::answer(&self, pages, done)),
            Format::Xlsx => workbook::answer(&self, pages, done).await,
        }
    }
}

/// Refuses a list of more rows than its format takes.
///
/// # Errors
/// 422 `export_too_large`.
pub fn not_too_large(format: Format, rows: u64) -> Result<(), Problem> {
    if rows <= format.most_rows() { Ok(()) } else { Err(too_large(format)) }
}

/// 422 `export_too_large`: more rows than a file of this format takes.
pub fn too_large(format: Format) -> Problem {
    let most = format.most_rows();
    Problem::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "export_too_large",
        format!("符合条件的超过 {most} 条，不能一次导出。请缩小时间或范围，或改用 CSV 分批导出。"),
        format!(
            "More than {most} rows match, which is more than one file takes. Narrow the time or the place, or export it in parts as CSV."
        ),
    )
}

/// Counts a list that somebody takes along, and refuses one more than a day of the city may have. While the cache is away every one goes, and is traced.
///
/// # Errors
/// 429 `exports_spent`.
pub async fn count(platform: &Platform, staff: StaffId, most: u32, zone: Tz) -> Result<(), Problem> {
    let day = platform.clock.now().with_timezone(&zone).format("%Y-%m-%d");
    match platform.cache.incr(&format!("exports:{staff}:{day}"), DAY).await {
        Ok(taken) if taken > u64::from(most) => {
            metrics::counter!("exports_total", "outcome" => "refused").increment(1);
            Err(Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                "exports_spent",
                format!("您今天已导出 {most} 次，达到上限。确有需要请联系技术运维调整上限。"),
                format!("You have exported {most} lists today, which is all that a day may have. Ask the operator if the work takes more."),
            ))
        }
        counted => {
            if let Err(error) = counted {
                tracing::warn!(error = crate::tasks::chain(&error), "exports are not counted");
            }
            metrics::counter!("exports_total", "outcome" => "answered").increment(1);
            Ok(())
        }
    }
}
