//! Figures of the store on this machine: `cargo run --release -p xylem-store --example store-speed`.
//! CPU is that of the whole process, threads of the database included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a measuring tool")]

use std::hint::black_box;
use std::sync::mpsc::channel;
use std::time::Instant;

use xylem_store::{BackendKind, Options, Scan, Store};

const TURNS: u32 = 20_000;
const PARTITIONS: u32 = 2_000;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for kind in [BackendKind::Memory, BackendKind::Sled, BackendKind::Fjall] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(kind, dir.path(), Options::default()).unwrap();
        println!("{kind}");
        writes(&store);
        runtime.block_on(reads(&store));
        drop(store);
        reopen(kind, dir.path());
    }
}

/// Turns like those of offline storage and rosters: one archive row, one kv row.
fn writes(store: &Store) {
    for wave in [1, 64, 1024] {
        let (sender, receiver) = channel::<xylem_store::Result<()>>();
        let turns = if wave == 1 { TURNS / 100 } else { TURNS };
        let (start, cpu, before) = (Instant::now(), cpu_ms(), store.metrics());
        let mut submitting = std::time::Duration::ZERO;
        for number in 0..turns {
            if number >= wave {
                receiver.recv().unwrap().unwrap();
            }
            let begin = Instant::now();
            let mut turn = store.turn();
            let name = format!("user{}@example.org", number % PARTITIONS);
            turn.append(store.table("archive"), &name, u64::from(number), "peer@example.org", vec![7; 500]).unwrap();
            turn.put(store.table("kv"), &name, b"row", vec![7; 200], &[]).unwrap();
            let sender = sender.clone();
            store.submit_turn_then(turn, move |result| sender.send(result).unwrap());
            submitting += begin.elapsed();
        }
        drop(sender);
        receiver.iter().for_each(|result| result.unwrap());
        let (took, cpu, after) = (start.elapsed(), cpu_ms() - cpu, store.metrics());
        println!(
            "  {wave:>4} on the way: {:>7.0} durable turns/s, {:>6.1} us CPU per turn, {:>5.2} us to submit, {:.1} turns per commit, {:.2} ms per commit",
            f64::from(turns) / took.as_secs_f64(),
            cpu * 1000.0 / f64::from(turns),
            submitting.as_secs_f64() * 1e6 / f64::from(turns),
            (after.batches - before.batches) as f64 / (after.commits - before.commits) as f64,
            (after.total_commit_us - before.total_commit_us) as f64 / (after.commits - before.commits) as f64 / 1000.0,
        );
    }
}

async fn reads(store: &Store) {
    let kv = store.kv("kv");
    let names: Vec<String> = (0..PARTITIONS).map(|number| format!("user{number}@example.org")).collect();
    let start = Instant::now();
    for name in &names {
        kv.partition(name).await.unwrap();
    }
    println!("  cold partition: {:.1} us", start.elapsed().as_secs_f64() * 1e6 / f64::from(PARTITIONS));
    let rounds = 200;
    let start = Instant::now();
    for _ in 0..rounds {
        for name in &names {
            black_box(kv.cached(name).unwrap());
        }
    }
    let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(rounds * PARTITIONS);
    let partition = kv.cached(&names[0]).unwrap();
    let start = Instant::now();
    for _ in 0..1_000_000 {
        black_box(partition.get(black_box(b"row")).unwrap());
    }
    let get = start.elapsed().as_secs_f64() * 1e9 / 1e6;
    let start = Instant::now();
    for _ in 0..100_000 {
        black_box(partition.scan(&Scan::all()).unwrap());
    }
    println!(
        "  warm partition: {each:.0} ns, get {get:.0} ns, scan of one row {:.0} ns",
        start.elapsed().as_secs_f64() * 1e9 / 1e5
    );
    let start = Instant::now();
    for name in &names {
        let page = store.archive("archive").page(name, xylem_store::ArchiveQuery::default()).await.unwrap();
        black_box(page);
    }
    println!("  archive page of 20 rows: {:.1} us", start.elapsed().as_secs_f64() * 1e6 / f64::from(PARTITIONS));
}

fn reopen(kind: BackendKind, dir: &std::path::Path) {
    let start = Instant::now();
    let store = Store::open(kind, dir, Options::default()).unwrap();
    println!("  open: {:.0} ms, {} MB", start.elapsed().as_secs_f64() * 1e3, store.backend().size().unwrap() >> 20);
}

/// User and system time of this process so far.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // In ticks of 10 ms, fields 14 and 15 of proc(5).
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10.0
}
