//! kv partitions and archives, over every backend.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use xylem_store::{ArchiveQuery, BackendKind, Kv, MAX_VALUE, Options, Partition, Purge, Scan, Store, StoreError};

macro_rules! shapes {
    ($($name:ident),* $(,)?) => {
        mod memory { $(#[tokio::test] async fn $name() { super::$name(super::BackendKind::Memory).await; })* }
        mod sled { $(#[tokio::test] async fn $name() { super::$name(super::BackendKind::Sled).await; })* }
        mod fjall { $(#[tokio::test] async fn $name() { super::$name(super::BackendKind::Fjall).await; })* }
    };
}

shapes!(
    rows_and_indexes_follow_the_writes,
    partitions_with_odd_names_are_kept_apart,
    a_turn_sees_its_own_writes_and_nobody_else_does,
    a_big_partition_is_read_through_with_pending_writes,
    small_caches_and_random_turns_match_a_map,
    archive_pages_in_all_directions,
    archive_rows_are_found_by_part_and_id,
    archive_rows_are_replaced_in_place,
    purges_remove_what_they_say,
    ids_grow_across_restarts,
    the_count_of_now_waits_for_no_commit,
    what_is_read_ahead_holds_what_was_written_meanwhile,
    a_table_is_erased_and_nothing_else,
);

fn options() -> Options {
    Options { window: Duration::from_millis(1), ..Options::default() }
}

fn open(kind: BackendKind, dir: &Path, options: Options) -> Store {
    Store::open(kind, dir, options).unwrap()
}

/// Rows as text, for short comparisons.
fn rows(hits: Vec<(Bytes, Bytes)>) -> Vec<(String, String)> {
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    hits.into_iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn keys(hits: Vec<(Bytes, Bytes)>) -> Vec<String> {
    rows(hits).into_iter().map(|(key, _)| key).collect()
}

async fn what_is_read_ahead_holds_what_was_written_meanwhile(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    {
        let store = open(kind, dir.path(), options());
        store.kv("p/one").put("a", b"k", "before", &[]).unwrap().wait().await.unwrap();
        store.close();
    }
    // The memory backend forgets; what matters is the same: everybody sees the newest.
    let store = open(kind, dir.path(), options());
    let tables = [store.table("p/one"), store.table("p/two")];
    store.prefetch(&tables, "a");
    let written = store.kv("p/two").put("a", b"k", "meanwhile", &[]).unwrap();
    store.prefetch(&tables, "a");
    let two = store.kv("p/two").partition("a").await.unwrap();
    assert_eq!(two.get(b"k").unwrap().unwrap(), "meanwhile");
    let one = store.kv("p/one").partition("a").await.unwrap();
    if !matches!(kind, BackendKind::Memory) {
        assert_eq!(one.get(b"k").unwrap().unwrap(), "before");
    }
    written.wait().await.unwrap();
    assert!(store.cached(tables[0], "a").is_some() && store.cached(tables[1], "a").is_some());
}

async fn rows_and_indexes_follow_the_writes(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let kv = store.kv("plugin/contacts");
    assert!(kv.cached("a").is_none());
    assert!(kv.partition("a").await.unwrap().is_empty().unwrap());
    assert!(kv.cached("a").is_some(), "an empty partition is remembered");
    let put = |key: &str, value: &str, group: &str| {
        kv.put("a", key.as_bytes(), value.to_owned(), &[("group", group.as_bytes()), ("all", b"")]).unwrap()
    };
    let tickets = [put("x1", "1", "red"), put("x2", "2", "red"), put("y", "3", "blue"), put("x2", "4", "blue")];
    let partition = kv.cached("a").unwrap();
    let check = |partition: &Partition| {
        assert_eq!(partition.get(b"x2").unwrap().unwrap(), "4");
        assert_eq!(keys(partition.scan(&Scan::prefix("x")).unwrap()), ["x1", "x2"]);
        assert_eq!(keys(partition.scan(&Scan::all().reverse(true).limit(2)).unwrap()), ["y", "x2"]);
        assert_eq!(keys(partition.with_index("group", b"blue", 9).unwrap()), ["x2", "y"]);
        assert_eq!(keys(partition.with_index("group", b"red", 9).unwrap()), ["x1"]);
        let by_group: Vec<_> = partition.by_index("group", &Scan::all()).unwrap();
        assert_eq!(by_group.iter().map(|hit| &hit.1[..]).collect::<Vec<_>>(), [&b"x2"[..], b"y", b"x1"]);
        assert_eq!(partition.by_index("group", &Scan::prefix("b").reverse(true).limit(1)).unwrap()[0].1, "y");
        assert_eq!(partition.with_index("all", b"", 9).unwrap().len(), 3);
    };
    check(&partition);
    for ticket in tickets {
        ticket.wait().await.unwrap();
    }
    if kind == BackendKind::Memory {
        return;
    }
    drop((kv, partition, store));
    // Held, then with everything read through.
    for partition_bytes in [Options::default().partition_bytes, 0] {
        let store = open(kind, dir.path(), Options { partition_bytes, ..options() });
        let partition = store.kv("plugin/contacts").partition("a").await.unwrap();
        assert_eq!(partition.is_held(), partition_bytes > 0);
        check(&partition);
    }
}

async fn partitions_with_odd_names_are_kept_apart(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let kv = store.kv("t");
    let names = ["", "\0", "a", "a\0", "a\0\u{1}", "a\0b", "ab", "b", "ä@é.example"];
    for name in names {
        kv.put(name, b"\0k", name.to_owned(), &[("i\0", name.as_bytes())]).unwrap().wait().await.unwrap();
    }
    let small = open_like(&store, 0);
    for kv in [&kv, &small.kv("t")] {
        for name in names {
            let partition = kv.partition(name).await.unwrap();
            assert_eq!(partition.scan(&Scan::all()).unwrap().len(), 1);
            assert_eq!(partition.get(b"\0k").unwrap().unwrap(), name);
            assert_eq!(partition.with_index("i\0", name.as_bytes(), 2).unwrap().len(), 1);
        }
        assert_eq!(kv.partitions(None, 100).await.unwrap(), names);
        assert_eq!(kv.partitions(Some("a\0"), 2).await.unwrap(), ["a\0\u{1}", "a\0b"]);
    }
    drop(small);
    kv.delete_partition("a").wait().await.unwrap();
    assert_eq!(kv.partitions(None, 100).await.unwrap().len(), names.len() - 1);
    assert_eq!(kv.partition("a\0").await.unwrap().len().unwrap(), 1);
    assert!(matches!(kv.put("p", b"k", vec![0; MAX_VALUE + 1], &[]), Err(StoreError::TooBig { .. })));
    assert!(matches!(kv.put("p", &[0; 4000], "", &[]), Err(StoreError::TooBig { .. })));
}

/// A second store over the same backend, for reading what is really stored.
fn open_like(store: &Store, partition_bytes: usize) -> Store {
    Store::new(store.backend().clone(), Options { partition_bytes, ..options() }).unwrap()
}

async fn a_turn_sees_its_own_writes_and_nobody_else_does(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    for partition_bytes in [256 << 10, 0] {
        let store = open(kind, dir.path(), Options { partition_bytes, ..options() });
        let kv = store.kv("t");
        for key in ["a", "b", "c"] {
            kv.put("p", key.as_bytes(), "old", &[("i", b"1")]).unwrap().wait().await.unwrap();
        }
        let partition = kv.partition("p").await.unwrap();
        let mut turn = store.turn();
        turn.put(kv.table(), "p", b"b", "new", &[("i", b"2")]).unwrap();
        turn.put(kv.table(), "p", b"d", "new", &[("i", b"1")]).unwrap();
        turn.put(kv.table(), "other", b"z", "new", &[("i", b"1")]).unwrap();
        turn.delete(kv.table(), "p", b"c");
        assert_eq!(turn.get(&partition, b"b").unwrap().unwrap(), "new");
        assert_eq!(turn.get(&partition, b"c").unwrap(), None);
        assert_eq!(keys(turn.scan(&partition, &Scan::all()).unwrap()), ["a", "b", "d"]);
        assert_eq!(keys(turn.scan(&partition, &Scan::all().reverse(true).limit(2)).unwrap()), ["d", "b"]);
        let hits = turn.by_index(&partition, "i", &Scan::all()).unwrap();
        assert_eq!(hits.iter().map(|hit| &hit.1[..]).collect::<Vec<_>>(), [&b"a"[..], b"d", b"b"]);
        assert_eq!(keys(partition.scan(&Scan::all()).unwrap()), ["a", "b", "c"]);
        turn.delete_partition(kv.table(), "p");
        turn.put(kv.table(), "p", b"e", "new", &[]).unwrap();
        assert_eq!(turn.get(&partition, b"a").unwrap(), None);
        assert_eq!(keys(turn.scan(&partition, &Scan::all()).unwrap()), ["e"]);
        let ticket = store.submit_turn(turn);
        assert_eq!(keys(partition.scan(&Scan::all()).unwrap()), ["e"]);
        assert_eq!(keys(kv.partition("other").await.unwrap().scan(&Scan::all()).unwrap()), ["z"]);
        ticket.wait().await.unwrap();
        assert_eq!(keys(partition.scan(&Scan::all()).unwrap()), ["e"]);
        assert_eq!(stored(&store, "t", "p").await, ["e"]);
        kv.delete_partition("p").wait().await.unwrap();
    }
}

async fn stored(store: &Store, table: &str, partition: &str) -> Vec<String> {
    let fresh = open_like(store, 0);
    keys(fresh.kv(table).partition(partition).await.unwrap().scan(&Scan::all()).unwrap())
}

async fn a_big_partition_is_read_through_with_pending_writes(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), Options { window: Duration::from_millis(100), ..Options::default() });
    let kv = store.kv("t");
    for number in 0..4 {
        kv.put("big", &[number], vec![number; 120_000], &[("i", b"x")]).unwrap().wait().await.unwrap();
    }
    store.barrier().await.unwrap();
    let store = open_like_slow(&store);
    let kv = store.kv("t");
    let partition = kv.partition("big").await.unwrap();
    assert!(!partition.is_held());
    let ticket = kv.put("big", &[9], "pending", &[("i", b"x")]).unwrap();
    let deleted = kv.delete("big", &[0]);
    assert_eq!(partition.get(&[9]).unwrap().unwrap(), "pending");
    assert_eq!(partition.get(&[0]).unwrap(), None);
    assert_eq!(partition.get(&[3]).unwrap().unwrap().len(), 120_000);
    assert_eq!(partition.len().unwrap(), 4);
    assert_eq!(partition.with_index("i", b"x", 10).unwrap().len(), 4);
    ticket.wait().await.unwrap();
    deleted.wait().await.unwrap();
    kv.put("big", &[10], "next", &[]).unwrap().wait().await.unwrap();
    assert_eq!(partition.len().unwrap(), 5);
    assert_eq!(partition.with_index("i", b"x", 10).unwrap().len(), 4);
    assert!(store.cache_bytes() < 10_000);
}

fn open_like_slow(store: &Store) -> Store {
    Store::new(store.backend().clone(), Options { window: Duration::from_millis(100), ..Options::default() }).unwrap()
}

async fn small_caches_and_random_turns_match_a_map(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { cache_bytes: 64 * 2048, partition_bytes: 1500, ..options() };
    let store = open(kind, dir.path(), options);
    let kv = store.kv("t");
    let mut model: BTreeMap<(String, u8), (Vec<u8>, u8)> = BTreeMap::new();
    let mut state = 7u64;
    let mut next = move |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for round in 0..1500 {
        let mut turn = store.turn();
        for _ in 0..1 + next(4) {
            let (name, key) = (format!("p{}", next(300)), next(6) as u8);
            match next(10) {
                0 => {
                    turn.delete_partition(kv.table(), &name);
                    model.retain(|(at, _), _| *at != name);
                }
                1..=2 => {
                    turn.delete(kv.table(), &name, &[key]);
                    model.remove(&(name, key));
                }
                _ => {
                    let (value, colour) = (vec![key; next(600) as usize], next(3) as u8);
                    turn.put(kv.table(), &name, &[key], value.clone(), &[("colour", &[colour])]).unwrap();
                    model.insert((name, key), (value, colour));
                }
            }
        }
        let ticket = store.submit_turn(turn);
        if round % 50 == 0 {
            ticket.wait().await.unwrap();
        }
        compare(&kv, &format!("p{}", next(300)), &model).await;
    }
    store.barrier().await.unwrap();
    let fresh = open_like(&store, 1 << 20);
    for number in 0..300 {
        compare(&fresh.kv("t"), &format!("p{number}"), &model).await;
    }
    assert!(store.backend().scrub().unwrap().is_clean());
}

async fn compare(kv: &Kv, name: &str, model: &BTreeMap<(String, u8), (Vec<u8>, u8)>) {
    let partition = kv.partition(name).await.unwrap();
    let want: Vec<_> = model.range((name.to_owned(), 0)..=(name.to_owned(), 255)).collect();
    let got = partition.scan(&Scan::all()).unwrap();
    assert_eq!(got.len(), want.len(), "{name}");
    for ((key, value), ((_, want_key), (want_value, _))) in got.iter().zip(&want) {
        assert_eq!((&key[..], &value[..]), (&[*want_key][..], &want_value[..]), "{name}");
    }
    for colour in 0..3 {
        let hits = partition.with_index("colour", &[colour], 100).unwrap();
        assert_eq!(hits.len(), want.iter().filter(|(_, (_, at))| *at == colour).count(), "{name}");
    }
}

async fn archive_pages_in_all_directions(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let archive = store.archive("t");
    let mut ids = Vec::new();
    for number in 0..20u64 {
        let peer = if number % 4 == 0 { "romeo@example.net" } else { "nurse@example.net" };
        // Two rows each millisecond; the clock goes back once.
        let at_ms = if number == 10 { 3 } else { 1000 + number / 2 };
        let (id, _) = archive.append("juliet", at_ms, peer, number.to_string()).unwrap();
        ids.push(id);
    }
    let _ = archive.append("juliet\0", 1, "", "somebody else's").unwrap();
    assert!(ids.is_sorted_by(|a, b| a < b));
    assert_eq!(archive.count("juliet").await.unwrap(), 20, "not yet committed rows count");
    let numbers = async |query: ArchiveQuery| {
        let page = archive.page("juliet", query).await.unwrap();
        let text = |row: &xylem_store::ArchiveRow| String::from_utf8(row.payload.to_vec()).unwrap();
        (page.rows.iter().map(text).collect::<Vec<_>>().join(" "), page.complete)
    };
    let query = ArchiveQuery::default;
    let want = |text: &str, complete: bool| (text.to_owned(), complete);
    assert_eq!(numbers(ArchiveQuery { limit: 3, ..query() }).await, want("0 1 2", false));
    assert_eq!(numbers(ArchiveQuery { limit: 2, newest_first: true, ..query() }).await, want("19 18", false));
    assert_eq!(numbers(ArchiveQuery { after: Some(ids[16]), ..query() }).await, want("17 18 19", true));
    assert_eq!(numbers(ArchiveQuery { after: Some(ids[16]), limit: 3, ..query() }).await, want("17 18 19", true));
    let before = ArchiveQuery { before: Some(ids[2]), newest_first: true, ..query() };
    assert_eq!(numbers(before).await, want("1 0", true));
    let romeo = ArchiveQuery { peer: Some("romeo@example.net".into()), after: Some(ids[4]), limit: 2, ..query() };
    assert_eq!(numbers(romeo).await, want("8 12", false));
    let times = ArchiveQuery { start_ms: Some(1001), end_ms: Some(1002), ..query() };
    assert_eq!(numbers(times).await, want("2 3 4 5", true));
    assert_eq!(numbers(ArchiveQuery { limit: 0, ..query() }).await, want("", false));
    let row = archive.get("juliet", ids[10]).await.unwrap().unwrap();
    assert_eq!((row.at_ms, row.id.time_ms()), (3, 1004), "the writer's time is kept, the order too");
    assert_eq!(ids[10].to_string().parse(), Ok(ids[10]));
    assert_eq!(archive.get("romeo", ids[10]).await.unwrap(), None);
}

async fn archive_rows_are_found_by_part_and_id(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let archive = store.archive("t");
    let peers = ["a@b", "a@b/x", "a@b/y", "a@bc/x", "a@b/x"];
    let ids: Vec<_> = peers.iter().map(|peer| archive.append("p", 5, peer, vec![b'.'; 100]).unwrap().0).collect();
    let found = async |query: ArchiveQuery| {
        let page = archive.page("p", query).await.unwrap();
        let places = page.rows.iter().map(|row| ids.iter().position(|id| *id == row.id).unwrap());
        (places.collect::<Vec<_>>(), page.complete, page.missing)
    };
    let of = |peer: &str| ArchiveQuery { peer: Some(peer.into()), ..ArchiveQuery::default() };
    assert_eq!(found(of("a@b")).await, (vec![0, 1, 2, 4], true, None));
    assert_eq!(found(of("a@b/x")).await, (vec![1, 4], true, None));
    assert_eq!(found(ArchiveQuery { limit: 1, newest_first: true, ..of("a@b/x") }).await, (vec![4], false, None));
    assert_eq!(found(ArchiveQuery { before: Some(ids[4]), ..of("a@b/x") }).await, (vec![1], true, None));
    assert_eq!(found(of("a@b/")).await, (vec![0, 1, 2, 4], true, None));
    assert_eq!(found(of("a@")).await, (vec![], true, None));

    let some = |places: &[usize]| Some(places.iter().map(|place| ids[*place]).collect::<Vec<_>>());
    let query = ArchiveQuery { ids: some(&[3, 1, 3]), ..ArchiveQuery::default() };
    assert_eq!(found(query.clone()).await, (vec![1, 3], true, None));
    assert_eq!(found(ArchiveQuery { limit: 1, ..query.clone() }).await, (vec![1], false, None));
    assert_eq!(found(ArchiveQuery { peer: Some("a@bc".into()), ..query.clone() }).await, (vec![3], true, None));
    assert_eq!(found(ArchiveQuery { newest_first: true, ..query }).await, (vec![3, 1], true, None));

    let nowhere = xylem_store::ArchiveId::from_u64(7);
    let query = ArchiveQuery { ids: Some(vec![ids[0], nowhere]), ..ArchiveQuery::default() };
    assert_eq!(found(query).await, (vec![], false, Some(nowhere)));
    let query = ArchiveQuery { required: vec![ids[1], nowhere], ..ArchiveQuery::default() };
    assert_eq!(found(query).await, (vec![], false, Some(nowhere)));
    let query = ArchiveQuery { required: vec![ids[1]], bytes: 150, ..ArchiveQuery::default() };
    assert_eq!(found(query).await, (vec![0, 1], false, None));
    let query = ArchiveQuery { bytes: 100, ..of("a@bc") };
    assert_eq!(found(query).await, (vec![3], true, None));
}

async fn archive_rows_are_replaced_in_place(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let archive = store.archive("t");
    let (id, _) = archive.append("p", 5, "a@b/x", "before").unwrap();
    let (other, _) = archive.append("p", 6, "a@b", "other").unwrap();
    drop(archive.replace("p", id, "after").unwrap());
    drop(archive.replace("p", xylem_store::ArchiveId::from_u64(7), "nothing").unwrap());
    let row = archive.get("p", id).await.unwrap().unwrap();
    assert_eq!((&row.payload[..], &*row.peer, row.at_ms), (&b"after"[..], "a@b/x", 5));
    assert_eq!(archive.get("p", other).await.unwrap().unwrap().payload, "other");
    assert_eq!((archive.count("p").await.unwrap(), archive.count_now("p").unwrap()), (2, 2));
    assert!(matches!(archive.replace("p", id, vec![0; MAX_VALUE + 1]), Err(StoreError::TooBig { .. })));
}

async fn purges_remove_what_they_say(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let archive = store.archive("t");
    let mut turn = store.turn();
    let ids: Vec<_> =
        (0..5000u64).map(|number| turn.append(archive.table(), "a", number, "peer", "row").unwrap()).collect();
    turn.append(archive.table(), "b", 1, "peer", "row").unwrap();
    store.submit_turn(turn).wait().await.unwrap();
    let count = async || archive.count("a").await.unwrap();
    let left = async || {
        let query = ArchiveQuery { limit: usize::MAX, peer: Some("peer".into()), ..ArchiveQuery::default() };
        let by_peer = archive.page("a", query.clone()).await.unwrap().rows;
        let all = archive.page("a", ArchiveQuery { peer: None, ..query }).await.unwrap().rows;
        assert_eq!(by_peer, all);
        all.iter().map(|row| row.id.time_ms()).collect::<Vec<_>>()
    };
    archive.purge("a", Purge::UpTo(ids[9])).wait().await.unwrap();
    assert_eq!((count().await, left().await[0]), (4990, 10));
    archive.purge("a", Purge::OlderThan(20)).wait().await.unwrap();
    archive.purge("a", Purge::Ids(vec![ids[21], ids[0], ids[23]])).wait().await.unwrap();
    assert_eq!((count().await, left().await[..4].to_vec()), (4978, vec![20, 22, 24, 25]));
    // Above what one commit removes.
    archive.purge("a", Purge::KeepNewest(100)).wait().await.unwrap();
    assert_eq!((count().await, left().await), (100, (4900..5000).collect()));
    let mut turn = store.turn();
    turn.append(archive.table(), "a", 6000, "peer", "row").unwrap();
    turn.purge(archive.table(), "a", Purge::All);
    turn.append(archive.table(), "a", 7000, "peer", "row").unwrap();
    store.submit_turn(turn).wait().await.unwrap();
    assert_eq!((count().await, left().await), (1, vec![7000]));
    archive.purge("a", Purge::All).wait().await.unwrap();
    assert_eq!((count().await, archive.count("b").await.unwrap()), (0, 1));
}

async fn the_count_of_now_waits_for_no_commit(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), Options { window: Duration::from_millis(200), ..Options::default() });
    let archive = store.archive("t");
    assert_eq!(archive.count_now("a").unwrap(), 0);
    let (_, first) = archive.append("a", 1, "peer", "row").unwrap();
    let (_, second) = archive.append("a", 2, "peer", "row").unwrap();
    assert_eq!(archive.count_now("a").unwrap(), 2, "neither is committed yet");
    first.wait().await.unwrap();
    second.wait().await.unwrap();
    assert_eq!((archive.count_now("a").unwrap(), archive.count("a").await.unwrap()), (2, 2));
    archive.purge("a", Purge::KeepNewest(1)).wait().await.unwrap();
    assert_eq!(archive.count_now("a").unwrap(), 1);
    store.barrier().await.unwrap();
    store.close();
    drop((store, archive));
    let store = open(kind, dir.path(), options());
    let kept = u64::from(kind != BackendKind::Memory);
    assert_eq!(store.archive("t").count_now("a").unwrap(), kept, "read again after a restart");
}

async fn ids_grow_across_restarts(kind: BackendKind) {
    if kind == BackendKind::Memory {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut last = None;
    for at_ms in [5000, 4000, 3000] {
        let store = open(kind, dir.path(), options());
        let (id, ticket) = store.archive("t").append("a", at_ms, "", "").unwrap();
        ticket.wait().await.unwrap();
        assert!(Some(id) > last);
        last = Some(id);
    }
}

async fn a_table_is_erased_and_nothing_else(kind: BackendKind) {
    let dir = tempfile::tempdir().unwrap();
    let store = open(kind, dir.path(), options());
    let (kv, other, archive) = (store.kv("plugin/a"), store.kv("plugin/b"), store.archive("plugin/c"));
    let number = |n: usize| format!("account-{n}\0");
    for n in 0..300 {
        let _ = kv.put(&number(n), b"k", "v", &[("index", b"i")]).unwrap();
        let _ = archive.append(&number(n), 1, "peer", "payload").unwrap();
    }
    other.put("account-0", b"k", "v", &[]).unwrap().wait().await.unwrap();
    assert!(!kv.partition(&number(7)).await.unwrap().is_empty().unwrap());
    assert_eq!(store.tables("plugin/").await.unwrap(), ["plugin/a", "plugin/b", "plugin/c"]);
    assert_eq!(store.erase("plugin/a").await.unwrap(), 300);
    assert!(kv.partition(&number(7)).await.unwrap().is_empty().unwrap(), "memory knows it as well");
    assert_eq!(archive.count(&number(7)).await.unwrap(), 1);
    assert_eq!(store.erase("plugin/c").await.unwrap(), 300);
    assert_eq!(archive.count(&number(7)).await.unwrap(), 0);
    for table in ["plugin/a", "plugin/c"] {
        assert_eq!(store.backend().scan(table, &Scan::all()).unwrap().len(), 0, "{table}");
    }
    assert_eq!(store.tables("plugin/").await.unwrap(), ["plugin/b"]);
    assert!(!other.partition("account-0").await.unwrap().is_empty().unwrap());
    assert_eq!(store.erase("plugin/a").await.unwrap() + store.erase("plugin/none").await.unwrap(), 0);
}
