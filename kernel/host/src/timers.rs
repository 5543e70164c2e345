//! Times at which plugins want to be called. They stand in the store, written with
//! the turn that set them, and in an agenda in memory.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use xylem_hooks::call::Cause;
use xylem_store::{Scan, Store, Turn};

use crate::clock::Clock;
use crate::guest::{Call, Core, Wake};

/// The kernel's own table; one partition for each plugin.
pub(crate) const TABLE: &str = "kernel/timers";
/// Most timers of one plugin.
const MOST: usize = 100_000;
/// A call that fails is tried again after this many milliseconds, so many times
/// before the next restart.
const RETRY: u64 = 60_000;
const RETRIES: u32 = 5;

/// A timer, as stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    domain: String,
    at: u64,
    token: String,
}

/// Plugin, key, name.
type Name = (Arc<str>, Arc<str>, Box<str>);

/// What is due.
pub(crate) enum Due {
    /// No answer came.
    Ask(String),
    /// A timer; still stored.
    Wake(DueWake),
}

#[derive(Clone)]
pub(crate) struct DueWake {
    pub(crate) plugin: Arc<str>,
    pub(crate) domain: Arc<str>,
    pub(crate) key: Arc<str>,
    pub(crate) name: Box<str>,
    pub(crate) token: String,
    tries: u32,
}

/// The agenda.
#[derive(Default)]
pub(crate) struct Timers {
    agenda: Mutex<Agenda>,
    earlier: Notify,
}

#[derive(Default)]
struct Agenda {
    /// Time, serial number.
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    entries: HashMap<u64, Entry>,
    /// The serial number that counts for a name.
    current: HashMap<Name, u64>,
    counts: HashMap<Arc<str>, usize>,
    serial: u64,
}

enum Entry {
    Ask(String),
    Wake(DueWake),
}

/// Writes or removes a timer in a call's turn.
pub(crate) fn record(core: &Core, call: &mut Call, name: &str, set: Option<&(u64, String)>) -> xylem_store::Result<()> {
    let table = core.services.store.table(TABLE);
    let row = row_key(&call.cause.key, name);
    let Some((at, token)) = set else {
        call.turn.delete(table, &core.id, row.as_bytes());
        return Ok(());
    };
    let record = Record { domain: call.cause.domain.to_string(), at: *at, token: token.clone() };
    call.turn.put(table, &core.id, row.as_bytes(), serde_json::to_vec(&record).unwrap_or_default(), &[])
}

fn row_key(key: &str, name: &str) -> String {
    format!("{key}\0{name}")
}

impl Timers {
    pub(crate) fn has_room(&self, plugin: &Arc<str>) -> bool {
        let agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        agenda.counts.get(plugin).is_none_or(|count| *count < MOST)
    }

    /// Sets or cancels, after the turn that recorded it was committed.
    pub(crate) fn set(&self, plugin: &Arc<str>, cause: &Cause, wake: Wake) {
        let name: Box<str> = wake.name.into();
        let full: Name = (Arc::clone(plugin), Arc::clone(&cause.key), name.clone());
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        agenda.cancel(&full);
        if let Some((at, token)) = wake.set {
            let entry = DueWake {
                plugin: Arc::clone(plugin),
                domain: Arc::clone(&cause.domain),
                key: Arc::clone(&cause.key),
                name,
                token,
                tries: 0,
            };
            agenda.add_wake(at, entry);
            drop(agenda);
            self.earlier.notify_one();
        }
    }

    /// A call for a due timer failed: later again, unless that was often enough.
    pub(crate) fn again(&self, now: u64, mut wake: DueWake) {
        wake.tries += 1;
        if wake.tries > RETRIES {
            tracing::error!(plugin = %wake.plugin, key = %wake.key, name = %wake.name, "timer given up until the next start");
            return;
        }
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        let full: Name = (Arc::clone(&wake.plugin), Arc::clone(&wake.key), wake.name.clone());
        if !agenda.current.contains_key(&full) {
            agenda.add_wake(now + RETRY * u64::from(wake.tries), wake);
        }
        drop(agenda);
        self.earlier.notify_one();
    }

    pub(crate) fn ask_until(&self, id: &str, at: u64) {
        self.agenda.lock().unwrap_or_else(PoisonError::into_inner).add(at, Entry::Ask(id.to_owned()));
        self.earlier.notify_one();
    }

    /// Takes back all timers of a plugin or key; their rows are the caller's concern.
    pub(crate) fn forget(&self, matches: impl Fn(&str, &str) -> bool) {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<Name> = agenda.current.keys().filter(|(plugin, key, _)| matches(plugin, key)).cloned().collect();
        for name in names {
            agenda.cancel(&name);
        }
    }

    /// Adds to a turn the removal of the rows of all timers of a key.
    pub(crate) fn forget_rows(&self, store: &Store, turn: &mut Turn, key: &str) {
        let agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        for (plugin, _, name) in agenda.current.keys().filter(|(_, of, _)| **of == *key) {
            turn.delete(store.table(TABLE), plugin, row_key(key, name).as_bytes());
        }
    }

    /// Removes the row of a timer that is being delivered, in the turn of its call.
    pub(crate) fn delivered(store: &Store, call: &mut Call, wake: &DueWake) {
        call.turn.delete(store.table(TABLE), &wake.plugin, row_key(&wake.key, &wake.name).as_bytes());
        call.class = xylem_hooks::manifest::Class::Durable;
    }

    /// Takes up what a plugin set before a restart.
    pub(crate) async fn arm(&self, store: &Store, plugin: &Arc<str>) -> xylem_store::Result<usize> {
        let rows = store.kv(TABLE).partition(plugin).await?;
        let mut scan = Scan::all().limit(1000);
        let mut count = 0;
        loop {
            let page = rows.scan(&scan)?;
            let Some((last, _)) = page.last() else { break };
            scan = Scan::all().after(last.to_vec()).limit(1000);
            let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
            for (row, value) in &page {
                count += usize::from(agenda.take_up(plugin, row, value));
            }
        }
        self.earlier.notify_one();
        Ok(count)
    }

    /// Everything due now.
    pub(crate) fn due(&self, now: u64) -> Vec<Due> {
        let mut agenda = self.agenda.lock().unwrap_or_else(PoisonError::into_inner);
        let mut due = Vec::new();
        while let Some(Reverse((at, serial))) = agenda.heap.peek().copied() {
            if at > now || due.len() >= 1000 {
                break;
            }
            agenda.heap.pop();
            match agenda.entries.remove(&serial) {
                Some(Entry::Ask(id)) => due.push(Due::Ask(id)),
                Some(Entry::Wake(wake)) => {
                    let name: Name = (Arc::clone(&wake.plugin), Arc::clone(&wake.key), wake.name.clone());
                    agenda.drop_name(&name);
                    due.push(Due::Wake(wake));
                }
                None => {}
            }
        }
        due
    }

    /// Waits until something may be due.
    pub(crate) async fn wait(&self, clock: &dyn Clock) {
        let next = self.agenda.lock().unwrap_or_else(PoisonError::into_inner).heap.peek().map(|Reverse((at, _))| *at);
        match next {
            None => self.earlier.notified().await,
            Some(at) => {
                tokio::select! {
                    () = clock.sleep_until(at) => {}
                    () = self.earlier.notified() => {}
                }
            }
        }
    }
}

impl Agenda {
    fn add(&mut self, at: u64, entry: Entry) -> u64 {
        self.serial += 1;
        self.entries.insert(self.serial, entry);
        self.heap.push(Reverse((at, self.serial)));
        self.serial
    }

    fn add_wake(&mut self, at: u64, wake: DueWake) {
        let name: Name = (Arc::clone(&wake.plugin), Arc::clone(&wake.key), wake.name.clone());
        *self.counts.entry(Arc::clone(&wake.plugin)).or_default() += 1;
        let serial = self.add(at, Entry::Wake(wake));
        self.current.insert(name, serial);
    }

    fn cancel(&mut self, name: &Name) {
        if let Some(serial) = self.drop_name(name) {
            self.entries.remove(&serial);
        }
    }

    fn drop_name(&mut self, name: &Name) -> Option<u64> {
        let serial = self.current.remove(name)?;
        if let Some(count) = self.counts.get_mut(&name.0) {
            *count = count.saturating_sub(1);
        }
        Some(serial)
    }

    fn take_up(&mut self, plugin: &Arc<str>, row: &[u8], value: &[u8]) -> bool {
        let name = std::str::from_utf8(row).ok().and_then(|row| row.split_once('\0'));
        let (Some((key, name)), Ok(record)) = (name, serde_json::from_slice::<Record>(value)) else {
            tracing::warn!(%plugin, "unreadable timer left alone");
            return false;
        };
        let full: Name = (Arc::clone(plugin), key.into(), name.into());
        if self.current.contains_key(&full) {
            return false;
        }
        let (_, key, name) = full;
        let domain = record.domain.into();
        let wake = DueWake { plugin: Arc::clone(plugin), domain, key, name, token: record.token, tries: 0 };
        self.add_wake(record.at, wake);
        true
    }
}
