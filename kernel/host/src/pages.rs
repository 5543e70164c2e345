//! How many pages of archives are under way.

use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use xylem_hooks::page::PagePlace;

/// Most pages under way for one key of a plugin, and in all. Each holds its rows until
/// whoever gets them has room.
const MOST_OF_KEY: u32 = 32;
const MOST: usize = 1024;

/// Counts them.
#[derive(Default)]
pub(crate) struct Pages(Arc<Mutex<HashMap<Key, u32>>>);

/// Plugin and key.
type Key = (Arc<str>, Arc<str>);

struct Held {
    pages: Arc<Mutex<HashMap<Key, u32>>>,
    key: Key,
}

impl Pages {
    /// A place for one more, given back when it is dropped; `None` when there are too many.
    pub(crate) fn enter(&self, plugin: &Arc<str>, key: &Arc<str>) -> Option<PagePlace> {
        let mut pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (Arc::clone(plugin), Arc::clone(key));
        let all: usize = pages.values().map(|count| usize::try_from(*count).unwrap_or(MOST)).sum();
        let count = pages.entry(key.clone()).or_default();
        if *count >= MOST_OF_KEY || all >= MOST {
            return None;
        }
        *count += 1;
        Some(PagePlace(Arc::new(Held { pages: Arc::clone(&self.0), key })))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = pages.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                pages.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{MOST_OF_KEY, Pages};

    #[test]
    fn places_are_bounded_and_given_back() {
        let pages = Pages::default();
        let enter = |key: &str| pages.enter(&"p".into(), &key.into());
        let held: Vec<_> = (0..MOST_OF_KEY).map(|_| enter("a").unwrap()).collect();
        assert!(enter("a").is_none() && enter("b").is_some());
        drop(held);
        assert!(enter("a").is_some());
        assert!(pages.0.lock().unwrap().is_empty());
    }
}
