//! The table itself, and the one way to call what stands in it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::argument;
use crate::audit::AuditLog;
use crate::backend::Backend;
use crate::caller::Caller;
use crate::error::OpError;
use crate::operation::{Operation, Spec};
use crate::{data, device, plugin, server, session, user};

/// All operations over one backend.
pub struct Ops {
    table: BTreeMap<&'static str, Entry>,
    backend: Backend,
    audit: Arc<AuditLog>,
}

struct Entry {
    spec: Spec,
    prepare: fn(Value) -> Result<Prepared, OpError>,
}

/// Decoded arguments, with their type forgotten.
struct Prepared {
    audit: String,
    run: Run,
}

type Run = Box<dyn for<'a> FnOnce(&'a Backend) -> JsonAnswer<'a> + Send>;
type JsonAnswer<'a> = Pin<Box<dyn Future<Output = Result<Value, OpError>> + Send + 'a>>;

impl Ops {
    #[must_use]
    pub fn new(backend: Backend, audit: Arc<AuditLog>) -> Self {
        let mut ops = Self { table: BTreeMap::new(), backend, audit };
        ops.put::<user::Add>().put::<user::Delete>().put::<user::Password>().put::<user::List>().put::<user::Show>();
        ops.put::<session::List>().put::<session::End>();
        ops.put::<device::List>().put::<device::Revoke>();
        ops.put::<plugin::List>().put::<plugin::Info>().put::<plugin::Install>().put::<plugin::Enable>();
        ops.put::<plugin::Disable>().put::<plugin::Upgrade>().put::<plugin::Remove>().put::<plugin::Chain>();
        ops.put::<data::Export>().put::<data::Import>();
        ops.put::<server::Status>().put::<server::Health>().put::<server::Reload>();
        ops
    }

    /// Every operation, by name.
    pub fn specs(&self) -> impl Iterator<Item = &Spec> {
        self.table.values().map(|entry| &entry.spec)
    }

    /// Checks permission and arguments, runs the operation, and writes the audit
    /// line if it changes something. A change whose audit line cannot be written
    /// is not begun.
    pub async fn call(&self, caller: &Caller, name: &str, arguments: Value) -> Result<Value, OpError> {
        let entry = self.table.get(name).ok_or_else(|| OpError::UnknownOperation(name.to_owned()))?;
        let mut arguments = object(arguments)?;
        argument::check(entry.spec.arguments, &mut arguments)?;
        let prepared = (entry.prepare)(Value::Object(arguments))?;
        if caller.permission < entry.spec.permission {
            let denied = OpError::Denied(format!("{name} needs the permission {:?}", entry.spec.permission));
            self.note(&entry.spec, caller, &prepared.audit, Some(&denied))?;
            return Err(denied);
        }
        if entry.spec.changes {
            self.audit.ready().map_err(|e| OpError::Unavailable(format!("the audit log cannot be written: {e}")))?;
        }
        let outcome = (prepared.run)(&self.backend).await;
        self.note(&entry.spec, caller, &prepared.audit, outcome.as_ref().err())?;
        outcome
    }

    fn put<O: Operation>(&mut self) -> &mut Self {
        self.table.insert(O::SPEC.name, Entry { spec: O::SPEC, prepare: prepare::<O> });
        self
    }

    fn note(&self, spec: &Spec, caller: &Caller, text: &str, error: Option<&OpError>) -> Result<(), OpError> {
        if !spec.changes {
            return Ok(());
        }
        self.audit
            .write(caller, spec.name, text, error)
            .map_err(|e| OpError::Failed(format!("done, but the audit log cannot be written: {e}")))
    }
}

fn prepare<O: Operation>(arguments: Value) -> Result<Prepared, OpError> {
    let operation: O = serde_json::from_value(arguments).map_err(|e| OpError::Invalid(e.to_string()))?;
    let audit = if O::SPEC.changes { operation.audit() } else { String::new() };
    let run: Run = Box::new(move |backend| {
        let answer = operation.run(backend);
        Box::pin(async move {
            let output = answer.await?;
            serde_json::to_value(output).map_err(|e| OpError::Failed(e.to_string()))
        })
    });
    Ok(Prepared { audit, run })
}

fn object(arguments: Value) -> Result<Map<String, Value>, OpError> {
    match arguments {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(OpError::Invalid("the arguments must be a JSON object".into())),
    }
}
