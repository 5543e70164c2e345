//! Handing over writes.

use crate::archive::{ArchiveId, Draft, Reserved};
use crate::backend::Backend;
use crate::batch::{Batch, MAX_VALUE, check_size};
use crate::error::{Result, StoreError};
use crate::keys;
use crate::options::Class;
use crate::queue::{Done, Recorder, Work};
use crate::store::Store;
use crate::tables::TableId;
use crate::ticket::Ticket;
use crate::turn::{Turn, TurnOp};

/// A row for [`Store::append_unheard`].
#[derive(Clone, Copy, Debug)]
pub struct NewRow<'a> {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// See [`Turn::append`].
    pub peer: &'a str,
    /// See [`Turn::append_marked`].
    pub marks: u8,
    /// What is stored.
    pub payload: &'a [u8],
    /// Whether acknowledgements wait for it.
    pub class: Class,
}

impl Store {
    /// Whether a turn would be taken now, for those who change more than rows with it.
    ///
    /// # Errors
    /// What [`Store::submit_turn`] would answer.
    pub fn accepts(&self, turn: &Turn) -> Result<()> {
        if turn.is_empty() { Ok(()) } else { self.shared().accepts(&turn.ops) }
    }

    /// Hands over a turn: its writes show in memory at once and are committed
    /// together. Blocks only when the queue is full.
    pub fn submit_turn(&self, turn: Turn) -> Ticket {
        self.submit_ticket(turn.class, turn.ops, turn.bytes)
    }

    /// As [`Store::submit_turn`]. `done` runs on the committer's thread, after
    /// the `done` of everything submitted before; it must be short and must
    /// not wait. A refused turn's `done` runs in its place, too.
    pub fn submit_turn_then(&self, turn: Turn, done: impl FnOnce(Result<()>) + Send + 'static) {
        self.submit_callback(turn.class, turn.ops, turn.bytes, Box::new(done));
    }

    /// As [`Store::submit_turn`], for whom nobody waits. A failure is the whole store's, see [`Store::health`].
    ///
    /// # Errors
    /// The turn is refused.
    pub fn submit_turn_unheard(&self, turn: Turn) -> Result<()> {
        self.shared().accepts(&turn.ops)?;
        self.push(turn.class, turn.ops, turn.bytes, Done::Nobody).map_err(|_| StoreError::Closed)
    }

    /// Appends a row to an archive for which nobody waits, if `takes` says so of the rows that the partition
    /// has, those on their way included. Cheaper than a turn. A failure is the whole store's, see [`Store::health`].
    ///
    /// # Errors
    /// The row is too big, or refused as a turn would be.
    pub fn append_unheard(
        &self,
        table: TableId,
        partition: &str,
        row: NewRow<'_>,
        takes: impl Fn(u64) -> bool,
    ) -> Result<Option<ArchiveId>> {
        let shared = self.shared();
        check_size("archive entry", row.payload.len(), MAX_VALUE)?;
        keys::check(&[partition.as_bytes(), row.peer.as_bytes(), &[0xFF; 8]])?;
        shared.fuse.check()?;
        shared.tables.check(table)?;
        shared.disk.check()?;
        for _ in 0..2 {
            let Some(place) = shared.queue.place(&shared.options) else { return Err(StoreError::Closed) };
            let name = match shared.tallies.reserve(table, partition, place.seq, &takes) {
                Reserved::Taken(name) => name,
                Reserved::Refused => return Ok(None),
                Reserved::Unknown => {
                    drop(place);
                    self.archived(table, partition)?;
                    continue;
                }
            };
            let NewRow { at_ms, peer, marks, payload, class } = row;
            let draft = Draft { id: shared.clock.next(at_ms), at_ms, marks, peer, payload };
            place.append(class, draft.bytes(), |group| group.add(&shared.tables, (table, name), &draft));
            return Ok(Some(draft.id));
        }
        // Others need the room in which the number is remembered.
        Ok(None)
    }

    /// Hands over writes to tables that no shape uses.
    pub fn submit(&self, batch: Batch) -> Ticket {
        self.submit_class(batch, Class::Durable)
    }

    /// As [`Store::submit`], with a class.
    pub fn submit_class(&self, batch: Batch, class: Class) -> Ticket {
        if let Err(error) = batch.check(MAX_VALUE) {
            return Ticket::known(Err(error));
        }
        let bytes = batch.bytes();
        self.submit_ticket(class, raw_ops(batch), bytes)
    }

    /// As [`Store::submit`]; an empty batch is a barrier. For `done` see
    /// [`Store::submit_turn_then`].
    pub fn submit_then(&self, batch: Batch, done: impl FnOnce(Result<()>) + Send + 'static) {
        let checked = batch.check(MAX_VALUE);
        let bytes = batch.bytes();
        match checked {
            Ok(()) => self.submit_callback(Class::Durable, raw_ops(batch), bytes, Box::new(done)),
            Err(error) => self.push_refused(error, Box::new(done)),
        }
    }

    /// Waits until everything submitted before is durable.
    ///
    /// # Errors
    /// When the store is or becomes read-only.
    pub async fn barrier(&self) -> Result<()> {
        self.submit(Batch::new()).wait().await
    }

    /// Whether everything submitted before is durable, as far as that is known without waiting: `None` if
    /// [`Store::barrier`] has to be asked. False when the store is read-only.
    #[must_use]
    pub fn settled(&self) -> Option<bool> {
        let shared = self.shared();
        match shared.fuse.check() {
            Err(_) => Some(false),
            Ok(()) => shared.queue.is_settled().then_some(true),
        }
    }

    /// Runs `job` on the committer's thread between two commits; also when
    /// the store is read-only, but not when it is closed.
    pub(crate) async fn run_job(&self, job: impl FnOnce(&dyn Backend, &mut Recorder) + Send + 'static) {
        if let Some(ticket) = self.submit_job(Box::new(job)) {
            // What the job found out it tells itself.
            let _ = ticket.wait().await;
        }
    }

    fn submit_job(&self, job: crate::queue::Job) -> Option<Ticket> {
        let (sender, ticket) = Ticket::pair();
        let place = self.shared().queue.place(&self.shared().options)?;
        place.push(Class::Durable, Work::Job(job), 0, Done::Ticket(sender));
        Some(ticket)
    }

    fn submit_ticket(&self, class: Class, ops: Vec<TurnOp>, bytes: usize) -> Ticket {
        if let Err(error) = self.shared().accepts(&ops) {
            return Ticket::known(Err(error));
        }
        let (done, ticket) = match class {
            Class::Durable => {
                let (sender, ticket) = Ticket::pair();
                (Done::Ticket(sender), ticket)
            }
            Class::Relaxed => (Done::Nobody, Ticket::known(Ok(()))),
        };
        match self.push(class, ops, bytes, done) {
            Ok(()) => ticket,
            Err(_) => Ticket::known(Err(StoreError::Closed)),
        }
    }

    fn submit_callback(&self, class: Class, ops: Vec<TurnOp>, bytes: usize, done: Box<dyn FnOnce(Result<()>) + Send>) {
        if let Err(error) = self.shared().accepts(&ops) {
            return self.push_refused(error, done);
        }
        if let Err(done) = self.push(class, ops, bytes, Done::Callback(done)) {
            done.answer(Err(StoreError::Closed));
        }
    }

    fn push_refused(&self, error: StoreError, done: Box<dyn FnOnce(Result<()>) + Send>) {
        match self.shared().queue.place(&self.shared().options) {
            Some(place) => place.push(Class::Durable, Work::Refused(error), 0, Done::Callback(done)),
            None => done(Err(StoreError::Closed)),
        }
    }

    fn push(&self, class: Class, ops: Vec<TurnOp>, bytes: usize, done: Done) -> Result<(), Done> {
        let shared = self.shared();
        let Some(place) = shared.queue.place(&shared.options) else { return Err(done) };
        // In the same order in memory as in the queue, as the place is held.
        for op in &ops {
            shared.cache.apply(op, place.seq);
            if let TurnOp::Append { table, partition, .. } = op {
                shared.tallies.submitted(*table, partition);
            }
        }
        place.push(class, Work::Ops(ops), bytes, done);
        Ok(())
    }
}

fn raw_ops(batch: Batch) -> Vec<TurnOp> {
    batch.ops.into_iter().map(TurnOp::Raw).collect()
}
