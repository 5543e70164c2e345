//! One loaded plugin, and a call into it from beginning to end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use wasmtime::component::Val;
use xylem_hooks::Done;
use xylem_hooks::call::Cause;
use xylem_hooks::manifest::KeyKind;
use xylem_stanza::Stanza;

use crate::engine::PluginEngine;
use crate::guest::{Call, Core, Parts};
use crate::instance::{Extended, Input, Instance, Mould, Output};
use crate::shards::Shards;
use crate::supervisor::{Fault, Gate, Supervisor};
use crate::timers::{DueWake, Timers};
use crate::turn::{self, Answer, Sealed};
use crate::turnstile::Turnstile;

/// A version of a plugin. An upgrade makes another one; calls under way end on the old.
pub(crate) struct Plugin {
    pub(crate) core: Arc<Core>,
    pub(crate) shards: Shards,
    pub(crate) supervisor: Supervisor,
    engine: Arc<PluginEngine>,
    mould: Mould,
    turnstile: Arc<Turnstile>,
}

/// What to call.
pub(crate) struct Request {
    pub(crate) cause: Cause,
    /// Which entry point, over all tables of the manifest.
    pub(crate) site: usize,
    pub(crate) input: Input,
    pub(crate) stanza: Option<Stanza>,
    pub(crate) observes: bool,
    /// See [`Call::leads`].
    pub(crate) leads: bool,
    /// The timer that is delivered by this call.
    pub(crate) wake: Option<DueWake>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The call was made and undone.
    Faulted,
    /// It was not made: the plugin is disabled or backing off.
    Closed,
}

impl Plugin {
    pub(crate) fn new(core: Arc<Core>, engine: Arc<PluginEngine>, mould: Mould) -> Self {
        let shards = Shards::new(&core.manifest.run);
        Self { core, shards, supervisor: Supervisor::default(), engine, mould, turnstile: Arc::default() }
    }

    /// Makes an instance and drops it again.
    pub(crate) fn try_start(&self) -> Result<(), Fault> {
        let cause = Cause { domain: "".into(), key: "".into(), actor: None, peer: None, hops: 0, note: None };
        self.instance(&cause, self.core.services.clock.now_ms()).map(drop)
    }

    /// A new instance; `start` sees no key and so no rows.
    fn instance(&self, cause: &Cause, now: u64) -> Result<Instance, Fault> {
        let cause = Cause { key: "".into(), actor: None, peer: None, ..cause.clone() };
        let start = Call::new(&self.core.services.store, cause, usize::MAX, Parts::new(), now);
        Instance::new(&self.engine.engine, &self.mould, &self.core, start)
    }

    /// The cause as this plugin is to see it.
    pub(crate) fn cause(&self, cause: &Cause) -> Cause {
        let mut own = cause.clone();
        if self.core.manifest.key() == KeyKind::Domain {
            own.key = Arc::clone(&own.domain);
        }
        own
    }

    /// Makes a call: at once where that is possible.
    pub(crate) fn call(self: &Arc<Self>, request: Request) -> Done<Result<Answer, Refused>> {
        let clock = &self.core.services.clock;
        let gate = self.supervisor.gate(&request.cause.key, || clock.now_ms());
        if gate == Gate::Closed {
            self.core.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Done::Ready(Err(Refused::Closed));
        }
        if gate == Gate::Inline
            && self.turnstile.is_free(&request.cause.key)
            && let Some(parts) = self.core.gather(request.site, &request.cause)
        {
            return self.judge(self.run(request, parts, false));
        }
        self.call_later(request, gate)
    }

    fn call_later(self: &Arc<Self>, request: Request, gate: Gate) -> Done<Result<Answer, Refused>> {
        // Queued up now, so that what comes later stays behind.
        let mut place = self.turnstile.join(&request.cause.key);
        let plugin = Arc::clone(self);
        Done::Later(Box::pin(async move {
            place.wait().await;
            let ran = plugin.load_and_run(request, gate).await;
            drop(place);
            plugin.judge(ran).get().await
        }))
    }

    async fn load_and_run(self: &Arc<Self>, request: Request, gate: Gate) -> Ran {
        let wall = self.core.manifest.run.wall;
        let loaded = tokio::time::timeout(wall, self.core.load(request.site, &request.cause)).await;
        let missing = match loaded {
            Ok(Ok(parts)) => return self.run_loaded(request, parts, gate).await,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "rows did not come in time".to_owned(),
        };
        let Request { cause, stanza, .. } = request;
        Err(Box::new(Failed { cause, stanza, fault: Fault::Storage(missing) }))
    }

    async fn run_loaded(self: &Arc<Self>, request: Request, parts: Parts, gate: Gate) -> Ran {
        if gate != Gate::Aside {
            return self.run(request, parts, true);
        }
        let (cause, stanza) = (request.cause.clone(), request.stanza.clone());
        let plugin = Arc::clone(self);
        let ran = tokio::task::spawn_blocking(move || plugin.run(request, parts, true)).await;
        ran.unwrap_or_else(|error| Err(Box::new(Failed { cause, stanza, fault: Fault::Crash(error.to_string()) })))
    }

    /// Calls and seals the turn. With `queue` its effects keep their place behind the key's others.
    fn run(&self, request: Request, parts: Parts, queue: bool) -> Ran {
        let services = &self.core.services;
        let now = services.clock.now_ms();
        let Request { cause, site, input, stanza, observes, leads, wake } = request;
        let mut call = Call::new(&services.store, cause.clone(), site, parts, now);
        call.stanza = stanza.clone();
        call.observes = observes;
        call.leads = leads;
        if let Some(wake) = &wake {
            Timers::delivered(&services.store, &mut call, wake);
        }
        let make = || self.instance(&cause, now);
        self.engine.busy();
        let ran = self.shards.with(&cause.key, make, |instance| {
            let (output, call) = instance.call(call, &input)?;
            Ok(turn::seal(&self.core, output, call, queue))
        });
        ran.map_err(|fault| Box::new(Failed { cause, stanza, fault }))
    }

    /// Lets a turn take effect, or takes note of a fault.
    fn judge(&self, ran: Ran) -> Done<Result<Answer, Refused>> {
        match ran {
            Ok(sealed) => turn::open(&self.core, sealed),
            Err(failed) => {
                self.note(&failed.cause, failed.stanza.as_ref(), &failed.fault);
                Done::Ready(Err(Refused::Faulted))
            }
        }
    }

    /// A call from another plugin, made at once on its thread: a turn of its own, whose
    /// effects follow what the key has under way.
    pub(crate) fn extend(
        &self,
        cause: &Cause,
        stanza: Option<&Stanza>,
        ask: impl FnOnce(&mut Instance, Call) -> Extended,
    ) -> Result<Option<Vec<Val>>, Refused> {
        let cause = self.cause(cause);
        let services = &self.core.services;
        let now = services.clock.now_ms();
        if self.supervisor.gate(&cause.key, || now) == Gate::Closed {
            self.core.counters.refused.fetch_add(1, Ordering::Relaxed);
            return Err(Refused::Closed);
        }
        let parts = self.core.gather(usize::MAX, &cause).unwrap_or_default();
        let mut call = Call::new(&services.store, cause.clone(), usize::MAX, parts, now);
        call.stanza = stanza.cloned();
        call.observes = true;
        let make = || self.instance(&cause, now);
        self.engine.busy();
        let ran = self.shards.with(&cause.key, make, |instance| {
            let (values, mut call) = ask(instance, call)?;
            // Whoever sent the stanza is answered by the plugin that asks.
            call.stanza = None;
            drop(turn::seal(&self.core, Output::Nothing, call, true));
            Ok(values)
        });
        ran.map_err(|fault| {
            self.note(&cause, stanza, &fault);
            Refused::Faulted
        })
    }

    fn note(&self, cause: &Cause, stanza: Option<&Stanza>, fault: &Fault) {
        self.core.counters.faults.fetch_add(1, Ordering::Relaxed);
        let now = self.core.services.clock.now_ms();
        let follows = match fault {
            Fault::Storage(_) => "the call is not made",
            fault => self.supervisor.fault(&cause.key, fault, now),
        };
        let id = stanza.and_then(Stanza::id).unwrap_or_default();
        tracing::error!(plugin = %self.core.id, domain = %cause.domain, key = %cause.key, stanza = %id, %fault, "{follows}");
    }
}

type Ran = Result<Sealed, Box<Failed>>;

/// A call that was undone.
struct Failed {
    cause: Cause,
    stanza: Option<Stanza>,
    fault: Fault,
}
