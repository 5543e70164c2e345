//! Transcripts of streams: what a client sends, what it gets, and what the
//! driver is asked to do. See [`stage`] for the notation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod any_order;
mod binding;
mod closing;
mod encryption;
mod errors;
mod fast;
mod header;
mod login;
mod management;
mod sasl2;
mod scram;
mod stage;
mod stanzas;
mod upgrade;
