//! How many follow events at once: so many in all, and so many of one account, that nobody takes all places.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// At once in all.
const MOST: usize = 256;
/// At once of one account: a browser with many windows open.
const MOST_OF_ONE: usize = 24;

/// Who follows, and how often. A cheap handle.
#[derive(Clone, Default)]
pub(crate) struct Followers(Arc<Mutex<HashMap<String, usize>>>);

/// A place among them, until it is dropped.
pub(crate) struct Place {
    of: Followers,
    account: String,
}

impl Followers {
    /// A place for this account; none while there is none.
    pub(crate) fn place(&self, account: &str) -> Option<Place> {
        let mut all = self.lock();
        let own = all.get(account).copied().unwrap_or(0);
        if own >= MOST_OF_ONE || all.values().sum::<usize>() >= MOST {
            return None;
        }
        all.insert(account.to_owned(), own + 1);
        Some(Place { of: self.clone(), account: account.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.of.lock();
        if let Some(own) = all.get_mut(&self.account) {
            *own -= 1;
            if *own == 0 {
                all.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_what_is_left_is_free_again() {
        let followers = Followers::default();
        let mut places: Vec<Place> = (0..30).filter_map(|_| followers.place("hal@localhost")).collect();
        assert_eq!(places.len(), MOST_OF_ONE);
        places.pop();
        assert!(followers.place("hal@localhost").is_some());
        for number in 0..20 {
            let account = format!("{number}@localhost");
            places.extend((0..MOST_OF_ONE).filter_map(|_| followers.place(&account)));
        }
        assert_eq!(places.len(), MOST);
        assert!(followers.place("poins@localhost").is_none());
        drop(places);
        assert!(followers.lock().is_empty());
    }
}
