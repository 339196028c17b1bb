//! Reading one answer to its end.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use h2::RecvStream;
use h2::client::ResponseFuture;
use http::response;

use super::connection::lost;
use super::exchange::{Answer, Failure};

/// How much of a body is kept.
const KEPT: usize = 64 * 1024;
/// How much of a body is read before the stream is given up: no provider answers with a megabyte.
const READ: usize = 1024 * 1024;

/// An answer as far as it has come.
pub(super) enum Reading {
    Head(ResponseFuture),
    Body(Box<Body>),
}

/// A body that did not come with its head.
pub(super) struct Body {
    head: response::Parts,
    stream: RecvStream,
    kept: Bytes,
    read: usize,
}

impl Reading {
    /// Reads on. To be polled no more once it is ready.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Failure>> {
        if let Self::Head(response) = self {
            let (head, stream) = match ready!(Pin::new(response).poll(cx)) {
                Ok(response) => response.into_parts(),
                Err(error) => return Poll::Ready(Err(lost(&error))),
            };
            if stream.is_end_stream() {
                return Poll::Ready(Ok(Answer { status: head.status, headers: head.headers, body: Bytes::new() }));
            }
            *self = Self::Body(Box::new(Body { head, stream, kept: Bytes::new(), read: 0 }));
        }
        let Self::Body(body) = self else { return Poll::Pending };
        ready!(body.poll(cx));
        Poll::Ready(Ok(Answer {
            status: body.head.status,
            headers: std::mem::take(&mut body.head.headers),
            body: std::mem::take(&mut body.kept),
        }))
    }
}

impl Body {
    /// Ready at the end. Where the body breaks off the status has been said already, so what came is the answer.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.stream.is_end_stream() {
            let chunk = match ready!(self.stream.poll_data(cx)) {
                Some(Ok(chunk)) => chunk,
                Some(Err(error)) => {
                    tracing::debug!(status = %self.head.status, %error, "an answer's body broke off");
                    break;
                }
                None => break,
            };
            self.read += chunk.len();
            if self.stream.flow_control().release_capacity(chunk.len()).is_err() || self.read > READ {
                break;
            }
            if self.kept.is_empty() {
                self.kept = chunk;
            } else if self.kept.len() < KEPT {
                let mut longer = BytesMut::from(std::mem::take(&mut self.kept));
                longer.extend_from_slice(&chunk);
                self.kept = longer.freeze();
            }
            self.kept.truncate(KEPT);
        }
        Poll::Ready(())
    }
}
