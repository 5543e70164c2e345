//! Namespaces.

/// XEP-0050.
pub(crate) const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0133, and before its nodes.
pub(crate) const ADMIN: &str = "http://jabber.org/protocol/admin";
/// XEP-0004.
pub(crate) const FORM: &str = "jabber:x:data";
/// XEP-0030.
pub(crate) const ITEMS: &str = "http://jabber.org/protocol/disco#items";
pub(crate) const INFO: &str = "http://jabber.org/protocol/disco#info";
/// RFC 6121 §2.
pub(crate) const ROSTER: &str = "jabber:iq:roster";
