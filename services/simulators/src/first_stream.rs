//! APNs with token authentication allows ONE stream on a new connection, and many after the first valid request.
//!
//! `h2` cannot change SETTINGS_MAX_CONCURRENT_STREAMS once a connection stands, so this wrapper rewrites two frames on their way
//! out: in the first SETTINGS frame the limit becomes 1; a later SETTINGS frame, which `h2` sends for an (unchanged) initial window,
//! becomes the announcement of the real limit. Both have the same length and both are acknowledged as `h2` expects. Afterwards
//! the bytes pass untouched and uncopied.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const FRAME_HEADER: usize = 9;
const SETTINGS: u8 = 0x4;
const ACK: u8 = 0x1;
const MAX_CONCURRENT_STREAMS: [u8; 2] = [0, 3];
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// How far the announcement has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    FirstSettings,
    LaterSettings,
    Passed,
}

/// A transport that announces one stream first and `limit` later.
#[derive(Debug)]
pub(crate) struct FirstStream<T> {
    transport: T,
    limit: u32,
    stage: Stage,
    /// What is held back of a frame that is not complete yet.
    partial: Vec<u8>,
    /// What is rewritten and waits for the transport.
    ready: Vec<u8>,
    written: usize,
}

impl<T> FirstStream<T> {
    pub(crate) fn new(transport: T, limit: u32) -> Self {
        Self { transport, limit, stage: Stage::FirstSettings, partial: Vec::new(), ready: Vec::new(), written: 0 }
    }

    /// A transport that changes nothing.
    pub(crate) fn transparent(transport: T) -> Self {
        Self { stage: Stage::Passed, ..Self::new(transport, 0) }
    }

    /// Takes bytes, moves complete frames into `ready`, rewritten where needed.
    fn rewrite(&mut self, bytes: &[u8]) {
        self.partial.extend_from_slice(bytes);
        let mut start = 0;
        while self.stage != Stage::Passed {
            let Some(header) = self.partial.get(start..start + FRAME_HEADER) else { break };
            let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
            let is_settings = header[3] == SETTINGS && header[4] & ACK == 0;
            let end = start + FRAME_HEADER + length;
            if self.partial.len() < end {
                break;
            }
            if is_settings {
                self.rewrite_settings(start + FRAME_HEADER, end);
            }
            start = end;
        }
        let end = if self.stage == Stage::Passed { self.partial.len() } else { start };
        self.ready.extend(self.partial.drain(..end));
    }

    fn rewrite_settings(&mut self, start: usize, end: usize) {
        let first = self.stage == Stage::FirstSettings;
        let (wanted, value) = if first { (MAX_CONCURRENT_STREAMS, 1) } else { (INITIAL_WINDOW_SIZE, self.limit) };
        for setting in self.partial[start..end].chunks_exact_mut(6).filter(|setting| setting[..2] == wanted) {
            setting[..2].copy_from_slice(&MAX_CONCURRENT_STREAMS);
            setting[2..].copy_from_slice(&value.to_be_bytes());
        }
        self.stage = if first { Stage::LaterSettings } else { Stage::Passed };
    }
}

impl<T: AsyncWrite + Unpin> FirstStream<T> {
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.written < self.ready.len() {
            let count = ready!(Pin::new(&mut self.transport).poll_write(context, &self.ready[self.written..]))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += count;
        }
        self.ready.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for FirstStream<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for FirstStream<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(context))?;
        if self.stage == Stage::Passed {
            return Pin::new(&mut self.transport).poll_write(context, bytes);
        }
        self.rewrite(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.transport).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.transport).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&length[1..], &[kind, flags, 0, 0, 0, 0], payload].concat()
    }

    fn setting(id: [u8; 2], value: u32) -> Vec<u8> {
        [&id[..], &value.to_be_bytes()].concat()
    }

    proptest! {
        #[test]
        fn one_stream_is_announced_first_and_the_limit_later_however_the_bytes_are_cut(cut in 1_usize..40) {
            let settings = |streams: u32| [setting(MAX_CONCURRENT_STREAMS, streams), setting(INITIAL_WINDOW_SIZE, 65_535)].concat();
            let tail = frame(0, 1, b"data that is never looked at");
            let sent = [frame(SETTINGS, 0, &settings(1_000)), frame(SETTINGS, ACK, &[]), frame(1, 4, b"headers"), frame(SETTINGS, 0, &setting(INITIAL_WINDOW_SIZE, 65_535)), tail.clone()].concat();
            let expected = [frame(SETTINGS, 0, &settings(1)), frame(SETTINGS, ACK, &[]), frame(1, 4, b"headers"), frame(SETTINGS, 0, &setting(MAX_CONCURRENT_STREAMS, 1_000)), tail].concat();

            let mut wrapper = FirstStream::new((), 1_000);
            for piece in sent.chunks(cut) {
                wrapper.rewrite(piece);
            }
            prop_assert_eq!(wrapper.ready, expected);
        }
    }
}
