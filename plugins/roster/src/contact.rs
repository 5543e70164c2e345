//! One row of the contact list.
//!
//! A row is UTF-8 text: one letter whose low six bits are the flags below, the name, the groups, each behind
//! U+001F, and, while a request waits, U+001E and the request as XML. Neither character can occur in XML.

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;

use crate::state::Flags;
use crate::stores::CONTACTS;

const FIELD: char = '\u{1f}';
const REQUEST: char = '\u{1e}';

/// What the user and the server know about one contact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contact {
    pub(crate) jid: String,
    pub(crate) flags: Flags,
    pub(crate) name: String,
    pub(crate) groups: Vec<String>,
    /// The presence of type `subscribe` that waits for an answer.
    pub(crate) request: Option<String>,
}

impl Contact {
    pub(crate) fn new(jid: &str) -> Self {
        Self { jid: jid.into(), flags: Flags::NONE, name: String::new(), groups: Vec::new(), request: None }
    }

    /// The stored contact, or an empty one.
    pub(crate) fn load(jid: &str) -> Result<Self, Fault> {
        let row = CONTACTS.text(jid)?;
        Ok(row.and_then(|row| Self::parse(jid, &row)).unwrap_or_else(|| Self::new(jid)))
    }

    pub(crate) fn parse(jid: &str, row: &str) -> Option<Self> {
        let (head, request) = match row.split_once(REQUEST) {
            Some((head, request)) => (head, Some(request.to_owned())),
            None => (row, None),
        };
        let mut fields = head.split(FIELD);
        let flags = Flags::of(fields.next()?.bytes().next()?);
        let name = fields.next().unwrap_or_default().to_owned();
        let groups = fields.map(str::to_owned).collect();
        Some(Self { jid: jid.into(), flags, name, groups, request })
    }

    /// Stores the contact; one that says nothing any more is removed.
    pub(crate) fn save(&self) -> Result<(), Fault> {
        if self.flags == Flags::NONE {
            return CONTACTS.delete(&self.jid).map(drop);
        }
        let mut indexed = Vec::new();
        for (flag, index) in [(Flags::TO, "to"), (Flags::FROM, "from"), (Flags::PENDING, "pending")] {
            if self.flags.has(flag) {
                indexed.push((index, "1"));
            }
        }
        CONTACTS.put(&self.jid, self.to_row().as_bytes(), &indexed)
    }

    pub(crate) fn to_row(&self) -> String {
        let mut row = String::from(char::from(b'@' | self.flags.bits()));
        for field in std::iter::once(&self.name).chain(&self.groups) {
            row.push(FIELD);
            row.push_str(field);
        }
        if let Some(request) = &self.request {
            row.push(REQUEST);
            row.push_str(request);
        }
        row
    }

    /// The `<item/>` as clients see it (RFC 6121 §2.1.2).
    pub(crate) fn to_item(&self) -> Xml {
        let yes = |flag, text| self.flags.has(flag).then_some(text);
        Xml::new("item")
            .attr("jid", &self.jid)
            .attr_opt("name", Some(self.name.as_str()).filter(|name| !name.is_empty()))
            .attr("subscription", self.flags.subscription())
            .attr_opt("ask", yes(Flags::ASK, "subscribe"))
            .attr_opt("approved", yes(Flags::APPROVED, "true"))
            .children(self.groups.iter().map(|group| Xml::new("group").text(group)))
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact, Flags};

    #[test]
    fn rows_are_read_as_written() {
        let mut contact = Contact::new("juliet@example.com");
        contact.flags = Flags::LISTED.with(Flags::FROM).with(Flags::PENDING);
        assert_eq!(contact.to_row().as_bytes().first(), Some(&(b'@' | 0b10_1010)));
        for (name, groups, request) in [
            ("", &[][..], None),
            ("Juliet & co", &["A", "B\n"][..], Some("<presence type='subscribe'/>")),
            ("", &["only a group"][..], Some("<p/>")),
        ] {
            contact.name = name.into();
            contact.groups = groups.iter().map(|group| (*group).into()).collect();
            contact.request = request.map(str::to_owned);
            assert_eq!(Contact::parse("juliet@example.com", &contact.to_row()), Some(contact.clone()));
        }
        assert_eq!(Contact::parse("x", ""), None);
    }

    #[test]
    fn items_show_what_clients_may_know() {
        let mut contact = Contact::new("a@b");
        contact.flags = Flags::LISTED.with(Flags::TO).with(Flags::ASK).with(Flags::APPROVED).with(Flags::PENDING);
        contact.groups = vec!["G".into()];
        let item = "<item jid='a@b' subscription='to' ask='subscribe' approved='true'><group>G</group></item>";
        assert_eq!(contact.to_item().build(), item);
    }
}
