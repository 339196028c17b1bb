//! A workbook, written row by row.

use axum::response::{IntoResponse as _, Response};
use futures::{Stream, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use rust_xlsxwriter::{Format as CellFormat, Workbook, XlsxError};
use tokio::sync::mpsc;

use super::Listing;
use crate::BoxError;
use crate::http::Problem;

/// Pages on their way to the writer.
const AHEAD: usize = 2;
/// A cell of a workbook takes so many characters.
const LONGEST_CELL: usize = 32_000;

pub(super) async fn answer<E, D>(
    listing: &Listing,
    pages: impl Stream<Item = Result<Vec<Vec<String>>, E>> + Send + 'static,
    done: impl FnOnce(u64) -> D + Send + 'static,
) -> Result<Response, Problem>
where
    E: Into<Problem> + std::error::Error + Send + Sync + 'static,
    D: Future<Output = Result<(), E>> + Send + 'static,
{
    let (to_writer, from_reader) = mpsc::channel(AHEAD);
    let heads = listing.heads();
    let writing = tokio::task::spawn_blocking(move || write(&heads, from_reader));
    let mut pages = std::pin::pin!(pages);
    let mut rows = 0;
    while let Some(page) = pages.next().await {
        let page = page.map_err(Into::into)?;
        rows += page.len() as u64;
        if to_writer.send(page).await.is_err() {
            // the writer has failed, and says why below
            break;
        }
    }
    drop(to_writer);
    let file = match writing.await.map_err(BoxError::from).and_then(|written| written.map_err(BoxError::from)) {
        Ok(file) => file,
        Err(error) => return Err(Problem::internal(&*error)),
    };
    done(rows).await.map_err(Into::into)?;
    let head = [
        (CONTENT_TYPE, listing.format.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}.xlsx\"", listing.name)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((head, file).into_response())
}

/// Every cell is text: a spreadsheet calculates none of them.
fn write(heads: &[&'static str], mut pages: mpsc::Receiver<Vec<Vec<String>>>) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet_with_constant_memory()?;
    let bold = CellFormat::new().set_bold();
    sheet.set_freeze_panes(1, 0)?;
    for (column, head) in (0_u16..).zip(heads) {
        sheet.set_column_width(column, 20)?;
        sheet.write_string_with_format(0, column, *head, &bold)?;
    }
    let mut row = 0_u32;
    while let Some(page) = pages.blocking_recv() {
        for cells in page {
            row += 1;
            for (column, cell) in (0_u16..).zip(cells) {
                let cell: String = if cell.len() > LONGEST_CELL { cell.chars().take(LONGEST_CELL / 4).collect() } else { cell };
                sheet.write_string(row, column, cell)?;
            }
        }
    }
    book.save_to_buffer()
}
