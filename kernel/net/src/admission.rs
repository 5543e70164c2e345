//! Who may connect: bounds on connections altogether, per address, and per time.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::range::Range;

/// Bounds on connections. An IPv6 client counts by its /64 network.
#[derive(Debug, Clone, PartialEq)]
pub struct AdmissionLimits {
    /// Connections altogether, default 100,000.
    pub total: usize,
    /// Connections of one address at a time, default 1,000.
    pub per_address: usize,
    /// New connections of one address per second, over time, default 20.
    pub per_second: f64,
    /// How many it may make at once before that counts, default 200.
    pub burst: f64,
    /// Addresses to which the last three do not apply, default loopback.
    pub exempt: Vec<Range>,
}

impl Default for AdmissionLimits {
    fn default() -> Self {
        let loopback = ["127.0.0.0/8", "::1/128"];
        Self {
            total: 100_000,
            per_address: 1000,
            per_second: 20.0,
            burst: 200.0,
            exempt: loopback.iter().filter_map(|range| range.parse().ok()).collect(),
        }
    }
}

/// Why a connection was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Denied {
    /// The server holds as many connections as it may.
    #[error("too many connections altogether")]
    Total,
    /// The address holds as many as it may.
    #[error("too many connections of this address")]
    PerAddress,
    /// The address connects too often.
    #[error("this address connects too often")]
    TooOften,
}

/// Counts connections and turns some away.
#[derive(Debug, Clone)]
pub struct Admission(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    limits: RwLock<Arc<AdmissionLimits>>,
    total: AtomicUsize,
    addresses: Mutex<HashMap<IpAddr, Visits>>,
    none_left: Notify,
}

#[derive(Debug)]
struct Visits {
    open: usize,
    /// What is left of the burst at `at`.
    credit: f64,
    at: Instant,
}

/// Forgetting waits until the table is this long.
const SWEEP_AT: usize = 16 * 1024;

impl Admission {
    /// With nobody connected.
    #[must_use]
    pub fn new(limits: AdmissionLimits) -> Self {
        Self(Arc::new(Shared {
            limits: RwLock::new(Arc::new(limits)),
            total: AtomicUsize::new(0),
            addresses: Mutex::default(),
            none_left: Notify::new(),
        }))
    }

    /// Counts one more connection until the permit is dropped.
    ///
    /// # Errors
    /// Says which bound is reached.
    pub fn admit(&self, address: IpAddr) -> Result<Permit, Denied> {
        self.admit_at(address, Instant::now())
    }

    fn admit_at(&self, address: IpAddr, now: Instant) -> Result<Permit, Denied> {
        let limits = self.limits();
        let address = network(address);
        let counted = !limits.exempt.iter().any(|range| range.contains(address));
        if self.0.total.fetch_add(1, Ordering::AcqRel) >= limits.total {
            self.0.leave();
            return Err(Denied::Total);
        }
        if counted && let Err(denied) = self.0.visit(address, &limits, now) {
            self.0.leave();
            return Err(denied);
        }
        Ok(Permit { shared: self.0.clone(), address: counted.then_some(address) })
    }

    /// Connections that are open now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.total.load(Ordering::Acquire)
    }

    /// Waits until no connection is open.
    pub async fn all_gone(&self) {
        loop {
            let left = self.0.none_left.notified();
            if self.count() == 0 {
                return;
            }
            left.await;
        }
    }

    /// The bounds in force.
    #[must_use]
    pub fn limits(&self) -> Arc<AdmissionLimits> {
        self.0.limits.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Changes them; connections that are open stay.
    pub fn set_limits(&self, limits: AdmissionLimits) {
        *self.0.limits.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(limits);
    }
}

impl Shared {
    fn visit(&self, address: IpAddr, limits: &AdmissionLimits, now: Instant) -> Result<(), Denied> {
        let mut addresses = self.addresses();
        if addresses.len() >= SWEEP_AT {
            addresses.retain(|_, visits| visits.open > 0 || visits.credit_at(limits, now) < limits.burst);
        }
        let visits = addresses.entry(address).or_insert(Visits { open: 0, credit: limits.burst, at: now });
        visits.credit = visits.credit_at(limits, now);
        visits.at = now;
        if visits.open >= limits.per_address {
            return Err(Denied::PerAddress);
        }
        if visits.credit < 1.0 {
            return Err(Denied::TooOften);
        }
        visits.credit -= 1.0;
        visits.open += 1;
        Ok(())
    }

    fn leave(&self) {
        if self.total.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.none_left.notify_waiters();
        }
    }

    fn addresses(&self) -> MutexGuard<'_, HashMap<IpAddr, Visits>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visits {
    fn credit_at(&self, limits: &AdmissionLimits, now: Instant) -> f64 {
        let passed: Duration = now.saturating_duration_since(self.at);
        (self.credit + passed.as_secs_f64() * limits.per_second).min(limits.burst)
    }
}

/// One admitted connection.
#[derive(Debug)]
pub struct Permit {
    shared: Arc<Shared>,
    address: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(address) = self.address
            && let Some(visits) = self.shared.addresses().get_mut(&address)
        {
            visits.open = visits.open.saturating_sub(1);
        }
        self.shared.leave();
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn admission(total: usize, per_address: usize, per_second: f64, burst: f64) -> Admission {
        Admission::new(AdmissionLimits { total, per_address, per_second, burst, exempt: Vec::new() })
    }

    #[test]
    fn counts_by_address_and_network() {
        let admission = admission(4, 1, 1000.0, 1000.0);
        let one = admission.admit("2001:db8::1".parse().unwrap()).unwrap();
        let same = admission.admit("2001:db8::ffff:1".parse().unwrap());
        assert_eq!(same.unwrap_err(), Denied::PerAddress);
        let _other = admission.admit("2001:db8:0:1::1".parse().unwrap()).unwrap();
        drop(one);
        let _one = admission.admit("2001:db8::1".parse().unwrap()).unwrap();
        assert_eq!(admission.count(), 2);
    }

    #[test]
    fn total_holds_for_the_exempt_too() {
        let admission = Admission::new(AdmissionLimits { total: 2, per_address: 0, ..Default::default() });
        let _held = [1, 2].map(|_| admission.admit("127.0.0.1".parse().unwrap()).unwrap());
        assert_eq!(admission.admit("127.0.0.1".parse().unwrap()).unwrap_err(), Denied::Total);
        assert_eq!(admission.count(), 2);
    }

    #[test]
    fn burst_then_rate() {
        let admission = admission(100, 100, 1.0, 2.0);
        let address = "192.0.2.1".parse().unwrap();
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..2 {
            drop(admission.admit_at(address, start).unwrap());
        }
        assert_eq!(admission.admit_at(address, start).unwrap_err(), Denied::TooOften);
        drop(admission.admit_at(address, after(1)).unwrap());
        assert_eq!(admission.admit_at(address, after(1)).unwrap_err(), Denied::TooOften);
    }
}
