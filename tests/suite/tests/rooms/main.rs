//! Rooms in number and in size: many that nobody is in, and one that many are in. In the gate a
//! few hundred; `XYLEM_ROOMS` and `XYLEM_OCCUPANTS` say how many, for the figures in
//! `tests/bench/README.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod crowd;
mod idle;
mod stage;
mod stopping;
mod waking;
