//! One section: each method reads one key with its bounds and default.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::reader::{Asked, Reader, unknown};
use super::tree::{Located, Place, Table, Value};
use super::units::{parse_bytes, parse_duration, show_bytes, show_duration};

/// A section being read. What is left in it when it is dropped is unknown.
pub(super) struct Section<'r> {
    reader: &'r mut Reader,
    name: String,
    table: Table,
    known: Vec<&'static str>,
}

impl<'r> Section<'r> {
    pub(super) fn new(reader: &'r mut Reader, name: String, table: Table) -> Self {
        Self { reader, name, table, known: Vec::new() }
    }

    /// The section's full name, `limits.before_login`.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.read(key, "true or false".into(), default, bool::to_string, |value| match value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        })
    }

    pub(super) fn number(&mut self, key: &'static str, default: u64, bounds: RangeInclusive<u64>) -> u64 {
        let right = format!("{} to {}", bounds.start(), bounds.end());
        self.read(key, right, default, u64::to_string, |value| match value {
            Value::Number(number) => u64::try_from(*number).ok().filter(|n| bounds.contains(n)),
            _ => None,
        })
    }

    /// The same for what counts things in memory.
    pub(super) fn count(&mut self, key: &'static str, default: usize, bounds: RangeInclusive<u64>) -> usize {
        let number = self.number(key, default as u64, bounds);
        usize::try_from(number).unwrap_or(usize::MAX)
    }

    pub(super) fn size(&mut self, key: &'static str, default: u64, bounds: RangeInclusive<u64>) -> u64 {
        let right = format!("{} to {}", show_bytes(*bounds.start()), show_bytes(*bounds.end()));
        self.read(
            key,
            right,
            default,
            |n| quoted(show_bytes(*n)),
            |value| match value {
                Value::Text(text) => parse_bytes(text).filter(|n| bounds.contains(n)),
                _ => None,
            },
        )
    }

    pub(super) fn duration(
        &mut self,
        key: &'static str,
        default: Duration,
        bounds: RangeInclusive<Duration>,
    ) -> Duration {
        let right = format!("{} to {}", show_duration(*bounds.start()), show_duration(*bounds.end()));
        self.read(
            key,
            right,
            default,
            |d| quoted(show_duration(*d)),
            |value| match value {
                Value::Text(text) => parse_duration(text).filter(|d| bounds.contains(d)),
                _ => None,
            },
        )
    }

    /// One of several words.
    pub(super) fn choice<T: Copy + PartialEq>(&mut self, key: &'static str, default: T, words: &[(&str, T)]) -> T {
        let right = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(" | ");
        let show = |t: &T| quoted(words.iter().find(|(_, u)| u == t).map_or("", |(word, _)| *word));
        self.read(key, right, default, show, |value| match value {
            Value::Text(text) => words.iter().find(|(word, _)| word == text).map(|(_, t)| *t),
            _ => None,
        })
    }

    pub(super) fn path(&mut self, key: &'static str, default: &str) -> PathBuf {
        let show = |p: &PathBuf| quoted(p.display());
        self.read(key, "a path".into(), PathBuf::from(default), show, path)
    }

    /// A text that means something; `right` says what.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        default: &str,
        right: &str,
        fits: impl Fn(&str) -> bool,
    ) -> String {
        self.read(
            key,
            right.to_owned(),
            default.to_owned(),
            |text| quoted(text),
            |value| match value {
                Value::Text(text) if fits(text) => Some(text.clone()),
                _ => None,
            },
        )
    }

    /// The same where there may be none.
    pub(super) fn optional_text(
        &mut self,
        key: &'static str,
        right: &str,
        fits: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let show = |_: &Option<String>| String::new();
        self.read(key, right.to_owned(), None, show, |value| match value {
            Value::Text(text) if fits(text) => Some(Some(text.clone())),
            _ => None,
        })
    }

    pub(super) fn optional_path(&mut self, key: &'static str) -> Option<PathBuf> {
        let show = |_: &Option<PathBuf>| String::new();
        self.read(key, "a path".into(), None, show, |value| path(value).map(Some))
    }

    /// `host:port`, IPv6 in square brackets (RFC 6120 §4.9.3.19).
    pub(super) fn optional_address(&mut self, key: &'static str) -> Option<String> {
        let show = |_: &Option<String>| String::new();
        self.read(key, "host:port".into(), None, show, |value| match value {
            Value::Text(text) => {
                let (host, port) = text.rsplit_once(':')?;
                let meant = !host.is_empty() && port.parse::<u16>().is_ok();
                meant.then(|| Some(text.clone()))
            }
            _ => None,
        })
    }

    /// A list of texts that each mean something; `right` says what.
    pub(super) fn list<T: Clone>(
        &mut self,
        key: &'static str,
        default: &[&str],
        right: &str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let shown = format!("[{}]", default.iter().map(quoted).collect::<Vec<_>>().join(", "));
        self.ask(key, right.to_owned(), Some(shown));
        let Some((_, located)) = self.find(key) else {
            return default.iter().filter_map(|text| meaning(text)).collect();
        };
        let Value::List(items) = &located.value else {
            self.wrong(key, &located, &format!("a list of {right}"));
            return Vec::new();
        };
        let mut list = Vec::new();
        for item in items {
            match &item.value {
                Value::Text(text) if meaning(text).is_some() => list.extend(meaning(text)),
                _ => self.wrong(key, item, &format!("a list of {right}")),
            }
        }
        list
    }

    /// The tables below this one whose names nobody can know beforehand.
    pub(super) fn take_tables(&mut self) -> Vec<(String, Place, Table)> {
        let names = self.table.iter().filter(|(_, (_, l))| matches!(l.value, Value::Table(_)));
        let names: Vec<String> = names.map(|(name, _)| name.clone()).collect();
        let mut tables = Vec::new();
        for name in names {
            if let Some((place, Located { value: Value::Table(table), .. })) = self.table.remove(&name) {
                tables.push((name, place, table));
            }
        }
        tables
    }

    /// A section inside this one.
    pub(super) fn inner(&mut self, key: &'static str) -> Section<'_> {
        self.known.push(key);
        let table = match self.table.remove(key) {
            Some((_, Located { value: Value::Table(table), .. })) => table,
            None => Table::new(),
            Some((_, located)) => {
                self.wrong(key, &located, "a section");
                Table::new()
            }
        };
        let name = format!("{}.{key}", self.name);
        Section::new(self.reader, name, table)
    }

    /// A section of a table that [`Self::take_tables`] gave.
    pub(super) fn named(&mut self, name: &str, table: Table) -> Section<'_> {
        let name = format!("{}.{name}", self.name);
        Section::new(self.reader, name, table)
    }

    pub(super) fn complain(&mut self, place: &Place, message: String) {
        self.reader.complain(place, message);
    }

    /// Where a place is, in words.
    pub(super) fn show(&self, place: &Place) -> String {
        self.reader.show(place)
    }

    fn read<T>(
        &mut self,
        key: &'static str,
        right: String,
        default: T,
        show: impl Fn(&T) -> String,
        meaning: impl Fn(&Value) -> Option<T>,
    ) -> T {
        let shown = show(&default);
        self.ask(key, right.clone(), (!shown.is_empty()).then_some(shown));
        let Some((_, located)) = self.find(key) else { return default };
        meaning(&located.value).unwrap_or_else(|| {
            self.wrong(key, &located, &right);
            default
        })
    }

    fn ask(&mut self, key: &'static str, bounds: String, default: Option<String>) {
        self.known.push(key);
        self.reader.asked.push(Asked { section: self.name.clone(), key, bounds, default, written: None });
    }

    /// Takes what was written for the key that was just asked for.
    fn find(&mut self, key: &str) -> Option<(Place, Located)> {
        let (place, located) = self.table.remove(key)?;
        if let Some(asked) = self.reader.asked.last_mut() {
            asked.written = Some((located.value.to_json().to_string(), place.clone()));
        }
        Some((place, located))
    }

    fn wrong(&mut self, key: &str, located: &Located, right: &str) {
        let found = match &located.value {
            Value::Text(text) => format!("{text:?}"),
            Value::Number(number) => number.to_string(),
            other => other.kind().to_owned(),
        };
        let message = format!("{}.{key} must be {right}, not {found}", self.name);
        self.reader.complain(&located.place, message);
    }
}

impl Drop for Section<'_> {
    fn drop(&mut self) {
        for (key, (place, _)) in std::mem::take(&mut self.table) {
            let message = format!("in [{}]: {}", self.name, unknown("key", &key, &self.known));
            self.reader.complain(&place, message);
        }
    }
}

fn path(value: &Value) -> Option<PathBuf> {
    match value {
        Value::Text(text) if !text.is_empty() => Some(PathBuf::from(text)),
        _ => None,
    }
}

fn quoted(text: impl Display) -> String {
    format!("\"{text}\"")
}
