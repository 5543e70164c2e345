//! The host as the router sees it.

use std::sync::Arc;

use xylem_hooks::call::{Cause, Done, HookOutcome, IqOutcome, Parties, PluginIndex, Plugins, Recorded};
use xylem_hooks::manifest::OnFault;
use xylem_hooks::{EventPoint, Failure, PageEnd, PageError, Phase, Verdict};
use xylem_stanza::{Condition, ErrorType, Stanza};

use super::Host;
use crate::asks::Open;
use crate::capability::Fault;
use crate::instance::Input;
use crate::plugin::{Plugin, Refused, Request};
use crate::record;
use crate::timers::DueWake;
use crate::turn::Answer;
use crate::wires::EndedRelay;

impl Plugins for Host {
    fn hook(&self, plugin: PluginIndex, entry: u32, bits: u64, cause: &Cause, stanza: &Stanza) -> Done<HookOutcome> {
        let Some(plugin) = self.plugin(plugin) else { return Done::Ready(passed()) };
        let at = usize::try_from(entry).unwrap_or(usize::MAX);
        let Some(hook) = plugin.core.manifest.hooks.get(at) else { return Done::Ready(passed()) };
        let (phase, outgoing) = (hook.phase, hook.on.is_outgoing());
        let request = Request {
            cause: plugin.cause(cause),
            site: at,
            input: Input::Hook { entry, bits, packed: stanza.packed() },
            stanza: Some(stanza.clone()),
            observes: phase == Phase::Observe,
            leads: outgoing && cause.hops == 0,
            wake: None,
        };
        match plugin.call(request) {
            Done::Ready(answer) => Done::Ready(hooked(&plugin, phase, answer)),
            Done::Later(later) => Done::Later(Box::pin(async move { hooked(&plugin, phase, later.await) })),
        }
    }

    fn record(&self, plugin: PluginIndex, entry: u32, bits: u64, parties: Parties<'_>, stanza: &Stanza) -> Recorded {
        match self.plugin(plugin) {
            Some(plugin) => record::record(&plugin.core, entry, bits, parties, stanza),
            None => Recorded::Ask,
        }
    }

    fn iq(&self, plugin: PluginIndex, entry: u32, cause: &Cause, stanza: &Stanza) -> Done<IqOutcome> {
        let Some(plugin) = self.plugin(plugin) else { return Done::Ready(IqOutcome::Unavailable) };
        let at = usize::try_from(entry).unwrap_or(usize::MAX);
        let request = Request {
            cause: plugin.cause(cause),
            site: plugin.core.manifest.hooks.len().saturating_add(at),
            input: Input::Iq { entry, packed: stanza.packed() },
            stanza: Some(stanza.clone()),
            observes: false,
            leads: false,
            wake: None,
        };
        match plugin.call(request) {
            Done::Ready(answer) => Done::Ready(claimed(answer)),
            Done::Later(later) => Done::Later(Box::pin(async move { claimed(later.await) })),
        }
    }

    fn event(&self, plugin: PluginIndex, entry: u32, cause: &Cause, subject: &str, detail: &str) {
        if let Some(plugin) = self.plugin(plugin) {
            aside(tell(&plugin, entry, plugin.cause(cause), subject, detail));
        }
    }

    fn event_heard(&self, plugin: PluginIndex, entry: u32, cause: &Cause, subject: &str, detail: &str) -> Done<()> {
        let Some(plugin) = self.plugin(plugin) else { return Done::Ready(()) };
        // Heard is who has sent what he had to send.
        let request = Request { leads: true, ..told(&plugin, entry, plugin.cause(cause), subject, detail) };
        match plugin.call(request) {
            Done::Ready(_) => Done::Ready(()),
            Done::Later(later) => Done::Later(Box::pin(async move { drop(later.await) })),
        }
    }

    fn expect(&self, account: &str) {
        self.services.store.prefetch(&self.services.early.load(), account);
    }

    fn answer(&self, stanza: &Stanza) -> bool {
        let Some(open) = self.services.asks.answered(stanza) else { return false };
        let Some((plugin, request)) = self.reply(&open, Ok(stanza)) else { return true };
        aside(plugin.call(request));
        true
    }

    fn page(&self, plugin: &str, cause: &Cause, token: &str, sent: Result<PageEnd, PageError>) -> Done<()> {
        let Some(plugin) = self.lock().enabled(plugin, &cause.domain) else { return Done::Ready(()) };
        let request = Request {
            cause: cause.clone(),
            site: plugin.core.touched.len().saturating_sub(2),
            input: Input::Page { token: token.to_owned(), page: sent.map(Into::into).map_err(Into::into) },
            stanza: None,
            observes: false,
            leads: false,
            wake: None,
        };
        match plugin.call(request) {
            Done::Ready(_) => Done::Ready(()),
            Done::Later(later) => Done::Later(Box::pin(async move { drop(later.await) })),
        }
    }
}

impl Host {
    pub(super) async fn answered(&self, open: Open, answer: Result<&Stanza, Fault>) {
        if let Some((plugin, request)) = self.reply(&open, answer) {
            let _ = plugin.call(request).get().await;
        }
    }

    /// A due timer. If its plugin is not here now, it is taken up when that is enabled again.
    pub(super) async fn wake(&self, wake: DueWake) {
        let Some(plugin) = self.lock().enabled(&wake.plugin, &wake.domain) else { return };
        let cause = Cause {
            domain: Arc::clone(&wake.domain),
            key: Arc::clone(&wake.key),
            actor: None,
            peer: None,
            hops: 0,
            note: None,
        };
        let request = Request {
            cause,
            site: plugin.core.touched.len().saturating_sub(1),
            input: Input::Wake { name: wake.name.to_string(), token: wake.token.clone() },
            stanza: None,
            observes: false,
            leads: false,
            wake: Some(wake.clone()),
        };
        if plugin.call(request).get().await.is_err() {
            self.services.timers.again(self.services.clock.now_ms(), wake);
        }
    }

    /// A plugin begins to run for domains: what was set before is taken up, and it is told.
    pub(super) fn begin(&self, plugin: &Arc<Plugin>, domains: &[Arc<str>]) {
        if domains.is_empty() {
            return;
        }
        if plugin.core.manifest.needs.wake {
            let (services, id) = (Arc::clone(&self.services), Arc::clone(&plugin.core.id));
            tokio::spawn(async move {
                match services.timers.arm(&services.store, &id).await {
                    Ok(count) => tracing::debug!(plugin = %id, count, "timers taken up"),
                    Err(error) => tracing::error!(plugin = %id, %error, "timers cannot be read"),
                }
            });
        }
        for domain in domains {
            let events = (0..).zip(&plugin.core.manifest.events);
            for (entry, _) in events.filter(|(_, event)| event.on == EventPoint::DomainStarted) {
                let cause = Cause {
                    domain: Arc::clone(domain),
                    key: Arc::clone(domain),
                    actor: None,
                    peer: None,
                    hops: 0,
                    note: None,
                };
                aside(tell(plugin, entry, cause, domain, ""));
            }
        }
    }

    /// A relay has ended. A plugin that is not here now does not hear of it.
    pub(super) async fn wire_ended(&self, ended: EndedRelay) {
        let Some(plugin) = self.lock().enabled(&ended.plugin, &ended.cause.domain) else { return };
        let listeners = (0..).zip(&plugin.core.manifest.listeners);
        let told = listeners.filter(|(_, spec)| spec.name == *ended.listener && spec.ended.is_some());
        for (listener, _) in told {
            let request = Request {
                cause: ended.cause.clone(),
                site: plugin.core.touched.len().saturating_sub(3),
                input: Input::WireEnded { listener, token: ended.token.clone(), end: ended.end },
                stanza: None,
                observes: false,
                leads: false,
                wake: None,
            };
            let _ = plugin.call(request).get().await;
        }
    }

    fn reply(&self, open: &Open, answer: Result<&Stanza, Fault>) -> Option<(Arc<Plugin>, Request)> {
        let plugin = self.lock().enabled(&open.plugin, &open.cause.domain)?;
        let request = Request {
            cause: open.cause.clone(),
            site: plugin.core.touched.len().saturating_sub(2),
            input: Input::Answer {
                token: open.token.clone(),
                answer: answer.as_ref().map(|stanza| stanza.packed()).map_err(Clone::clone),
            },
            stanza: answer.ok().cloned(),
            observes: false,
            leads: false,
            wake: None,
        };
        Some((plugin, request))
    }
}

fn tell(plugin: &Arc<Plugin>, entry: u32, cause: Cause, subject: &str, detail: &str) -> Done<Result<Answer, Refused>> {
    plugin.call(told(plugin, entry, cause, subject, detail))
}

pub(super) fn told(plugin: &Plugin, entry: u32, cause: Cause, subject: &str, detail: &str) -> Request {
    let manifest = &plugin.core.manifest;
    let at = usize::try_from(entry).unwrap_or(usize::MAX);
    Request {
        cause,
        site: (manifest.hooks.len() + manifest.iqs.len()).saturating_add(at),
        input: Input::Event { entry, subject: subject.to_owned(), detail: detail.to_owned() },
        stanza: None,
        observes: false,
        leads: false,
        wake: None,
    }
}

/// Nobody waits for it, but it has to come to its end.
fn aside<T: Send + 'static>(done: Done<T>) {
    if let Done::Later(later) = done {
        tokio::spawn(later);
    }
}

fn passed() -> HookOutcome {
    HookOutcome { verdict: Verdict::Pass, edited: None }
}

fn hooked(plugin: &Plugin, phase: Phase, answer: Result<Answer, Refused>) -> HookOutcome {
    match answer {
        Ok(answer) => HookOutcome { verdict: answer.verdict, edited: answer.edited },
        Err(_) if plugin.core.manifest.on_fault(phase) == OnFault::Bypass || phase == Phase::Observe => passed(),
        Err(_) => {
            let condition = Condition::InternalServerError;
            let failure = Failure { condition, kind: Some(ErrorType::Wait), text: None, app: None };
            HookOutcome { verdict: Verdict::Reject(failure), edited: None }
        }
    }
}

fn claimed(answer: Result<Answer, Refused>) -> IqOutcome {
    match answer {
        Ok(answer) => answer.outcome,
        Err(Refused::Faulted) => IqOutcome::Failed,
        Err(Refused::Closed) => IqOutcome::Unavailable,
    }
}
