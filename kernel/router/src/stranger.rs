//! IQs of streams that have not authenticated, such as in-band registration.
//!
//! Such a stream has no address, so it gets one for the time of the question: the
//! domain with a resource that nobody else has. The answer finds it by that.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use xylem_hooks::{IqOutcome, Plan};
use xylem_stanza::{Condition, FullJid, Jid, Stanza};

use crate::iq::Request;
use crate::router::{Origin, Parts, Router};

/// Longer than any call may take; then the client hears `service-unavailable`.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who waits for an answer before authentication.
#[derive(Default)]
pub(crate) struct Strangers {
    waiting: Mutex<HashMap<Jid, oneshot::Sender<Stanza>>>,
    next: AtomicU64,
}

impl Router {
    /// A request before authentication; the answer goes back on the stream. `None`
    /// where nothing is to be answered.
    pub async fn before_auth(&self, domain: &str, peer: IpAddr, request: Stanza) -> Option<Stanza> {
        let plan = self.0.directory.plan(domain)?;
        let answer = self.0.ask_for_stranger(&plan, peer, &request).await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(condition) => request.error_reply(condition, None)?,
        };
        Some(answer.readdressed(Jid::parse(domain).ok(), None))
    }
}

impl Parts {
    async fn ask_for_stranger(&self, plan: &Plan, peer: IpAddr, stanza: &Stanza) -> Result<Stanza, Condition> {
        let request = Request::of(stanza).ok_or(Condition::ServiceUnavailable)?;
        let claim = plan.before_auth(request.ns, request.name, request.kind).ok_or(Condition::ServiceUnavailable)?;
        let plugins = self.plugins.get().ok_or(Condition::ServiceUnavailable)?;
        let (address, heard) = self.strangers.admit(plan.domain()).ok_or(Condition::InternalServerError)?;
        let origin = Origin { actor: None, peer: Some(peer), hops: 0 };
        let server = Jid::parse(plan.domain()).map_err(|_| Condition::InternalServerError)?;
        let asked = stanza.readdressed(Some(address.clone().into()), Some(server));
        let cause = origin.cause(plan, plan.domain());
        let outcome = plugins.iq(claim.plugin, claim.entry, &cause, &asked).get().await;
        let answer = match outcome {
            IqOutcome::Handled => tokio::time::timeout(PATIENCE, heard)
                .await
                .ok()
                .and_then(Result::ok)
                .ok_or(Condition::ServiceUnavailable),
            IqOutcome::Unhandled | IqOutcome::Unavailable => Err(Condition::ServiceUnavailable),
            IqOutcome::Failed => Err(Condition::InternalServerError),
        };
        self.strangers.dismiss(&address.into());
        answer
    }
}

impl Strangers {
    fn admit(&self, domain: &str) -> Option<(FullJid, oneshot::Receiver<Stanza>)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let address = FullJid::parse(&format!("{domain}/stranger-{number}")).ok()?;
        let (tell, heard) = oneshot::channel();
        self.waiting().insert(address.clone().into(), tell);
        Some((address, heard))
    }

    fn dismiss(&self, address: &Jid) {
        self.waiting().remove(address);
    }

    /// Hands an answer to whoever waits at this address; false if nobody does.
    pub(crate) fn hand(&self, to: &Jid, answer: &Stanza) -> bool {
        if to.local().is_some() || to.resource().is_none() {
            return false;
        }
        let waiting = self.waiting().remove(to);
        waiting.is_some_and(|tell| tell.send(answer.clone()).is_ok())
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, HashMap<Jid, oneshot::Sender<Stanza>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So that a pending registration is not printed with what it holds.
impl std::fmt::Debug for Strangers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Strangers").field("waiting", &self.waiting().len()).finish_non_exhaustive()
    }
}
