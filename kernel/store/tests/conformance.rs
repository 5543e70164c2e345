//! What every backend must do, run against each of them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use xylem_store::backend::{Entry, open};
use xylem_store::{Backend, BackendKind, Batch, MAX_KEY, MAX_VALUE, Op, Scan, StoreError};

/// Opens the same database again; memory keeps the one it has.
type Reopen<'a> = &'a mut dyn FnMut(Option<Arc<dyn Backend>>) -> Arc<dyn Backend>;

fn on_disk(kind: BackendKind, test: fn(Reopen<'_>)) {
    let dir = tempfile::tempdir().unwrap();
    test(&mut |old| {
        drop(old);
        open(kind, dir.path()).unwrap()
    });
}

fn in_memory(test: fn(Reopen<'_>)) {
    test(&mut |old| old.unwrap_or_else(|| open(BackendKind::Memory, Path::new("")).unwrap()));
}

macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod memory { $(#[test] fn $name() { super::in_memory(super::$name); })* }
        mod sled { $(#[test] fn $name() { super::on_disk(super::BackendKind::Sled, super::$name); })* }
        mod fjall { $(#[test] fn $name() { super::on_disk(super::BackendKind::Fjall, super::$name); })* }
    };
}

conformance!(
    values_of_all_sizes_read_back,
    what_is_too_big_is_refused_whole,
    ranges_in_both_directions_match_a_map,
    overwriting_a_big_value_leaves_no_pieces,
    a_batch_spans_tables_and_the_last_write_counts,
    many_tables_are_kept_apart,
    a_batch_may_be_big,
    random_batches_match_a_map,
    scans_beside_commits_see_whole_values,
);

fn put(backend: &dyn Backend, table: &str, key: &[u8], value: &[u8]) {
    let mut batch = Batch::new();
    batch.put(table, key, value);
    backend.commit(&batch).unwrap();
}

fn pattern(size: usize, salt: u8) -> Vec<u8> {
    (0..size).map(|at| (at as u8).wrapping_mul(31).wrapping_add((at >> 8) as u8) ^ salt).collect()
}

const SIZES: [usize; 16] =
    [0, 1, 100, 4000, 4070, 4082, 4083, 4087, 4096, 4097, 8192, 16_000, 65_536, 131_072, 350_000, MAX_VALUE];

fn values_of_all_sizes_read_back(reopen: Reopen<'_>) {
    let backend = reopen(None);
    for size in SIZES {
        put(&*backend, "t", &size.to_be_bytes(), &pattern(size, 1));
    }
    let backend = reopen(Some(backend));
    for size in SIZES {
        assert_eq!(backend.get("t", &size.to_be_bytes()).unwrap().unwrap(), pattern(size, 1), "{size}");
    }
    assert_eq!(backend.get("t", b"absent").unwrap(), None);
    assert_eq!(backend.get("absent", b"").unwrap(), None);
    let all = backend.scan("t", &Scan::all()).unwrap();
    assert_eq!(all.iter().map(|(_, value)| value.len()).collect::<Vec<_>>(), SIZES);
    let longest = vec![7; MAX_KEY];
    put(&*backend, "t", &longest, &pattern(9000, 2));
    assert_eq!(backend.get("t", &longest).unwrap().unwrap(), pattern(9000, 2));
    let report = backend.scrub().unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.entries, SIZES.len() as u64 + 1);
    assert!(backend.size().unwrap() > 0);
}

fn what_is_too_big_is_refused_whole(reopen: Reopen<'_>) {
    let backend = reopen(None);
    let too_big = vec![0; MAX_VALUE + (64 << 10) + 1];
    for (key, value) in [(vec![0; MAX_KEY + 1], vec![]), (b"k".to_vec(), too_big)] {
        let mut batch = Batch::new();
        batch.put("t", b"with it".to_vec(), b"x".to_vec()).put("t", key, value);
        assert!(matches!(backend.commit(&batch), Err(StoreError::TooBig { .. })));
    }
    assert!(backend.scan("t", &Scan::all()).unwrap().is_empty());
    put(&*backend, "t", b"still", b"writable");
}

fn ranges_in_both_directions_match_a_map(reopen: Reopen<'_>) {
    let backend = reopen(None);
    let mut keys: Vec<Vec<u8>> = (0..40u8).map(|key| vec![key % 5, key]).collect();
    keys.extend([vec![], vec![255], vec![255, 255], vec![255, 0], vec![3]]);
    let mut batch = Batch::new();
    let mut map = BTreeMap::new();
    for (number, key) in keys.iter().enumerate() {
        let value = pattern(if number % 7 == 0 { 5000 } else { number }, 3);
        batch.put("t", key.clone(), value.clone());
        map.insert(key.clone(), value);
    }
    batch.put("before", b"z".to_vec(), b"1".to_vec()).put("u", b"a".to_vec(), b"1".to_vec());
    backend.commit(&batch).unwrap();
    let backend = reopen(Some(backend));
    let scans = [
        (Scan::all(), None),
        (Scan::prefix([3]), Some(vec![3])),
        (Scan::prefix([255]), Some(vec![255])),
        (Scan::prefix([255, 255]), Some(vec![255, 255])),
        (Scan::prefix([9]), Some(vec![9])),
    ];
    for (scan, prefix) in scans {
        let inside: Vec<Entry> = map
            .iter()
            .filter(|(key, _)| prefix.as_ref().is_none_or(|prefix| key.starts_with(prefix)))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        for limit in [0, 1, 2, 7, usize::MAX] {
            for reverse in [false, true] {
                let got = backend.scan("t", &scan.clone().limit(limit).reverse(reverse)).unwrap();
                let mut want = inside.clone();
                if reverse {
                    want.reverse();
                }
                want.truncate(limit);
                assert_eq!(got, want, "{prefix:?} {limit} {reverse}");
            }
        }
        page_through(&*backend, &scan, &inside);
    }
    let got = backend.scan("t", &Scan::range([1], [3]).after([1, 6]).before([2, 37])).unwrap();
    let want: Vec<Entry> = map.into_iter().filter(|(key, _)| *key > vec![1, 6] && *key < vec![2, 37]).collect();
    assert_eq!(got, want);
    assert!(backend.scan("t", &Scan::range([3], [1])).unwrap().is_empty());
    assert!(backend.scan("t", &Scan::range([3], [3])).unwrap().is_empty());
}

fn page_through(backend: &dyn Backend, scan: &Scan, inside: &[Entry]) {
    for reverse in [false, true] {
        let mut seen = Vec::new();
        let mut page = scan.clone().limit(3).reverse(reverse);
        loop {
            let entries = backend.scan("t", &page).unwrap();
            let Some((last, _)) = entries.last() else { break };
            page = if reverse { page.before(last.clone()) } else { page.after(last.clone()) };
            seen.extend(entries);
        }
        if reverse {
            seen.reverse();
        }
        assert_eq!(seen, inside);
    }
}

fn overwriting_a_big_value_leaves_no_pieces(reopen: Reopen<'_>) {
    let mut backend = reopen(None);
    for round in 0..6u8 {
        for size in [300_000, 5000, 10] {
            put(&*backend, "t", b"k", &pattern(size, round));
            assert_eq!(backend.get("t", b"k").unwrap().unwrap(), pattern(size, round));
        }
        backend = reopen(Some(backend));
    }
    put(&*backend, "t", b"k", &pattern(300_000, 0));
    let mut batch = Batch::new();
    batch.put("t", *b"k", pattern(200_000, 1)).put("t", *b"k", pattern(100_000, 2)).delete("t", *b"k");
    backend.commit(&batch).unwrap();
    assert_eq!(backend.get("t", b"k").unwrap(), None);
    assert_eq!(backend.scrub().unwrap().entries, 0);
    let report = backend.scrub().unwrap();
    assert!(report.is_clean() && report.orphans == 0, "{report:?}");
}

fn a_batch_spans_tables_and_the_last_write_counts(reopen: Reopen<'_>) {
    let backend = reopen(None);
    put(&*backend, "a", b"old", b"1");
    let mut batch = Batch::new();
    batch
        .put("a", *b"x", *b"1")
        .put("b", *b"x", *b"1")
        .put("a", *b"x", *b"2")
        .delete("b", *b"x")
        .put("b", *b"y", *b"3")
        .delete("a", *b"old")
        .delete("none", *b"q");
    backend.commit(&batch).unwrap();
    let backend = reopen(Some(backend));
    assert_eq!(backend.scan("a", &Scan::all()).unwrap(), [(b"x".to_vec(), b"2".to_vec())]);
    assert_eq!(backend.scan("b", &Scan::all()).unwrap(), [(b"y".to_vec(), b"3".to_vec())]);
    assert_eq!(backend.tables().unwrap(), ["a", "b"]);
    backend.commit(&Batch::new()).unwrap();
}

fn many_tables_are_kept_apart(reopen: Reopen<'_>) {
    let backend = reopen(None);
    let name = |number: usize| format!("plugin-{}/store-{}", number % 50, number / 50);
    for chunk in 0..5 {
        let mut batch = Batch::new();
        for number in chunk * 100..(chunk + 1) * 100 {
            batch.put(&name(number), *b"", number.to_string());
            batch.put(&name(number), [255, 255], *b"end");
        }
        backend.commit(&batch).unwrap();
    }
    let backend = reopen(Some(backend));
    assert_eq!(backend.tables().unwrap().len(), 500);
    for number in 0..500 {
        let entries = backend.scan(&name(number), &Scan::all().reverse(true)).unwrap();
        let want = [(vec![255, 255], b"end".to_vec()), (vec![], number.to_string().into_bytes())];
        assert_eq!(entries, want);
    }
}

fn a_batch_may_be_big(reopen: Reopen<'_>) {
    let backend = reopen(None);
    let mut batch = Batch::new();
    for number in 0..12u8 {
        batch.put(&format!("t{}", number % 3), [number], pattern(MAX_VALUE, number));
    }
    for number in 0..5000u32 {
        batch.put("small", number.to_be_bytes(), pattern(100, 0));
    }
    backend.commit(&batch).unwrap();
    let backend = reopen(Some(backend));
    for number in 0..12u8 {
        assert_eq!(backend.get(&format!("t{}", number % 3), &[number]).unwrap().unwrap(), pattern(MAX_VALUE, number));
    }
    assert_eq!(backend.scan("small", &Scan::all()).unwrap().len(), 5000);
}

fn random_batches_match_a_map(reopen: Reopen<'_>) {
    let mut backend = reopen(None);
    let mut model: BTreeMap<(String, Vec<u8>), Vec<u8>> = BTreeMap::new();
    let mut state = 42u64;
    let mut next = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for round in 0..120 {
        let mut batch = Batch::new();
        for _ in 0..1 + next(20) {
            let table = format!("t{}", next(4));
            let key = vec![next(3) as u8; next(6) as usize];
            let size = [0, 30, 600, 4080, 20_000, 350_000][next(if round % 10 == 0 { 6 } else { 4 }) as usize];
            let value = (next(4) > 0).then(|| pattern(size, round as u8));
            match &value {
                Some(value) => model.insert((table.clone(), key.clone()), value.clone()),
                None => model.remove(&(table.clone(), key.clone())),
            };
            batch.push(Op { table: table.as_str().into(), key, value });
        }
        backend.commit(&batch).unwrap();
        if round % 40 == 39 {
            backend = reopen(Some(backend));
        }
    }
    let mut found = BTreeMap::new();
    for table in backend.tables().unwrap() {
        for (key, value) in backend.scan(&table, &Scan::all()).unwrap() {
            found.insert((table.clone(), key), value);
        }
    }
    assert_eq!(found, model);
    let report = backend.scrub().unwrap();
    assert!(report.is_clean() && report.orphans == 0, "{report:?}");
}

fn scans_beside_commits_see_whole_values(reopen: Reopen<'_>) {
    let backend = reopen(None);
    put(&*backend, "t", b"k", &pattern(50_000, 0));
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for round in 1..30u8 {
                put(&*backend, "t", b"k", &pattern(if round % 2 == 0 { 50_000 } else { 90_000 }, round));
            }
        });
        while !writer.is_finished() {
            let (_, value) = backend.scan("t", &Scan::all()).unwrap().pop().unwrap();
            let salt = value[0];
            assert_eq!(value, pattern(value.len(), salt));
        }
    });
}
