//! Wake-ups, kept back while a batch is worked off.
//!
//! A connection that read four stanzas for the same recipient would otherwise
//! wake it at the first one; another thread would write that one alone, and be
//! woken three times more. Here all four are queued when the bell rings.

use std::cell::RefCell;
use std::task::Waker;

thread_local! {
    static HELD: RefCell<Held> = const { RefCell::new(Held { depth: 0, wakers: Vec::new() }) };
}

struct Held {
    depth: usize,
    wakers: Vec<Waker>,
}

/// Runs `work` and rings afterwards whatever it wanted to ring, once per session.
///
/// May be nested; the outermost call rings. `work` must not block: recipients
/// wait for its return. The bells ring even if `work` panics.
pub fn hold<R>(work: impl FnOnce() -> R) -> R {
    HELD.with_borrow_mut(|held| held.depth += 1);
    let _release = Release;
    work()
}

/// Wakes now, or when the innermost enclosing [`hold`] of this thread ends.
pub(crate) fn ring(waker: Waker) {
    let now = HELD.with_borrow_mut(|held| {
        if held.depth == 0 {
            return Some(waker);
        }
        held.wakers.push(waker);
        None
    });
    if let Some(waker) = now {
        waker.wake();
    }
}

struct Release;

impl Drop for Release {
    fn drop(&mut self) {
        let wakers = HELD.with_borrow_mut(|held| {
            held.depth -= 1;
            (held.depth == 0).then(|| std::mem::take(&mut held.wakers))
        });
        let Some(mut wakers) = wakers else { return };
        // Waking may run foreign code (a waker's vtable), so nothing is borrowed meanwhile.
        for waker in wakers.drain(..) {
            waker.wake();
        }
        HELD.with_borrow_mut(|held| {
            if held.wakers.capacity() == 0 && wakers.capacity() <= KEPT {
                held.wakers = wakers;
            }
        });
    }
}

/// Capacity kept per thread between batches, in wakers.
const KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn outermost_hold_rings() {
        let count = Arc::new(Count::default());
        hold(|| {
            hold(|| ring(count.clone().into()));
            assert_eq!(count.0.load(Ordering::Relaxed), 0);
            ring(count.clone().into());
        });
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        ring(count.clone().into());
        assert_eq!(count.0.load(Ordering::Relaxed), 3);
    }

    #[test]
    fn a_panic_rings_as_well() {
        let count = Arc::new(Count::default());
        let inside = count.clone();
        let outcome = std::panic::catch_unwind(move || {
            hold(|| {
                ring(inside.into());
                std::panic::resume_unwind(Box::new(()));
            })
        });
        assert!(outcome.is_err());
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
    }
}
