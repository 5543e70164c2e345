//! Operations that plugins contribute: which there are, and one of them from beginning to end.

use std::sync::Arc;

use serde_json::Value;
use xylem_hooks::call::Cause;
use xylem_hooks::manifest::{ArgumentKind, OperationSpec};
use xylem_stanza::{BareJid, Jid};

use super::Host;
use crate::instance::Input;
use crate::operations::{
    ContributedOperation, OperationCaller, OperationRefusal, OperationTable, TableCall, TablePort,
};
use crate::plugin::{Plugin, Refused, Request};
use crate::services::Services;
use crate::turn::Answer;

impl Host {
    /// Connects the server's table for plugins that are granted `operations`; without it
    /// they have none. Once.
    pub fn attach_table(&self, table: Arc<dyn OperationTable>) {
        let _ = self.services.table.set(TablePort::new(table));
    }

    /// Another number whenever [`Host::operations`] may say something else.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation.load(std::sync::atomic::Ordering::Acquire)
    }

    /// What the installed plugins contribute, in order of plugin and manifest.
    #[must_use]
    pub fn operations(&self) -> Vec<ContributedOperation> {
        let plugins: Vec<_> = self.lock().plugins().collect();
        plugins.iter().flat_map(|(plugin, domains)| ContributedOperation::of(&plugin.core.manifest, domains)).collect()
    }

    /// Asks the plugin that contributes an operation. The arguments are to be those of the
    /// manifest, and the caller somebody who may. It ends when what was written is on disk
    /// and what was sent is out.
    ///
    /// # Errors
    /// Why it was not done.
    pub async fn operate(
        &self,
        name: &str,
        arguments: &Value,
        caller: OperationCaller,
    ) -> Result<Value, OperationRefusal> {
        let (plugin, at) = self.contributor(name).ok_or(OperationRefusal::Unknown)?;
        let spec = plugin.core.manifest.operations.get(at).ok_or(OperationRefusal::Unknown)?;
        let cause = self.operated(&plugin, spec, arguments)?;
        let manifest = &plugin.core.manifest;
        let first = manifest.hooks.len() + manifest.iqs.len() + manifest.events.len();
        let request = Request {
            cause: plugin.cause(&cause),
            site: first.saturating_add(at),
            input: Input::Operation {
                operation: u32::try_from(at).unwrap_or(u32::MAX),
                arguments: arguments.to_string(),
                caller,
            },
            stanza: None,
            observes: false,
            leads: true,
            wake: None,
        };
        answered(&plugin, plugin.call(request).get().await)
    }

    fn contributor(&self, name: &str) -> Option<(Arc<Plugin>, usize)> {
        let catalogue = self.lock();
        let found = catalogue.plugins().find_map(|(plugin, _)| {
            let at = plugin.core.manifest.operations.iter().position(|operation| operation.name == name)?;
            Some((plugin, at))
        });
        drop(catalogue);
        found
    }

    /// Under which key, and for which domain.
    fn operated(&self, plugin: &Plugin, spec: &OperationSpec, arguments: &Value) -> Result<Cause, OperationRefusal> {
        let argument = spec.key_argument().ok_or(OperationRefusal::Unknown)?;
        let given = arguments.get(&argument.name).and_then(Value::as_str).unwrap_or_default();
        let wrong = |_| OperationRefusal::Invalid(format!("{} is no address", argument.name));
        let jid = Jid::parse(given).map_err(wrong)?.bare();
        let plan = self.services.plan(jid.domain());
        let plan = plan
            .filter(|plan| argument.kind == ArgumentKind::Address || plan.domain() == jid.domain())
            .ok_or_else(|| OperationRefusal::Missing(format!("this server does not serve {}", jid.domain())))?;
        let domain: Arc<str> = plan.domain().into();
        if argument.kind == ArgumentKind::Account && !self.services.accounts.exists(&jid) {
            return Err(OperationRefusal::Missing(format!("there is no account {jid}")));
        }
        if argument.kind == ArgumentKind::Domain && !jid.is_domain() {
            return Err(OperationRefusal::Invalid(format!("{} must be a domain", argument.name)));
        }
        if self.lock().enabled(&plugin.core.id, &domain).is_none() {
            let problem = format!("{} does not run for {domain}", plugin.core.id);
            return Err(OperationRefusal::Conflict(problem));
        }
        Ok(cause(domain, &jid))
    }
}

impl Services {
    /// Makes the calls of a turn, and tells the plugin how they went.
    pub(crate) fn call_table(&self, plugin: &Arc<Plugin>, cause: &Cause, calls: Vec<TableCall>) {
        let Some(port) = self.table.get() else { return };
        for TableCall { actor, name, arguments, token } in calls {
            let mut cause = cause.clone();
            cause.hops = cause.hops.saturating_add(1);
            let plugin = Arc::clone(plugin);
            let place = Arc::clone(&port.places).try_acquire_owned();
            let called = place.is_ok().then(|| port.table.call(actor, name, arguments));
            tokio::spawn(async move {
                let answer = match called {
                    Some(called) => called.await,
                    None => Err(OperationRefusal::Unavailable("too many operations are under way".to_owned())),
                };
                drop(place);
                let request = Request {
                    site: plugin.core.touched.len().saturating_sub(2),
                    cause,
                    input: Input::Operated { token, answer: answer.map(|value| value.to_string()).map_err(Into::into) },
                    stanza: None,
                    observes: false,
                    leads: false,
                    wake: None,
                };
                let _ = plugin.call(request).get().await;
            });
        }
    }
}

fn cause(domain: Arc<str>, key: &BareJid) -> Cause {
    Cause { domain, key: key.as_str().into(), actor: None, peer: None, hops: 0, note: None }
}

fn answered(plugin: &Plugin, answer: Result<Answer, Refused>) -> Result<Value, OperationRefusal> {
    let id = &plugin.core.id;
    let answer = match answer {
        Ok(answer) => answer,
        Err(Refused::Faulted) => return Err(OperationRefusal::Failed(format!("{id} failed; the log says how"))),
        Err(Refused::Closed) => return Err(OperationRefusal::Unavailable(format!("{id} is switched off"))),
    };
    if !answer.written {
        return Err(OperationRefusal::Failed("it could not be written; nothing has changed".to_owned()));
    }
    let said = answer.said.unwrap_or_else(|| Err(OperationRefusal::Failed(format!("{id} gave no answer"))))?;
    serde_json::from_str(&said).map_err(|error| {
        tracing::error!(plugin = %id, %error, "the answer to an operation is no JSON");
        OperationRefusal::Failed(format!("{id} gave an answer that is no JSON"))
    })
}
