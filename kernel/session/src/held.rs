//! What a client that nobody looks at may wait for (XEP-0352).

use std::collections::HashMap;

/// While the client is inactive: stanzas that can wait stay in the queue, and whoever
/// takes from it is told that nothing is there.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// Something urgent came: everything goes out now.
    flush: bool,
    /// Where in the queue the last of each kind is, while nothing has left it.
    last: HashMap<Box<str>, usize>,
}

/// Most stanzas that are held back for one client; with one more all are sent.
pub(crate) const HELD: usize = 500;

impl Held {
    pub(crate) fn new(flush: bool) -> Self {
        Self { flush, last: HashMap::new() }
    }

    /// Whether what waits is to go on waiting.
    pub(crate) fn holds(&self) -> bool {
        !self.flush
    }

    /// Everything is to go; true if that is news.
    pub(crate) fn release(&mut self) -> bool {
        self.last = HashMap::new();
        !std::mem::replace(&mut self.flush, true)
    }

    /// Everything has gone.
    pub(crate) fn emptied(&mut self) {
        self.flush = false;
    }

    /// Notes that a stanza of this key comes to the end of a queue of so many items.
    /// Returns the place of the one that it replaces; that one is to be removed.
    pub(crate) fn replace(&mut self, key: Box<str>, length: usize) -> Option<usize> {
        let old = self.last.insert(key, length)?;
        for place in self.last.values_mut().filter(|place| **place > old) {
            *place -= 1;
        }
        Some(old)
    }
}
