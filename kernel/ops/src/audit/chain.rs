//! Each line of the log is bound to all before it: its `chain` is SHA-256 over the `chain` of the line before and the
//! line itself without it. Who changes, adds or takes out a line in the middle has to write all after it
//! anew; who remembers a later `chain`, on paper or in the journal of another machine, sees that.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::AuditRow;
use super::parts::Part;
use super::read::backwards;
use super::turning::FORGOTTEN;

pub(super) type Link = [u8; 32];

const MARK: &[u8] = b",\"chain\":\"";
/// Behind the mark: the link in hexadecimal, and the end of string and object.
const TAIL: usize = 64 + 2;
/// Most findings told.
const BREAKS: usize = 100;

/// What reading the whole log found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct VerifyReport {
    /// Whether no line was changed, added or taken out since the first that is bound.
    pub intact: bool,
    /// Lines that are bound to all before them.
    pub entries: u64,
    /// Lines at the beginning from before lines were bound.
    pub unbound: u64,
    /// Files that were read.
    pub files: u64,
    /// Files before these that are deleted because of their age.
    pub forgotten: u64,
    /// Where it does not hold, at most 100 findings.
    pub breaks: Vec<Break>,
    /// The `chain` of the last line: to be kept somewhere else.
    pub head: String,
    /// Whether the one that was given stands in the log; null if none was given.
    pub known: Option<bool>,
}

/// A line that does not follow from those before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Break {
    /// The name of the file.
    pub file: String,
    /// From 1.
    pub line: u64,
    pub problem: String,
}

/// A line with its link, and the link.
pub(super) fn bind(last: &Link, object: &[u8]) -> (Vec<u8>, Link) {
    let link = follow(last, object);
    let open = object.strip_suffix(b"}").unwrap_or(object);
    let line = [open, MARK, hex(&link).as_bytes(), b"\"}\n"].concat();
    (line, link)
}

/// What the next line is bound to.
pub(super) fn last(file: &File) -> io::Result<Link> {
    let mut found = None;
    backwards(file, file.metadata()?.len(), |line| {
        found = split(line).map(|(_, link)| link);
        false
    })?;
    match found {
        Some(link) => Ok(link),
        None => {
            let mut all = Sha256::new();
            let mut whole = file;
            whole.seek(SeekFrom::Start(0))?;
            io::copy(&mut whole, &mut all)?;
            Ok(all.finalize().into())
        }
    }
}

/// Reads all of it, the oldest file first. `head` is the `chain` of a line, as it was seen earlier.
pub(super) fn verify(parts: &[Part], head: Option<&str>) -> io::Result<VerifyReport> {
    let mut reading = Reading { head, ..Reading::default() };
    reading.report.known = head.map(|_| false);
    reading.report.files = parts.len() as u64;
    reading.report.forgotten = parts.first().map_or(0, |first| first.number.saturating_sub(1));
    for part in parts {
        reading.part(part)?;
    }
    reading.begin();
    let mut report = reading.report;
    report.intact = report.breaks.is_empty() && report.known != Some(false);
    Ok(report)
}

/// What is known while the files are read.
#[derive(Default)]
struct Reading<'a> {
    report: VerifyReport,
    head: Option<&'a str>,
    /// What the next line has to be bound to; none after one that is bound to nothing.
    before: Option<Link>,
    /// Everything of this file so far: that is what a line behind an unbound one is bound to.
    all: Sha256,
    /// The first line where files before it are deleted: its file, itself and its link.
    first: Option<(Part, Vec<u8>, Link)>,
    /// Deleted files, and the link of the last line of each.
    forgotten: BTreeMap<u64, Link>,
}

impl Reading<'_> {
    fn part(&mut self, part: &Part) -> io::Result<()> {
        let mut file = BufReader::new(File::open(&part.path)?);
        let (mut line, mut number) = (Vec::new(), 0_u64);
        while file.read_until(b'\n', &mut line)? > 0 {
            number += 1;
            self.line(part, number, &line);
            self.all.update(&line);
            line.clear();
        }
        let all = std::mem::take(&mut self.all);
        // A file that is empty binds nothing.
        if number > 0 && self.before.is_none() {
            self.before = Some(all.finalize().into());
        }
        Ok(())
    }

    fn line(&mut self, part: &Part, number: u64, line: &[u8]) {
        let Some((object, link)) = split(line.trim_ascii_end()) else {
            self.before = None;
            if self.report.entries == 0 {
                self.report.unbound += 1;
            } else {
                self.broken(part, number, "it is bound to nothing");
            }
            return;
        };
        let is_first = self.report.entries + self.report.unbound == 0;
        if is_first && part.number > 1 {
            self.first = Some((part.clone(), object.clone(), link));
        } else {
            let expected = self.before.unwrap_or_else(|| self.all.clone().finalize().into());
            if follow(&expected, &object) != link {
                self.broken(part, number, "it or what stands before it is not what was written");
            }
        }
        self.deleted(&object);
        self.report.entries += 1;
        let said = hex(&link);
        self.report.known = self.report.known.map(|known| known || self.head == Some(said.as_str()));
        self.report.head = said;
        self.before = Some(link);
    }

    /// Takes down what a line says about a file that is deleted.
    fn deleted(&mut self, object: &[u8]) {
        let mark = FORGOTTEN.as_bytes();
        if !object.windows(mark.len()).any(|window| window == mark) {
            return;
        }
        let row = serde_json::from_slice::<AuditRow>(object).ok();
        let Some(row) = row.filter(|row| row.operation == FORGOTTEN && row.who == "server") else { return };
        let number = row.arguments.get("number").and_then(serde_json::Value::as_u64);
        let link = row.arguments.get("chain").and_then(serde_json::Value::as_str).and_then(unhex);
        self.forgotten.extend(number.zip(link));
    }

    /// The first line there is has to follow from the last of the files that are said to be deleted.
    fn begin(&mut self) {
        let Some((part, object, link)) = self.first.take() else { return };
        match self.forgotten.get(&(part.number - 1)) {
            Some(before) if follow(before, &object) == link => {}
            Some(_) => self.broken(&part, 1, "it does not follow from the file that was deleted before it"),
            None => self.broken(&part, 1, "the file before it is missing, and no line says that it was deleted"),
        }
    }

    fn broken(&mut self, part: &Part, line: u64, problem: &str) {
        if self.report.breaks.len() < BREAKS {
            self.report.breaks.push(Break { file: part.name(), line, problem: problem.to_owned() });
        }
    }
}

fn follow(last: &Link, object: &[u8]) -> Link {
    Sha256::new().chain_update(last).chain_update(object).finalize().into()
}

/// The object without its link, and the link; none if it has none.
fn split(line: &[u8]) -> Option<(Vec<u8>, Link)> {
    let at = line.len().checked_sub(TAIL)?;
    let (front, tail) = (line.get(..at)?, line.get(at..)?);
    let open = front.strip_suffix(MARK)?;
    let link = unhex(std::str::from_utf8(tail.strip_suffix(b"\"}")?).ok()?)?;
    Some(([open, b"}"].concat(), link))
}

fn unhex(text: &str) -> Option<Link> {
    let mut link = Link::default();
    if text.len() != 2 * link.len() {
        return None;
    }
    for (byte, pair) in link.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(link)
}

pub(super) fn hex(link: &Link) -> String {
    link.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::path::Path;

    use serde_json::Map;

    use super::*;
    use crate::audit::AuditLog;
    use crate::caller::Caller;

    fn verify(path: &Path, head: Option<&str>) -> io::Result<VerifyReport> {
        super::verify(&[Part { number: 1, path: path.to_owned() }], head)
    }

    fn write(log: &AuditLog, what: &str) {
        log.event(&Caller::local("root"), "test", what.to_owned(), None).unwrap();
    }

    #[test]
    fn what_is_changed_added_or_taken_out_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        std::fs::write(&path, "{\"at\":1,\"of\":\"an older version\"}\n").unwrap();
        let log = AuditLog::open(&path).unwrap();
        (0..3).for_each(|n| write(&log, &format!("before {n}")));
        drop(log);
        let log = AuditLog::open(&path).unwrap();
        (0..3).for_each(|n| write(&log, &format!("after {n}")));
        let whole = verify(&path, None).unwrap();
        assert_eq!((whole.intact, whole.entries, whole.unbound), (true, 6, 1), "{whole:?}");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        let without = |gone: usize| {
            lines.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, l)| format!("{l}\n")).collect::<String>()
        };
        for (what, forged) in [
            ("changed", text.replace("before 1", "before 7")),
            ("the older changed", text.replace("\"at\":1,", "\"at\":2,")),
            ("taken out", without(3)),
            ("added", text.replacen('\n', "\n{\"at\":5}\n", 3)),
        ] {
            std::fs::write(&path, &forged).unwrap();
            let report = verify(&path, None).unwrap();
            assert!(!report.intact && !report.breaks.is_empty(), "{what}: {report:?}");
        }
        // The end cut off is only seen by who remembers it.
        std::fs::write(&path, without(6)).unwrap();
        assert!(verify(&path, None).unwrap().intact);
        assert_eq!(verify(&path, Some(&whole.head)).unwrap().known, Some(false));
        assert!(!verify(&path, Some(&whole.head)).unwrap().intact);
    }

    #[test]
    fn a_line_that_broke_off_is_seen_and_the_next_is_a_line_of_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        write(&AuditLog::open(&path).unwrap(), "whole");
        let mut text = std::fs::read_to_string(&path).unwrap();
        text.push_str("{\"at\":5,\"who\":\"ro");
        std::fs::write(&path, text).unwrap();
        let log = AuditLog::open(&path).unwrap();
        write(&log, "afterwards");
        let report = verify(&path, None).unwrap();
        assert_eq!((report.entries, report.breaks.len()), (2, 1), "{report:?}");
        assert!(
            serde_json::from_str::<Map<String, serde_json::Value>>(
                std::fs::read_to_string(&path).unwrap().lines().last().unwrap()
            )
            .is_ok()
        );
    }
}
