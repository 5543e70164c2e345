//! What stream management adds to a session (XEP-0198): the part that others see.

use std::fmt;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::locks::Mutex;
use crate::session::Endpoint;
use crate::unacknowledged::Unacknowledged;

/// A session whose client acknowledges what it receives.
#[derive(Debug)]
pub struct Management {
    id: String,
    resume: Option<Duration>,
    hibernated: AtomicBool,
    pub(crate) unacknowledged: AtomicUsize,
    /// Messages among them when the connection was lost.
    messages: AtomicUsize,
    /// Where it was resumed from last.
    moved: Mutex<Option<Endpoint>>,
}

impl Management {
    pub(crate) fn new(id: String, resume: Option<Duration>) -> Self {
        Self {
            id,
            resume,
            hibernated: AtomicBool::new(false),
            unacknowledged: AtomicUsize::new(0),
            messages: AtomicUsize::new(0),
            moved: Mutex::default(),
        }
    }

    /// Names the stream; only its client knows it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// How long after its connection broke it can be resumed; `None` if it cannot be.
    #[must_use]
    pub fn resume(&self) -> Option<Duration> {
        self.resume
    }

    /// Whether it has no connection and waits for its client to come back.
    #[must_use]
    pub fn is_hibernated(&self) -> bool {
        self.hibernated.load(Ordering::Acquire)
    }

    /// Stanzas that were sent and not acknowledged, as of the last write or acknowledgement.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.unacknowledged.load(Ordering::Relaxed)
    }

    /// Messages that were sent and not acknowledged when the connection was lost last.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.messages.load(Ordering::Acquire)
    }

    /// For whoever has the session: its connection is gone, and with it perhaps so many messages.
    pub fn hibernate(&self, messages: usize) {
        self.messages.store(messages, Ordering::Release);
        self.hibernated.store(true, Ordering::Release);
    }

    /// For whoever has the session: it goes on over this connection.
    pub fn resumed(&self, from: Endpoint) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(from);
        self.hibernated.store(false, Ordering::Release);
    }

    pub(crate) fn endpoint(&self) -> Option<Endpoint> {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The wish of a new connection to have a session that another one has, or nobody.
/// Answered exactly once; dropping it means no.
pub struct Claim(Option<Give>);

type Give = Box<dyn FnOnce(Option<Box<Unacknowledged>>) + Send>;

impl Claim {
    /// `give` gets what the session's former holder leaves, or `None` if the session ends.
    pub fn new(give: impl FnOnce(Option<Box<Unacknowledged>>) + Send + 'static) -> Self {
        Self(Some(Box::new(give)))
    }

    /// The session is the claimant's from here on.
    pub fn give(mut self, left: Box<Unacknowledged>) {
        if let Some(give) = self.0.take() {
            give(Some(left));
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(give) = self.0.take() {
            give(None);
        }
    }
}

impl fmt::Debug for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claim")
    }
}
