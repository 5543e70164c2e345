//! Who is addressed (RFC 6120 §10).

use std::sync::Arc;

use xylem_hooks::Plan;
use xylem_hooks::call::PluginIndex;
use xylem_stanza::{BareJid, FullJid, Jid};

use crate::ports::Directory;

/// What an address stands for on this server.
#[derive(Debug)]
pub enum Destination {
    /// A hosted domain itself, with or without resource (§10.5.1, §10.5.2).
    Server(Arc<Plan>),
    /// An account (§10.5.3.2).
    Account(Arc<Plan>, BareJid),
    /// One resource of an account (§10.5.4).
    Resource(Arc<Plan>, FullJid),
    /// A domain that a plugin claims, and everything at it.
    Claimed(Arc<Plan>, PluginIndex),
    /// Not here.
    Remote,
}

impl Destination {
    /// Resolves an address.
    #[must_use]
    pub fn of(to: &Jid, directory: &dyn Directory) -> Self {
        let Some(plan) = directory.plan(to.domain()) else { return Self::Remote };
        if let Some(owner) = plan.domain_owner(to.domain()) {
            return Self::Claimed(plan, owner);
        }
        if to.local().is_none() {
            return Self::Server(plan);
        }
        match to.full() {
            Some(full) => Self::Resource(plan, full),
            None => Self::Account(plan, to.bare()),
        }
    }
}
