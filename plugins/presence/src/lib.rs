//! Presence (RFC 6121 §4): broadcast, probes, directed presence.
//!
//! The server keeps each session's last presence and does the fan-out; this
//! plugin decides who gets what.

mod broadcast;
mod directed;
mod fan_out;
mod probe;

use broadcast::{available, unavailable};
use directed::directed;
use probe::probed;

xylem_sdk::plugin!();
