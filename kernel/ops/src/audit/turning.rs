//! New files in place of full or old ones, and the end of those that nobody has to keep any longer. Both are said in
//! the log itself: its chain goes on over the files, and whoever verifies it knows what is missing rightly.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::parts::{self, Part};
use super::{AuditLog, AuditRow, End, chain, now, read};
use crate::caller::Face;

/// The operation of the line that a file begins with, unless it is the first.
pub(super) const TURNED: &str = "audit.turn";
/// The operation of the line that says that a file is deleted.
pub(super) const FORGOTTEN: &str = "audit.forget";

/// When a file is full or old, and how long it is kept then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// A file that has so many bytes is full.
    pub file_bytes: u64,
    /// One whose first line is so old is closed, too; zero: never for its age.
    pub file_age: Duration,
    /// A file is deleted when its last line is so old; zero: never.
    pub keep: Duration,
}

impl Default for Retention {
    /// 64 MiB, and everything is kept for ever.
    fn default() -> Self {
        Self { file_bytes: 64 << 20, file_age: Duration::ZERO, keep: Duration::ZERO }
    }
}

impl AuditLog {
    /// From now on.
    pub fn retain(&self, retention: Retention) {
        self.end.lock().unwrap_or_else(PoisonError::into_inner).retention = retention;
    }

    /// Does what is due: a new file, the end of old ones. Lines that are written see to the first themselves; the second
    /// is due at some time also where nothing is written.
    ///
    /// # Errors
    /// When files cannot be moved, made, read or deleted. Lines go on to where they went before.
    pub fn keep_house(&self) -> io::Result<()> {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        if end.is_due(now()) {
            self.turn(&mut end)?;
        }
        self.forget(&mut end)
    }

    /// The file that is written to becomes one of those beside it, and another begins.
    pub(super) fn turn(&self, end: &mut End) -> io::Result<()> {
        let old = Part { number: end.number, path: parts::shelved(&self.path, end.number) };
        if old.path.exists() {
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, old.path.display().to_string()));
        }
        fs::rename(&self.path, &old.path)?;
        let made = OpenOptions::new().create_new(true).append(true).read(true).mode(0o600).open(&self.path);
        end.file = match made {
            Ok(file) => file,
            Err(error) => {
                fs::rename(&old.path, &self.path)?;
                return Err(error);
            }
        };
        end.begin(old.number.saturating_add(1))?;
        tracing::info!(file = old.name(), "the audit log goes on in a new file");
        Ok(())
    }

    /// Deletes files from the oldest on, as far as nobody has to keep them any longer.
    fn forget(&self, end: &mut End) -> io::Result<()> {
        if end.retention.keep.is_zero() {
            return Ok(());
        }
        let keep = u64::try_from(end.retention.keep.as_millis()).unwrap_or(u64::MAX);
        for part in parts::all_shelved(&self.path)? {
            let file = File::open(&part.path)?;
            let last = last_time(&file)?;
            if last.is_none_or(|last| now().saturating_sub(last) < keep) {
                break;
            }
            // Said before it is done: what is missing without a word is a sign of something else.
            let link = chain::hex(&chain::last(&file)?);
            let arguments = json!({ "file": part.name(), "number": part.number, "chain": link, "until": last });
            end.say(FORGOTTEN, format!("delete {}: it is older than has to be kept", part.name()), arguments)?;
            fs::remove_file(&part.path)?;
            tracing::info!(file = part.name(), "an old file of the audit log is deleted");
        }
        Ok(())
    }
}

impl End {
    /// Whether the next line should go to a new file.
    pub(super) fn is_due(&self, now: u64) -> bool {
        let age = u64::try_from(self.retention.file_age.as_millis()).unwrap_or(u64::MAX);
        let old = age > 0 && self.begun.is_some_and(|begun| now.saturating_sub(begun) >= age);
        // A file with nothing but its own beginning is not worth another.
        self.lines > 1 && (self.length >= self.retention.file_bytes || old)
    }

    /// The first line of a file that is not the first.
    pub(super) fn begin(&mut self, number: u64) -> io::Result<()> {
        (self.number, self.length, self.lines, self.begun) = (number, 0, 0, None);
        let before = number.saturating_sub(1);
        let arguments = json!({ "number": number, "after": chain::hex(&self.last) });
        self.say(TURNED, format!("begin file {number} of the audit log; file {before} is closed"), arguments)
    }

    /// A line about the log itself.
    fn say(&mut self, operation: &str, what: String, arguments: Value) -> io::Result<()> {
        let arguments = match arguments {
            Value::Object(arguments) => arguments,
            _ => Map::new(),
        };
        self.append(&AuditRow {
            at: now(),
            who: "server".to_owned(),
            from: "server".to_owned(),
            face: Face::Schedule.word().to_owned(),
            operation: operation.to_owned(),
            what,
            arguments,
            before: Value::Null,
            after: Value::Null,
            error: None,
            chain: None,
        })
    }
}

/// When the last line of a file was written, in milliseconds since 1970; none if there is none that can be read.
fn last_time(file: &File) -> io::Result<Option<u64>> {
    let mut last = None;
    read::backwards(file, file.metadata()?.len(), |line| {
        last = serde_json::from_slice::<AuditRow>(line).ok().map(|row| row.at);
        last.is_none()
    })?;
    Ok(last)
}

/// What a file that is opened has already.
pub(super) fn found(path: &Path, file: File, last: chain::Link, retention: Retention) -> io::Result<End> {
    let length = file.metadata()?.len();
    let begun = parts::first(&file)?.map(|row| row.at);
    let lines = if begun.is_some() { 2 } else { 0 };
    Ok(End { number: parts::number(path)?, file, last, length, lines, begun, retention })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::audit::AuditQuery;
    use crate::caller::Caller;
    use crate::page::{Order, Paging};

    /// So small that a few lines fill it.
    const SMALL: Retention = Retention { file_bytes: 2000, file_age: Duration::ZERO, keep: Duration::ZERO };

    fn write(log: &AuditLog, what: &str) {
        log.event(&Caller::local("root"), "test", what.to_owned(), None).unwrap();
    }

    fn filled(folder: &Path, lines: usize) -> AuditLog {
        let log = AuditLog::open(&folder.join("audit.log")).unwrap();
        log.retain(SMALL);
        (0..lines).for_each(|n| write(&log, &format!("line {n}")));
        log
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn pages(log: &AuditLog, paging: &Paging) -> Vec<String> {
        let (mut seen, mut paging) = (Vec::new(), paging.clone());
        loop {
            let query = AuditQuery { operation: Some("test".into()), paging: paging.clone(), ..AuditQuery::default() };
            let page = log.read(&query).unwrap();
            seen.extend(page.items.into_iter().map(|row| row.what));
            match page.next {
                None => return seen,
                next => paging.after = next,
            }
        }
    }

    #[test]
    fn the_chain_and_the_pages_go_on_over_the_files() {
        let folder = tempfile::tempdir().unwrap();
        drop(filled(folder.path(), 20));
        let log = filled(folder.path(), 20);
        assert!(names(folder.path()).len() > 4, "{:?}", names(folder.path()));
        let report = log.verify(None).unwrap();
        assert!(report.intact && report.breaks.is_empty(), "{report:?}");
        assert_eq!(report.files as usize, names(folder.path()).len());
        let newest: Vec<_> = (0..20).chain(0..20).rev().map(|n| format!("line {n}")).collect();
        for limit in [1, 3, 7, 1000] {
            assert_eq!(pages(&log, &Paging { limit: Some(limit), ..Paging::default() }), newest, "{limit} on a page");
            let paging = Paging { limit: Some(limit), order: Some(Order::Asc), ..Paging::default() };
            assert_eq!(pages(&log, &paging), newest.iter().rev().cloned().collect::<Vec<_>>(), "{limit}, upwards");
        }
        let by_name = Paging { limit: Some(9), sort: Some("operation".into()), ..Paging::default() };
        assert_eq!(pages(&log, &by_name).len(), 40);
        assert_eq!(names(folder.path()).iter().filter(|name| *name == "audit.log").count(), 1);
    }

    #[test]
    fn a_file_that_is_missing_or_changed_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let log = filled(folder.path(), 40);
        let head = log.verify(None).unwrap().head;
        assert_eq!(log.verify(Some(&head)).unwrap().known, Some(true));
        let second = folder.path().join("audit-000002.log");
        let text = fs::read(&second).unwrap();
        fs::remove_file(&second).unwrap();
        let report = log.verify(None).unwrap();
        assert!(!report.intact && report.breaks[0].file == "audit-000003.log", "{report:?}");
        fs::write(&second, &text).unwrap();
        assert!(log.verify(None).unwrap().intact);
        let first = folder.path().join("audit-000001.log");
        let text = fs::read(&first).unwrap();
        fs::remove_file(&first).unwrap();
        assert!(!log.verify(None).unwrap().intact, "nothing says that the first was deleted");
        fs::write(&first, String::from_utf8(text).unwrap().replace("line 1", "line 9")).unwrap();
        let report = log.verify(None).unwrap();
        assert!(!report.intact && report.breaks[0].file == "audit-000001.log", "{report:?}");
    }

    #[test]
    fn what_is_deleted_for_its_age_is_said_and_nothing_else_may_miss() {
        let folder = tempfile::tempdir().unwrap();
        let log = filled(folder.path(), 40);
        let before = names(folder.path()).len();
        log.keep_house().unwrap();
        assert_eq!(names(folder.path()).len(), before, "nobody has said that anything may go");
        std::thread::sleep(Duration::from_millis(20));
        log.retain(Retention { keep: Duration::from_millis(10), ..SMALL });
        log.keep_house().unwrap();
        let left = names(folder.path());
        assert!(left.len() <= 2 && left.contains(&"audit.log".to_owned()), "{left:?}");
        let report = log.verify(None).unwrap();
        assert!(report.intact && report.forgotten > 2, "{report:?}");
        let (operation, face) = (Some(FORGOTTEN.into()), Some(Face::Schedule.word().into()));
        let query = AuditQuery { operation, face, ..AuditQuery::default() };
        assert_eq!(log.read(&query).unwrap().items.len() as u64, report.forgotten);
        drop(log);
        // The numbers go on after a restart, and the chain with them.
        let log = filled(folder.path(), 20);
        assert!(log.verify(None).unwrap().intact);
        assert!(names(folder.path()).iter().all(|name| *name != "audit-000001.log"));
        // Nobody gets rid of the line that says it.
        for name in names(folder.path()) {
            let path = folder.path().join(name);
            let text = fs::read_to_string(&path).unwrap();
            let kept: String = text.lines().filter(|l| !l.contains(FORGOTTEN)).map(|l| format!("{l}\n")).collect();
            fs::write(&path, kept).unwrap();
        }
        assert!(!log.verify(None).unwrap().intact);
    }

    #[test]
    fn an_old_file_is_closed_and_a_start_that_broke_off_there_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let log = filled(folder.path(), 3);
        log.retain(Retention { file_age: Duration::from_millis(5), ..SMALL });
        std::thread::sleep(Duration::from_millis(10));
        log.keep_house().unwrap();
        assert_eq!(names(folder.path()), ["audit-000001.log", "audit.log"]);
        drop(log);
        // As if it had been killed before the new file was made.
        fs::remove_file(folder.path().join("audit.log")).unwrap();
        let log = filled(folder.path(), 1);
        let report = log.verify(None).unwrap();
        assert!(report.intact && report.entries == 5, "{report:?}");
    }
}
