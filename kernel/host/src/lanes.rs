//! Effects on their way out after a commit, in order for each key.

use std::hash::{BuildHasher, DefaultHasher, Hasher, RandomState};
use std::iter::Peekable;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use smallvec::SmallVec;
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc, oneshot};
use xylem_hooks::Effect;
use xylem_hooks::call::Cause;
use xylem_store::Store;

use crate::guest::{After, Core};
use crate::services::Services;

/// How many ways there are; keys are spread over them.
const LANES: usize = 64;
/// Jobs that a lane takes at a time: what they send to the same people goes out together.
const TOGETHER: usize = 32;
/// To so many or more recipients it pays to wait for what comes next.
const MANY: usize = 16;
/// For so long at most: about one commit.
const PATIENCE: Duration = Duration::from_millis(5);
/// Keys are counted in so many places; two that share one wait for each other.
const PLACES: usize = 1024;

/// Something to be released.
pub(crate) struct Job {
    pub(crate) core: Arc<Core>,
    pub(crate) cause: Cause,
    pub(crate) after: After,
    pub(crate) effects: Vec<Effect>,
    /// Told when it is carried out, if somebody waits for that: whether the turn was written.
    pub(crate) released: Option<oneshot::Sender<bool>>,
    /// Whether what the turn wrote was taken.
    pub(crate) written: bool,
    /// Where its key is counted; its place knows that.
    pub(crate) at: usize,
}

/// All lanes. What waits is bounded by the store's queue, which holds back writers.
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    /// What awaits its commit, by key.
    coming: Arc<[AtomicUsize]>,
    hasher: RandomState,
}

#[derive(Clone)]
pub(crate) struct Lane {
    jobs: mpsc::UnboundedSender<Job>,
    /// Announced and not yet carried out.
    waiting: Arc<AtomicUsize>,
    /// Announced and not yet come.
    uncommitted: Arc<AtomicUsize>,
    /// Held by whoever carries out.
    gate: Arc<Mutex<()>>,
}

/// Nobody else carries out effects of the lane as long as this lives.
pub(crate) type Gate = OwnedMutexGuard<()>;

/// The other ends, for [`Lanes::run`].
pub(crate) type Ends = Vec<End>;

/// Where the jobs of a lane arrive.
pub(crate) struct End {
    jobs: mpsc::UnboundedReceiver<Job>,
    /// Taken and not yet carried out.
    here: Vec<Job>,
    lane: Lane,
    coming: Arc<[AtomicUsize]>,
}

impl Lanes {
    pub(crate) fn new() -> (Self, Ends) {
        let coming: Arc<[AtomicUsize]> = (0..PLACES).map(|_| AtomicUsize::new(0)).collect();
        let mut lanes = Vec::with_capacity(LANES);
        let mut ends = Vec::with_capacity(LANES);
        for _ in 0..LANES {
            let (jobs, receiver) = mpsc::unbounded_channel();
            let lane = Lane { jobs, waiting: Arc::default(), uncommitted: Arc::default(), gate: Arc::default() };
            lanes.push(lane.clone());
            ends.push(End { jobs: receiver, here: Vec::new(), lane, coming: Arc::clone(&coming) });
        }
        (Self { lanes, coming, hasher: RandomState::new() }, ends)
    }

    /// If nothing for this key is on its way more may go at once, and holds back what
    /// comes later until the gate is dropped.
    pub(crate) fn enter(&self, key: &str) -> Option<Gate> {
        let lane = self.lane(key)?;
        if lane.waiting.load(Ordering::Acquire) > 0 {
            return None;
        }
        Arc::clone(&lane.gate).try_lock_owned().ok()
    }

    /// Whether what comes now has to wait for a commit.
    pub(crate) fn awaits_commit(&self, key: &str) -> bool {
        self.lane(key).is_some_and(|lane| lane.uncommitted.load(Ordering::Acquire) > 0)
    }

    /// Whether nothing is on its way at all.
    pub(crate) fn are_idle(&self) -> bool {
        self.lanes.iter().all(|lane| lane.waiting.load(Ordering::Acquire) == 0)
    }

    /// Announces a job whose commit is awaited: until it came, nothing may pass it.
    pub(crate) fn announce(&self, key: &str) -> Place {
        let lane = self.lane(key).cloned();
        let at = usize::try_from(self.hash(key) / LANES as u64 % PLACES as u64).unwrap_or(0);
        let place = lane.map(|lane| Announced { lane, coming: Arc::clone(&self.coming), at });
        if let Some(Announced { lane, .. }) = &place {
            lane.waiting.fetch_add(1, Ordering::AcqRel);
            lane.uncommitted.fetch_add(1, Ordering::AcqRel);
        }
        if let Some(coming) = self.coming.get(at) {
            coming.fetch_add(1, Ordering::AcqRel);
        }
        Place(place)
    }

    /// A job that awaits no commit of its own, behind those that do.
    pub(crate) fn enqueue(&self, store: &Store, job: Job) {
        let behind = self.awaits_commit(&job.cause.key);
        let place = self.announce(&job.cause.key);
        if behind {
            // An empty turn comes back after all that was handed over before.
            store.submit_turn_then(store.turn(), move |_| place.go(job));
        } else {
            place.go(job);
        }
    }

    /// Starts the tasks that carry jobs out. They end with the services.
    pub(crate) fn run(ends: Ends, services: &Arc<Services>) {
        for mut end in ends {
            let services: Weak<Services> = Arc::downgrade(services);
            tokio::spawn(async move {
                while end.take().await {
                    let through = end.lane.gate.lock().await;
                    let mut left = end.here.drain(..).peekable();
                    while left.peek().is_some() {
                        let Some(services) = services.upgrade() else { return };
                        let (turns, told) = next_of(&mut left, &services);
                        let released = services.release_all(turns);
                        drop(services);
                        released.get().await;
                        end.lane.waiting.fetch_sub(told.len(), Ordering::AcqRel);
                        for (told, written) in told {
                            // A session that ended does not listen any more.
                            let _ = told.map(|told| told.send(written));
                        }
                    }
                    drop(left);
                    drop(through);
                }
            });
        }
    }

    fn lane(&self, key: &str) -> Option<&Lane> {
        self.lanes.get(usize::try_from(self.hash(key) % LANES as u64).unwrap_or(0))
    }

    fn hash(&self, key: &str) -> u64 {
        let mut hasher: DefaultHasher = self.hasher.build_hasher();
        hasher.write(key.as_bytes());
        hasher.finish()
    }
}

impl End {
    /// Waits for jobs; false when there will be none. When one goes to many people, and more of its key is
    /// about to be committed, that is waited for: one wake-up and one write for each of them instead of two.
    async fn take(&mut self) -> bool {
        if self.jobs.recv_many(&mut self.here, TOGETHER).await == 0 {
            return false;
        }
        let until = tokio::time::Instant::now() + PATIENCE;
        while self.here.len() < TOGETHER && self.here.iter().any(|job| self.more_comes(job)) {
            let more = self.jobs.recv_many(&mut self.here, TOGETHER);
            if tokio::time::timeout_at(until, more).await.is_err() {
                break;
            }
        }
        true
    }

    fn more_comes(&self, job: &Job) -> bool {
        let many = matches!(&job.effects[..], [Effect::ToAddresses { to, .. }] if to.len() >= MANY);
        many && self.coming.get(job.at).is_some_and(|coming| coming.load(Ordering::Acquire) > 0)
    }
}

/// What is carried out next: jobs up to the first that has more than effects, or that one alone.
fn next_of(left: &mut Peekable<std::vec::Drain<'_, Job>>, services: &Services) -> (Vec<(Cause, Vec<Effect>)>, Told) {
    let (mut turns, mut told) = (Vec::new(), Told::new());
    while let Some(Job { core, cause, after, effects, released, written, .. }) =
        left.next_if(|job| told.is_empty() || job.after.is_empty())
    {
        let alone = !after.is_empty();
        if alone {
            services.settle(&core, &cause, after);
        }
        turns.push((cause, effects));
        told.push((released, written));
        if alone {
            break;
        }
    }
    (turns, told)
}

/// Who waits for jobs, and whether these were written.
type Told = SmallVec<[(Option<oneshot::Sender<bool>>, bool); 4]>;

/// An announced job's place in its lane.
pub(crate) struct Place(Option<Announced>);

struct Announced {
    lane: Lane,
    coming: Arc<[AtomicUsize]>,
    /// Which of these.
    at: usize,
}

impl Place {
    /// The commit came.
    pub(crate) fn go(mut self, mut job: Job) {
        let Some(place) = self.0.take() else { return };
        job.at = place.at;
        place.came();
        // The lane's task takes back `waiting` once it has carried the job out.
        if place.lane.jobs.send(job).is_err() {
            place.lane.waiting.fetch_sub(1, Ordering::AcqRel);
        }
        place.lane.uncommitted.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Announced {
    /// It need not be waited for any more.
    fn came(&self) {
        if let Some(coming) = self.coming.get(self.at) {
            coming.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(place) = &self.0 {
            place.came();
            place.lane.waiting.fetch_sub(1, Ordering::AcqRel);
            place.lane.uncommitted.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
