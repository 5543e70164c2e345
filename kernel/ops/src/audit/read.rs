//! The audit log backwards, the newest first, however long it is.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::{AuditLog, AuditRow};
use crate::page::{Page, Paging};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;
/// Longest line; a longer one is passed over.
const LINE: usize = 4 << 20;
/// Bytes looked through for one page. What comes back then may be less than a page, with a `next`.
const PATIENCE: u64 = 16 << 20;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    pub who: Option<String>,
    /// A name, or the noun before the point.
    pub operation: Option<String>,
    pub face: Option<String>,
    /// Seconds since 1970 UTC, both included.
    pub since: Option<u64>,
    pub until: Option<u64>,
    /// Only what was refused or failed, or only what was not.
    pub failed: Option<bool>,
    pub paging: Paging,
}

impl AuditLog {
    /// One page, the newest first; `after` is an offset in the file, which only grows.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(&self, query: &AuditQuery) -> io::Result<Page<AuditRow>> {
        let file = File::open(self.path())?;
        let length = file.metadata()?.len();
        let from = query.paging.after.as_ref().and_then(|after| after.parse().ok()).unwrap_or(length).min(length);
        let mut items = Vec::new();
        let stopped = backwards(&file, from, |line| {
            let row = serde_json::from_slice::<AuditRow>(line).ok().filter(|row| query.finds(row));
            items.extend(row);
            items.len() < query.paging.limit()
        })?;
        let next = (stopped > 0).then(|| stopped.to_string());
        Ok(Page { items, next, total: None })
    }
}

impl AuditQuery {
    fn finds(&self, row: &AuditRow) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let of = |wanted: &str| row.operation == wanted || row.operation.split('.').next() == Some(wanted);
        let arguments = || serde_json::to_string(&row.arguments).unwrap_or_default();
        is(&self.who, &row.who)
            && is(&self.face, &row.face)
            && self.operation.as_deref().is_none_or(of)
            && self.since.is_none_or(|since| row.at / 1000 >= since)
            && self.until.is_none_or(|until| row.at / 1000 <= until)
            && self.failed.is_none_or(|failed| row.error.is_some() == failed)
            && (self.paging.search.is_none()
                || self.paging.finds(&[
                    &row.who,
                    &row.from,
                    &row.operation,
                    &row.what,
                    row.error.as_deref().unwrap_or_default(),
                    &arguments(),
                ]))
    }
}

/// Gives lines from `end` towards the beginning until `more` says that it is enough. Says where
/// the last line that was given begins, or where patience ended; 0 at the beginning.
pub(super) fn backwards(file: &File, mut end: u64, mut more: impl FnMut(&[u8]) -> bool) -> io::Result<u64> {
    let lowest = end.saturating_sub(PATIENCE);
    let mut size = CHUNK;
    while end > lowest {
        let start = end.saturating_sub(size as u64);
        let mut window = vec![0; usize::try_from(end - start).unwrap_or(size)];
        file.read_exact_at(&mut window, start)?;
        // The first line of a window has begun before it, unless the file begins there.
        let first = if start == 0 { Some(0) } else { window.iter().position(|b| *b == b'\n').map(|at| at + 1) };
        let Some(first) = first.filter(|first| *first < window.len()) else {
            size *= 2;
            if size > LINE {
                (end, size) = (start, CHUNK);
            }
            continue;
        };
        let mut at = window.len();
        let whole = window.get(first..).unwrap_or_default();
        for line in whole.strip_suffix(b"\n").unwrap_or(whole).rsplit(|b| *b == b'\n') {
            let trailing = usize::from(window.get(at.wrapping_sub(1)) == Some(&b'\n'));
            at = at.saturating_sub(line.len() + trailing);
            if !more(line) {
                return Ok(start + at as u64);
            }
        }
        end = start + first as u64;
        size = CHUNK;
    }
    Ok(end)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::io::Write as _;

    use super::*;

    fn lines(file: &File, from: u64, most: usize) -> (Vec<String>, u64) {
        let mut lines = Vec::new();
        let stopped = backwards(file, from, |line| {
            lines.push(String::from_utf8(line.to_vec()).unwrap());
            lines.len() < most
        });
        (lines, stopped.unwrap())
    }

    #[test]
    fn the_newest_come_first_and_pages_meet() {
        let mut file = tempfile::tempfile().unwrap();
        let text: String = (0..50_000).map(|n| format!("line {n}\n")).collect();
        file.write_all(text.as_bytes()).unwrap();
        let (mut from, mut seen) = (text.len() as u64, Vec::new());
        while from > 0 {
            let (page, stopped) = lines(&file, from, 999);
            seen.extend(page);
            from = stopped;
        }
        let expected: Vec<_> = (0..50_000).rev().map(|n| format!("line {n}")).collect();
        assert_eq!(seen.len(), expected.len());
        assert_eq!(seen, expected);
    }

    #[test]
    fn a_line_longer_than_a_window_is_one_line() {
        let mut file = tempfile::tempfile().unwrap();
        let long = "x".repeat(CHUNK * 3);
        let text = format!("a\n{long}\nb\n");
        file.write_all(text.as_bytes()).unwrap();
        assert_eq!(lines(&file, text.len() as u64, 9), (vec!["b".to_owned(), long, "a".to_owned()], 0));
    }
}
