//! CSV, page by page.

use std::pin::Pin;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse as _, Response};
use csv::{Terminator, WriterBuilder};
use domain::list::neutral;
use futures::stream::{self, Stream, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};

use super::Listing;

/// So that a spreadsheet takes it for what it is.
const BYTE_ORDER_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

type Pages<E> = Pin<Box<dyn Stream<Item = Result<Vec<Vec<String>>, E>> + Send>>;

/// How far the file is.
enum At<E, F> {
    Head(Vec<&'static str>, Pages<E>, F),
    Rows(u64, Pages<E>, F),
    End,
}

pub(super) fn answer<E, D>(
    listing: &Listing,
    pages: impl Stream<Item = Result<Vec<Vec<String>>, E>> + Send + 'static,
    done: impl FnOnce(u64) -> D + Send + 'static,
) -> Response
where
    E: std::error::Error + Send + Sync + 'static,
    D: Future<Output = Result<(), E>> + Send + 'static,
{
    let head = [
        (CONTENT_TYPE, listing.format.media_type().to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}.csv\"", listing.name)),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    let file = stream::try_unfold(At::Head(listing.heads(), pages.boxed(), done), |at| async move {
        match at {
            At::Head(heads, pages, done) => {
                let head = [BYTE_ORDER_MARK, &lines(&[heads])].concat();
                Ok::<_, E>(Some((Bytes::from(head), At::Rows(0, pages, done))))
            }
            At::Rows(count, mut pages, done) => match pages.next().await {
                Some(page) => {
                    let page = page?;
                    Ok(Some((Bytes::from(lines(&page)), At::Rows(count + page.len() as u64, pages, done))))
                }
                None => {
                    done(count).await?;
                    Ok(Some((Bytes::new(), At::End)))
                }
            },
            At::End => Ok(None),
        }
    });
    (head, Body::from_stream(file)).into_response()
}

/// Rows as lines; no cell of them is a formula.
pub(super) fn lines<C: AsRef<str>>(rows: &[Vec<C>]) -> Vec<u8> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).flexible(true).from_writer(Vec::new());
    for row in rows {
        // writing to memory does not fail
        writer.write_record(row.iter().map(|cell| neutral(cell.as_ref()).into_owned())).ok();
    }
    writer.into_inner().unwrap_or_default()
}
