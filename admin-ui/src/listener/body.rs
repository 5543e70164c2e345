//! Bodies of requests that come at a decent pace.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(15);
/// How long the whole may take.
const WHOLE: Duration = Duration::from_secs(300);

/// A body that fails when it is too slow.
pub(super) struct Paced {
    body: Incoming,
    end: Instant,
    /// There while it is waited for.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    pub(super) fn new(body: Incoming) -> Self {
        Self { body, end: Instant::now() + WHOLE, alarm: None }
    }
}

/// What a body is read with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Body for Paced {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            self.alarm = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let at = self.end.min(Instant::now() + SILENCE);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        ready!(alarm.as_mut().poll(context));
        Poll::Ready(Some(Err("the body came too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
