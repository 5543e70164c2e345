//! Whoever misbehaves is refused in bounded time and leaves nothing open.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use xylem_net::wires::{ClaimError, Patience, Refusal};

use crate::stage::{SOON, Stage, bounds, greeting, label, rest};

#[tokio::test]
async fn what_is_no_handshake() {
    let stage = Stage::new();
    let no_type = [5, 0, 5, 8, 0, 1, 0, 0, 0, 0, 0, 0];
    for (bytes, why, answer) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Refusal::Garbage, &[][..]),
        (vec![5, 1, 2], Refusal::Method, &[5, 0xFF]),
        (vec![5, 1, 0, 5, 2, 0, 3], Refusal::Request, &[5, 0, 5, 7, 0, 1, 0, 0, 0, 0, 0, 0]),
        (vec![5, 1, 0, 5, 1, 0, 1], Refusal::Request, &no_type),
        (greeting(&"z".repeat(40)), Refusal::Request, &[5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
        (greeting(&"a".repeat(200)), Refusal::Request, &[5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0]),
    ] {
        let before = stage.refused(why);
        let mut tcp = stage.connect().await;
        tcp.write_all(&bytes).await.unwrap();
        let answered = rest(&mut tcp).await;
        // What the server did not read makes the system cut the answer short, if it likes.
        assert!(answer.starts_with(&answered), "{bytes:?}: {answered:?}");
        stage.empty().await;
        assert_eq!(stage.refused(why), before + 1, "{bytes:?}");
    }
}

#[tokio::test]
async fn slow_ones_are_cut_off() {
    let stage = Stage::with(Patience { handshake: Duration::from_millis(300), waiting: SOON });
    let silent = stage.connect().await;
    let mut slow = stage.connect().await;
    for byte in greeting(&label('a')) {
        if slow.write_all(&[byte]).await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage.empty().await;
    assert_eq!(stage.refused(Refusal::Slow), 2);
    drop((silent, slow));
}

#[tokio::test]
async fn who_breaks_off_is_forgotten() {
    let stage = Stage::new();
    for length in [0, 1, 3, 20] {
        let mut tcp = stage.connect().await;
        tcp.write_all(&greeting(&label('a'))[..length]).await.unwrap();
    }
    stage.until(|_| stage.refused(Refusal::Aborted) == 4).await;
    let waiting = stage.wire(&label('a')).await;
    assert_eq!(stage.waiting(&label('a')).len(), 1);
    drop(waiting);
    stage.empty().await;
    assert!(stage.waiting(&label('a')).is_empty());
    assert_eq!(stage.refused(Refusal::Gone), 1);
}

#[tokio::test]
async fn who_waits_too_long_is_cut_off() {
    let stage = Stage::with(Patience { handshake: SOON, waiting: Duration::from_millis(200) });
    let mut quiet = stage.wire(&label('a')).await;
    let mut early = stage.wire(&label('b')).await;
    early.write_all(b"are you there?").await.unwrap();
    stage.until(|(_, waiting, _)| waiting == 2).await;
    assert!(rest(&mut quiet).await.is_empty() && rest(&mut early).await.is_empty());
    stage.empty().await;
    assert_eq!(stage.refused(Refusal::Expired), 2);
}

#[tokio::test]
async fn a_third_of_one_label_is_refused() {
    let stage = Stage::new();
    let (one, other) = (stage.wire(&label('a')).await, stage.wire(&label('a')).await);
    let mut third = stage.connect().await;
    third.write_all(&greeting(&label('A'))).await.unwrap();
    assert_eq!(rest(&mut third).await, [5, 0, 5, 2, 0, 1, 0, 0, 0, 0, 0, 0]);
    assert_eq!(stage.refused(Refusal::Crowded), 1);
    assert_eq!(stage.waiting(&label('a')).len(), 2);
    drop((one, other));
    stage.empty().await;
}

#[tokio::test]
async fn more_than_may_be_open_are_closed_at_once() {
    let stage = Stage::new();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(stage.connect().await);
    }
    stage.until(|(shaking, _, _)| shaking == 8).await;
    assert!(rest(&mut stage.connect().await).await.is_empty());
    stage.until(|_| stage.refused(Refusal::Admission) == 1).await;
    drop(held);
    stage.empty().await;
    drop(stage.wire(&label('a')).await);
}

#[tokio::test]
async fn only_the_owner_reaches_its_wires_and_only_pairs_of_one_label() {
    let stage = Stage::new();
    let tcps = [stage.wire(&label('a')).await, stage.wire(&label('a')).await, stage.wire(&label('b')).await];
    let (a, b) = (stage.waiting(&label('a')), stage.waiting(&label('b')));
    assert!(stage.wires.waiting("example.other", "bytes", &label('a')).is_empty());
    for (owner, one, other) in
        [("example.other", a[0], a[1]), ("example.proxy", a[0], a[0]), ("example.proxy", a[0], b[0])]
    {
        assert_eq!(stage.wires.claim(owner, one, other, bounds()).unwrap_err(), ClaimError::Missing);
    }
    assert!(!stage.wires.close("example.other", a[0]));
    assert!(stage.wires.close("example.proxy", b[0]) && stage.waiting(&label('b')).is_empty());
    drop(tcps);
    stage.empty().await;
}

#[tokio::test]
async fn a_listener_that_goes_takes_its_wires_along() {
    let stage = Stage::new();
    let half = stage.connect().await;
    let waiting = stage.wire(&label('a')).await;
    let (one, other, ended) = stage.relay(&label('b'), bounds()).await;
    stage.wires.listen(vec![stage.listener.clone()]);
    stage.until(|open| open == (1, 1, 2)).await;
    stage.wires.shut_down();
    stage.empty().await;
    assert_eq!(ended.await.unwrap().reason, xylem_net::wires::Reason::Stopped);
    assert!(stage.wires.ports("example.proxy", "bytes").is_empty());
    drop((half, waiting, one, other));
}
