//! One conversation: its last message, and what is unread in it.
//!
//! A row is text: the last message's name in the archive, how many are unread, and the
//! hashes of the ids of the newest of these, eight digits each; with spaces between.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::stores::CONVERSATIONS;

/// Unread messages whose ids are known; a marker for an older one changes nothing.
const MOST: usize = 64;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) last: String,
    pub(crate) unread: usize,
    /// Oldest first.
    ids: Vec<u32>,
}

/// Whom it is with (§2.2): a contact, whatever the resource, or an occupant of a room.
pub(crate) fn peer<'a>(message: &Stanza, address: &'a str) -> &'a str {
    match message.child("http://jabber.org/protocol/muc#user", "x") {
        Some(_) => address,
        None => Jid::new(address).bare(),
    }
}

impl Conversation {
    pub(crate) fn load(peer: &str) -> Result<Option<Self>, Fault> {
        Ok(CONVERSATIONS.text(peer)?.map(|row| Self::parse(&row)))
    }

    pub(crate) fn save(&self, peer: &str) -> Result<(), Fault> {
        CONVERSATIONS.put(peer, self.text().as_bytes(), &[])
    }

    pub(crate) fn parse(row: &str) -> Self {
        let mut parts = row.split(' ');
        let last = parts.next().unwrap_or_default().to_owned();
        let unread = parts.next().and_then(|count| count.parse().ok()).unwrap_or(0);
        Self { last, unread, ids: parts.filter_map(|id| u32::from_str_radix(id, 16).ok()).collect() }
    }

    fn text(&self) -> String {
        let mut text = [&self.last, " ", &self.unread.to_string()].concat();
        for id in &self.ids {
            text.push(' ');
            text.extend((0..8).rev().filter_map(|digit| char::from_digit(id >> (4 * digit) & 15, 16)));
        }
        text
    }

    /// A new message.
    pub(crate) fn add(&mut self, id: &str) {
        if self.ids.len() >= MOST {
            self.ids.remove(0);
        }
        self.ids.push(hash(id));
        self.unread += 1;
    }

    pub(crate) fn see_all(&mut self) {
        self.unread = 0;
        self.ids.clear();
    }

    /// This message was seen, and all before it; false when that is no news.
    pub(crate) fn see(&mut self, id: &str) -> bool {
        let wanted = hash(id);
        let Some(at) = self.ids.iter().rposition(|known| *known == wanted) else { return false };
        self.ids.drain(..=at);
        self.unread = self.ids.len();
        true
    }
}

/// FNV-1a.
fn hash(id: &str) -> u32 {
    id.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::{Conversation, MOST};

    #[test]
    fn markers_count_back() {
        let mut conversation = Conversation { last: "ab".into(), ..Conversation::default() };
        for id in ["1", "2", "3", "4"] {
            conversation.add(id);
        }
        assert_eq!(Conversation::parse(&conversation.text()), conversation);
        assert!(conversation.see("2") && conversation.unread == 2);
        assert!(!conversation.see("1") && !conversation.see("9"));
        assert!(conversation.see("4") && conversation.unread == 0);
        for number in 0..MOST + 10 {
            conversation.add(&number.to_string());
        }
        assert_eq!(conversation.unread, MOST + 10);
        assert!(!conversation.see("3"), "too old to be known");
        assert!(conversation.see("70") && conversation.unread == 3);
        conversation.see_all();
        assert_eq!(conversation.text(), "ab 0");
    }
}
