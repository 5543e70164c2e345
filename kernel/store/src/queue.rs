use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::archive::Group;
use crate::backend::Backend;
use crate::error::Result;
use crate::locks::Mutex;
use crate::options::{Class, Options};
use crate::turn::TurnOp;

/// What somebody gave to the committer.
pub(crate) struct Submission {
    /// Place in the order of submission, from 1.
    pub(crate) seq: u64,
    pub(crate) class: Class,
    pub(crate) work: Work,
    pub(crate) bytes: usize,
    pub(crate) done: Done,
}

pub(crate) enum Work {
    Ops(Vec<TurnOp>),
    /// Archive rows for which nobody waits, those of several submissions.
    Rows(Box<Group>),
    /// Refused already; it only keeps its place for its callback.
    Refused(crate::error::StoreError),
    /// Runs on the committer thread between two commits.
    Job(Job),
}

/// Something for the committer's thread.
pub(crate) type Job = Box<dyn FnOnce(&dyn Backend, &mut Recorder) + Send>;

pub(crate) enum Done {
    Nobody,
    Ticket(oneshot::Sender<Result<()>>),
    Callback(Box<dyn FnOnce(Result<()>) + Send>),
}

impl Done {
    pub(crate) fn answer(self, result: Result<()>) {
        match self {
            Self::Nobody => {}
            // Nobody waits any more: the batch stands all the same.
            Self::Ticket(sender) => drop(sender.send(result)),
            Self::Callback(callback) => {
                let run = std::panic::AssertUnwindSafe(|| callback(result));
                if std::panic::catch_unwind(run).is_err() {
                    tracing::error!("a commit callback panicked; later ones are not affected");
                }
            }
        }
    }
}

/// Notes which entries were committed while an export runs.
#[derive(Default)]
pub(crate) struct Recorder {
    /// Weak, so that an export that was given up ends the noting.
    pub(crate) changed: Weak<std::sync::Mutex<Changed>>,
}

impl Recorder {
    pub(crate) fn is_recording(&self) -> bool {
        self.changed.strong_count() > 0
    }
}

/// Tables and keys.
pub(crate) type Changed = BTreeSet<(Arc<str>, Vec<u8>)>;

/// The line before the committer.
pub(crate) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    drained: Condvar,
    settled: Condvar,
    pub(crate) committed: Arc<AtomicU64>,
    committer: OnceLock<ThreadId>,
}

struct State {
    waiting: VecDeque<Submission>,
    bytes: usize,
    /// When the first waiting submission of either class came.
    first: Option<Instant>,
    first_durable: Option<Instant>,
    last_seq: u64,
    /// Of the last that is acknowledged when it is on disk.
    last_durable: u64,
    closed: bool,
}

/// A place in the line: holding it keeps the order of the line and of what the
/// holder does meanwhile the same.
pub(crate) struct Place<'a> {
    queue: &'a Queue,
    options: &'a Options,
    state: MutexGuard<'a, State>,
    pub(crate) seq: u64,
}

impl Queue {
    pub(crate) fn new() -> Self {
        let state = State {
            waiting: VecDeque::new(),
            bytes: 0,
            first: None,
            first_durable: None,
            last_seq: 0,
            last_durable: 0,
            closed: false,
        };
        Self {
            state: Mutex::new(state),
            filled: Condvar::new(),
            drained: Condvar::new(),
            settled: Condvar::new(),
            committed: Arc::new(AtomicU64::new(0)),
            committer: OnceLock::new(),
        }
    }

    pub(crate) fn set_committer(&self, thread: ThreadId) {
        let _ = self.committer.set(thread);
    }

    pub(crate) fn is_committer(&self) -> bool {
        self.committer.get() == Some(&std::thread::current().id())
    }

    /// Waits for room. The committer itself never waits, since nobody else makes room.
    /// `None` when the store is closed.
    pub(crate) fn place<'a>(&'a self, options: &'a Options) -> Option<Place<'a>> {
        let mut state = self.lock();
        if !self.is_committer() {
            while !state.closed && (state.waiting.len() >= options.queue_batches || state.bytes >= options.queue_bytes)
            {
                state = self.drained.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        let seq = state.last_seq + 1;
        (!state.closed).then_some(Place { queue: self, options, state, seq })
    }

    /// The next group; `None` when the queue is closed and empty.
    pub(crate) fn next_group(&self, options: &Options) -> Option<VecDeque<Submission>> {
        let mut state = self.lock();
        loop {
            match state.time_left(options) {
                Some(Duration::ZERO) => break,
                Some(left) => {
                    state = self.filled.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
                }
                None if state.closed => return None,
                None => state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
        let group = state.take(options);
        self.drained.notify_all();
        Some(group)
    }

    /// Everything up to `seq` is answered.
    pub(crate) fn settle(&self, seq: u64) {
        self.committed.fetch_max(seq, Ordering::Release);
        drop(self.lock()); // a waiter between its test and its wait must not miss this
        self.settled.notify_all();
    }

    /// Blocks until everything up to `seq` was committed or has failed.
    pub(crate) fn wait_settled(&self, seq: u64) {
        if self.is_committer() {
            return;
        }
        let mut state = self.lock();
        while self.committed.load(Ordering::Acquire) < seq {
            state = self.settled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
        self.drained.notify_all();
    }

    /// Whether nothing is on its way that is acknowledged when it is on disk.
    pub(crate) fn is_settled(&self) -> bool {
        let last = self.lock().last_durable;
        self.committed.load(Ordering::Acquire) >= last
    }

    /// Batches and bytes that wait.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let state = self.lock();
        (state.waiting.len(), state.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place<'_> {
    /// Takes the place for a row of an archive. Rows that follow each other make one group.
    pub(crate) fn append(mut self, class: Class, bytes: usize, add: impl FnOnce(&mut Group)) {
        let state = &mut *self.state;
        match state.waiting.back_mut() {
            Some(Submission { seq, class: last, work: Work::Rows(group), bytes: all, done: Done::Nobody })
                if *last == class && !group.is_full() =>
            {
                add(group);
                (*seq, *all) = (self.seq, *all + bytes);
                state.last_seq = self.seq;
                if class == Class::Durable {
                    state.last_durable = self.seq;
                }
                let before = state.bytes;
                state.bytes += bytes;
                let full = before < self.options.group_bytes && state.bytes >= self.options.group_bytes;
                drop(self.state);
                if full {
                    self.queue.filled.notify_one();
                }
            }
            _ => {
                let mut group = Group::new();
                add(&mut group);
                self.push(class, Work::Rows(Box::new(group)), bytes, Done::Nobody);
            }
        }
    }

    /// Takes the place.
    pub(crate) fn push(mut self, class: Class, work: Work, bytes: usize, done: Done) {
        let now = Instant::now();
        let state = &mut *self.state;
        state.last_seq = self.seq;
        state.bytes += bytes;
        let wake = match class {
            Class::Durable => state.first_durable.is_none(),
            Class::Relaxed => state.first.is_none(),
        };
        state.first.get_or_insert(now);
        if class == Class::Durable {
            state.first_durable.get_or_insert(now);
            state.last_durable = self.seq;
        }
        state.waiting.push_back(Submission { seq: self.seq, class, work, bytes, done });
        // The committer sleeps through the batches between the first and the
        // one that fills the group.
        let full = state.waiting.len() == self.options.group_batches || state.bytes >= self.options.group_bytes;
        drop(self.state);
        if wake || full {
            self.queue.filled.notify_one();
        }
    }
}

impl State {
    /// How long to wait before a group is taken; `None`: nothing waits.
    fn time_left(&self, options: &Options) -> Option<Duration> {
        let first = self.first?;
        if self.closed || self.waiting.len() >= options.group_batches || self.bytes >= options.group_bytes {
            return Some(Duration::ZERO);
        }
        let relaxed = options.relaxed_window.saturating_sub(first.elapsed());
        let durable = self.first_durable.map(|at| options.window.saturating_sub(at.elapsed()));
        Some(durable.map_or(relaxed, |durable| durable.min(relaxed)))
    }

    fn take(&mut self, options: &Options) -> VecDeque<Submission> {
        if self.waiting.len() <= options.group_batches && self.bytes <= options.group_bytes {
            (self.bytes, self.first, self.first_durable) = (0, None, None);
            let room = self.waiting.len();
            return std::mem::replace(&mut self.waiting, VecDeque::with_capacity(room));
        }
        let (mut count, mut bytes) = (0, 0);
        for submission in &self.waiting {
            if count > 0 && (count >= options.group_batches || bytes + submission.bytes > options.group_bytes) {
                break;
            }
            count += 1;
            bytes += submission.bytes;
        }
        let group: VecDeque<Submission> = self.waiting.drain(..count).collect();
        self.bytes = self.bytes.saturating_sub(bytes);
        // What stays behind has waited through this group: it goes next, at once.
        let left = !self.waiting.is_empty();
        self.first = self.first.filter(|_| left);
        self.first_durable = self.first_durable.filter(|_| left);
        group
    }
}
