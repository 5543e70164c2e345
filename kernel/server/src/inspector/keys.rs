//! Leave to see text.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::now;

/// Keys at once.
const MOST: usize = 64;
const LENGTH: usize = 16;

/// Those that were given out.
#[derive(Default)]
pub struct Keys(Mutex<HashMap<String, Given>>);

struct Given {
    who: String,
    /// Milliseconds since 1970 UTC.
    until: u64,
}

impl Keys {
    /// A new one, and when it ends in milliseconds since 1970 UTC; none if too many are out.
    pub fn give(&self, who: String, minutes: u64) -> Option<(String, u64)> {
        let mut random = [0; LENGTH];
        getrandom::fill(&mut random).ok()?;
        let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let until = now().saturating_add(minutes.saturating_mul(60_000));
        let mut given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.retain(|_, given| given.until > now());
        if given.len() >= MOST {
            return None;
        }
        given.insert(key.clone(), Given { who, until });
        Some((key, until))
    }

    /// Until when this is good for them; none if it is not theirs, or over.
    pub fn until(&self, key: &str, who: &str) -> Option<u64> {
        let given = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        given.get(key).filter(|given| given.who == who && given.until > now()).map(|given| given.until)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_key_is_good_for_one_and_for_a_while() {
        let keys = Keys::default();
        let (key, until) = keys.give("root".to_owned(), 1).unwrap();
        assert_eq!(keys.until(&key, "root"), Some(until));
        assert_eq!(keys.until(&key, "somebody"), None);
        let (over, _) = keys.give("root".to_owned(), 0).unwrap();
        assert_eq!(keys.until(&over, "root"), None);
        for _ in 0..MOST - 1 {
            keys.give("root".to_owned(), 1).unwrap();
        }
        assert!(keys.give("root".to_owned(), 1).is_none());
    }
}
