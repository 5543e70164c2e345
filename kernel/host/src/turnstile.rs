//! Order among the calls of one key when some of them have to wait.
//!
//! Calls that need not wait pass under the shard's lock and never come here. Once a
//! call of a key has to wait (for rows, or because its plugin is suspected), all
//! later calls of that key queue behind it.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use tokio::sync::oneshot;

/// Who waits, by key.
#[derive(Default)]
pub(crate) struct Turnstile {
    keys: Mutex<HashMap<Arc<str>, VecDeque<Waiting>>>,
    /// Keys in the table, readable without the lock.
    busy: AtomicUsize,
    serial: AtomicUsize,
}

struct Waiting {
    serial: usize,
    turn: Option<oneshot::Sender<()>>,
}

/// A place in the queue of a key; leaving it lets the next one in.
pub(crate) struct Place {
    turnstile: Arc<Turnstile>,
    key: Arc<str>,
    serial: usize,
    turn: Option<oneshot::Receiver<()>>,
}

impl Turnstile {
    /// Whether a call of this key may pass at once.
    pub(crate) fn is_free(&self, key: &str) -> bool {
        self.busy.load(Ordering::Acquire) == 0
            || !self.keys.lock().unwrap_or_else(PoisonError::into_inner).contains_key(key)
    }

    /// Queues up. The place counts from now on, whenever it is waited for.
    pub(crate) fn join(self: &Arc<Self>, key: &Arc<str>) -> Place {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = keys.entry(Arc::clone(key)).or_default();
        let (sender, receiver) = oneshot::channel();
        let first = queue.is_empty();
        queue.push_back(Waiting { serial, turn: (!first).then_some(sender) });
        self.busy.store(keys.len(), Ordering::Release);
        Place { turnstile: Arc::clone(self), key: Arc::clone(key), serial, turn: (!first).then_some(receiver) }
    }
}

impl Place {
    /// Waits until everybody in front has left.
    pub(crate) async fn wait(&mut self) {
        if let Some(turn) = self.turn.as_mut() {
            let _ = turn.await;
            self.turn = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut keys = self.turnstile.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(queue) = keys.get_mut(&self.key) else { return };
        queue.retain(|waiting| waiting.serial != self.serial);
        match queue.front_mut() {
            None => {
                keys.remove(&self.key);
            }
            Some(next) => {
                if let Some(turn) = next.turn.take() {
                    let _ = turn.send(());
                }
            }
        }
        self.turnstile.busy.store(keys.len(), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn those_who_wait_go_in_the_order_they_came_and_leavers_block_nobody() {
        let turnstile = Arc::new(Turnstile::default());
        let key: Arc<str> = "k".into();
        assert!(turnstile.is_free("k"));
        let mut first = turnstile.join(&key);
        let second = turnstile.join(&key);
        let mut third = turnstile.join(&key);
        assert!(!turnstile.is_free("k") && turnstile.is_free("other"));
        first.wait().await;
        drop(second);
        let waits = tokio::time::timeout(std::time::Duration::from_millis(20), third.wait()).await;
        assert!(waits.is_err(), "third went before first had left");
        drop(first);
        let goes = tokio::time::timeout(std::time::Duration::from_secs(5), third.wait()).await;
        assert!(goes.is_ok(), "first had left, third still waits");
        drop(third);
        assert!(turnstile.is_free("k"));
    }
}
