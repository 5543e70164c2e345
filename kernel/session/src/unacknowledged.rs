//! What was sent to a client and not acknowledged by it (XEP-0198 §4).

use std::collections::VecDeque;

use xylem_stanza::Outgoing;

use crate::barrier::Delivery;
use crate::queue::{Item, QueueLimits, size};

/// Stanzas in the order in which they were written, barriers between them. It belongs
/// to whoever has the session: its connection, or the task that waits for the next one.
#[derive(Debug, Default)]
pub struct Unacknowledged {
    items: VecDeque<Item>,
    /// Where writing goes on; what stands before was written to the present connection.
    next: usize,
    stanzas: usize,
    bytes: usize,
    /// The last `h` of the client.
    acknowledged: u32,
    /// Stanzas of the client that were handled; set when the session changes hands.
    pub handled: u32,
}

/// Room that an idle session may keep, in items.
const ROOM: usize = 8;

impl Unacknowledged {
    /// Takes in what is being written; pings are not kept. A barrier before which all is
    /// acknowledged fires.
    pub fn push(&mut self, item: Item) {
        match &item {
            Item::Stanza(stanza) => {
                self.stanzas += 1;
                self.bytes += size(stanza);
            }
            Item::Barrier(_) => {}
            Item::Ping => return,
        }
        if self.next == self.items.len() {
            self.next += 1;
        }
        self.items.push_back(item);
        self.open();
    }

    /// The client has received so many stanzas since the beginning, modulo 2³².
    ///
    /// # Errors
    /// How many it was sent, if that is less; nothing has changed then.
    pub fn acknowledge(&mut self, h: u32) -> Result<(), u32> {
        let more = usize::try_from(h.wrapping_sub(self.acknowledged)).unwrap_or(usize::MAX);
        if more > self.stanzas {
            return Err(self.sent());
        }
        self.acknowledged = h;
        let mut left = more;
        while left > 0
            && let Some(item) = self.pop()
        {
            match item {
                Item::Stanza(stanza) => {
                    left -= 1;
                    self.stanzas -= 1;
                    self.bytes -= size(&stanza);
                    stanza.delivered();
                }
                Item::Barrier(barrier) => barrier.fire(Delivery::Written),
                Item::Ping => {}
            }
        }
        self.open();
        Ok(())
    }

    /// Stanzas sent since the beginning, modulo 2³².
    #[must_use]
    pub fn sent(&self) -> u32 {
        self.acknowledged.wrapping_add(u32::try_from(self.stanzas).unwrap_or(u32::MAX))
    }

    /// How many wait for their acknowledgement.
    #[must_use]
    pub fn stanzas(&self) -> usize {
        self.stanzas
    }

    /// The number of messages among them.
    #[must_use]
    pub fn messages(&self) -> usize {
        self.each_message().count()
    }

    /// The messages among them, in order.
    pub fn each_message(&self) -> impl Iterator<Item = &Outgoing> {
        self.items.iter().filter_map(|item| match item {
            Item::Stanza(stanza) if stanza.is_message() => Some(stanza),
            _ => None,
        })
    }

    /// Those of them that would be lost with this process, see [`Outgoing::to_note`].
    #[must_use]
    pub fn to_note(&mut self) -> Vec<Outgoing> {
        crate::queue::to_note(&mut self.items)
    }

    /// Whether as much waits as may.
    #[must_use]
    pub fn is_full(&self, limits: QueueLimits) -> bool {
        self.stanzas >= limits.stanzas || self.bytes >= limits.bytes
    }

    /// A new connection: everything is to be written again.
    pub fn rewind(&mut self) {
        self.next = 0;
    }

    /// Whether something is to be written again.
    #[must_use]
    pub fn has_unwritten(&self) -> bool {
        self.next < self.items.len()
    }

    /// Appends what is to be written again, about so many bytes of it.
    pub fn rewrite(&mut self, bytes: usize, into: &mut Vec<u8>) {
        let end = into.len().saturating_add(bytes);
        while into.len() < end
            && let Some(item) = self.items.get(self.next)
        {
            self.next += 1;
            if let Item::Stanza(stanza) = item {
                stanza.write_to(into);
            }
        }
    }

    /// For a long wait: gives back spare memory.
    pub fn shrink(&mut self) {
        for item in &mut self.items {
            if let Item::Stanza(stanza) = item {
                stanza.shrink();
            }
        }
        self.items.shrink_to_fit();
    }

    /// The session is over: its stanzas; barriers fire as lost.
    #[must_use]
    pub fn into_stanzas(self) -> Vec<Outgoing> {
        let stanza = |item| if let Item::Stanza(stanza) = item { Some(stanza) } else { None };
        self.items.into_iter().filter_map(stanza).collect()
    }

    fn pop(&mut self) -> Option<Item> {
        self.next = self.next.saturating_sub(1);
        self.items.pop_front()
    }

    /// Fires the barriers that nothing stands before any more.
    fn open(&mut self) {
        while matches!(self.items.front(), Some(Item::Barrier(_))) {
            if let Some(Item::Barrier(barrier)) = self.pop() {
                barrier.fire(Delivery::Written);
            }
        }
        if self.items.is_empty() && self.items.capacity() > ROOM {
            self.items = VecDeque::new();
        }
    }
}
