//! A socket into which PDUs can be put beside those that the library writes.
//!
//! `rusmppc` submits and nothing else; a message is taken back with `cancel_sm`. Such a PDU waits here for the end of a PDU of the
//! library's: it is written when the library flushes, since it has nothing half written then, and always as a whole.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What waits to be written.
#[derive(Debug, Default)]
pub(super) struct Beside(Mutex<Vec<u8>>);

impl Beside {
    /// Has whole PDUs written at the next flush.
    pub(super) fn put(&self, pdus: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(pdus);
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The socket.
#[derive(Debug)]
pub(super) struct Shared<S> {
    socket: S,
    beside: Arc<Beside>,
    /// What is being written of it,
    writing: Vec<u8>,
    /// and how much of that is.
    written: usize,
}

impl<S: AsyncWrite + Unpin> Shared<S> {
    pub(super) fn new(socket: S, beside: Arc<Beside>) -> Self {
        Self { socket, beside, writing: Vec::new(), written: 0 }
    }

    /// Writes the rest of what was begun.
    fn poll_rest(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.writing.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.socket).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                octets => self.written += octets,
            }
        }
        self.writing.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shared<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Shared<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.writing.is_empty() {
            self.writing = self.beside.take();
        }
        ready!(self.poll_rest(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn what_is_put_beside_comes_whole_between_two_flushes() {
        let beside = Arc::new(Beside::default());
        // As little as this fits through at once.
        let (ours, mut theirs) = tokio::io::duplex(3);
        let mut socket = Shared::new(ours, Arc::clone(&beside));
        let writing = async {
            socket.write_all(b"first").await.unwrap();
            beside.put(b"<beside>");
            socket.write_all(b"-still first").await.unwrap();
            socket.flush().await.unwrap();
            socket.write_all(b"second").await.unwrap();
            socket.flush().await.unwrap();
            drop(socket);
        };
        let reading = async {
            let mut read = String::new();
            theirs.read_to_string(&mut read).await.unwrap();
            read
        };
        let ((), read) = tokio::join!(writing, reading);
        assert_eq!(read, "first-still first<beside>second");
    }
}
