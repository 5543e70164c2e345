//! The audit log in pages, the newest first unless somebody wants it otherwise, however long it is.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;

use super::parts::Part;
use super::{AuditLog, AuditRow};
use crate::page::{Key, Order, Page, Paging};

/// Bytes read at once.
const CHUNK: usize = 256 << 10;
/// Longest line; a longer one is passed over.
const LINE: usize = 4 << 20;
/// Bytes looked through for one page. What comes back then may be less than a page, with a `next`.
const PATIENCE: u64 = 16 << 20;

/// What is looked for.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// An account, with its tokens; or one of them, as it is written down.
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

/// Entries that are put in order by something else than time.
const SORTED: usize = 10_000;

/// Where to go on: which file, and from which byte of it on, upwards or downwards.
#[derive(Clone, Copy)]
struct Cursor {
    number: u64,
    byte: u64,
}

impl AuditLog {
    /// One page, the newest first unless it is sorted otherwise.
    ///
    /// # Errors
    /// When a file cannot be read; of the kind [`io::ErrorKind::InvalidInput`] when `after` is no cursor.
    pub fn read(&self, query: &AuditQuery) -> io::Result<Page<AuditRow>> {
        match (query.paging.sort.as_deref(), query.paging.order) {
            (None | Some("time"), Some(Order::Asc)) => self.upwards(query),
            (None | Some("time"), _) => self.downwards(query, query.paging.after.as_deref(), query.paging.limit()),
            (Some(by), _) => self.sorted(query, by),
        }
    }

    /// The newest first.
    fn downwards(&self, query: &AuditQuery, after: Option<&str>, limit: usize) -> io::Result<Page<AuditRow>> {
        let cursor = after.map(Cursor::parse).transpose()?;
        let mut items = Vec::new();
        let mut left = PATIENCE;
        let parts = self.parts()?;
        let parts: Vec<_> =
            parts.iter().rev().filter(|part| cursor.is_none_or(|cursor| part.number <= cursor.number)).collect();
        for (at, part) in parts.iter().enumerate() {
            let Some(file) = open(part)? else { continue };
            let length = file.metadata()?.len();
            let from = cursor.filter(|cursor| cursor.number == part.number).map_or(length, |at| at.byte.min(length));
            let stopped = backwards_within(&file, from, left, |line| {
                items.extend(serde_json::from_slice::<AuditRow>(line).ok().filter(|row| query.finds(row)));
                items.len() < limit
            })?;
            left = left.saturating_sub(from - stopped);
            if stopped > 0 {
                return Ok(Page {
                    items,
                    next: Some(Cursor { number: part.number, byte: stopped }.show()),
                    total: None,
                });
            }
            if let Some(older) = parts.get(at + 1).filter(|_| items.len() >= limit || left == 0) {
                let next = Cursor { number: older.number, byte: u64::MAX };
                return Ok(Page { items, next: Some(next.show()), total: None });
            }
        }
        Ok(Page { items, next: None, total: None })
    }

    /// The oldest first.
    fn upwards(&self, query: &AuditQuery) -> io::Result<Page<AuditRow>> {
        let cursor = query.paging.after.as_deref().map(Cursor::parse).transpose()?;
        let limit = query.paging.limit();
        let mut items = Vec::new();
        let mut left = PATIENCE;
        for part in self.parts()?.iter().filter(|part| cursor.is_none_or(|cursor| part.number >= cursor.number)) {
            let Some(mut file) = open(part)? else { continue };
            let mut byte = cursor.filter(|cursor| cursor.number == part.number).map_or(0, |at| at.byte);
            file.seek(SeekFrom::Start(byte))?;
            let mut lines = BufReader::new(file);
            let mut line = Vec::new();
            loop {
                if items.len() >= limit || left == 0 {
                    let next = Cursor { number: part.number, byte };
                    let more = !lines.fill_buf()?.is_empty() || part.path != self.path();
                    return Ok(Page { items, next: more.then(|| next.show()), total: None });
                }
                let read = lines.read_until(b'\n', &mut line)? as u64;
                if read == 0 {
                    break;
                }
                items.extend(serde_json::from_slice::<AuditRow>(&line).ok().filter(|row| query.finds(row)));
                (byte, left) = (byte + read, left.saturating_sub(read));
                line.clear();
            }
        }
        Ok(Page { items, next: None, total: None })
    }

    /// The newest of those that are looked for, by something else than time.
    fn sorted(&self, query: &AuditQuery, by: &str) -> io::Result<Page<AuditRow>> {
        let (mut rows, mut after) = (Vec::new(), None);
        while rows.len() < SORTED {
            let page = self.downwards(query, after.as_deref(), SORTED - rows.len())?;
            rows.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        let place = |row: &AuditRow| {
            let key = if by == "who" { &row.who } else { &row.operation };
            let tie = format!("{:020} {}", row.at, row.chain.as_deref().unwrap_or_default());
            (Key::Text(key.clone()), tie)
        };
        let page = query.paging.page(rows, place);
        page.map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))
    }
}

impl Cursor {
    fn parse(text: &str) -> io::Result<Self> {
        let parts = text.split_once('.').and_then(|(number, byte)| Some((number.parse().ok()?, byte.parse().ok()?)));
        let (number, byte) = parts.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(Self { number, byte })
    }

    fn show(self) -> String {
        format!("{}.{}", self.number, self.byte)
    }
}

/// None if it was deleted in this moment.
fn open(part: &Part) -> io::Result<Option<File>> {
    match File::open(&part.path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

impl AuditQuery {
    fn finds(&self, row: &AuditRow) -> bool {
        let is = |wanted: &Option<String>, found: &str| wanted.as_ref().is_none_or(|wanted| wanted == found);
        let of = |wanted: &str| row.operation == wanted || row.operation.split('.').next() == Some(wanted);
        let arguments = || serde_json::to_string(&row.arguments).unwrap_or_default();
        // What a token did is written down with its name behind the account's.
        let account = row.who.split_once(" (token ").map(|(account, _)| account);
        (is(&self.who, &row.who) || account.is_some_and(|account| is(&self.who, account)))
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
pub(super) fn backwards(file: &File, end: u64, more: impl FnMut(&[u8]) -> bool) -> io::Result<u64> {
    backwards_within(file, end, PATIENCE, more)
}

/// The same with other patience, in bytes.
fn backwards_within(file: &File, mut end: u64, patience: u64, mut more: impl FnMut(&[u8]) -> bool) -> io::Result<u64> {
    let lowest = end.saturating_sub(patience);
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
    fn what_an_account_did_is_what_its_tokens_did_as_well() {
        let row = |who: &str| AuditRow { who: who.to_owned(), ..AuditRow::default() };
        let query = |who: &str| AuditQuery { who: Some(who.to_owned()), ..AuditQuery::default() };
        assert!(query("owner@a.test").finds(&row("owner@a.test")));
        assert!(query("owner@a.test").finds(&row("owner@a.test (token \"job\")")));
        assert!(!query("owner@a.test").finds(&row("co-owner@a.test (token \"job\")")));
        assert!(query("owner@a.test (token \"job\")").finds(&row("owner@a.test (token \"job\")")));
        assert!(!query("owner@a.test (token \"job\")").finds(&row("owner@a.test")));
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
