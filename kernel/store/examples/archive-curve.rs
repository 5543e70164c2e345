//! Whether a page costs the same however big its archive is:
//! `cargo run --release -p xylem-store --example archive-curve -- fjall 10000 100000 1000000 10000000`.
//! CPU is that of the whole process, threads of the database included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a measuring tool")]

use std::hint::black_box;
use std::time::Instant;

use xylem_store::{Archive, ArchiveId, ArchiveQuery, BackendKind, Options, Store};

const PARTITION: &str = "juliet@example.org";
/// Rows of a page.
const ROWS: usize = 50;
const PAGES: u64 = 2_000;
/// Rows of a turn while filling.
const AT_ONCE: u64 = 2_000;
const PEERS: u64 = 100;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let kind = match arguments.next().as_deref() {
        Some("sled") => BackendKind::Sled,
        Some("memory") => BackendKind::Memory,
        _ => BackendKind::Fjall,
    };
    let mut sizes: Vec<u64> = arguments.map(|size| size.parse().expect("sizes are numbers")).collect();
    if sizes.is_empty() {
        sizes = vec![10_000, 100_000, 1_000_000];
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(kind, dir.path(), Options::default()).unwrap();
    println!("{kind}, pages of {ROWS}: microseconds, and of CPU");
    let mut written = 0;
    let mut ids = Vec::new();
    for size in sizes {
        let start = Instant::now();
        runtime.block_on(fill(&store, written..size, &mut ids));
        written = size;
        let (took, megabytes) = (start.elapsed().as_secs_f64(), store.backend().size().unwrap() >> 20);
        println!("{size} rows ({megabytes} MB, filled in {took:.0} s)");
        runtime.block_on(measure(&store.archive("archive"), &ids));
    }
}

async fn fill(store: &Store, rows: std::ops::Range<u64>, ids: &mut Vec<ArchiveId>) {
    let mut ticket = None;
    for first in rows.clone().step_by(usize::try_from(AT_ONCE).unwrap()) {
        let mut turn = store.turn();
        for number in first..(first + AT_ONCE).min(rows.end) {
            let peer = format!("contact{}@example.net/phone", mixed(number) % PEERS);
            let payload = format!(
                "<message xmlns='jabber:client' from='{peer}' to='{PARTITION}' type='chat' id='{:x}'><body>This is what {number} said to me, and more</body></message>",
                mixed(number)
            );
            // A message a minute.
            let id = turn.append(store.table("archive"), PARTITION, number * 60_000, &peer, payload).unwrap();
            // Enough to know where to begin pages.
            if number % 1_000 == 0 {
                ids.push(id);
            }
        }
        let next = store.submit_turn(turn);
        // One on the way while the next is made.
        if let Some(before) = ticket.replace(next) {
            xylem_store::Ticket::wait(before).await.unwrap();
        }
    }
    store.barrier().await.unwrap();
}

async fn measure(archive: &Archive, ids: &[ArchiveId]) {
    let somewhere = |number: u64| ids[usize::try_from(mixed(number)).unwrap() % ids.len()];
    let peer = |number: u64| Some(format!("contact{}@example.net", mixed(number) % PEERS).into());
    let base = || ArchiveQuery { limit: ROWS, ..ArchiveQuery::default() };
    type Make<'a> = Box<dyn Fn(u64) -> ArchiveQuery + 'a>;
    let kinds: [(&str, Make<'_>); 5] = [
        ("the last page", Box::new(|_| ArchiveQuery { newest_first: true, ..base() })),
        ("after a row anywhere", Box::new(|n| ArchiveQuery { after: Some(somewhere(n)), ..base() })),
        (
            "before a row anywhere",
            Box::new(|n| ArchiveQuery { before: Some(somewhere(n)), newest_first: true, ..base() }),
        ),
        ("the last page of a peer", Box::new(|n| ArchiveQuery { peer: peer(n), newest_first: true, ..base() })),
        (
            "of a peer after a row anywhere",
            Box::new(|n| ArchiveQuery { peer: peer(n), after: Some(somewhere(n)), ..base() }),
        ),
    ];
    for (name, make) in kinds {
        // What is read again and again is in memory, in servers as well.
        for number in 0..PAGES / 10 {
            black_box(archive.page(PARTITION, make(number)).await.unwrap());
        }
        let (start, cpu) = (Instant::now(), cpu_ms());
        for number in 0..PAGES {
            black_box(archive.page(PARTITION, make(number)).await.unwrap());
        }
        let (took, cpu) = (start.elapsed().as_secs_f64() * 1e6, (cpu_ms() - cpu) * 1e3);
        println!("  {name:32} {:>8.0} {:>8.0}", took / PAGES as f64, cpu / PAGES as f64);
    }
}

/// SplitMix64.
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// User and system time of this process so far.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    // In ticks of 10 ms, fields 14 and 15 of proc(5).
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) * 10.0
}
