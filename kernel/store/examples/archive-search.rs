//! What it costs to have archives found by words, and what a search takes:
//! `cargo run --release -p xylem-store --example archive-search -- 1000000`.
//! CPU is that of the whole process, threads of the database included.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a measuring tool")]

use std::sync::Arc;
use std::time::Instant;

use xylem_store::{ArchiveQuery, BackendKind, Options, Search, Sought, Store};

const PARTITION: &str = "juliet@example.org";
/// Rows of a turn while filling.
const AT_ONCE: u64 = 2_000;
/// Words that people use; the first are the most frequent.
const VOCABULARY: u64 = 20_000;
const WORDS: u64 = 12;

fn main() {
    let rows = std::env::args().nth(1).map_or(100_000, |rows| rows.parse().expect("a number of rows"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    for indexed in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(BackendKind::Fjall, dir.path(), Options::default()).unwrap();
        if indexed {
            let body = |_: &str, payload: &[u8]| Some(body(payload).to_owned());
            store.index_text(store.table("archive"), Arc::new(body));
        }
        let (start, cpu) = (Instant::now(), cpu_ms());
        runtime.block_on(fill(&store, rows));
        let (took, cpu) = (start.elapsed().as_secs_f64(), (cpu_ms() - cpu) * 1e3 / rows as f64);
        let megabytes = store.backend().size().unwrap() >> 20;
        println!("{rows} rows, found by words: {indexed}. {took:.0} s, {cpu:.1} us of CPU a row, {megabytes} MB");
        if indexed {
            runtime.block_on(measure(&store, rows));
        }
    }
}

async fn fill(store: &Store, rows: u64) {
    let mut ticket = None;
    for first in (0..rows).step_by(usize::try_from(AT_ONCE).unwrap()) {
        let mut turn = store.turn();
        for number in first..(first + AT_ONCE).min(rows) {
            let peer = format!("contact{}@example.net/phone", mixed(number) % 100);
            let payload = format!(
                "<message xmlns='jabber:client' from='{peer}' to='{PARTITION}' type='chat' id='{:x}'><body>{}</body></message>",
                mixed(number),
                text(number)
            );
            turn.append(store.table("archive"), PARTITION, number * 60_000, &peer, payload).unwrap();
        }
        let next = store.submit_turn(turn);
        if let Some(before) = ticket.replace(next) {
            xylem_store::Ticket::wait(before).await.unwrap();
        }
    }
    store.barrier().await.unwrap();
}

async fn measure(store: &Store, rows: u64) {
    let archive = store.archive("archive");
    let rare = format!("only{}", rows / 3 / 1000 * 1000);
    let kinds = [
        ("a word that is there once", rare.as_str()),
        ("a word that is not there", "nowhere"),
        ("a frequent word", "w3"),
        ("one in about 10,000 rows", "w9000"),
        ("two frequent words that hardly meet", "w40 w41"),
        ("two that never meet", "left right"),
    ];
    for (name, sought) in kinds {
        for newest_first in [true, false] {
            let (start, cpu) = (Instant::now(), cpu_ms());
            let accepts = |payload: &[u8], sought: &Sought| sought.is_in(body(payload));
            let search = Some(Search::new(Sought::new(sought), accepts));
            let query = ArchiveQuery { search, limit: 50, newest_first, ..ArchiveQuery::default() };
            let page = archive.page(PARTITION, query).await.unwrap();
            let (took, cpu) = (start.elapsed().as_secs_f64() * 1e3, cpu_ms() - cpu);
            println!(
                "  {name:36} {took:>8.1} ms {cpu:>6.0} ms of CPU, {} rows, complete: {}",
                page.rows.len(),
                page.complete
            );
        }
    }
}

fn text(number: u64) -> String {
    let mut dice = mixed(number);
    let mut text = String::new();
    for _ in 0..WORDS {
        dice = mixed(dice);
        // As in a language: the k-th word about 1/k times as often as the first.
        let place = ((dice >> 11) as f64 / (1_u64 << 53) as f64 * (VOCABULARY as f64).ln()).exp() as u64;
        text.push_str(&format!("w{place} "));
    }
    text.push_str(if number.is_multiple_of(2) { "left" } else { "right" });
    if number.is_multiple_of(1000) {
        text.push_str(&format!(" only{number}"));
    }
    text
}

fn body(payload: &[u8]) -> &str {
    let text = std::str::from_utf8(payload).unwrap_or_default();
    text.split_once("<body>").and_then(|(_, rest)| rest.split_once("</body>")).map_or("", |(body, _)| body)
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
