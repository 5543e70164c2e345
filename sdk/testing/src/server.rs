//! The server under test, as its administrator sees it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use xylem_host::{AccountService as _, Clock as _, OperationCaller, State};
use xylem_session::{Binding, Conflict, Endpoint, Resource};
use xylem_stanza::{BareJid, FullJid};

use crate::backend::Disk;
use crate::client::Client;
use crate::clock::HandClock;
use crate::kit::Parts;
use crate::line::Line;
use crate::operations;
use crate::stranger::Stranger;
use crate::world::World;

/// Moments in one [`Server::advance`] at which something was due.
const MOST_STEPS: usize = 100_000;

/// A running server with a store in memory. Its time is 2026-01-01T00:00:00Z until
/// [`Server::advance`] moves it.
pub struct Server {
    parts: Parts,
    disk: Arc<Disk>,
    clock: HandClock,
    world: Rc<World>,
}

impl Server {
    pub(crate) fn start(parts: Parts) -> Self {
        let (disk, clock) = (Arc::new(Disk::new()), HandClock::new());
        let world = World::begin(&parts, &disk, &clock);
        Self { parts, disk, clock, world }
    }

    /// Makes an account: `romeo`, or `romeo@example.org` of another domain. Its password is `secret`.
    ///
    /// # Panics
    /// If there is one already, or it cannot be one.
    #[track_caller]
    pub fn account(&self, name: &str) {
        let account = self.address(name);
        let mut turn = self.world.store.turn();
        let made =
            self.world.accounts.create(&mut turn, account.domain(), account.local().unwrap_or_default(), "secret");
        if let Err(refusal) = made {
            panic!("{account}: {refusal}");
        }
        self.world.run(async {
            let done = self.world.store.submit_turn(turn).wait().await;
            assert!(done.is_ok(), "{account}: {done:?}");
            self.world.router.account_created(&account);
        });
    }

    /// Removes an account with all that plugins keep for it, as an administrator does.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn delete_account(&self, name: &str) {
        let account = self.address(name);
        self.world.run(self.world.router.account_leaving(&account));
        let mut turn = self.world.store.turn();
        if let Err(refusal) = self.world.accounts.delete(&mut turn, &account) {
            panic!("{account}: {refusal}");
        }
        self.world.host.forget_rows(&mut turn, account.as_str());
        self.world.run(async {
            let done = self.world.store.submit_turn(turn).wait().await;
            assert!(done.is_ok(), "{account}: {done:?}");
            self.world.router.account_deleted(&account);
        });
    }

    /// The password of an account; none if there is no such account.
    #[must_use]
    #[track_caller]
    pub fn password(&self, name: &str) -> Option<String> {
        self.world.accounts.password(&self.address(name))
    }

    /// A client that has logged in and bound this full address. One that holds the
    /// address already is replaced.
    ///
    /// # Panics
    /// If there is no such account.
    #[must_use]
    #[track_caller]
    pub fn client(&self, address: &str) -> Client {
        let jid = FullJid::parse(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        let account = jid.bare();
        assert!(
            self.world.accounts.password(&account).is_some(),
            "there is no account {account}; make it with `account`"
        );
        let peer = std::net::SocketAddr::from(([192, 0, 2, 1], 49152));
        let endpoint = Endpoint { peer, tls: None, mechanism: "SCRAM-SHA-256", anonymous: false };
        let resource = Resource::Wanted(jid.resource());
        let binding = Binding { account: &account, resource, conflict: Conflict::Replace, endpoint };
        let bound = self.world.sessions.bind(binding).unwrap_or_else(|error| panic!("{address}: {error}"));
        let line = Rc::new(Line::new(bound.session));
        self.world.run(async {
            if let Some(old) = bound.replaced.filter(|old| old.retire())
                && let Some(work) = self.world.router.ended(&old, "conflict")
            {
                work.await;
            }
            self.world.lines.borrow_mut().push(Rc::clone(&line));
            self.world.router.bound(&line.session);
        });
        Client::new(Rc::clone(&self.world), line)
    }

    /// Somebody at this network address who has not logged in (to the first domain).
    ///
    /// # Panics
    /// If it is no IP address.
    #[must_use]
    #[track_caller]
    pub fn stranger(&self, peer: &str) -> Stranger {
        let peer = peer.parse().unwrap_or_else(|error| panic!("{peer}: {error}"));
        Stranger::new(Rc::clone(&self.world), self.domain().to_owned(), peer)
    }

    /// Lets time pass. What is due on the way happens at its time: timers, time-outs
    /// of questions, limits that fill up again.
    pub fn advance(&self, time: Duration) {
        let end = self.clock.now_ms().saturating_add(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
        let mut steps = 0;
        while let Some(next) = self.clock.next().filter(|next| *next <= end) {
            self.clock.set(next.max(self.clock.now_ms()));
            self.world.run(self.world.host.run_due());
            steps += 1;
            assert!(steps < MOST_STEPS, "timers go off without end: one is set for the moment that it goes off in");
        }
        self.clock.set(end);
        self.world.settle();
    }

    /// The next commit to the store fails. As with a real disk, the store takes no more
    /// writes after that until [`Server::restart`].
    pub fn fail_next_commit(&self) {
        self.disk.fail_next();
    }

    /// The process ends without a word and is started again over the same store: what
    /// was committed is there, everything else is gone, clients included.
    pub fn restart(&mut self) {
        self.world.settle();
        self.world.end("the server was restarted");
        // What the old process waited for is nothing to the new one.
        self.clock = HandClock::at(self.clock.now_ms());
        self.world = World::begin(&self.parts, &self.disk, &self.clock);
    }

    /// The server is about to stop: plugins say their last words, clients are still there to hear them.
    pub fn stopping(&self) {
        self.world.run(self.world.host.stopping());
        self.world.settle();
    }

    /// How many rows an archive of a plugin has for a key: `server.archived("xylem.muc/history", "a@conference.localhost")`.
    ///
    /// # Panics
    /// If they cannot be read.
    #[must_use]
    #[track_caller]
    pub fn archived(&self, store: &str, key: &str) -> u64 {
        let counted = self.world.run(async { self.world.store.archive(store).count(key).await });
        counted.unwrap_or_else(|error| panic!("{store}, {key}: {error}"))
    }

    /// What plugins add to a slot for the first domain, put together; such as `stream.before-auth`.
    #[must_use]
    pub fn adds(&self, slot: &str) -> String {
        self.world.host.plan(self.domain()).map(|plan| plan.contributions(slot).concat()).unwrap_or_default()
    }

    /// Calls an operation of a plugin as an owner: `server.operation("offline.show", json!({"account": …}))`.
    ///
    /// # Errors
    /// Why it was refused, in words.
    pub fn operation(&self, name: &str, arguments: Value) -> Result<Value, String> {
        let operations = self.world.host.operations();
        let spec = operations.iter().filter_map(|one| one.spec()).find(|spec| spec.name == name);
        let spec = spec.ok_or_else(|| format!("there is no operation {name}"))?;
        operations::check(spec, &arguments).map_err(|refusal| refusal.to_string())?;
        let arguments = operations::resolved(spec, arguments, &self.parts.ranks);
        let caller = OperationCaller { who: "root".to_owned(), role: "owner".to_owned() };
        let answer = self.world.run(self.world.host.operate(name, &arguments, caller));
        answer.map_err(|refusal| refusal.to_string())
    }

    /// # Panics
    /// If a plugin has failed: trapped, or run out of time or memory.
    #[track_caller]
    pub fn no_faults(&self) {
        for info in self.world.host.info() {
            assert!(info.last_fault.is_none() && info.state == State::Running, "{}: {:?}", info.id, info.last_fault);
        }
    }

    fn domain(&self) -> &str {
        self.parts.domains.first().map_or("localhost", String::as_str)
    }

    #[track_caller]
    fn address(&self, name: &str) -> BareJid {
        let text = if name.contains('@') { name.to_owned() } else { format!("{name}@{}", self.domain()) };
        BareJid::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }
}
