//! Wires over loopback: pairing, relaying with its bounds, and that nothing is left of
//! whoever misbehaves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod abuse;
mod relays;
mod stage;
