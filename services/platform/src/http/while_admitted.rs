//! What is open ends with what let it in: while an upload or a stream goes on, its token is looked at again and again, so that a session
//! that ended, a key that was revoked or a right that was taken away ends it too.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use futures::future::BoxFuture;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use hyper::body::{Frame, SizeHint};

use super::{Authenticators, Caller};
use crate::clock::Clock;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(30);

/// How a caller got in.
#[derive(Clone)]
pub(super) struct Admission {
    pub authenticators: Authenticators,
    pub clock: Clock,
    pub token: Arc<str>,
    pub caller: Caller,
}

impl Admission {
    /// After a while: whether the caller is still who they were. What was sent meanwhile counts as use of a session, silence does not.
    async fn stands(self: Arc<Self>, used: Arc<AtomicBool>) -> bool {
        self.clock.sleep(EVERY).await;
        let looked = if used.swap(false, Ordering::Relaxed) {
            self.authenticators.admit(&self.token).await
        } else {
            self.authenticators.look(&self.token).await
        };
        match looked {
            Ok(caller) => self.caller.is_still(&caller),
            // only who is not known is let go: when nobody can tell, nobody can have been shut out either
            Err(problem) => problem.status != StatusCode::UNAUTHORIZED.as_u16(),
        }
    }
}

/// A body that ends when its caller is not admitted any more.
pub(super) struct WhileAdmitted {
    body: Body,
    admission: Arc<Admission>,
    standing: BoxFuture<'static, bool>,
    used: Arc<AtomicBool>,
    direction: Direction,
    ended: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    /// What the caller sends: it breaks off.
    Inwards,
    /// Events that the caller is told: they end, and whoever asks again is told why.
    Events,
    /// A file that the caller is given: it breaks off, so that nobody takes what came for all of it.
    Outwards,
}

impl WhileAdmitted {
    pub(super) fn sending(body: Body, admission: &Arc<Admission>) -> Body {
        Self::around(body, admission, Direction::Inwards)
    }

    pub(super) fn hearing(answer: Response, admission: &Arc<Admission>) -> Response {
        let kind = answer.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
        let direction = if kind.starts_with(b"text/event-stream") { Direction::Events } else { Direction::Outwards };
        answer.map(|body| Self::around(body, admission, direction))
    }

    fn around(body: Body, admission: &Arc<Admission>, direction: Direction) -> Body {
        if body.is_end_stream() {
            return body;
        }
        let (admission, used) = (Arc::clone(admission), Arc::new(AtomicBool::new(false)));
        let standing = Box::pin(Arc::clone(&admission).stands(Arc::clone(&used)));
        Body::new(Self { body, admission, standing, used, direction, ended: false })
    }

    /// Whether the caller is still admitted, as far as that was asked.
    fn is_admitted(&mut self, context: &mut Context<'_>) -> bool {
        while let Poll::Ready(stands) = self.standing.as_mut().poll(context) {
            if !stands {
                return false;
            }
            self.standing = Box::pin(Arc::clone(&self.admission).stands(Arc::clone(&self.used)));
        }
        true
    }
}

impl HttpBody for WhileAdmitted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.ended {
            return Poll::Ready(None);
        }
        if !self.is_admitted(context) {
            self.ended = true;
            tracing::info!("a caller is not admitted any more: what was open was ended");
            return Poll::Ready(match self.direction {
                Direction::Inwards | Direction::Outwards => Some(Err(axum::Error::new(NoLongerAdmitted))),
                Direction::Events => None,
            });
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if self.direction == Direction::Inwards {
            self.used.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.ended || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Why a body broke off.
#[derive(Debug)]
struct NoLongerAdmitted;

impl fmt::Display for NoLongerAdmitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the caller is not admitted any more")
    }
}

impl std::error::Error for NoLongerAdmitted {}
