//! What plugins may call, one file per interface of `sdk/wit`, all of one shape:
//! `link` puts the functions into the linker, each checks the grant, then asks the
//! call it is made in. Ordinary refusals are [`Fault`]s; nothing here traps.

mod accounts;
mod archive;
mod contributions;
mod current;
mod groups;
mod kv;
mod limits;
mod outbox;
mod runtime;
mod sessions;
mod table;
mod wires;

use std::fmt::Display;

use wasmtime::component::{ComponentType, Lift, Linker, Lower};

pub(crate) use self::kv::Sizes;
pub(crate) use self::outbox::unguessable;
pub(crate) use self::table::RefusalCase;
use crate::guest::Guest;

/// `xylem:stanza/types.fault`.
#[derive(Debug, Clone, PartialEq, Eq, ComponentType, Lift, Lower)]
#[component(variant)]
pub(crate) enum Fault {
    #[component(name = "denied")]
    Denied,
    #[component(name = "missing")]
    Missing,
    #[component(name = "conflict")]
    Conflict,
    #[component(name = "quota")]
    Quota,
    #[component(name = "invalid")]
    Invalid(String),
    #[component(name = "timed-out")]
    TimedOut,
    #[component(name = "other")]
    Other(String),
}

impl From<xylem_hooks::PageError> for Fault {
    fn from(error: xylem_hooks::PageError) -> Self {
        match error {
            xylem_hooks::PageError::Missing => Self::Missing,
            xylem_hooks::PageError::Storage => Self::Other("storage".to_owned()),
        }
    }
}

/// `xylem:stanza/types.failure`.
#[derive(Debug, Clone, ComponentType, Lift)]
#[component(record)]
pub(crate) struct FailureRecord {
    #[component(name = "condition")]
    pub(crate) condition: String,
    #[component(name = "kind")]
    pub(crate) kind: Option<String>,
    #[component(name = "text")]
    pub(crate) text: Option<String>,
    #[component(name = "app")]
    pub(crate) app: Option<String>,
}

impl Fault {
    pub(crate) fn invalid(problem: impl Display) -> Self {
        Self::Invalid(problem.to_string())
    }

    pub(crate) fn storage(plugin: &str, error: &xylem_store::StoreError) -> Self {
        match error {
            xylem_store::StoreError::TooBig { .. } => Self::Invalid(error.to_string()),
            xylem_store::StoreError::DiskFull { .. } => Self::Quota,
            _ => {
                tracing::error!(plugin, %error, "a plugin cannot reach its rows");
                Self::Other("storage".to_owned())
            }
        }
    }

    /// Without the grant; the log says what to add.
    pub(crate) fn denied(guest: &Guest, line: &str) -> Self {
        tracing::warn!(plugin = %guest.core.id, "denied; add `{line}` under [needs] of its manifest");
        Self::Denied
    }
}

type Answer<T> = (Result<T, Fault>,);

/// All interfaces.
pub(crate) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    // Only types; nothing to call.
    linker.instance("xylem:stanza/types@0.1.0")?;
    runtime::link(linker)?;
    current::link(linker)?;
    outbox::link(linker)?;
    kv::link(linker)?;
    archive::link(linker)?;
    sessions::link(linker)?;
    groups::link(linker)?;
    accounts::link(linker)?;
    contributions::link(linker)?;
    limits::link(linker)?;
    wires::link(linker)?;
    table::link(linker)
}

/// The interfaces there are, for messages.
pub(crate) const INTERFACES: [&str; 14] = [
    "xylem:stanza/types@0.1.0",
    "xylem:runtime/runtime@0.1.0",
    "xylem:stanza/current@0.1.0",
    "xylem:outbox/outbox@0.1.0",
    "xylem:kv/kv@0.1.0",
    "xylem:archive/archive@0.1.0",
    "xylem:sessions/sessions@0.1.0",
    "xylem:groups/groups@0.1.0",
    "xylem:accounts/accounts@0.1.0",
    "xylem:contributions/contributions@0.1.0",
    "xylem:limits/limits@0.1.0",
    "xylem:wires/wires@0.1.0",
    "xylem:admin/types@0.1.0",
    "xylem:admin/table@0.1.0",
];
