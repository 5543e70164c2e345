//! Namespaces of the RFCs and of the stream features the kernel speaks itself.
//! No feature that a plugin provides is named here.

/// Streams (RFC 6120 §4.8.1).
pub const STREAMS: &str = "http://etherx.jabber.org/streams";
/// Content namespace between client and server (RFC 6120 §4.8.2).
pub const CLIENT: &str = "jabber:client";
/// Content namespace between servers (RFC 6120 §4.8.2).
pub const SERVER: &str = "jabber:server";
/// Content namespace of an accepted component (XEP-0114 §3).
pub const COMPONENT: &str = "jabber:component:accept";
/// STARTTLS (RFC 6120 §5).
pub const TLS: &str = "urn:ietf:params:xml:ns:xmpp-tls";
/// SASL (RFC 6120 §6).
pub const SASL: &str = "urn:ietf:params:xml:ns:xmpp-sasl";
/// Resource binding (RFC 6120 §7).
pub const BIND: &str = "urn:ietf:params:xml:ns:xmpp-bind";
/// Session establishment (RFC 3921 §3), kept for old clients.
pub const SESSION: &str = "urn:ietf:params:xml:ns:xmpp-session";
/// Stanza error conditions (RFC 6120 §8.3).
pub const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Stream error conditions (RFC 6120 §4.9).
pub const STREAM_ERRORS: &str = "urn:ietf:params:xml:ns:xmpp-streams";
/// Framing over WebSocket (RFC 7395 §3.3).
pub const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";
/// Roster versioning as a stream feature (RFC 6121 §2.6.1).
pub const ROSTER_VERSIONING: &str = "urn:xmpp:features:rosterver";
/// Pre-approval of subscriptions as a stream feature (RFC 6121 §3.4).
pub const PRE_APPROVAL: &str = "urn:xmpp:features:pre-approval";
/// The extensible SASL profile (XEP-0388).
pub const SASL2: &str = "urn:xmpp:sasl:2";
/// Resource binding within it (XEP-0386).
pub const BIND2: &str = "urn:xmpp:bind:0";
/// Logging in again with a token (XEP-0484).
pub const FAST: &str = "urn:xmpp:fast:0";
/// XEP-0480: what a server can do with the password of an account.
pub const SASL_UPGRADE: &str = "urn:xmpp:sasl:upgrade:0";
/// XEP-0480 §3.
pub const SCRAM_UPGRADE: &str = "urn:xmpp:scram-upgrade:0";
/// SASL channel binding types (XEP-0440).
pub const CHANNEL_BINDING: &str = "urn:xmpp:sasl-cb:0";
/// Stream limits (XEP-0478).
pub const STREAM_LIMITS: &str = "urn:xmpp:stream-limits:0";
/// Stream management (XEP-0198).
pub const STREAM_MANAGEMENT: &str = "urn:xmpp:sm:3";
/// Whether anybody looks at the client (XEP-0352).
pub const CLIENT_STATE: &str = "urn:xmpp:csi:0";
/// Application-layer protocol of direct TLS for clients (XEP-0368 §4).
pub const ALPN_CLIENT: &str = "xmpp-client";
/// Application-layer protocol of direct TLS for servers (XEP-0368 §4).
pub const ALPN_SERVER: &str = "xmpp-server";
/// What the prefix `xml` is bound to.
pub const XML: &str = xylem_xml::NS_XML;
