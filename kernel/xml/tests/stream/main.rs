//! Streams as bytes: what comes out, whatever way they are cut.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod cuts;
mod elements;
mod limits;
mod properties;
mod refusals;
mod run;
