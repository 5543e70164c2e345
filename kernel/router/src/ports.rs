//! What the router asks of others.

use std::sync::Arc;

use xylem_hooks::{Done, Plan};
use xylem_stanza::BareJid;

/// The domains this server hosts and the plan of each.
pub trait Directory: Send + Sync + 'static {
    /// The plan of a hosted domain, or of the hosted domain a claimed one belongs to.
    fn plan(&self, domain: &str) -> Option<Arc<Plan>>;
}

/// Who has an account.
pub trait Accounts: Send + Sync + 'static {
    /// Whether the account exists. A storage error counts as yes, so that nothing is bounced for it.
    fn exists(&self, account: &BareJid) -> Done<bool>;
}
