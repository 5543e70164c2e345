//! One life of a server: from a start to the next restart.

use std::cell::RefCell;
use std::future::Future;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use xylem_hooks::Plan;
use xylem_host::{Clock, Host, HostConfig};
use xylem_router::{Directory, Router};
use xylem_session::{Limits, SessionTable};
use xylem_store::{Backend, Options, Store};

use crate::accounts::Accounts;
use crate::backend::Disk;
use crate::clock::HandClock;
use crate::kit::Parts;
use crate::line::Line;
use crate::operations::Table;
use crate::packages::target;

/// Nothing that a plugin is allowed to do takes as long.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often everything that is ready gets its turn between two looks.
const TURNS: usize = 64;
/// Quiet looks in a row that count while a client does not read.
const LOOKS: usize = 8;

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) sessions: Arc<SessionTable>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) host: Arc<Host>,
    pub(crate) router: Router,
    pub(crate) lines: RefCell<Vec<Rc<Line>>>,
    /// Tasks that never end.
    standing: usize,
    // Last, so that it ends after what runs on it.
    runtime: Runtime,
}

struct Plans(Arc<Host>);

impl Directory for Plans {
    fn plan(&self, domain: &str) -> Option<Arc<Plan>> {
        self.0.plan(domain)
    }
}

impl World {
    pub(crate) fn begin(parts: &Parts, disk: &Arc<Disk>, clock: &HandClock) -> Rc<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime: {error}"));
        let running = runtime.enter();
        let options = Options { window: Duration::ZERO, relaxed_window: Duration::ZERO, ..Options::default() };
        let store = Store::new(Arc::clone(disk) as Arc<dyn Backend>, options);
        let store = store.unwrap_or_else(|error| panic!("no store: {error}"));
        let sessions = Arc::new(SessionTable::new(Limits::default()));
        let accounts = Arc::new(Accounts::new(store.clone(), parts.domains.clone()));
        let host = host(parts, &store, &sessions, &accounts, clock);
        // What carries effects out, and the one that looks after timers.
        let standing = runtime.metrics().num_alive_tasks() + 1;
        let directory = Arc::new(Plans(Arc::clone(&host)));
        let router = Router::new(Arc::clone(&sessions), store.clone(), Arc::clone(&accounts) as Arc<_>, directory);
        router.attach(Arc::clone(&host) as Arc<_>);
        host.attach(Arc::new(router.clone()));
        host.attach_table(Arc::new(Table::new(&host, parts.ranks.clone())));
        host.start();
        drop(running);
        let world =
            Rc::new(Self { store, sessions, accounts, host, router, lines: RefCell::default(), standing, runtime });
        world.settle();
        world
    }

    /// Runs something to its end, and then all that follows from it.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(async {
            let done = work.await;
            self.calm_down().await;
            done
        })
    }

    /// Waits until nothing is under way any more.
    pub(crate) fn settle(&self) {
        self.run(std::future::ready(()));
    }

    async fn calm_down(&self) {
        let begun = Instant::now();
        let mut quiet = 0;
        loop {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            let mut read = false;
            let lines = self.lines.borrow().clone();
            for line in &lines {
                read |= line.read(&self.sessions, &self.router).await;
            }
            // Whatever was handed to the store before is answered; a store that fails says so elsewhere.
            let _ = self.store.barrier().await;
            quiet = if !read && self.is_quiet() { quiet + 1 } else { 0 };
            let held = lines.iter().any(|line| line.is_held());
            if quiet >= if held { LOOKS } else { 1 } {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "the server does not come to rest: {}", self.under_way());
            if quiet == 0 && !read {
                // Other threads have something to finish.
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
    }

    /// No turn awaits its commit or release, no task runs but those that always do,
    /// nothing waits for a client that reads.
    fn is_quiet(&self) -> bool {
        let lines = self.lines.borrow();
        let held = lines.iter().any(|line| line.is_held());
        self.host.is_idle()
            && self.store.health().waiting == 0
            && (held || self.runtime.metrics().num_alive_tasks() <= self.standing)
            && lines.iter().all(|line| line.is_empty())
    }

    fn under_way(&self) -> String {
        let tasks = self.runtime.metrics().num_alive_tasks().saturating_sub(self.standing);
        format!(
            "{tasks} tasks, {} batches, effects to carry out: {}",
            self.store.health().waiting,
            !self.host.is_idle()
        )
    }

    /// Everybody is cut off, and nothing more happens here.
    pub(crate) fn end(&self, why: &str) {
        for line in self.lines.borrow_mut().drain(..) {
            line.mark_ended(why);
        }
        self.store.close();
    }
}

fn host(
    parts: &Parts,
    store: &Store,
    sessions: &Arc<SessionTable>,
    accounts: &Arc<Accounts>,
    clock: &HandClock,
) -> Arc<Host> {
    // Compiled by one test, found by all others, of other crates and tomorrow as well.
    static COMPILING: Mutex<()> = Mutex::new(());
    let domains: Vec<_> = parts.domains.iter().map(String::as_str).collect();
    let config = HostConfig {
        clock: Arc::new(clock.clone()) as Arc<dyn Clock>,
        code: Some(target().join("testing").join("code")),
        ..HostConfig::new(&domains)
    };
    let host = Host::new(config, store.clone(), Arc::clone(sessions), Arc::clone(accounts) as Arc<_>);
    let host = host.unwrap_or_else(|error| panic!("plugins cannot run here: {error}"));
    let compiling = COMPILING.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = host.load_set(parts.plugins.clone());
    drop(compiling);
    if let Err(error) = loaded {
        panic!("the plugins were refused: {error}");
    }
    host
}
