//! XEP-0191: blocking. A row of the store `list` is a blocked address; other plugins may read it.

mod list;
mod presence;
mod screen;

use list::{block, blocklist, unblock};
use screen::{ignore, not_acceptable, refuse};

xylem_sdk::plugin!();

/// The protocol's namespace.
pub(crate) const NS: &str = "urn:xmpp:blocking";
