//! The newest lines of the log, in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;
use tracing::Level;

/// Lines kept.
const LINES: usize = 10_000;
/// Bytes of text kept, about.
const BYTES: usize = 8 << 20;
/// Lines that a slow follower may be behind before it misses some.
const BEHIND: usize = 1024;

/// A ring of lines, and whoever follows it.
pub struct Journal {
    kept: Mutex<Kept>,
    followers: broadcast::Sender<Arc<Line>>,
}

#[derive(Default)]
struct Kept {
    lines: VecDeque<Arc<Line>>,
    bytes: usize,
    told: u64,
}

/// A line, numbered.
#[derive(Debug)]
pub struct Line {
    /// Rises by one with each line since the start, from 1.
    pub number: u64,
    pub entry: Entry,
}

/// What was told.
#[derive(Debug)]
pub struct Entry {
    /// Milliseconds since 1970 UTC.
    pub at: u64,
    pub level: Level,
    /// Where in the program.
    pub target: String,
    pub message: String,
    pub fields: BTreeMap<String, String>,
}

/// Which lines are wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// This one and what is more serious.
    pub level: Level,
    /// Occurs in the message or a field, whatever the case; in lower case here.
    pub search: Option<String>,
    /// Of this plugin, or about it.
    pub plugin: Option<String>,
}

impl Default for Journal {
    fn default() -> Self {
        Self { kept: Mutex::default(), followers: broadcast::channel(BEHIND).0 }
    }
}

impl Journal {
    pub(super) fn keep(&self, entry: Entry) {
        let mut kept = self.lock();
        kept.told += 1;
        let line = Arc::new(Line { number: kept.told, entry });
        kept.bytes += line.entry.size();
        kept.lines.push_back(Arc::clone(&line));
        while kept.lines.len() > LINES || kept.bytes > BYTES {
            let Some(oldest) = kept.lines.pop_front() else { break };
            kept.bytes -= oldest.entry.size();
        }
        drop(kept);
        // Nobody may be there.
        let _ = self.followers.send(line);
    }

    /// The newest that are wanted, newest first, below a number; whether there are more.
    pub fn page(&self, wanted: &Wanted, below: Option<u64>, limit: usize) -> (Vec<Arc<Line>>, bool) {
        // Copied out, so that nobody who tells something waits for a search.
        let lines: Vec<_> = self.lock().lines.iter().rev().cloned().collect();
        let mut found = lines.into_iter().filter(|line| below.is_none_or(|below| line.number < below));
        let mut page: Vec<_> = found.by_ref().filter(|line| wanted.takes(&line.entry)).take(limit + 1).collect();
        let more = page.len() > limit;
        page.truncate(limit);
        (page, more)
    }

    /// What is told from now on.
    pub fn follow(&self) -> broadcast::Receiver<Arc<Line>> {
        self.followers.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    pub fn takes(&self, entry: &Entry) -> bool {
        entry.level <= self.level
            && self.plugin.as_ref().is_none_or(|plugin| entry.fields.get("plugin") == Some(plugin))
            && self.search.as_ref().is_none_or(|search| {
                let mut texts = entry.fields.values().chain([&entry.message, &entry.target]);
                texts.any(|text| text.to_lowercase().contains(search))
            })
    }
}

impl Entry {
    fn size(&self) -> usize {
        let fields: usize = self.fields.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
        self.message.len() + self.target.len() + fields + 128
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    fn entry(level: Level, message: &str, plugin: &str) -> Entry {
        let fields = BTreeMap::from([("plugin".to_owned(), plugin.to_owned())]);
        Entry { at: 0, level, target: "t".to_owned(), message: message.to_owned(), fields }
    }

    fn all() -> Wanted {
        Wanted { level: Level::TRACE, search: None, plugin: None }
    }

    #[test]
    fn lines_are_found_newest_first_and_page_by_page() {
        let journal = Journal::default();
        for n in 0..5 {
            journal.keep(entry(Level::INFO, &format!("Line {n}"), "a"));
        }
        journal.keep(entry(Level::ERROR, "broke", "b"));
        let (first, more) = journal.page(&all(), None, 2);
        assert_eq!((first[0].number, first[1].number, more), (6, 5, true));
        let (rest, more) = journal.page(&all(), Some(5), 9);
        assert_eq!((rest.len(), more), (4, false));
        let serious = Wanted { level: Level::WARN, ..all() };
        assert_eq!(journal.page(&serious, None, 9).0.len(), 1);
        let found = Wanted { search: Some("line 3".to_owned()), ..all() };
        assert_eq!(journal.page(&found, None, 9).0[0].number, 4);
        let of_b = Wanted { plugin: Some("b".to_owned()), ..all() };
        assert_eq!(journal.page(&of_b, None, 9).0.len(), 1);
    }

    #[test]
    fn what_is_kept_is_bounded_in_lines_and_bytes() {
        let journal = Journal::default();
        for _ in 0..LINES + 10 {
            journal.keep(entry(Level::INFO, "x", "a"));
        }
        assert_eq!(journal.lock().lines.len(), LINES);
        let long = "y".repeat(100_000);
        for _ in 0..200 {
            journal.keep(entry(Level::INFO, &long, "a"));
        }
        let kept = journal.lock();
        assert!(kept.bytes <= BYTES && kept.lines.len() < 100);
        assert_eq!(kept.lines.back().unwrap().number, (LINES + 210) as u64);
    }
}
