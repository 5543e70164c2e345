//! XEP-0357: push notifications for devices that are not there.
//!
//! A device is a service's address and a node, enabled by one of the account's sessions. When something of
//! importance comes while that session is away, the server publishes a notification to the node.

mod answering;
mod device;
mod enabling;
mod importance;
mod notification;
mod notifying;
mod operations;
mod waiting;

use answering::answered;
use enabling::{disable, enable, revoked};
use notifying::{arrived, asked, back, catch_up, hibernated, returned};
use operations::{forget, list};

xylem_sdk::plugin!();

/// The protocol's namespace.
pub(crate) const NS: &str = "urn:xmpp:push:0";
/// XEP-0060, in which notifications are published.
pub(crate) const PUBSUB: &str = "http://jabber.org/protocol/pubsub";
/// Data forms (XEP-0004).
pub(crate) const FORM: &str = "jabber:x:data";
