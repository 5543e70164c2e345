//! The two processes that the torture starts: one that writes until it is
//! killed, one that opens, reads everything and says what it found.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use xylem_store::{Archive, ArchiveQuery, BackendKind, Kv, Options, Scan, Store};

use crate::unheard;
use crate::workload::{ARCHIVE, INDEX, KV, Model, NUMBER_KEY, NUMBERS, turn};

/// `child write|check KIND DIR ...`: whether this process is one of the two.
pub(crate) fn run_if_asked() -> bool {
    let args: Vec<String> = std::env::args().collect();
    if args.get(1).map(String::as_str) != Some("child") {
        return false;
    }
    let kind: BackendKind = args[3].parse().unwrap();
    let dir = Path::new(&args[4]);
    match args[2].as_str() {
        "write" => write(kind, dir),
        "check" => check(kind, dir, args[5] == "clean"),
        other => panic!("no such child: {other}"),
    }
    true
}

fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    // The parent may be gone; then nobody needs the line.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn open(kind: BackendKind, dir: &Path) -> Store {
    let options = Options {
        low_water: xylem_store::options::LowWater::Off,
        // Small, so that partitions are evicted, and some are read through.
        cache_bytes: 4 << 20,
        partition_bytes: 64 << 10,
        ..Options::default()
    };
    Store::open(kind, dir, options).unwrap()
}

/// Carries out turns from where the store stands, acknowledging each by its
/// number once it is durable. A bounded number is on the way at a time.
fn write(kind: BackendKind, dir: &Path) {
    let store = open(kind, dir);
    let mut number = number_in(&store, NUMBERS[0]);
    say("open");
    let window = Arc::new((std::sync::Mutex::new(0u32), std::sync::Condvar::new()));
    loop {
        number += 1;
        {
            let (waiting, less) = &*window;
            let mut waiting = less.wait_while(waiting.lock().unwrap(), |waiting| *waiting >= 24).unwrap();
            *waiting += 1;
        }
        let window = Arc::clone(&window);
        unheard::append(&store, number - 1);
        store.submit_turn_then(turn(&store, number), move |result| {
            match result {
                Ok(()) => say(&number.to_string()),
                Err(error) => return say(&format!("failed: {error}")),
            }
            *window.0.lock().unwrap() -= 1;
            window.1.notify_one();
        });
    }
}

fn check(kind: BackendKind, dir: &Path, clean: bool) {
    let store = open(kind, dir);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let model = runtime.block_on(read(&store));
    runtime.block_on(unheard::check(&store, model.number));
    let report = store.backend().scrub().unwrap();
    assert!(report.is_clean() && report.orphans == 0, "{report:?}");
    say(&model.digest());
    if clean {
        drop(store);
    } else {
        std::process::exit(0);
    }
}

/// Everything, read through the shapes; whatever does not fit together panics.
async fn read(store: &Store) -> Model {
    let number = number_in(store, NUMBERS[0]);
    assert_eq!(number, number_in(store, NUMBERS[1]), "half a batch");
    let mut model = Model { number, ..Model::default() };
    read_rows(&store.kv(KV), &mut model).await;
    read_archive(&store.archive(ARCHIVE), &mut model).await;
    model
}

async fn read_rows(kv: &Kv, model: &mut Model) {
    for name in kv.partitions(None, usize::MAX).await.unwrap() {
        let partition = kv.partition(&name).await.unwrap();
        let mut backwards = partition.scan(&Scan::all().reverse(true)).unwrap();
        backwards.reverse();
        let rows = partition.scan(&Scan::all()).unwrap();
        assert_eq!(rows, backwards);
        for (key, value) in rows {
            model.rows.insert((name.clone(), key.to_vec()), (crc32fast::hash(&value), None));
        }
        // From the backend and not from memory, so that the index entries on disk are checked.
        for (colour, key) in stored_index(kv, &name).await {
            let row = model.rows.get_mut(&(name.clone(), key)).expect("an index entry without a row");
            assert_eq!(row.1.replace(colour), None, "a row with two index entries");
        }
        let held = partition.by_index(INDEX, &Scan::all()).unwrap();
        let indexed = model.rows.iter().filter(|((at, _), (_, colour))| *at == name && colour.is_some());
        assert_eq!(held.len(), indexed.count());
    }
}

async fn stored_index(kv: &Kv, name: &str) -> Vec<(u8, Vec<u8>)> {
    let prefix = [b"i", name.as_bytes(), &[0, 1], INDEX.as_bytes(), &[0, 1]].concat();
    let entries = kv.store().scan(KV, Scan::prefix(prefix.clone())).await.unwrap();
    let split = |key: Vec<u8>| {
        let rest = &key[prefix.len()..];
        // Colour 0 is escaped: 00 FF.
        let value = if rest[0] == 0 { 2 } else { 1 };
        (rest[0], rest[value + 2..].to_vec())
    };
    entries.into_iter().map(|(key, _)| split(key)).collect()
}

async fn read_archive(archive: &Archive, model: &mut Model) {
    for name in archive.partitions(None, usize::MAX).await.unwrap() {
        let mut query = ArchiveQuery { limit: 50, ..ArchiveQuery::default() };
        let mut rows = 0;
        loop {
            let page = archive.page(&name, query.clone()).await.unwrap();
            query.after = page.rows.last().map(|row| row.id);
            rows += page.rows.len() as u64;
            for row in page.rows {
                let told = (row.peer.to_string(), crc32fast::hash(&row.payload));
                // The lower bits are drawn.
                model.archive.insert((name.clone(), row.id.time_ms() << 20), told);
            }
            if page.complete {
                break;
            }
        }
        assert_eq!(rows, archive.count(&name).await.unwrap());
        let mut by_peer = 0;
        for peer in 0..5 {
            let peer = Some(format!("peer{peer}@example.org").into());
            let query = ArchiveQuery { peer, limit: usize::MAX, newest_first: true, ..ArchiveQuery::default() };
            by_peer += archive.page(&name, query).await.unwrap().rows.len() as u64;
        }
        assert_eq!(rows, by_peer, "index by peer");
    }
}

fn number_in(store: &Store, table: &str) -> u64 {
    let stored = store.backend().get(table, NUMBER_KEY).unwrap();
    stored.map_or(0, |stored| u64::from_be_bytes(stored.try_into().unwrap()))
}
