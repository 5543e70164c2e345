//! Lists for queues, kept by threads.
//!
//! A queue gives its list away with what is in it and needs another for the next stanza: in a
//! broadcast, one for each recipient.

use std::cell::RefCell;
use std::collections::VecDeque;

use crate::queue::Item;

/// Lists that a thread keeps.
const LISTS: usize = 256;
/// Longer ones are not worth keeping, in items.
const LENGTH: usize = 8;

thread_local! {
    static SPARE: RefCell<Vec<VecDeque<Item>>> = const { RefCell::new(Vec::new()) };
}

/// An empty list, with room if there is one.
pub(crate) fn take() -> VecDeque<Item> {
    SPARE.try_with(|spare| spare.borrow_mut().pop()).ok().flatten().unwrap_or_default()
}

/// For the session's task: a list that [`crate::Queue::poll_take`] filled, worked off.
pub fn give_back(mut list: VecDeque<Item>) {
    // What is in it may do anything when it is dropped.
    list.clear();
    let fits = (1..=LENGTH).contains(&list.capacity());
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if fits && spare.len() < LISTS {
            spare.push(list);
        }
    });
}
