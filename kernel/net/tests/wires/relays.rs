//! What two wires say to each other, and how it ends.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use xylem_net::wires::{Bounds, ClaimError, Reason};

use crate::stage::{SOON, Stage, bounds, label, rest};

/// Bytes that are easily found out of place.
fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|n| u8::try_from(n * 31 % 251).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_arrives_both_ways_each_to_its_end() {
    let stage = Stage::new();
    let (one, other, ended) = stage.relay(&label('a'), bounds()).await;
    let (mut one_in, mut one_out) = one.into_split();
    let (mut other_in, mut other_out) = other.into_split();
    let (forth, back) = (bytes(5_000_000), bytes(3_000_001));
    let sending = {
        let (forth, back) = (forth.clone(), back.clone());
        tokio::spawn(async move {
            let forth = async {
                one_out.write_all(&forth).await.unwrap();
                one_out.shutdown().await.unwrap();
            };
            let back = async {
                // One direction goes on after the other has ended.
                tokio::time::sleep(Duration::from_millis(300)).await;
                other_out.write_all(&back).await.unwrap();
                other_out.shutdown().await.unwrap();
            };
            tokio::join!(forth, back);
        })
    };
    let (mut at_other, mut at_one) = (Vec::new(), Vec::new());
    let (a, b) = tokio::join!(other_in.read_to_end(&mut at_other), one_in.read_to_end(&mut at_one));
    assert!(a.is_ok() && b.is_ok());
    assert!(at_other == forth && at_one == back);
    sending.await.unwrap();
    let end = ended.await.unwrap();
    assert_eq!((end.reason, end.forth, end.back), (Reason::Closed, 5_000_000, 3_000_001));
    stage.empty().await;
    let counts = stage.wires.counts();
    assert_eq!((counts.relays, counts.bytes), (1, 8_000_001));
}

#[tokio::test]
async fn what_was_said_before_is_forgotten() {
    let stage = Stage::new();
    let mut one = stage.wire(&label('a')).await;
    one.write_all(&[b'x'; 50_000]).await.unwrap();
    let mut other = stage.wire(&label('a')).await;
    other.write_all(b"early").await.unwrap();
    let wires = stage.waiting(&label('a'));
    stage.wires.claim("example.proxy", wires[0], wires[1], bounds()).unwrap().start(drop);
    one.write_all(b"late").await.unwrap();
    one.shutdown().await.unwrap();
    other.shutdown().await.unwrap();
    assert_eq!(rest(&mut other).await, b"late");
    assert_eq!(rest(&mut one).await, b"");
    stage.empty().await;
    assert_eq!(stage.wires.counts().bytes, 4);
}

#[tokio::test]
async fn who_closed_before_has_said_nothing() {
    let stage = Stage::new();
    let mut one = stage.wire(&label('a')).await;
    one.write_all(b"early").await.unwrap();
    one.shutdown().await.unwrap();
    let mut other = stage.wire(&label('a')).await;
    let wires = stage.waiting(&label('a'));
    stage.wires.claim("example.proxy", wires[0], wires[1], bounds()).unwrap().start(drop);
    assert_eq!(rest(&mut other).await, b"");
}

#[tokio::test]
async fn a_pair_that_is_dropped_waits_on() {
    let stage = Stage::new();
    let tcps = (stage.wire(&label('a')).await, stage.wire(&label('a')).await);
    let wires = stage.waiting(&label('a'));
    let pair = stage.wires.claim("example.proxy", wires[0], wires[1], bounds()).unwrap();
    assert!(stage.waiting(&label('a')).is_empty());
    let again = stage.wires.claim("example.proxy", wires[0], wires[1], bounds());
    assert_eq!(again.unwrap_err(), ClaimError::Missing);
    drop(pair);
    assert_eq!(stage.waiting(&label('a')), wires);
    drop(tcps);
    stage.empty().await;
}

#[tokio::test]
async fn one_who_breaks_off_is_told_to_the_other() {
    let stage = Stage::new();
    let (one, mut other, ended) = stage.relay(&label('a'), bounds()).await;
    one.set_zero_linger().unwrap();
    drop(one);
    assert!(other.read(&mut [0]).await.is_err(), "an end that looks like a whole");
    assert_eq!(ended.await.unwrap().reason, Reason::Broken);
    stage.empty().await;
}

#[tokio::test]
async fn nothing_moves_for_too_long() {
    let stage = Stage::new();
    let idle = Duration::from_millis(400);
    let (mut one, mut other, mut ended) = stage.relay(&label('a'), Bounds { idle, ..bounds() }).await;
    for _ in 0..10 {
        one.write_all(b"x").await.unwrap();
        other.read_exact(&mut [0]).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ended.try_recv().is_err(), "it moved");
    assert_eq!(ended.await.unwrap().reason, Reason::Idle);
    stage.empty().await;
}

#[tokio::test]
async fn so_many_bytes_and_no_more() {
    let stage = Stage::new();
    let (mut one, mut other, ended) = stage.relay(&label('a'), Bounds { bytes: 1000, ..bounds() }).await;
    one.write_all(&bytes(1000)).await.unwrap();
    one.shutdown().await.unwrap();
    other.shutdown().await.unwrap();
    assert_eq!(rest(&mut other).await.len(), 1000);
    assert_eq!(ended.await.unwrap().reason, Reason::Closed, "exactly as many as allowed");

    let (mut one, mut other, ended) = stage.relay(&label('b'), Bounds { bytes: 1000, ..bounds() }).await;
    one.write_all(&bytes(1001)).await.unwrap();
    let _ = rest(&mut other).await;
    let end = ended.await.unwrap();
    assert_eq!((end.reason, end.forth), (Reason::TooMuch, 1000));
    stage.empty().await;
}

#[tokio::test]
async fn no_faster_than_the_user_may() {
    let stage = Stage::new();
    let limited = || Bounds { rate: 100_000, ..bounds() };
    let begun = Instant::now();
    let (mut one, mut other, _) = stage.relay(&label('a'), limited()).await;
    let (mut third, mut fourth, _) = stage.relay(&label('b'), limited()).await;
    for tcp in [&mut one, &mut third] {
        tcp.write_all(&bytes(50_000)).await.unwrap();
        tcp.shutdown().await.unwrap();
    }
    let (a, b) = tokio::join!(rest(&mut other), rest(&mut fourth));
    assert!(a == bytes(50_000) && b == bytes(50_000));
    // 100,000 bytes less what may move at once and one stride of each.
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(400) && took < SOON, "{took:?}");
}

#[tokio::test]
async fn so_many_relays_and_no_more() {
    let stage = Stage::new();
    let few = || Bounds { per_user: 1, total: 2, ..bounds() };
    let first = stage.relay(&label('a'), few()).await;
    let tcps = (stage.wire(&label('b')).await, stage.wire(&label('b')).await);
    let wires = stage.waiting(&label('b'));
    let claim = |bounds| stage.wires.claim("example.proxy", wires[0], wires[1], bounds);
    assert_eq!(claim(few()).unwrap_err(), ClaimError::PerUser);
    let romeo = claim(Bounds { user: "romeo".into(), ..few() }).unwrap();
    let none = stage.wires.claim("example.proxy", 0, 0, Bounds { user: "paris".into(), ..few() });
    assert_eq!(none.unwrap_err(), ClaimError::Total);
    drop(romeo);
    drop(first);
    stage.until(|(_, _, relayed)| relayed == 0).await;
    drop(claim(few()).unwrap());
    drop(tcps);
    stage.empty().await;
}
