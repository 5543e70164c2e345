//! The host with real components: guests that do on command what plugins should
//! not do (`../guests`), built here for the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod broadcasts;
mod capabilities;
mod catalogue;
mod extensions;
mod limits;
mod operations;
mod order;
mod record;
mod stage;
mod turns;
mod volatile;
mod wires;
