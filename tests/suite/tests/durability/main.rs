//! Kills `xylem dev` at random under load and compares what it kept with what its clients were told.
//!
//! What is promised, and tested here as clients see it:
//!
//! - What was answered with an IQ result is there after the crash, and, if it changed anything, so is all that
//!   the same session had sent before it: roster, private storage, card, block list, messages to people who were away, requests
//!   for a subscription. A roster push counts as an answer as well.
//! - What was not answered may be there or not, but of each session a beginning is kept: nothing is there
//!   without what came before it, and no request is done by half. The version of a roster fits its items, a
//!   block list has all addresses of a request or none, a request for a subscription that is kept is found
//!   by the index that reminds of it.
//! - A message to somebody who was away comes in its sender's order and once for each time it is handed over.
//!   It goes from the store when its page (100 messages) was written to a connection; a crash before that
//!   repeats the page as a whole. None is lost that came before something that was answered.
//! - An account whose registration was answered can log in; one whose was not is there or can be made.
//! - No kill, not even one during the start, keeps the server from starting.
//!
//! A message by itself has no answer; how many were gone although a later ping was answered is counted and
//! printed, not judged.
//!
//! In short: six kills for each backend. `XYLEM_TORTURE_ROUNDS=300` kills that often; `XYLEM_TORTURE_SEED=N`
//! begins with the same requests; the moments differ.

mod check;
mod client;
mod load;
mod model;
mod queue;
mod world;

use anyhow::{Context as _, Result};

use world::World;

/// Kills in the short form.
const SHORT: u64 = 6;

#[test]
fn sled_keeps_what_was_answered() -> Result<()> {
    torture("sled")
}

#[test]
fn fjall_keeps_what_was_answered() -> Result<()> {
    torture("fjall")
}

fn torture(backend: &str) -> Result<()> {
    let number = |name| std::env::var(name).ok().map(|value| value.parse::<u64>().context(name)).transpose();
    let seed = number("XYLEM_TORTURE_SEED")?.unwrap_or_else(|| u64::from(std::process::id()));
    let rounds = number("XYLEM_TORTURE_ROUNDS")?.unwrap_or(SHORT);
    // Stays behind when something is found.
    let data = tempfile::Builder::new().prefix("xylem-durability-").tempdir()?.keep();
    let place = || format!("{backend}, seed {seed}, data in {}", data.display());
    let mut world = World::create(backend, &data, seed).with_context(place)?;
    for round in 1..=rounds {
        world.round().with_context(|| format!("kill {round}")).with_context(place)?;
        if round.is_multiple_of(50) {
            println!("durability {backend}: {round} kills, {}", world.tally);
        }
    }
    world.check().with_context(place)?;
    println!("durability {backend}: {rounds} kills, {}: nothing lost", world.tally);
    drop(world);
    std::fs::remove_dir_all(&data)?;
    Ok(())
}
