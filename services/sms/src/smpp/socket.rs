//! A socket that has its owner look again after every flush.
//!
//! `rusmppc` writes two PDUs in a turn of its connection and then waits for the socket or for something new to do, also when more
//! are queued: of a burst all but the first would stay until something else happens, at the latest their time-out. After a flush
//! there may be more, so the connection is woken; a turn without a flush ends it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The socket.
#[derive(Debug)]
pub struct Prompt<S>(pub S);

impl<S: AsyncRead + Unpin> AsyncRead for Prompt<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, into)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Prompt<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        cx.waker().wake_by_ref();
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Wake, Waker};

    use super::*;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[tokio::test]
    async fn a_flush_has_the_owner_look_again() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(woken.clone());
        let flushed = Pin::new(&mut Prompt(ours)).poll_flush(&mut Context::from_waker(&waker));
        assert!(flushed.is_ready() && woken.0.load(Ordering::Relaxed));
    }
}
