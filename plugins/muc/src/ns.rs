//! Namespaces.

/// What a client says when it enters (XEP-0045 §7.2.1).
pub(crate) const MUC: &str = "http://jabber.org/protocol/muc";
/// Roles, affiliations and status codes (§16.1).
pub(crate) const USER: &str = "http://jabber.org/protocol/muc#user";
pub(crate) const ADMIN: &str = "http://jabber.org/protocol/muc#admin";
pub(crate) const OWNER: &str = "http://jabber.org/protocol/muc#owner";
pub(crate) const ROOM_CONFIG: &str = "http://jabber.org/protocol/muc#roomconfig";
pub(crate) const ROOM_INFO: &str = "http://jabber.org/protocol/muc#roominfo";
pub(crate) const REQUEST: &str = "http://jabber.org/protocol/muc#request";
pub(crate) const REGISTER_FORM: &str = "http://jabber.org/protocol/muc#register";
/// XEP-0307.
pub(crate) const UNIQUE: &str = "http://jabber.org/protocol/muc#unique";
/// XEP-0410 §4.
pub(crate) const SELF_PING: &str = "http://jabber.org/protocol/muc#self-ping-optimization";
/// A message keeps its `id` (§7.4).
pub(crate) const STABLE_ID: &str = "http://jabber.org/protocol/muc#stable_id";
/// Stanzas in general (RFC 6120).
pub(crate) const CLIENT: &str = "jabber:client";
pub(crate) const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// XEP-0004.
pub(crate) const FORM: &str = "jabber:x:data";
/// XEP-0030.
pub(crate) const DISCO_INFO: &str = "http://jabber.org/protocol/disco#info";
pub(crate) const DISCO_ITEMS: &str = "http://jabber.org/protocol/disco#items";
/// XEP-0050.
pub(crate) const COMMANDS: &str = "http://jabber.org/protocol/commands";
/// XEP-0054.
pub(crate) const VCARD: &str = "vcard-temp";
/// XEP-0059.
pub(crate) const RSM: &str = "http://jabber.org/protocol/rsm";
/// XEP-0077.
pub(crate) const REGISTER: &str = "jabber:iq:register";
/// XEP-0199.
pub(crate) const PING: &str = "urn:xmpp:ping";
/// XEP-0203.
pub(crate) const DELAY: &str = "urn:xmpp:delay";
/// XEP-0317.
pub(crate) const HATS: &str = "urn:xmpp:hats:0";
/// XEP-0359.
pub(crate) const STANZA_ID: &str = "urn:xmpp:sid:0";
/// XEP-0421.
pub(crate) const OCCUPANT_ID: &str = "urn:xmpp:occupant-id:0";
/// XEP-0313.
pub(crate) const MAM: &str = "urn:xmpp:mam:2";
/// XEP-0334.
pub(crate) const HINTS: &str = "urn:xmpp:hints";
/// XEP-0424.
pub(crate) const RETRACT: &str = "urn:xmpp:message-retract:1";
/// XEP-0425.
pub(crate) const MODERATE: &str = "urn:xmpp:message-moderate:1";
