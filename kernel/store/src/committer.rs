use std::collections::{HashSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::archive::{self, Group, Purge};
use crate::backend::{Backend, Scan};
use crate::batch::Batch;
use crate::error::{Result, StoreError};
use crate::kv;
use crate::options::Class;
use crate::queue::{Done, Recorder, Submission, Work};
use crate::staging::Staging;
use crate::store::Shared;
use crate::tables::TableId;
use crate::turn::TurnOp;

/// The store's own table: which kv tables have indexes, the newest archive id.
pub(crate) const META: &str = "xylem/store";
const INDEXED: &[u8] = b"indexed/";
const NEWEST_ID: &[u8] = b"archive/newest";

/// The one thread that writes to the backend.
pub(crate) struct Committer {
    shared: Arc<Shared>,
    /// Kv tables that have or had index values.
    indexed: HashSet<TableId>,
    newest_id: u64,
    recorder: Recorder,
    archives: archive::Folder,
    meta: Arc<str>,
}

/// The newest archive id that was ever committed; 0 when there is none.
pub(crate) fn newest_archive_id(backend: &dyn Backend) -> Result<u64> {
    let Some(stored) = backend.get(META, NEWEST_ID)? else { return Ok(0) };
    let number = <[u8; 8]>::try_from(stored.as_slice());
    number.map(u64::from_le_bytes).map_err(|_| StoreError::damaged(META, "unreadable archive id"))
}

impl Committer {
    pub(crate) fn new(shared: Arc<Shared>) -> Result<Self> {
        let newest_id = newest_archive_id(&*shared.backend)?;
        let archives = archive::Folder::open(&*shared.backend, &shared.tables, &shared.tails)?;
        let mut committer = Self {
            shared,
            indexed: HashSet::new(),
            newest_id,
            recorder: Recorder::default(),
            archives,
            meta: META.into(),
        };
        committer.load_indexed()?;
        Ok(committer)
    }

    pub(crate) fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        shared.queue.set_committer(std::thread::current().id());
        while let Some(group) = shared.queue.next_group(&shared.options) {
            let mut batches = VecDeque::with_capacity(group.len());
            for mut submission in group {
                if let Work::Job(job) = submission.work {
                    self.commit(std::mem::take(&mut batches));
                    // Whoever looks at entries finds all rows in their place.
                    if let Err(error) = self.fold_all() {
                        self.shared.fail(&error);
                    }
                    let run = AssertUnwindSafe(|| job(&*shared.backend, &mut self.recorder));
                    if catch_unwind(run).is_err() {
                        tracing::error!("a job of the store panicked");
                    }
                    self.reload_after_import();
                    submission.work = Work::Ops(Vec::new());
                }
                batches.push_back(submission);
            }
            self.commit(batches);
        }
    }

    /// Commits a group and answers everybody in it, in order.
    fn commit(&mut self, mut group: VecDeque<Submission>) {
        let Some(last) = group.back().map(|submission| submission.seq) else { return };
        answer_relaxed(&mut group);
        let removed = removals(&group);
        let result = self.write(&mut group);
        if let Err(error) = &result {
            self.shared.fail(error);
        }
        if result.is_ok() {
            // Before anybody hears of it, who would count what is gone.
            for (table, partition) in removed {
                self.shared.tallies.removed(table, &partition);
            }
        }
        self.shared.queue.settle(last);
        if result.is_err() {
            self.shared.cache.forget_uncommitted();
            self.shared.tallies.forget();
        }
        for submission in group {
            let refused = match submission.work {
                Work::Refused(error) => Err(error),
                _ => result.clone(),
            };
            submission.done.answer(refused);
        }
    }

    fn write(&mut self, group: &mut VecDeque<Submission>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.fuse.check()?;
        let (mut rest, newest) = (Vec::new(), self.newest_id);
        let attempt = catch_unwind(AssertUnwindSafe(|| {
            let mut staging = Staging::new(&*shared.backend, shared.texts.load_full());
            for submission in group.iter_mut() {
                match &mut submission.work {
                    Work::Ops(ops) => ops.drain(..).try_for_each(|op| self.lower(&mut staging, op, &mut rest))?,
                    Work::Rows(group) => {
                        let group = std::mem::replace(&mut **group, Group::new());
                        self.newest_id = self.newest_id.max(self.archives.take(&mut staging, &shared.tables, group)?.0);
                    }
                    Work::Refused(_) | Work::Job(_) => {}
                }
            }
            if self.newest_id != newest {
                staging.put(&self.meta, NEWEST_ID.to_vec(), self.newest_id.to_le_bytes().to_vec());
            }
            self.archives.seal(&mut staging, &shared.tables, &shared.tails)?;
            self.put_batch(&staging.into_batch(), group.len())?;
            self.finish_purges(&mut rest)
        }));
        attempt.unwrap_or_else(|panic| Err(StoreError::backend(shared.backend.name(), panic_text(&*panic))))
    }

    fn put_batch(&mut self, batch: &Batch, batches: usize) -> Result<()> {
        if batch.is_empty() {
            self.archives.committed(&self.shared.tails, &self.shared.tallies);
            return Ok(());
        }
        let start = Instant::now();
        self.shared.backend.commit(batch)?;
        let took = start.elapsed();
        self.archives.committed(&self.shared.tails, &self.shared.tallies);
        // After the commit: whoever takes a key from here reads what was committed.
        if let Some(changed) = self.recorder.changed.upgrade() {
            let keys = batch.ops().iter().map(|op| (Arc::clone(&op.table), op.key.clone()));
            changed.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
        }
        self.shared.metrics.committed(batches, batch.ops().len(), batch.bytes(), took);
        Ok(())
    }

    /// Moves all archive rows from groups into chunks.
    fn fold_all(&mut self) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        shared.fuse.check()?;
        loop {
            let mut staging = Staging::new(&*shared.backend, shared.texts.load_full());
            let more = self.archives.fold_some(&mut staging, &shared.tables, &shared.tails)?;
            self.put_batch(&staging.into_batch(), 0)?;
            if !more {
                return Ok(());
            }
        }
    }

    /// Purges that are too big for one commit go on here.
    fn finish_purges(&mut self, rest: &mut Vec<(TableId, Arc<str>, Purge)>) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        while let Some((table, partition, what)) = rest.pop() {
            let mut staging = Staging::new(&*shared.backend, shared.texts.load_full());
            let name = shared.tables.name(table);
            let place = (table, partition);
            if let Some(what) = self.archives.purge(&mut staging, (&name, &shared.tails), &place, what)? {
                rest.push((place.0, place.1, what));
            }
            self.put_batch(&staging.into_batch(), 0)?;
        }
        Ok(())
    }

    fn lower(
        &mut self,
        staging: &mut Staging<'_>,
        op: TurnOp,
        rest: &mut Vec<(TableId, Arc<str>, Purge)>,
    ) -> Result<()> {
        let shared = Arc::clone(&self.shared);
        let op = match op {
            TurnOp::Append { table, partition, entry } => {
                self.newest_id = self.newest_id.max(entry.id.to_u64());
                return self.archives.append(staging, &shared.tables, (table, partition), entry);
            }
            TurnOp::Raw(op) => {
                staging.write(op);
                return Ok(());
            }
            other => other,
        };
        let name = op.table().map(|table| shared.tables.name(table)).unwrap_or_default();
        match op {
            TurnOp::Put { table, partition, key, row } => {
                if !row.indexed.is_empty() && self.indexed.insert(table) {
                    staging.put(&self.meta, [INDEXED, name.as_bytes()].concat(), Vec::new());
                }
                kv::lower_put(staging, &name, &partition, &key, &row, self.indexed.contains(&table))
            }
            TurnOp::Delete { table, partition, key } => {
                kv::lower_delete(staging, &name, &partition, &key, self.indexed.contains(&table))
            }
            TurnOp::DeletePartition { partition, .. } => kv::lower_delete_partition(staging, &name, &partition),
            TurnOp::Replace { table, partition, id, payload } => {
                self.archives.replace(staging, (&name, &shared.tails), &(table, partition), id, &payload)
            }
            TurnOp::Purge { table, partition, what } => {
                let place = (table, partition);
                let left = self.archives.purge(staging, (&name, &shared.tails), &place, what)?;
                rest.extend(left.map(|what| (place.0, place.1, what)));
                Ok(())
            }
            TurnOp::Append { .. } | TurnOp::Raw(_) => Ok(()),
        }
    }

    fn load_indexed(&mut self) -> Result<()> {
        for (key, _) in self.shared.backend.scan(META, &Scan::prefix(INDEXED))? {
            if let Some(name) = key.get(INDEXED.len()..).and_then(|name| std::str::from_utf8(name).ok()) {
                self.indexed.insert(self.shared.tables.id(name));
            }
        }
        Ok(())
    }

    /// An import may have brought indexed tables.
    fn reload_after_import(&mut self) {
        if self.shared.imported.swap(false, Ordering::AcqRel) {
            self.shared.tallies.forget();
            let shared = Arc::clone(&self.shared);
            shared.tails.clear();
            let reopened = archive::Folder::open(&*shared.backend, &shared.tables, &shared.tails);
            let loaded = reopened.map(|archives| self.archives = archives).and_then(|()| self.load_indexed());
            if let Err(error) = loaded {
                self.shared.fail(&error);
            }
        }
    }
}

/// Partitions from which something is removed, whose rows have to be counted again.
fn removals(group: &VecDeque<Submission>) -> Vec<(TableId, Arc<str>)> {
    let ops = group.iter().filter_map(|submission| match &submission.work {
        Work::Ops(ops) => Some(ops),
        _ => None,
    });
    let removed = ops.flatten().filter_map(|op| match op {
        TurnOp::Purge { table, partition, .. } | TurnOp::DeletePartition { table, partition } => {
            Some((*table, Arc::clone(partition)))
        }
        _ => None,
    });
    removed.collect()
}

/// Relaxed batches at the front of a group need not wait for its commit; the
/// ones behind a durable batch do, as callbacks run in order.
fn answer_relaxed(group: &mut VecDeque<Submission>) {
    for submission in group.iter_mut() {
        if submission.class != Class::Relaxed || matches!(submission.work, Work::Refused(_)) {
            break;
        }
        std::mem::replace(&mut submission.done, Done::Nobody).answer(Ok(()));
    }
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "panic without a message".into())
}
