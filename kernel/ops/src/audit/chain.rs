//! Each line of the log is bound to all before it: its `chain` is SHA-256 over the `chain` of the line before and the
//! line itself without it. Who changes, adds or takes out a line in the middle has to write all after it
//! anew; who remembers a later `chain`, on paper or in the journal of another machine, sees that.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Seek as _, SeekFrom};
use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::read::backwards;

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

/// Reads all of it. `head` is the `chain` of a line, as it was seen earlier.
pub(super) fn verify(path: &Path, head: Option<&str>) -> io::Result<VerifyReport> {
    let mut report = VerifyReport { known: head.map(|_| false), ..VerifyReport::default() };
    let (mut all, mut before, mut number) = (Sha256::new(), None, 0_u64);
    let mut broken = |line, problem: &str| {
        if report.breaks.len() < BREAKS {
            report.breaks.push(Break { line, problem: problem.to_owned() });
        }
    };
    let mut file = BufReader::new(File::open(path)?);
    let mut line = Vec::new();
    while file.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let expected: Link = before.unwrap_or_else(|| all.clone().finalize().into());
        before = match split(line.trim_ascii_end()) {
            Some((object, link)) => {
                if follow(&expected, &object) != link {
                    broken(number, "it or what stands before it is not what was written");
                }
                report.entries += 1;
                let said = hex(&link);
                report.known = report.known.map(|known| known || head == Some(said.as_str()));
                report.head = said;
                Some(link)
            }
            None if report.entries == 0 => {
                report.unbound += 1;
                None
            }
            None => {
                broken(number, "it is bound to nothing");
                None
            }
        };
        all.update(&line);
        line.clear();
    }
    report.intact = report.breaks.is_empty() && report.known != Some(false);
    Ok(report)
}

fn follow(last: &Link, object: &[u8]) -> Link {
    Sha256::new().chain_update(last).chain_update(object).finalize().into()
}

/// The object without its link, and the link; none if it has none.
fn split(line: &[u8]) -> Option<(Vec<u8>, Link)> {
    let at = line.len().checked_sub(TAIL)?;
    let (front, tail) = (line.get(..at)?, line.get(at..)?);
    let open = front.strip_suffix(MARK)?;
    let text = std::str::from_utf8(tail.strip_suffix(b"\"}")?).ok()?;
    let mut link = Link::default();
    for (byte, pair) in link.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(([open, b"}"].concat(), link))
}

pub(super) fn hex(link: &Link) -> String {
    link.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::Map;

    use super::*;
    use crate::audit::AuditLog;
    use crate::caller::Caller;

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
