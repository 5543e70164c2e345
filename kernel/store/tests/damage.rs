//! Export, import, and what opening does with databases that are damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use xylem_store::backend::{memory, open};
use xylem_store::export::{DIRECTORY, EXTENSION, export};
use xylem_store::import::{import, verify};
use xylem_store::{Backend, BackendKind, Batch, Options, Scan, Store, StoreError};

const DISK: [BackendKind; 2] = [BackendKind::Sled, BackendKind::Fjall];

fn fill(backend: &dyn Backend, word: &str) {
    let mut batch = Batch::new();
    for number in 0..200u32 {
        let size = [10, 600, 5000, 100_000][(number % 4) as usize];
        batch.put(&format!("table/{}", number % 3), number.to_be_bytes(), word.repeat(size / word.len()));
    }
    backend.commit(&batch).unwrap();
}

fn everything(backend: &dyn Backend) -> Vec<(String, Vec<u8>, Vec<u8>)> {
    let mut all = Vec::new();
    for table in backend.tables().unwrap() {
        let entries = backend.scan(&table, &Scan::all()).unwrap();
        all.extend(entries.into_iter().map(|(key, value)| (table.clone(), key, value)));
    }
    all
}

fn export_to(dir: &Path, name: &str) -> PathBuf {
    dir.join(DIRECTORY).join(format!("{name}.{EXTENSION}"))
}

#[test]
fn an_export_moves_everything_between_backends() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump");
    let from = memory();
    fill(&*from, "word");
    let counts = export(&*from, &file).unwrap();
    assert_eq!((counts.puts, counts.deletes, counts.bytes), (200, 0, fs::metadata(&file).unwrap().len()));
    assert_eq!(verify(&file).unwrap(), counts);
    for kind in DISK {
        let to = open(kind, &dir.path().join(kind.to_string())).unwrap();
        import(&file, &*to).unwrap();
        assert_eq!(everything(&*to), everything(&*from));
        assert!(matches!(import(&file, &*to), Err(StoreError::NotEmpty)));
        let back = dir.path().join("back");
        export(&*to, &back).unwrap();
        assert_eq!(fs::read(&back).unwrap(), fs::read(&file).unwrap());
    }
    assert!(!dir.path().join("dump.part").exists());
}

#[test]
fn damaged_exports_are_refused_with_the_position_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump");
    let from = memory();
    let mut batch = Batch::new();
    batch.put("t", *b"key", *b"value").put("u", *b"k", b"v".repeat(50));
    from.commit(&batch).unwrap();
    export(&*from, &file).unwrap();
    let good = fs::read(&file).unwrap();
    let refused = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let to = memory();
        let Err(StoreError::BadExport { position, .. }) = import(&file, &*to) else {
            panic!("taken for good");
        };
        assert!(position <= bytes.len() as u64);
        assert!(everything(&*to).is_empty());
        position
    };
    for cut in 0..good.len() {
        refused(&good[..cut]);
    }
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x10;
        assert!(refused(&bytes) <= at as u64);
    }
    assert_eq!(refused(&[&good[..], b"x"].concat()), good.len() as u64);
    fs::write(&file, &good).unwrap();
    verify(&file).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_of_a_busy_store_is_one_moment_of_it() {
    for kind in [BackendKind::Memory, BackendKind::Sled, BackendKind::Fjall] {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { window: Duration::from_millis(1), ..Options::default() };
        let store = Store::open(kind, dir.path(), options).unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let writer = tokio::task::spawn_blocking({
            let (store, stop) = (store.clone(), Arc::clone(&stop));
            move || {
                let mut round = 0u64;
                while !stop.load(Ordering::Relaxed) {
                    round += 1;
                    // Far apart in key order, and always equal.
                    let mut batch = Batch::new();
                    for table in ["a", "m", "z"] {
                        batch.put(table, *b"round", round.to_be_bytes());
                        batch.put(table, round.to_be_bytes(), vec![1; 300]);
                        batch.delete(table, round.saturating_sub(200).to_be_bytes());
                    }
                    store.submit(batch).wait_blocking_in_test();
                }
            }
        });
        for export in 0..5 {
            let file = export_to(dir.path(), &export.to_string());
            let other = export_to(dir.path(), "other");
            let (one, two) = tokio::join!(store.export(&file), store.export(&other));
            one.unwrap();
            assert!(matches!(two, Err(StoreError::Exporting)), "one at a time");
            let copy = memory();
            import(&file, &*copy).unwrap();
            let round = copy.get("a", b"round").unwrap().unwrap();
            for table in ["a", "m", "z"] {
                assert_eq!(copy.get(table, b"round").unwrap().unwrap(), round, "{kind}");
                let rows = copy.scan(table, &Scan::all()).unwrap();
                let newest = u64::from_be_bytes(round.clone().try_into().unwrap());
                let want: Vec<_> =
                    (newest.saturating_sub(199).max(1)..=newest).map(|at| at.to_be_bytes().to_vec()).collect();
                let found: Vec<_> = rows.into_iter().map(|(key, _)| key).filter(|key| key.len() == 8).collect();
                assert_eq!(found, want, "{kind} {table}");
            }
        }
        stop.store(true, Ordering::Relaxed);
        writer.await.unwrap();
        assert!(store.health().is_writable());
    }
}

/// Tickets cannot block inside a runtime; a plain channel can.
trait WaitHere {
    fn wait_blocking_in_test(self);
}

impl WaitHere for xylem_store::Ticket {
    fn wait_blocking_in_test(self) {
        self.wait_blocking().unwrap();
    }
}

#[tokio::test]
async fn an_import_into_a_running_store_shows_in_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("dump");
    let from = Store::memory().unwrap();
    from.kv("kv").put("p", b"k", "v", &[("i", b"1")]).unwrap().wait().await.unwrap();
    from.archive("a").append("p", 5, "", "row").unwrap().1.wait().await.unwrap();
    from.export(&file).await.unwrap();
    let to = Store::memory().unwrap();
    assert!(to.kv("kv").partition("p").await.unwrap().is_empty().unwrap());
    to.import(&file).await.unwrap();
    assert_eq!(to.kv("kv").partition("p").await.unwrap().get(b"k").unwrap().unwrap(), "v");
    assert_eq!(to.archive("a").count("p").await.unwrap(), 1);
    // The index entries of an imported row go when the row does.
    to.kv("kv").delete("p", b"k").wait().await.unwrap();
    assert!(to.scan("kv", Scan::all()).await.unwrap().is_empty());
    fs::write(&file, b"XYLEMEXP").unwrap();
    assert!(matches!(to.import(&file).await, Err(StoreError::BadExport { .. })));
    assert!(to.health().is_writable());
}

#[test]
fn only_one_process_opens_a_store() {
    for kind in DISK {
        let dir = tempfile::tempdir().unwrap();
        let first = open(kind, dir.path()).unwrap();
        assert!(matches!(open(kind, dir.path()), Err(StoreError::Locked(_))));
        drop(first);
        open(kind, dir.path()).unwrap();
    }
}

#[test]
fn half_made_databases_are_made_again() {
    for kind in DISK {
        let dir = tempfile::tempdir().unwrap();
        let creating = dir.path().join(format!("{kind}.creating"));
        fs::create_dir_all(creating.join("journals")).unwrap();
        fs::write(creating.join("db"), b"half").unwrap();
        fs::write(creating.join("conf"), b"").unwrap();
        fill(&*open(kind, dir.path()).unwrap(), "word");
        assert!(!creating.exists());
        assert_eq!(everything(&*open(kind, dir.path()).unwrap()).len(), 200);
    }
}

#[test]
fn a_snapshot_cut_short_does_not_keep_sled_from_opening() {
    let dir = tempfile::tempdir().unwrap();
    fill(&*open(BackendKind::Sled, dir.path()).unwrap(), "word");
    let snapshot = dir.path().join("sled/snap.7FFFFFFFFFFFFFFF.generating");
    fs::write(&snapshot, vec![1; 262_144]).unwrap();
    assert_eq!(everything(&*open(BackendKind::Sled, dir.path()).unwrap()).len(), 200);
    assert!(!snapshot.exists());
}

/// Overwrites every file of a database.
fn garble(path: &Path, byte: u8) {
    for entry in fs::read_dir(path).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            garble(&path, byte);
        } else {
            let size = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
            fs::write(&path, vec![byte; size]).unwrap();
        }
    }
}

#[test]
fn a_damaged_database_is_set_aside_and_the_newest_whole_export_takes_its_place() {
    for (kind, byte) in
        [(BackendKind::Sled, 0), (BackendKind::Sled, 0x5A), (BackendKind::Fjall, 0), (BackendKind::Fjall, 0x5A)]
    {
        let dir = tempfile::tempdir().unwrap();
        let backend = open(kind, dir.path()).unwrap();
        for (name, word) in [("1", "old"), ("2", "new"), ("3", "damaged")] {
            fill(&*backend, word);
            export(&*backend, &export_to(dir.path(), name)).unwrap();
        }
        drop(backend);
        fs::write(export_to(dir.path(), "3"), b"XYLEMEXP").unwrap();
        fs::write(dir.path().join(DIRECTORY).join("9.part"), b"half").unwrap();
        garble(&dir.path().join(kind.to_string()), byte);
        let backend = open(kind, dir.path()).unwrap();
        let entries = everything(&*backend);
        assert_eq!(entries.len(), 200);
        assert!(entries.iter().all(|(_, _, value)| value.starts_with(b"new")), "{kind} {byte}");
        drop(backend);
        let aside = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert_eq!(aside.filter(|name| name.starts_with(&format!("{kind}.damaged-"))).count(), 1);
        open(kind, dir.path()).unwrap();
    }
}

#[test]
fn without_an_export_a_damaged_database_is_left_alone_and_nothing_opens() {
    for kind in DISK {
        let dir = tempfile::tempdir().unwrap();
        fill(&*open(kind, dir.path()).unwrap(), "word");
        let database = dir.path().join(kind.to_string());
        garble(&database, 0);
        for _ in 0..2 {
            assert!(matches!(open(kind, dir.path()), Err(StoreError::Unopenable { .. })));
        }
        assert!(database.exists());
        // Moved away by somebody who forgot to put an export in its place.
        fs::rename(&database, dir.path().join(format!("{kind}.damaged-1"))).unwrap();
        assert!(matches!(open(kind, dir.path()), Err(StoreError::Unopenable { .. })));
    }
}

#[test]
fn a_restore_that_was_cut_short_is_finished() {
    for kind in DISK {
        let dir = tempfile::tempdir().unwrap();
        fill(&*open(kind, dir.path()).unwrap(), "word");
        let (database, restored) = (dir.path().join(kind.to_string()), dir.path().join(format!("{kind}.restored")));
        fs::rename(&database, &restored).unwrap();
        fs::create_dir(dir.path().join(format!("{kind}.damaged-1"))).unwrap();
        assert_eq!(everything(&*open(kind, dir.path()).unwrap()).len(), 200);
        assert!(!restored.exists());
    }
}
