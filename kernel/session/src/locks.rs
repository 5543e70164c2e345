//! Locks that count themselves in debug builds, so that a test can pin how many a message
//! takes (`router/tests/cost.rs`). In release builds they are the standard library's.
//! The store has them from this file as well.

use std::cell::Cell;

#[cfg(debug_assertions)]
pub(crate) use counting::{Mutex, RwLock};
#[cfg(not(debug_assertions))]
pub(crate) use std::sync::{Mutex, RwLock};

thread_local! {
    static TAKEN: Cell<u64> = const { Cell::new(0) };
}

/// How many locks of this crate the present thread has taken, for reading or writing; stays
/// 0 in release builds.
#[must_use]
pub fn taken() -> u64 {
    TAKEN.get()
}

#[cfg(debug_assertions)]
#[allow(dead_code, reason = "not each crate takes locks of each kind")]
mod counting {
    use std::sync::{LockResult, MutexGuard, RwLockReadGuard, RwLockWriteGuard};

    use super::TAKEN;

    /// Locks may be taken while a thread ends, when there is no counter any more.
    fn count() {
        let _ = TAKEN.try_with(|taken| taken.set(taken.get() + 1));
    }

    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(std::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            count();
            self.0.lock()
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct RwLock<T>(std::sync::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(std::sync::RwLock::new(value))
        }

        pub(crate) fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
            count();
            self.0.read()
        }

        pub(crate) fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
            count();
            self.0.write()
        }
    }
}
