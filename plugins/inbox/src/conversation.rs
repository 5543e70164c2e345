//! One conversation: its last message, and how many are unread in it.

use xylem_sdk::archive::{Mark, OWN};
use xylem_sdk::prelude::*;

/// Marks of the archive's rows, as the manifest of `xylem.mam` numbers them.
pub(crate) const SAYS: u8 = 1 << 0;
const CORRECTS: u8 = 1 << 1;
pub(crate) const OCCUPANT: u8 = 1 << 2;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) last: String,
    pub(crate) unread: usize,
}

/// Whom it is with (§2.2): a contact, whatever the resource, or an occupant of a room.
pub(crate) fn peer<'a>(message: &Stanza, address: &'a str) -> &'a str {
    match message.child("http://jabber.org/protocol/muc#user", "x") {
        Some(_) => address,
        None => Jid::new(address).bare(),
    }
}

impl Conversation {
    /// From its rows, the newest first; none if nobody says anything. A message is unread (§4) unless the
    /// account sent it, has answered since, or has seen it; a correction (XEP-0308) is nothing new.
    pub(crate) fn of<'a>(rows: impl IntoIterator<Item = &'a Mark>, seen: Option<&str>) -> Option<Self> {
        let mut rows = rows.into_iter().filter(|row| row.marks & SAYS != 0).peekable();
        let last = rows.peek()?.id.clone();
        let unread = rows
            .take_while(|row| row.marks & OWN == 0 && seen.is_none_or(|seen| row.id.as_str() > seen))
            .filter(|row| row.marks & CORRECTS == 0);
        Some(Self { last, unread: unread.count() })
    }
}

#[cfg(test)]
mod tests {
    use super::{CORRECTS, Conversation, Mark, OWN, SAYS};

    fn rows(rows: &[(&str, u8)]) -> Vec<Mark> {
        let row = |(id, marks): &(&str, u8)| Mark { id: (*id).into(), marks: *marks, part: String::new() };
        rows.iter().map(row).collect()
    }

    #[test]
    fn what_came_since_the_last_answer_is_unread() {
        let conversation = |all: &[(&str, u8)], seen| Conversation::of(&rows(all), seen);
        let some = |last: &str, unread| Some(Conversation { last: last.into(), unread });
        assert_eq!(conversation(&[("2", 0), ("1", OWN)], None), None, "nobody says anything");
        let all = [("6", 0), ("5", SAYS), ("4", SAYS | CORRECTS), ("3", SAYS), ("2", OWN), ("1", SAYS)];
        assert_eq!(conversation(&all, None), some("5", 3), "a receipt is no answer");
        assert_eq!(conversation(&all, Some("3")), some("5", 1));
        assert_eq!(conversation(&all, Some("5")), some("5", 0));
        assert_eq!(conversation(&[("2", SAYS | CORRECTS), ("1", SAYS | OWN)], None), some("2", 0));
        assert_eq!(conversation(&[("2", SAYS | OWN), ("1", SAYS)], None), some("2", 0));
    }
}
