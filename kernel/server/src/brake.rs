//! The brake on guessing passwords, one for all ways in.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use xylem_sasl::{Blocked, Throttle, ThrottleConfig};

/// Failures by address and by account since the start.
pub struct Brake {
    throttle: Mutex<Throttle>,
    started: Instant,
}

impl Brake {
    pub fn new(config: ThrottleConfig) -> Self {
        Self { throttle: Mutex::new(Throttle::new(config)), started: Instant::now() }
    }

    /// Whether an attempt may be made.
    pub fn check(&self, address: IpAddr, account: &str) -> Result<(), Blocked> {
        self.throttle().check(address, Some(account), self.started.elapsed())
    }

    pub fn failed(&self, address: IpAddr, account: Option<&str>) {
        self.throttle().failed(address, account, self.started.elapsed());
    }

    pub fn succeeded(&self, address: IpAddr, account: &str) {
        self.throttle().succeeded(address, account, self.started.elapsed());
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
