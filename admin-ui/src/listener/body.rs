//! Bodies of requests that come at a decent pace, and what is done with the rest of one that nobody read.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep, timeout};

/// How long nothing may come.
const SILENCE: Duration = Duration::from_secs(15);
/// How long the whole may take.
const WHOLE: Duration = Duration::from_secs(300);
/// Bytes of a body that are taken although nobody wants them.
const REST_BYTES: usize = 16 << 20;
/// How long that may take.
const REST: Duration = Duration::from_secs(5);

/// A body that fails when it is too slow.
pub(super) struct Paced {
    /// There until it is dropped.
    body: Option<Incoming>,
    end: Instant,
    /// There while it is waited for.
    alarm: Option<Pin<Box<Sleep>>>,
    /// Where a body goes that was not read to its end.
    unread: Option<oneshot::Sender<Incoming>>,
}

/// What its reader left of a body.
pub(super) struct Unread(oneshot::Receiver<Incoming>);

impl Paced {
    pub(super) fn new(body: Incoming) -> (Self, Unread) {
        let (sender, receiver) = oneshot::channel();
        let paced = Self { body: Some(body), end: Instant::now() + WHOLE, alarm: None, unread: Some(sender) };
        (paced, Unread(receiver))
    }
}

impl Unread {
    /// Takes what is left, within bounds. Were it left lying, the connection would have to be closed after the
    /// answer, and a client that is still sending would see a broken connection in the answer's place (RFC 9112
    /// §9.6).
    pub(super) async fn take(self) {
        let all = async {
            let Ok(mut body) = self.0.await else { return };
            let mut taken = 0;
            while let Some(Ok(frame)) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
                taken += frame.data_ref().map_or(0, Bytes::len);
                if taken > REST_BYTES {
                    break;
                }
            }
        };
        let _too_slow = timeout(REST, all).await;
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        if let (Some(body), Some(unread)) = (self.body.take(), self.unread.take())
            && !body.is_end_stream()
        {
            let _nobody_waits = unread.send(body);
        }
    }
}

/// What a body is read with.
type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Body for Paced {
    type Data = Bytes;
    type Error = Failure;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Failure>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(context) {
            self.alarm = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(Into::into)));
        }
        let at = self.end.min(Instant::now() + SILENCE);
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(at)));
        ready!(alarm.as_mut().poll(context));
        Poll::Ready(Some(Err("the body came too slowly".into())))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}
