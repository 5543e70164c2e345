//! Kills `xylem dev` under the load of clients with stream management (XEP-0198) and compares what came with what
//! the server had acknowledged.
//!
//! - A message to somebody who is away and that was acknowledged comes after the crash, once and in order; what was
//!   not acknowledged comes at most once, behind it.
//! - What a connected client received it does not get again after the crash. Its connection breaks now and then and it
//!   resumes: over all its connections everything comes once and in order.
//! - What was acknowledged and waited in the memory of a session whose client was just not there is in its archive
//!   (XEP-0313), as is everything else that was acknowledged, once and in order.
//!
//! `waiting.rs` does the same, step by step, for accounts without an archive, whose messages wait in sessions without a
//! connection.
//!
//! In short: ten kills. `XYLEM_TORTURE_ROUNDS=300` kills that often.

mod client;
mod round;
mod waiting;

use anyhow::{Context as _, Result};

use round::World;

/// Kills in the short form.
const SHORT: u64 = 10;

#[test]
fn what_was_acknowledged_is_there_once() -> Result<()> {
    let rounds = match std::env::var("XYLEM_TORTURE_ROUNDS") {
        Ok(rounds) => rounds.parse().context("XYLEM_TORTURE_ROUNDS")?,
        Err(_) => SHORT,
    };
    // Stays behind when something is found.
    let data = tempfile::Builder::new().prefix("xylem-acknowledged-").tempdir()?.keep();
    let mut world = World::create(&data)?;
    for round in 1..=rounds {
        world.round(round).with_context(|| format!("kill {round}, data in {}", data.display()))?;
        if round.is_multiple_of(50) {
            println!("acknowledged: {round} kills, {}", world.tally);
        }
    }
    println!("acknowledged: {rounds} kills, {}: nothing lost or doubled", world.tally);
    std::fs::remove_dir_all(&data)?;
    Ok(())
}
