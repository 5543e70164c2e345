//! What a client wants for its new session before that begins (XEP-0386 §3.2): the plugins
//! that offered it get it as the IQ that it would be later.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use xylem_hooks::manifest::KeyKind;
use xylem_hooks::{EntityClass, IqOutcome, Plan};
use xylem_session::Session;
use xylem_stanza::{FullJid, Stanza, Type, ns};
use xylem_xml::{El, Element};

use crate::router::{Origin, Parts, Router};

/// A client that waits longer for its login would give up.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who waits for an answer that must not go to the session.
#[derive(Default)]
pub(crate) struct Inline {
    waiting: Mutex<HashMap<String, oneshot::Sender<Stanza>>>,
    next: AtomicU64,
}

impl Router {
    /// Carries out what is asked for a session that has just been bound, one after the
    /// other, then asks those that have something to say to every session. The answers are
    /// elements for the client; who fails says nothing.
    pub async fn inline(&self, session: &Arc<Session>, requests: Vec<Element>) -> Vec<String> {
        let Some(plan) = self.0.directory.plan(session.jid().domain()) else { return Vec::new() };
        let mut answers = Vec::new();
        for request in &requests {
            let root = request.root();
            let offered = plan.iq(EntityClass::Account, root.ns(), root.name(), Type::Set);
            if offered.is_some_and(|claim| claim.inline) {
                answers.extend(self.0.ask_inline(&plan, session, Type::Set, &root.to_xml_string()).await);
            }
        }
        for (ns, name) in plan.inline_always() {
            let question = El::new(name, ns).build();
            answers.extend(self.0.ask_inline(&plan, session, Type::Get, &question).await);
        }
        answers
    }
}

impl Parts {
    /// Asks the owner of the request; its answer's payload.
    async fn ask_inline(&self, plan: &Plan, session: &Session, kind: Type, payload: &str) -> Option<String> {
        let jid = session.jid();
        let (id, heard) = self.inline.admit();
        let iq = El::new("iq", ns::CLIENT).attr("type", kind.as_str()?).attr("id", &id).raw(payload).build();
        let iq = Stanza::parse(&iq).ok()?.with_from(jid).with_to(jid.bare());
        let asked = iq.payload().and_then(|p| plan.iq(EntityClass::Account, p.ns(), p.name(), kind));
        let answer = match (asked, self.plugins.get()) {
            (Some(claim), Some(plugins)) => {
                let key = if claim.key == KeyKind::Domain { plan.domain() } else { jid.bare_str() };
                let cause = Origin::of(session).cause(plan, key);
                match plugins.iq(claim.plugin, claim.entry, &cause, &iq).get().await {
                    IqOutcome::Handled => tokio::time::timeout(PATIENCE, heard).await.ok().and_then(Result::ok),
                    IqOutcome::Unhandled | IqOutcome::Unavailable | IqOutcome::Failed => None,
                }
            }
            _ => None,
        };
        self.inline.waiting().remove(&id);
        let answer = answer?;
        if answer.is_error() {
            tracing::debug!(%jid, payload, "refused at binding");
            return None;
        }
        answer.payload().map(|payload| payload.to_xml_string())
    }
}

impl Inline {
    fn admit(&self) -> (String, oneshot::Receiver<Stanza>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (tell, heard) = oneshot::channel();
        let id = format!("{PREFIX}{number}");
        self.waiting().insert(id.clone(), tell);
        (id, heard)
    }

    /// Hands an answer to whoever waits for it; false if nobody does. Only plugins of the
    /// account's own server answer with such an id before the session has begun.
    pub(crate) fn hand(&self, to: &FullJid, answer: &Stanza) -> bool {
        let ours = |id: &str| id.starts_with(PREFIX);
        let own = answer.from().is_none_or(|from| from.bare_str() == to.bare_str() && from.resource().is_none());
        let Some(id) = answer.id().filter(|id| own && ours(id) && !answer.type_().is_request()) else { return false };
        let waiting = self.waiting().remove(&*id);
        waiting.is_some_and(|tell| tell.send(answer.clone()).is_ok())
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<String, oneshot::Sender<Stanza>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const PREFIX: &str = "inline at binding ";
