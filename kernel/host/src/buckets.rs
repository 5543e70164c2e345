//! Token buckets of plugins.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hashbrown::HashMap;

/// Most buckets held; above it those that are full again are forgotten first.
const MOST: usize = 100_000;

type Key = (Arc<str>, Box<str>, Box<str>);

/// All buckets, by plugin, name and subject. A full bucket need not be held.
#[derive(Default)]
pub(crate) struct Buckets {
    levels: Mutex<HashMap<Key, Level>>,
}

struct Level {
    tokens: f64,
    at: u64,
    full_at: u64,
}

impl Buckets {
    /// Takes a token; false when none is left.
    pub(crate) fn take(
        &self,
        plugin: &Arc<str>,
        bucket: &str,
        subject: &str,
        count: u32,
        per: Duration,
        now: u64,
    ) -> bool {
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= MOST {
            levels.retain(|_, level| level.full_at > now);
            if levels.len() >= MOST {
                return false;
            }
        }
        let most = f64::from(count);
        let per = per.as_millis() as f64;
        let level = levels.entry((Arc::clone(plugin), bucket.into(), subject.into())).or_insert(Level {
            tokens: most,
            at: now,
            full_at: now,
        });
        let gained = now.saturating_sub(level.at) as f64 * most / per;
        level.tokens = (level.tokens + gained).min(most);
        level.at = now;
        let taken = level.tokens >= 1.0;
        if taken {
            level.tokens -= 1.0;
        }
        level.full_at = now.saturating_add(((most - level.tokens) * per / most) as u64);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_with_time_and_subjects_do_not_share() {
        let (buckets, plugin): (_, Arc<str>) = (Buckets::default(), "p".into());
        let hour = Duration::from_secs(3600);
        let take = |subject, now| buckets.take(&plugin, "b", subject, 2, hour, now);
        assert!(take("a", 0) && take("a", 0) && !take("a", 0));
        assert!(take("b", 0));
        assert!(!take("a", 1_700_000));
        assert!(take("a", 1_800_000));
    }
}
