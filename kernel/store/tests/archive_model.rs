//! Archives against a model: random appends (some committed in another order than their
//! ids), replacements and purges, with restarts between them; then random pages.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use xylem_store::options::Class;
use xylem_store::{ArchiveId, ArchiveQuery, BackendKind, NewRow, Options, PeersQuery, Purge, Store};

const PARTITIONS: [&str; 3] = ["juliet@b", "romeo@b", "\0odd"];
const PEERS: [&str; 6] = ["a@b", "a@b/x", "a@b/y", "c@d", "c@d/x", ""];

/// xorshift64*: the same numbers for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Row {
    peer: &'static str,
    marks: u8,
    payload: Vec<u8>,
}

type Model = BTreeMap<(usize, ArchiveId), Row>;

fn open(kind: BackendKind, dir: &Path) -> Store {
    Store::open(kind, dir, Options { window: Duration::from_millis(1), ..Options::default() }).unwrap()
}

fn append(store: &Store, model: &mut Model, dice: &mut Dice, partition: usize, clock: &mut u64) -> xylem_store::Turn {
    *clock += dice.roll(3) as u64;
    let size = if dice.roll(40) == 0 { 30_000 } else { dice.roll(300) };
    let row = Row { peer: PEERS[dice.roll(PEERS.len())], marks: 1 << dice.roll(3), payload: vec![b'.'; size] };
    let mut turn = store.turn();
    let table = store.table("t");
    let marked = (row.peer, row.marks);
    let id = turn.append_marked(table, PARTITIONS[partition], *clock, marked, row.payload.clone()).unwrap();
    model.insert((partition, id), row);
    turn
}

/// In two archives, as a message is, so that they share the payload.
fn unheard(store: &Store, model: &mut Model, dice: &mut Dice, partition: usize, clock: &mut u64) {
    *clock += dice.roll(3) as u64;
    let payload = vec![b'.'; dice.roll(300)];
    for partition in [partition, dice.roll(PARTITIONS.len())] {
        let row = Row { peer: PEERS[dice.roll(PEERS.len())], marks: 1 << dice.roll(3), payload: payload.clone() };
        let class = if dice.roll(5) == 0 { Class::Relaxed } else { Class::Durable };
        let new = NewRow { at_ms: *clock, peer: row.peer, marks: row.marks, payload: &payload, class };
        let before = model.keys().filter(|(of, _)| *of == partition).count() as u64;
        let purging = |rows: u64| rows >= before;
        let id = store.append_unheard(store.table("t"), PARTITIONS[partition], new, purging).unwrap().unwrap();
        model.insert((partition, id), row);
    }
}

fn purge(model: &mut Model, dice: &mut Dice, partition: usize, clock: u64) -> Purge {
    let ids: Vec<ArchiveId> = model.keys().filter(|(of, _)| *of == partition).map(|(_, id)| *id).collect();
    let some = |dice: &mut Dice| ids.get(dice.roll(ids.len().max(1))).copied().unwrap_or(ArchiveId::from_u64(9));
    let what = match dice.roll(12) {
        0 => Purge::All,
        1 => Purge::UpTo(some(dice)),
        2 => Purge::OlderThan(clock.saturating_sub(dice.roll(300) as u64)),
        3 => Purge::KeepNewest(dice.roll(200)),
        _ => Purge::Ids((0..dice.roll(4)).map(|_| some(dice)).collect()),
    };
    let surplus = match &what {
        Purge::KeepNewest(keep) => ids.len().saturating_sub(*keep),
        _ => 0,
    };
    let doomed = |at: usize, id: ArchiveId| match &what {
        Purge::All => true,
        Purge::UpTo(last) => id <= *last,
        Purge::OlderThan(ms) => id.time_ms() < *ms,
        Purge::Ids(doomed) => doomed.contains(&id),
        _ => at < surplus,
    };
    for (at, id) in ids.iter().enumerate() {
        if doomed(at, *id) {
            model.remove(&(partition, *id));
        }
    }
    what
}

async fn compare(store: &Store, model: &Model, dice: &mut Dice) {
    let archive = store.archive("t");
    for (partition, name) in PARTITIONS.iter().enumerate() {
        let rows: Vec<(ArchiveId, &Row)> =
            model.iter().filter(|((of, _), _)| *of == partition).map(|((_, id), row)| (*id, row)).collect();
        assert_eq!(archive.count(name).await.unwrap(), rows.len() as u64, "{name:?}");
        assert_eq!(archive.count_now(name).unwrap(), rows.len() as u64, "{name:?}");
        for _ in 0..20 {
            let edge = |dice: &mut Dice| {
                let row = rows.get(dice.roll(rows.len() * 3 + 1)).map(|(id, _)| id.to_u64());
                row.map(|id| ArchiveId::from_u64(id + dice.roll(3) as u64 - 1))
            };
            let query = ArchiveQuery {
                peer: (dice.roll(2) == 0).then(|| PEERS[dice.roll(PEERS.len() - 1)].into()),
                after: edge(dice),
                before: edge(dice),
                start_ms: edge(dice).map(ArchiveId::time_ms),
                end_ms: edge(dice).map(ArchiveId::time_ms),
                limit: dice.roll(80),
                bytes: if dice.roll(4) == 0 { 5000 } else { usize::MAX },
                newest_first: dice.roll(2) == 0,
                ..ArchiveQuery::default()
            };
            check(&archive.page(name, query.clone()).await.unwrap(), &rows, &query);
        }
        for (id, row) in rows.iter().step_by(17) {
            let found = archive.get(name, *id).await.unwrap().unwrap();
            assert_eq!((&*found.peer, &found.payload[..]), (row.peer, &row.payload[..]));
        }
        peers(store, name, &rows).await;
    }
}

fn check(page: &xylem_store::ArchivePage, rows: &[(ArchiveId, &Row)], query: &ArchiveQuery) {
    let matches = |(id, row): &&(ArchiveId, &Row)| {
        let of_peer = query
            .peer
            .as_deref()
            .is_none_or(|peer| row.peer == peer || !peer.contains('/') && row.peer.split('/').next() == Some(peer));
        of_peer
            && query.after.is_none_or(|after| *id > after)
            && query.before.is_none_or(|before| *id < before)
            && query.start_ms.is_none_or(|start| id.time_ms() >= start)
            && query.end_ms.is_none_or(|end| id.time_ms() <= end)
    };
    let mut wanted: Vec<_> = rows.iter().filter(matches).collect();
    if query.newest_first {
        wanted.reverse();
    }
    let (mut taken, mut bytes) = (0, 0);
    while taken < wanted.len() && taken < query.limit && bytes < query.bytes {
        bytes += wanted[taken].1.payload.len();
        taken += 1;
    }
    let found: Vec<_> = page.rows.iter().map(|row| row.id).collect();
    let expected: Vec<_> = wanted[..taken].iter().map(|(id, _)| *id).collect();
    assert_eq!(found, expected, "{query:?}");
    assert_eq!(page.complete, taken == wanted.len(), "{query:?}");
}

/// The newest rows of each peer, up to one that is marked.
async fn peers(store: &Store, partition: &str, rows: &[(ArchiveId, &Row)]) {
    let query = PeersQuery { looked_at: 1, last: 1, rows: usize::MAX, peers: usize::MAX };
    let found = store.archive("t").peers(partition, query).await.unwrap();
    let mut wanted: BTreeMap<&str, Vec<(ArchiveId, u8, &str)>> = BTreeMap::new();
    for (id, row) in rows.iter().rev() {
        let (name, part) = row.peer.split_once('/').unwrap_or((row.peer, ""));
        let known = wanted.entry(name).or_default();
        if known.iter().all(|(_, marks, _)| marks & 1 == 0) {
            known.push((*id, row.marks, part));
        }
    }
    let found: BTreeMap<&str, Vec<(ArchiveId, u8, &str)>> = found
        .iter()
        .map(|peer| (&*peer.name, peer.rows.iter().map(|row| (row.id, row.marks, &*row.part)).collect()))
        .collect();
    assert_eq!(found, wanted);
}

async fn run(kind: BackendKind, seed: u64) {
    let dir = tempfile::tempdir().unwrap();
    let (mut dice, mut model, mut clock) = (Dice(seed), Model::new(), 1_000_000);
    for _ in 0..8 {
        let store = open(kind, dir.path());
        compare(&store, &model, &mut dice).await;
        for _ in 0..dice.roll(400) {
            let partition = dice.roll(PARTITIONS.len());
            let table = store.table("t");
            if dice.roll(2) == 0 {
                unheard(&store, &mut model, &mut dice, partition, &mut clock);
                continue;
            }
            let mut turns = vec![append(&store, &mut model, &mut dice, partition, &mut clock)];
            match dice.roll(30) {
                0 => {
                    turns[0].purge(table, PARTITIONS[partition], purge(&mut model, &mut dice, partition, clock));
                    let last = model.keys().filter(|(of, _)| *of == partition).nth(dice.roll(50)).copied();
                    if let Some(key) = last {
                        turns[0].replace(table, PARTITIONS[partition], key.1, "other").unwrap();
                        model.get_mut(&key).unwrap().payload = b"other".to_vec();
                    }
                }
                // Who draws an id first is committed second.
                1..5 => turns.push(append(&store, &mut model, &mut dice, partition, &mut clock)),
                _ => {}
            }
            for turn in turns.into_iter().rev() {
                let ticket = store.submit_turn(turn);
                if dice.roll(8) == 0 {
                    ticket.wait().await.unwrap();
                }
            }
        }
        compare(&store, &model, &mut dice).await;
        store.close();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn archives_are_what_the_model_says() {
    let seeds = std::env::var("XYLEM_ARCHIVE_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3);
    for seed in 1..=seeds {
        for kind in [BackendKind::Fjall, BackendKind::Sled] {
            println!("{kind:?}, seed {seed}");
            run(kind, seed * 0x9E37_79B9).await;
        }
    }
}
