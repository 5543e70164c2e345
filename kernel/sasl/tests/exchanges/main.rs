//! Whole exchanges between the server and clients written for the purpose,
//! which share no code with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod client;
mod hostile;
mod offers;
mod scram;
mod simple;
mod throttle;
