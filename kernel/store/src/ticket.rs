use tokio::sync::oneshot;

use crate::error::{Result, StoreError};

/// The promise of an answer about a submitted batch. Dropping it does not
/// withdraw the batch.
#[derive(Debug)]
#[must_use = "a batch is durable only when its ticket says so"]
pub struct Ticket(State);

#[derive(Debug)]
enum State {
    Known(Result<()>),
    Waiting(oneshot::Receiver<Result<()>>),
}

impl Ticket {
    pub(crate) fn known(result: Result<()>) -> Self {
        Self(State::Known(result))
    }

    pub(crate) fn pair() -> (oneshot::Sender<Result<()>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(State::Waiting(receiver)))
    }

    /// Waits until the batch is durable, or (class relaxed) accepted. Not tied
    /// to an async runtime.
    pub async fn wait(self) -> Result<()> {
        match self.0 {
            State::Known(result) => result,
            State::Waiting(receiver) => receiver.await.unwrap_or(Err(StoreError::Closed)),
        }
    }

    /// As [`Ticket::wait`], for threads that are no part of an async runtime.
    ///
    /// # Panics
    /// Inside an async task, as it would block the event loop.
    pub fn wait_blocking(self) -> Result<()> {
        match self.0 {
            State::Known(result) => result,
            State::Waiting(receiver) => receiver.blocking_recv().unwrap_or(Err(StoreError::Closed)),
        }
    }

    /// Why the batch was refused at once, if it was.
    #[must_use]
    pub fn refused(&self) -> Option<&StoreError> {
        match &self.0 {
            State::Known(Err(error)) => Some(error),
            _ => None,
        }
    }
}
