//! Cuts the power of a file system under a writing process.
//!
//! An ext4 in a file is mounted; while a process writes, the shutdown ioctl
//! with "no log flush" forgets everything that had not been forced to the disk
//! (dirty pages and uncommitted metadata), as a power cut does. Then the
//! journal is replayed by mounting again, and the database must hold what was
//! acknowledged before the cut. What is acknowledged while the ioctl runs does
//! not count: ext4 may let an fsync that overlaps with it return successfully
//! and still drop its journal transaction. A drive that reorders its own cache is not emulated.
//!
//! Needs to be root and to be allowed to mount:
//! `XYLEM_POWERCUT=20 cargo test -p xylem-store --test powercut` makes 20 cuts
//! for each disk backend. Without the variable, or where mounting is refused,
//! it says so and does nothing. `XYLEM_TORTURE_BACKEND` and
//! `XYLEM_TORTURE_SEED` as for the torture test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "../torture/child.rs"]
mod child;
mod disk;
#[path = "../torture/unheard.rs"]
mod unheard;
#[path = "../torture/victim.rs"]
mod victim;
#[path = "../torture/workload.rs"]
mod workload;

use std::time::{Duration, Instant};

use disk::Disk;
use victim::{Last, Victim, check};
use workload::{Dice, Model};

fn main() {
    if child::run_if_asked() || std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let Some(cuts) = number("XYLEM_POWERCUT") else {
        println!("powercut: skipped, XYLEM_POWERCUT is not set");
        return;
    };
    let seed = number("XYLEM_TORTURE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let only = std::env::var("XYLEM_TORTURE_BACKEND").ok();
    for kind in ["sled", "fjall"].into_iter().filter(|kind| only.as_deref().is_none_or(|only| only == *kind)) {
        match Disk::new() {
            Ok(disk) => run(kind, &disk, cuts, seed),
            Err(reason) => println!("powercut: skipped, {reason}"),
        }
    }
}

fn run(kind: &str, disk: &Disk, cuts: u64, seed: u64) {
    let started = Instant::now();
    let mut dice = Dice(seed);
    let (mut model, mut in_open, mut in_cut) = (Model::default(), 0, 0);
    let dir = disk.mount_point().join("store");
    for cut in 1..=cuts {
        let victim = Victim::start(kind, &dir);
        if dice.below(4) == 0 {
            std::thread::sleep(Duration::from_micros(dice.below(60_000)));
        } else {
            victim.wait_until_open();
            std::thread::sleep(Duration::from_millis(5 + dice.below(600)));
        }
        let acknowledged = victim.heard();
        disk.cut();
        // That turns fail once the power is gone is as it should be.
        let Last { opened, acknowledged: last, failed: _ } = victim.kill();
        disk.remount();
        let found = check(kind, &dir, dice.below(2) == 0, seed);
        let number: u64 = found.split(' ').nth(1).unwrap().parse().unwrap();
        let place = format!("{kind} cut {cut}, seed {seed}");
        assert!(number >= acknowledged, "lost: {acknowledged} was acknowledged, {number} is there; {place}");
        assert!(number >= model.number, "lost what was there before: {} then, {number} now; {place}", model.number);
        model.advance(number);
        assert_eq!(found, model.digest(), "{place}");
        in_open += u64::from(!opened);
        in_cut += u64::from(last.unwrap_or(0) > number);
    }
    let seconds = started.elapsed().as_secs();
    println!(
        "powercut {kind}: {cuts} cuts ({in_open} of them in open), {} turns, {seconds} s: nothing lost that was \
         acknowledged before the cut; {in_cut} times something that was acknowledged while the cut was made",
        model.number
    );
}
