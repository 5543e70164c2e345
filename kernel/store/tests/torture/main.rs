//! Kills a writing process at random and compares what the database then holds
//! with a model.
//!
//! As it is: about ten seconds for each disk backend. In full:
//! `XYLEM_TORTURE_CYCLES=500 cargo test -p xylem-store --test torture`. Also
//! `XYLEM_TORTURE_BACKEND=sled|fjall` and `XYLEM_TORTURE_SEED=N`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod child;
mod unheard;
mod victim;
mod workload;

use std::path::Path;
use std::time::{Duration, Instant};

use victim::{Victim, check};
use workload::{Dice, Model};

/// How long the short form takes for one backend.
const SHORT: Duration = Duration::from_secs(9);

fn main() {
    // `--list` is how test runners look for tests; this file is one.
    if child::run_if_asked() || std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().map(|value| value.parse::<u64>().unwrap());
    let seed = number("XYLEM_TORTURE_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let only = std::env::var("XYLEM_TORTURE_BACKEND").ok();
    for kind in ["sled", "fjall"].into_iter().filter(|kind| only.as_deref().is_none_or(|only| only == *kind)) {
        Torture::new(kind, seed, number("XYLEM_TORTURE_CYCLES")).run();
    }
}

struct Torture {
    kind: &'static str,
    seed: u64,
    dice: Dice,
    cycles: Option<u64>,
    started: Instant,
    kills_in_open: u64,
}

impl Torture {
    fn new(kind: &'static str, seed: u64, cycles: Option<u64>) -> Self {
        let (dice, started) = (Dice(seed), Instant::now());
        Self { kind, seed, dice, cycles, started, kills_in_open: 0 }
    }

    fn run(mut self) {
        let creations = self.cycles.map_or(5, |cycles| (cycles / 10).max(10));
        for _ in 0..creations {
            self.kill_creation();
        }
        // Stays behind when a check fails.
        let dir = tempfile::tempdir().unwrap().keep();
        let dir = dir.as_path();
        let (mut model, mut acknowledged, mut cycle) = (Model::default(), 0, 0);
        while self.cycles.map_or_else(|| self.started.elapsed() < SHORT, |cycles| cycle < cycles) {
            cycle += 1;
            acknowledged = self.kill_once(dir).unwrap_or(acknowledged);
            self.compare(dir, &mut model, acknowledged, cycle);
            if cycle % 100 == 0 {
                println!("torture {}: {cycle} kills, {} turns", self.kind, model.number);
            }
        }
        let seconds = self.started.elapsed().as_secs();
        println!(
            "torture {}: {cycle} kills ({} of them in open), {creations} killed creations, {} turns, {} MB on disk, \
             {seconds} s: nothing lost",
            self.kind,
            self.kills_in_open,
            model.number,
            size(dir) >> 20,
        );
        std::fs::remove_dir_all(dir).unwrap();
    }

    /// Creation, killed one to four times within its first moments, must then succeed.
    fn kill_creation(&mut self) {
        let dir = tempfile::tempdir().unwrap();
        for _ in 0..=self.dice.below(4) {
            let victim = Victim::start(self.kind, dir.path());
            std::thread::sleep(Duration::from_micros(500 + self.dice.below(60_000)));
            victim.kill();
        }
        let found = self.check(dir.path());
        let mut model = Model::default();
        model.advance(number_of(&found));
        assert_eq!(found, model.digest(), "after killed creations; seed {}", self.seed);
    }

    /// Kills one writer; the last number it acknowledged.
    fn kill_once(&mut self, dir: &Path) -> Option<u64> {
        let victim = Victim::start(self.kind, dir);
        if self.dice.below(4) == 0 {
            std::thread::sleep(Duration::from_micros(self.dice.below(40_000)));
        } else {
            victim.wait_until_open();
            std::thread::sleep(Duration::from_millis(2 + self.dice.below(500)));
        }
        let heard = victim.heard();
        let last = victim.kill();
        assert!(last.acknowledged.unwrap_or(0) >= heard);
        assert_eq!(last.failed, None, "seed {}", self.seed);
        self.kills_in_open += u64::from(!last.opened);
        last.acknowledged
    }

    fn compare(&mut self, dir: &Path, model: &mut Model, acknowledged: u64, cycle: u64) {
        let found = self.check(dir);
        let number = number_of(&found);
        let place = format!("{} cycle {cycle}, seed {}, data in {}", self.kind, self.seed, dir.display());
        assert!(number >= acknowledged, "lost: {acknowledged} was acknowledged, {number} is there; {place}");
        assert!(number >= model.number, "lost what was there before: {} then, {number} now; {place}", model.number);
        model.advance(number);
        assert_eq!(found, model.digest(), "{place}");
    }

    fn check(&mut self, dir: &Path) -> String {
        let clean = self.dice.below(2) == 0;
        check(self.kind, dir, clean, self.seed)
    }
}

fn number_of(digest: &str) -> u64 {
    digest.split(' ').nth(1).unwrap().parse().unwrap()
}

fn size(path: &Path) -> u64 {
    if path.is_dir() {
        return std::fs::read_dir(path).unwrap().map(|entry| size(&entry.unwrap().path())).sum();
    }
    std::fs::metadata(path).map_or(0, |data| data.len())
}
