//! Callbacks between the stanzas of a queue.

use std::fmt;

/// What became of everything that was queued before a [`Barrier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// It was handed to the operating system; with stream management, the client acknowledged it.
    Written,
    /// The session ended first; some of it may have been written.
    Lost,
}

/// A callback that fires exactly once: when what stands before it in the queue
/// was written, or when the session ended. Dropping it counts as [`Delivery::Lost`].
pub struct Barrier(Option<Box<dyn FnOnce(Delivery) + Send>>);

impl Barrier {
    /// `callback` runs on the session's task and must neither block nor panic.
    pub fn new(callback: impl FnOnce(Delivery) + Send + 'static) -> Self {
        Self(Some(Box::new(callback)))
    }

    /// Fires it.
    pub fn fire(mut self, delivery: Delivery) {
        if let Some(callback) = self.0.take() {
            callback(delivery);
        }
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        if let Some(callback) = self.0.take() {
            callback(Delivery::Lost);
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Barrier")
    }
}
