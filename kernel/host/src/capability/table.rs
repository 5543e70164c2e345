//! `xylem:admin/table`: the server's operations, in the name of whoever is behind the stanza.

use serde_json::Value;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use xylem_hooks::Cause;

use super::{Answer, Fault};
use crate::guest::Guest;
use crate::operations::{OperationActor, OperationRefusal, TableCall};

/// Calls of one turn.
const CALLS: usize = 64;
/// Longest arguments in bytes.
const ARGUMENTS: usize = 256 << 10;

/// `xylem:admin/types.refusal`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub(crate) enum RefusalCase {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "invalid")]
    Invalid(String),
    #[component(name = "denied")]
    Denied(String),
    #[component(name = "missing")]
    Missing(String),
    #[component(name = "conflict")]
    Conflict(String),
    #[component(name = "unavailable")]
    Unavailable(String),
    #[component(name = "failed")]
    Failed(String),
}

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    // Only types; nothing to call.
    linker.instance("xylem:admin/types@0.1.0")?;
    let mut into = linker.instance("xylem:admin/table@0.1.0")?;
    into.func_wrap("list", |mut cx: StoreContextMut<'_, Guest>, (): ()| -> wasmtime::Result<Answer<String>> {
        Ok((list(cx.data_mut()),))
    })?;
    into.func_wrap(
        "call",
        |mut cx: StoreContextMut<'_, Guest>,
         (name, arguments, token): (String, String, String)|
         -> wasmtime::Result<Answer<()>> { Ok((call(cx.data_mut(), name, &arguments, token),)) },
    )
}

fn list(guest: &mut Guest) -> Result<String, Fault> {
    granted(guest)?;
    let services = std::sync::Arc::clone(&guest.core.services);
    let port = services.table.get().ok_or(Fault::Missing)?;
    let operations = actor(&guest.call()?.cause).map(|actor| port.table.list(&actor));
    Ok(operations.unwrap_or_else(|| Value::Array(Vec::new())).to_string())
}

fn call(guest: &mut Guest, name: String, arguments: &str, token: String) -> Result<(), Fault> {
    granted(guest)?;
    if guest.core.services.table.get().is_none() {
        return Err(Fault::Missing);
    }
    let call = guest.call()?;
    // Operations that lead to operations come to an end.
    if call.after.operations.len() >= CALLS || call.cause.hops >= Cause::MAX_HOPS {
        return Err(Fault::Quota);
    }
    let actor = actor(&call.cause).ok_or(Fault::Denied)?;
    if arguments.len() > ARGUMENTS {
        return Err(Fault::Quota);
    }
    let arguments = serde_json::from_str(arguments).map_err(Fault::invalid)?;
    call.after.operations.push(TableCall { actor, name, arguments, token });
    Ok(())
}

/// The session that the kernel has seen the stanza come from; nothing that a plugin says.
fn actor(cause: &Cause) -> Option<OperationActor> {
    Some(OperationActor { session: cause.actor.clone()?, peer: cause.peer })
}

fn granted(guest: &Guest) -> Result<(), Fault> {
    if guest.core.manifest.needs.operations { Ok(()) } else { Err(Fault::denied(guest, "operations = true")) }
}

impl From<RefusalCase> for OperationRefusal {
    fn from(case: RefusalCase) -> Self {
        match case {
            RefusalCase::Unknown => Self::Unknown,
            RefusalCase::Invalid(text) => Self::Invalid(text),
            RefusalCase::Denied(text) => Self::Denied(text),
            RefusalCase::Missing(text) => Self::Missing(text),
            RefusalCase::Conflict(text) => Self::Conflict(text),
            RefusalCase::Unavailable(text) => Self::Unavailable(text),
            RefusalCase::Failed(text) => Self::Failed(text),
        }
    }
}

impl From<OperationRefusal> for RefusalCase {
    fn from(refusal: OperationRefusal) -> Self {
        match refusal {
            OperationRefusal::Unknown => Self::Unknown,
            OperationRefusal::Invalid(text) => Self::Invalid(text),
            OperationRefusal::Denied(text) => Self::Denied(text),
            OperationRefusal::Missing(text) => Self::Missing(text),
            OperationRefusal::Conflict(text) => Self::Conflict(text),
            OperationRefusal::Unavailable(text) => Self::Unavailable(text),
            OperationRefusal::Failed(text) => Self::Failed(text),
        }
    }
}
