//! XEP-0313: the archive of an account. Each message is kept once for each account that
//! sent or received it; pages are read and sent by the server.

mod discovery;
mod filter;
mod operations;
mod preferences;
mod query;
mod record;
mod retention;
mod retraction;
mod stanza_id;

use discovery::announce;
use operations::{archive_keep, archive_purge, archive_show};
use preferences::{preferences, set_preferences};
use query::{finish, form, metadata, query};
use record::{received, sent};
use retention::retain;

xylem_sdk::plugin!();

/// The protocol's namespace.
pub(crate) const NS: &str = "urn:xmpp:mam:2";
