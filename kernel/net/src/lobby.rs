//! Connections without a session: who is still logging in has no queue in the
//! session table, but must be told of a shutdown all the same.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use xylem_session::{Queue, QueueLimits};
use xylem_stanza::StreamCondition;

/// All connections that are not bound yet.
#[derive(Debug, Default)]
pub(crate) struct Lobby {
    guests: Mutex<HashMap<u64, Arc<Queue>>>,
    next: AtomicU64,
    closed: AtomicBool,
}

impl Lobby {
    /// A place to wait in. Once the lobby is closed its queue says so at once.
    pub(crate) fn enter(self: &Arc<Self>) -> Guest {
        let queue = Arc::new(Queue::new(QueueLimits::default()));
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.guests().insert(number, queue.clone());
        // After the insertion: either this sees the closing or the closing saw the guest.
        if self.closed.load(Ordering::SeqCst) {
            queue.end(StreamCondition::SystemShutdown, None);
        }
        Guest { lobby: self.clone(), number, queue }
    }

    /// Ends everybody with `system-shutdown`, those too who come later.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        let guests: Vec<_> = self.guests().values().cloned().collect();
        for queue in guests {
            queue.end(StreamCondition::SystemShutdown, None);
        }
    }

    /// Whether everybody is to leave.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    fn guests(&self) -> MutexGuard<'_, HashMap<u64, Arc<Queue>>> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One place; given up when dropped.
#[derive(Debug)]
pub(crate) struct Guest {
    lobby: Arc<Lobby>,
    number: u64,
    queue: Arc<Queue>,
}

impl Guest {
    pub(crate) fn queue(&self) -> &Queue {
        &self.queue
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.lobby.guests().remove(&self.number);
    }
}
