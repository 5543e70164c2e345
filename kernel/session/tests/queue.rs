//! Bounds, order, barriers and wake-ups of a session's queue.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use xylem_session::{Barrier, Delivery, End, Interrupt, Item, Queue, QueueLimits, Refused, Taken, bell};
use xylem_stanza::{Outgoing, StreamCondition};

#[derive(Default)]
struct Bell(AtomicUsize);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

struct Reader {
    queue: Queue,
    bell: Arc<Bell>,
    waker: Waker,
}

impl Reader {
    fn new(stanzas: usize, bytes: usize) -> Self {
        let bell = Arc::new(Bell::default());
        Self { queue: Queue::new(QueueLimits { stanzas, bytes }), waker: bell.clone().into(), bell }
    }

    fn take(&self, bytes: usize) -> (Taken, Vec<String>) {
        let mut items = VecDeque::new();
        let taken = self.queue.poll_take(&self.waker, bytes, &mut items);
        (taken, items.into_iter().map(|item| text(&item)).collect())
    }

    fn rung(&self) -> usize {
        self.bell.0.load(Ordering::Relaxed)
    }
}

fn text(item: &Item) -> String {
    match item {
        Item::Stanza(stanza) => String::from_utf8(stanza.to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}

fn stanza(text: &str) -> Outgoing {
    Outgoing::raw(text.to_owned())
}

#[test]
fn one_ring_per_batch() {
    let reader = Reader::new(10, 100);
    assert_eq!(reader.take(100).0, Taken::Empty);
    for text in ["a", "b", "c"] {
        reader.queue.push(stanza(text)).unwrap();
    }
    assert_eq!(reader.rung(), 1);
    assert_eq!(reader.take(100), (Taken::Items, ["a", "b", "c"].map(String::from).into()));
    reader.queue.push(stanza("d")).unwrap();
    assert_eq!(reader.rung(), 1, "nobody waits between taking and asking again");
    assert_eq!(reader.take(100).0, Taken::Items);
    assert_eq!(reader.take(100).0, Taken::Empty);
    bell::hold(|| {
        reader.queue.push(stanza("e")).unwrap();
        assert_eq!(reader.rung(), 1);
    });
    assert_eq!(reader.rung(), 2);
}

#[test]
fn taken_in_order_and_by_size() {
    let reader = Reader::new(10, 100);
    for text in ["aaaa", "bbbb", "cccc"] {
        reader.queue.push(stanza(text)).unwrap();
    }
    reader.queue.ping().unwrap();
    assert_eq!(reader.take(5).1, ["aaaa", "bbbb"]);
    assert_eq!(reader.queue.depth(), (1, 4));
    assert_eq!(reader.take(5).1, ["cccc", "Ping"]);
    assert_eq!(reader.queue.depth(), (0, 0));
}

#[test]
fn a_slow_reader_is_ended_and_gets_nothing_more() {
    for (stanzas, bytes) in [(2, 100), (100, 5)] {
        let reader = Reader::new(stanzas, bytes);
        assert_eq!(reader.take(100).0, Taken::Empty);
        reader.queue.push(stanza("aa")).unwrap();
        reader.queue.push(stanza("bb")).unwrap();
        assert_eq!(reader.queue.push(stanza("cc")), Err(Refused::Full));
        assert_eq!(reader.queue.push(stanza("dd")), Err(Refused::Closed));
        let (Taken::End(end), items) = reader.take(100) else { panic!("not ended") };
        assert_eq!(end.condition, StreamCondition::ResourceConstraint);
        assert!(items.is_empty() && !end.flush);
        let left: Vec<_> = reader.queue.close().iter().map(text).collect();
        assert_eq!(left, ["aa", "bb"]);
    }
}

#[test]
fn a_single_stanza_may_be_larger_than_the_bound() {
    let reader = Reader::new(10, 3);
    reader.queue.push(stanza("aaaaaa")).unwrap();
    assert_eq!(reader.queue.push(stanza("b")), Err(Refused::Full));
}

#[test]
fn an_end_waits_for_what_is_before_it() {
    let reader = Reader::new(10, 100);
    reader.queue.push(stanza("a")).unwrap();
    reader.queue.end(StreamCondition::SystemShutdown, None);
    reader.queue.end(StreamCondition::Conflict, None);
    assert_eq!(reader.queue.push(stanza("b")), Err(Refused::Closed));
    assert_eq!(reader.take(100).1, ["a"]);
    let end = End { condition: StreamCondition::SystemShutdown, text: None, flush: true };
    assert_eq!(reader.take(100).0, Taken::End(end));
}

#[test]
fn an_end_wakes() {
    let reader = Reader::new(10, 100);
    assert_eq!(reader.take(100).0, Taken::Empty);
    reader.queue.end(StreamCondition::Reset, None);
    assert_eq!(reader.rung(), 1);
}

#[test]
fn barriers_fire_once() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let barrier = |name: &'static str| {
        let seen = seen.clone();
        Barrier::new(move |delivery| seen.lock().unwrap().push((name, delivery)))
    };
    let reader = Reader::new(10, 100);
    reader.queue.barrier(barrier("written")).unwrap();
    reader.queue.barrier(barrier("left")).unwrap();
    let mut items = VecDeque::new();
    assert_eq!(reader.queue.poll_take(&reader.waker, 100, &mut items), Taken::Items);
    let Some(Item::Barrier(first)) = items.pop_front() else { panic!("no barrier") };
    first.fire(Delivery::Written);
    drop(items);
    drop(reader.queue.close());
    assert_eq!(reader.queue.barrier(barrier("late")), Err(Refused::Closed));
    use Delivery::{Lost, Written};
    assert_eq!(*seen.lock().unwrap(), [("written", Written), ("left", Lost), ("late", Lost)]);
}

#[test]
fn a_barrier_behind_a_stanza_is_taken_with_it() {
    let reader = Reader::new(2, 100);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let barrier = || {
        let heard = Arc::clone(&heard);
        Barrier::new(move |delivery| heard.lock().unwrap().push(delivery))
    };
    reader.queue.push_followed(stanza("larger than what is taken at once"), barrier()).unwrap();
    reader.queue.push_followed(stanza("b"), barrier()).unwrap();
    let large = "larger than what is taken at once".to_owned();
    assert_eq!(reader.take(4), (Taken::Items, vec![large, "Barrier(Barrier)".to_owned()]));
    // What was taken here went nowhere.
    assert_eq!(*heard.lock().unwrap(), [Delivery::Lost]);
    reader.queue.push(stanza("c")).unwrap();
    assert_eq!(reader.queue.push_followed(stanza("d"), barrier()), Err(Refused::Full));
    assert_eq!(reader.queue.push_followed(stanza("e"), barrier()), Err(Refused::Closed));
    assert_eq!(*heard.lock().unwrap(), [Delivery::Lost; 3], "refused with their stanzas");
}

#[test]
fn who_runs_is_not_woken_and_who_is_blocked_hears_the_end() {
    let reader = Reader::new(1, 100);
    assert_eq!(reader.take(100).0, Taken::Empty);
    reader.queue.disarm();
    reader.queue.push(stanza("a")).unwrap();
    assert_eq!(reader.rung(), 0);
    assert_eq!(reader.queue.watch(&reader.waker), None);
    assert_eq!(reader.queue.push(stanza("b")), Err(Refused::Full));
    assert_eq!(reader.rung(), 1);
    assert!(matches!(reader.queue.watch(&reader.waker), Some(Interrupt::End(end)) if !end.flush));
}

fn held(reader: &Reader, text: &str, key: Option<&str>) {
    reader.queue.push_held(stanza(text), key).unwrap();
}

#[test]
fn what_can_wait_waits_for_what_cannot() {
    let reader = Reader::new(100, 1000);
    held(&reader, "active", None);
    assert_eq!(reader.take(100).1, ["active"]);
    reader.queue.set_active(false);
    assert!(reader.queue.is_inactive());
    assert_eq!(reader.take(100).0, Taken::Empty);
    let rung = reader.rung();
    for (text, key) in [("1", Some("a")), ("2", Some("b")), ("3", None), ("4", Some("a")), ("5", Some("b"))] {
        held(&reader, text, key);
    }
    held(&reader, "6", Some("a"));
    assert_eq!((reader.rung(), reader.take(100).0, reader.queue.depth()), (rung, Taken::Empty, (3, 3)));
    reader.queue.push(stanza("urgent")).unwrap();
    assert_eq!(reader.rung(), rung + 1);
    assert_eq!(reader.take(100).1, ["3", "5", "6", "urgent"]);
    // And again.
    held(&reader, "7", Some("a"));
    assert_eq!(reader.take(100).0, Taken::Empty);
    reader.queue.set_active(true);
    assert_eq!(reader.take(100).1, ["7"]);
    held(&reader, "8", Some("a"));
    assert_eq!(reader.take(100).1, ["8"]);
}

#[test]
fn too_much_to_wait_goes_out() {
    let reader = Reader::new(8, 1000);
    reader.queue.set_active(false);
    assert_eq!(reader.take(100).0, Taken::Empty);
    for text in ["1", "2", "3", "4"] {
        held(&reader, text, None);
    }
    assert_eq!((reader.take(100).0, reader.rung()), (Taken::Empty, 0));
    held(&reader, "5", None);
    assert_eq!(reader.rung(), 1);
    assert_eq!(reader.take(100).1, ["1", "2", "3", "4", "5"]);
    // The end takes along what waits, and a barrier does not wait itself.
    held(&reader, "6", None);
    assert_eq!(reader.take(100).0, Taken::Empty);
    reader.queue.barrier(Barrier::new(drop)).unwrap();
    assert_eq!(reader.take(100).1, ["6", "Barrier(Barrier)"]);
    held(&reader, "7", None);
    reader.queue.end(StreamCondition::Conflict, None);
    assert_eq!(reader.take(100).1, ["7"]);
}
