//! What was sent and not acknowledged: numbers, bounds, barriers, writing it again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::sync::{Arc, Mutex};

use xylem_session::{Barrier, Claim, Delivery, Item, Queue, QueueLimits, Refused, Unacknowledged};
use xylem_stanza::{Outgoing, StreamCondition};

fn stanza(text: &str) -> Item {
    Item::Stanza(Outgoing::raw(text.to_owned()))
}

fn rewritten(kept: &mut Unacknowledged, bytes: usize) -> String {
    let mut text = Vec::new();
    kept.rewrite(bytes, &mut text);
    String::from_utf8(text).unwrap()
}

#[test]
fn numbers_count_stanzas_and_run_over() {
    let mut kept = Unacknowledged::default();
    assert_eq!(kept.acknowledge(1), Err(0));
    for round in 0..3_u32 {
        for _ in 0..5 {
            kept.push(stanza("x"));
            kept.push(Item::Ping);
        }
        assert_eq!((kept.stanzas(), kept.sent()), (5, round * 5 + 5));
        assert_eq!(kept.acknowledge(round * 5 + 6), Err(round * 5 + 5));
        // Going back is the same as going too far.
        assert!(round == 0 || kept.acknowledge(round * 5 - 1).is_err());
        assert_eq!(kept.acknowledge(round * 5 + 2), Ok(()));
        assert_eq!(kept.acknowledge(round * 5 + 2), Ok(()));
        assert_eq!(kept.stanzas(), 3);
        assert_eq!(kept.acknowledge(round * 5 + 5), Ok(()));
    }
}

#[test]
fn what_is_left_is_written_again_from_the_first() {
    let mut kept = Unacknowledged::default();
    for text in ["a", "bb", "ccc", "dddd"] {
        kept.push(stanza(text));
    }
    assert!(!kept.has_unwritten());
    kept.acknowledge(1).unwrap();
    kept.rewind();
    assert_eq!(rewritten(&mut kept, 3), "bbccc");
    // What comes meanwhile waits behind.
    kept.push(stanza("e"));
    kept.acknowledge(2).unwrap();
    assert_eq!(rewritten(&mut kept, 100), "dddde");
    assert!(!kept.has_unwritten());
    kept.push(stanza("f"));
    assert!(!kept.has_unwritten());
    let left: Vec<_> = kept.into_stanzas().iter().map(|it| it.to_vec()).collect();
    assert_eq!(left, [&b"ccc"[..], b"dddd", b"e", b"f"]);
}

#[test]
fn bounds_are_in_stanzas_and_bytes() {
    let mut kept = Unacknowledged::default();
    kept.push(stanza("12345"));
    assert!(kept.is_full(QueueLimits { stanzas: 1, bytes: 100 }));
    assert!(kept.is_full(QueueLimits { stanzas: 9, bytes: 5 }));
    assert!(!kept.is_full(QueueLimits { stanzas: 2, bytes: 6 }));
}

#[test]
fn barriers_open_in_their_turn() {
    let seen: Arc<Mutex<Vec<(u32, Delivery)>>> = Arc::default();
    let barrier = |number| {
        let seen = seen.clone();
        Item::Barrier(Barrier::new(move |delivery| seen.lock().unwrap().push((number, delivery))))
    };
    let mut kept = Unacknowledged::default();
    kept.push(barrier(0));
    kept.push(stanza("a"));
    kept.push(barrier(1));
    kept.push(stanza("b"));
    kept.push(barrier(2));
    kept.push(stanza("c"));
    kept.push(barrier(3));
    assert_eq!(*seen.lock().unwrap(), [(0, Delivery::Written)]);
    kept.rewind();
    kept.acknowledge(2).unwrap();
    assert_eq!(seen.lock().unwrap()[1..], [(1, Delivery::Written), (2, Delivery::Written)]);
    assert_eq!(rewritten(&mut kept, 100), "c");
    assert_eq!(kept.into_stanzas().len(), 1);
    assert_eq!(seen.lock().unwrap()[3..], [(3, Delivery::Lost)]);
}

#[test]
fn a_claim_is_answered_once_whatever_happens() {
    let answers: Arc<Mutex<Vec<Option<u32>>>> = Arc::default();
    let claim = || {
        let answers = answers.clone();
        Claim::new(move |left| answers.lock().unwrap().push(left.map(|left| left.sent())))
    };
    let queue = Queue::new(QueueLimits::default());
    queue.claim(claim()).unwrap();
    // A later one instead; stanzas are still taken.
    queue.claim(claim()).unwrap();
    queue.push(Outgoing::raw("x")).unwrap();
    let mut kept = Box::new(Unacknowledged::default());
    kept.push(stanza("y"));
    queue.take_claim().unwrap().give(kept);
    assert!(queue.take_claim().is_none());
    queue.claim(claim()).unwrap();
    queue.end(StreamCondition::Conflict, None);
    queue.claim(claim()).unwrap_err();
    assert_eq!(queue.close().len(), 1);
    assert_eq!(queue.claim(claim()), Err(Refused::Closed));
    assert_eq!(*answers.lock().unwrap(), [None, Some(1), None, None, None]);
}
