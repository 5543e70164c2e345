//! Contact lists and presence subscriptions (RFC 6121 §2 and §3).
//!
//! Other plugins may read the store `contacts`: one row for each bare JID, whose
//! first byte is a set of bits (see `contact.rs`), with the indexes `to`, `from` and `pending`.

mod change;
mod contact;
mod history;
mod inbound;
mod leave;
mod operations;
mod outbound;
mod pending;
mod push;
mod query;
mod state;

use change::set;
use inbound::inbound;
use leave::leave;
use operations::{add, remove_contact, show};
use outbound::outbound;
use pending::remind;
use query::get;

xylem_sdk::plugin!();
