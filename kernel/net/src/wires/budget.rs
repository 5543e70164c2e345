//! What the relays of one user may use together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::{Bounds, ClaimError};

/// The users that have relays, by owner and user.
#[derive(Default)]
pub(super) struct Budgets(Arc<Mutex<HashMap<Arc<str>, Owner>>>);

#[derive(Default)]
struct Owner {
    relays: usize,
    users: HashMap<String, User>,
}

struct User {
    relays: usize,
    bucket: Arc<Mutex<Bucket>>,
}

/// Bytes that may move; may be overdrawn by one move, which must then be made good.
struct Bucket {
    credit: f64,
    at: Instant,
}

impl Budgets {
    /// A place for one more relay, until it is dropped.
    pub(super) fn enter(&self, owner: &str, bounds: &Bounds) -> Result<Slot, ClaimError> {
        let mut owners = lock(&self.0);
        let known = owners.entry(owner.into()).or_default();
        let of_user = known.users.get(&bounds.user).map_or(0, |user| user.relays);
        let full = match () {
            () if known.relays >= bounds.total => Some(ClaimError::Total),
            () if of_user >= bounds.per_user => Some(ClaimError::PerUser),
            () => None,
        };
        if let Some(full) = full {
            if known.relays == 0 {
                owners.remove(owner);
            }
            return Err(full);
        }
        known.relays += 1;
        let user = known.users.entry(bounds.user.clone()).or_insert_with(|| User {
            relays: 0,
            bucket: Arc::new(Mutex::new(Bucket { credit: burst(bounds.rate), at: Instant::now() })),
        });
        user.relays += 1;
        Ok(Slot {
            owners: Arc::clone(&self.0),
            owner: owner.into(),
            user: bounds.user.clone(),
            rate: bounds.rate,
            bucket: Arc::clone(&user.bucket),
        })
    }
}

/// One relay's place.
pub(super) struct Slot {
    owners: Arc<Mutex<HashMap<Arc<str>, Owner>>>,
    owner: Arc<str>,
    user: String,
    rate: u64,
    bucket: Arc<Mutex<Bucket>>,
}

impl Slot {
    /// How much may move at once, so that the debt is made good soon.
    pub(super) fn stride(&self, most: usize) -> usize {
        match self.rate {
            0 => most,
            rate => usize::try_from(rate / 4).unwrap_or(most).clamp(1024, most),
        }
    }

    /// So many bytes moved; until when nothing more may.
    pub(super) fn spend(&self, bytes: usize) -> Option<Instant> {
        if self.rate == 0 {
            return None;
        }
        let rate = self.rate as f64;
        let now = Instant::now();
        let mut bucket = lock(&self.bucket);
        let gained = now.saturating_duration_since(bucket.at).as_secs_f64() * rate;
        bucket.at = now;
        bucket.credit = (bucket.credit + gained).min(burst(self.rate)) - bytes as f64;
        (bucket.credit < 0.0).then(|| now + Duration::from_secs_f64((-bucket.credit / rate).min(3600.0)))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut owners = lock(&self.owners);
        let Some(owner) = owners.get_mut(&self.owner) else { return };
        owner.relays = owner.relays.saturating_sub(1);
        if let Some(user) = owner.users.get_mut(&self.user) {
            user.relays = user.relays.saturating_sub(1);
            if user.relays == 0 {
                owner.users.remove(&self.user);
            }
        }
        if owner.users.is_empty() {
            owners.remove(&self.owner);
        }
    }
}

/// What may move at once after a rest: a quarter of a second's worth.
fn burst(rate: u64) -> f64 {
    rate as f64 / 4.0
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn bounds(user: &str, rate: u64) -> Bounds {
        Bounds { user: user.to_owned(), per_user: 2, total: 3, rate, bytes: 0, idle: Duration::from_secs(1) }
    }

    #[test]
    fn places_are_counted_for_the_user_and_in_all_and_given_back() {
        let budgets = Budgets::default();
        let first = budgets.enter("o", &bounds("a", 0)).unwrap();
        let _second = budgets.enter("o", &bounds("a", 0)).unwrap();
        assert_eq!(budgets.enter("o", &bounds("a", 0)).err(), Some(ClaimError::PerUser));
        let third = budgets.enter("o", &bounds("b", 0)).unwrap();
        assert_eq!(budgets.enter("o", &bounds("c", 0)).err(), Some(ClaimError::Total));
        let elsewhere = budgets.enter("other", &bounds("a", 0)).unwrap();
        drop((third, elsewhere, first));
        let again = budgets.enter("o", &bounds("a", 0)).unwrap();
        drop((again, _second));
        assert!(lock(&budgets.0).is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn relays_of_a_user_share_their_rate() {
        let budgets = Budgets::default();
        let (one, other) =
            (budgets.enter("o", &bounds("a", 4000)).unwrap(), budgets.enter("o", &bounds("a", 4000)).unwrap());
        assert_eq!(one.stride(1 << 20), 1024);
        assert_eq!(one.spend(1000), None);
        let until = other.spend(2000).unwrap();
        assert_eq!(until.duration_since(Instant::now()), Duration::from_millis(500));
        tokio::time::sleep_until(until).await;
        assert!(one.spend(1).is_some());
        assert_eq!(budgets.enter("o", &bounds("b", 0)).unwrap().spend(usize::MAX), None);
    }
}
