use xylem_sasl::{ChannelBindings, Failure, Lookup};
use xylem_stanza::{BareJid, FullJid};
use xylem_xml::{Frame, XmlError};

use crate::bind::BindRefusal;
use crate::error::StreamError;
use crate::fast::{Token, TokenLogin};
use crate::management::{ResumeRefusal, Resumed};

/// What happened on the connection or in the server.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The client sent this.
    Frame(Frame),
    /// The client sent something that is no XML for XMPP.
    XmlError(XmlError),
    /// The handshake that [`Action::StartTls`](crate::Action::StartTls) asked for is done.
    TlsEstablished(Tls),
    /// The rest of a handshake whose [`Tls`] was `early`: from now on nothing can be a replay.
    TlsConfirmed,
    /// Answers [`Action::LookUp`](crate::Action::LookUp).
    Secrets(Lookup),
    /// Answers [`Action::CheckToken`](crate::Action::CheckToken).
    TokenChecked(Result<TokenLogin, Failure>),
    /// Answers [`Action::IssueToken`](crate::Action::IssueToken); none where there can be none just now.
    TokenIssued(Option<Token>),
    /// Answers [`Action::Upgrade`](crate::Action::Upgrade): whether they were written down.
    Upgraded(bool),
    /// Answers [`Action::Inline`](crate::Action::Inline) with elements for the client.
    Inlined(Vec<String>),
    /// Answers [`Action::Bind`](crate::Action::Bind) and [`Action::BindClient`](crate::Action::BindClient).
    Bound(Result<FullJid, BindRefusal>),
    /// Answers [`Action::Resume`](crate::Action::Resume).
    Resumed(Result<Resumed, ResumeRefusal>),
    /// Answers [`Action::Acknowledged`](crate::Action::Acknowledged) where the client
    /// cannot have received so many: `sent` is what it was sent.
    AcknowledgedTooMany { h: u32, sent: u32 },
    /// The time allowed for the present [`Phase`](crate::Phase) ran out.
    TimedOut,
    /// The server ends the stream: shutdown, a newer session, a full queue.
    End(StreamError),
    /// The socket was closed or failed.
    Disconnected,
}

/// What the TLS library knows of the connection.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    pub bindings: ChannelBindings,
    /// The name the client asked for. The stream header decides all the same.
    pub sni: Option<String>,
    /// The protocol agreed on, `xmpp-client` or none.
    pub alpn: Option<Vec<u8>>,
    /// Addresses that the client's verified certificate speaks for (XEP-0178).
    pub certificate: Vec<BareJid>,
    /// The handshake is still under way, and what the client sends may have been sent by it before (RFC 8446 §8):
    /// until [`Event::TlsConfirmed`] it may do no more than log in by a token that counts its uses.
    pub early: bool,
}
