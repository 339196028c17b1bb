//! The bytes of a delivery as they come: how they begin, and how they ended.

use bytes::{Buf as _, Bytes};
use futures::{Stream, StreamExt as _};
use http_body_util::LengthLimitError;
use platform::BoxError;

use crate::encoding::Utf16;
use crate::load::Ending;

pub(crate) const UTF8_MARK: &[u8] = &[0xEF, 0xBB, 0xBF];

/// A file that has a turn to be in memory is given up when nothing of it comes for so long.
const LONGEST_SILENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A body, and how it ended.
pub(crate) struct Body<S> {
    stream: S,
    ended: Option<Ending>,
    utf16: Option<Utf16>,
    /// How many bytes it has, if that was said.
    length: Option<u64>,
    read: u64,
}

impl<S, E> Body<S>
where
    S: Stream<Item = Result<Bytes, E>> + Send + Unpin,
    E: Into<BoxError>,
{
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, ended: None, utf16: None, length: None, read: 0 }
    }

    /// One that says how long it is.
    pub(crate) fn of(self, length: Option<u64>) -> Self {
        Self { length, ..self }
    }

    /// Whether it was said how long it is.
    pub(crate) fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// How great a share of it was read, but for `rest` bytes that were not looked at.
    pub(crate) fn share(&self, rest: usize) -> Option<f64> {
        let length = self.length.filter(|length| *length > 0)?;
        Some(self.read.saturating_sub(rest as u64) as f64 / length as f64)
    }

    /// The next piece; none at the end, whatever it was.
    pub(crate) async fn next(&mut self) -> Option<Bytes> {
        if self.ended.is_some() {
            return None;
        }
        match self.stream.next().await {
            Some(Ok(piece)) => {
                self.read += piece.len() as u64;
                Some(match &mut self.utf16 {
                    None => piece,
                    Some(utf16) => utf16.read(&piece, false).into(),
                })
            }
            Some(Err(error)) => {
                self.ended = Some(if caused_by_limit(&*error.into()) { Ending::TooLarge } else { Ending::BrokenOff });
                None
            }
            None => {
                self.ended = Some(Ending::Complete);
                let rest = self.utf16.as_mut().map(|utf16| utf16.read(&[], true))?;
                (!rest.is_empty()).then(|| rest.into())
            }
        }
    }

    /// How it ended.
    pub(crate) fn ending(&self) -> Ending {
        self.ended.unwrap_or(Ending::Complete)
    }

    /// Whether nothing more will come.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// At least so many bytes of the beginning, or up to the first row end if one is enough.
    pub(crate) async fn start(&mut self, bytes: usize, row: bool) -> Bytes {
        let mut start = Vec::new();
        while start.len() < bytes && !(row && start.iter().any(|byte| matches!(byte, b'\n' | b'\r'))) {
            match self.next().await {
                Some(piece) => start.extend_from_slice(&piece),
                None => break,
            }
        }
        start.into()
    }

    /// Everything from `start` on, unless it is more than `limit` bytes.
    pub(crate) async fn whole(&mut self, start: Bytes, limit: usize) -> Option<Vec<u8>> {
        let mut whole = Vec::from(start);
        while whole.len() <= limit {
            // others wait for their turn
            match tokio::time::timeout(LONGEST_SILENCE, self.next()).await {
                Ok(Some(piece)) => whole.extend_from_slice(&piece),
                Ok(None) => return Some(whole),
                Err(_) => {
                    self.ended = Some(Ending::BrokenOff);
                    return Some(whole);
                }
            }
        }
        None
    }

    /// The beginning in UTF-8 without its byte order mark, and what comes after it too; and whether that says that it is.
    pub(crate) fn in_utf8(&mut self, mut start: Bytes) -> (Bytes, bool) {
        if let Some(mut utf16) = Utf16::of(&start) {
            let start = utf16.read(&start, self.has_ended()).into();
            self.utf16 = Some(utf16);
            return (start, true);
        }
        let marked = start.starts_with(UTF8_MARK);
        if marked {
            start.advance(UTF8_MARK.len());
        }
        (start, marked)
    }
}

fn caused_by_limit(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source()).any(|error| error.is::<LengthLimitError>())
}
