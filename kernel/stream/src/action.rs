use std::sync::Arc;

use bytes::Bytes;
use xylem_sasl::{Failure, Secrets, TokenMechanism};
use xylem_stanza::{BareJid, FullJid, Stanza};
use xylem_xml::{Element, Limits};

use crate::config::HostConfig;
use crate::error::StreamError;
use crate::fast::TokenClaim;
use crate::management::{Resume, Terms};
use crate::wishes::UserAgent;

/// What the driver has to do; the crate's first page says how.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Send these bytes.
    Write(Bytes),
    /// Send this stanza, which is the stream's own answer.
    Reply(Bytes),
    /// Begin the TLS handshake as the server; drop what was received before it.
    StartTls,
    /// Forget the stream header: the client begins a new stream.
    Restart,
    /// From now on these limits hold for what the client sends.
    SetLimits(Limits),
    /// Find the secrets of an account, or that there is none.
    LookUp {
        account: BareJid,
        /// Whether handling the answer takes milliseconds (PLAIN).
        costly: bool,
    },
    /// The client proved who it is.
    LoggedIn {
        account: BareJid,
        /// Its registered name.
        mechanism: &'static str,
        /// The account is made up and ends with the stream (RFC 4505).
        anonymous: bool,
    },
    /// The client failed to. `account` is what it claimed, once that was known.
    LoginFailed { account: Option<BareJid>, failure: Failure },
    /// An IQ from nobody, of a namespace that the host's configuration admits.
    PreAuthIq { stanza: Stanza, host: Arc<HostConfig> },
    /// Give the client a session, under the address it asks for if any.
    Bind { account: BareJid, requested: Option<FullJid> },
    /// Find out whether a client has the token that it claims to have, and note its use.
    CheckToken(Box<TokenClaim>),
    /// Make a token for a client that has just logged in otherwise.
    IssueToken { account: BareJid, agent: UserAgent, mechanism: TokenMechanism },
    /// Write down further keys of an account (XEP-0480), if those it has are still the same.
    Upgrade { account: BareJid, was: Secrets, now: Secrets },
    /// Give the client a session under this address, and end the others that the same
    /// client has: those whose resource is `name`, alone or after a slash (XEP-0386 §3.2).
    BindClient { account: BareJid, requested: FullJid, name: Option<String> },
    /// Have those who own these namespaces do what the client wants for its new session.
    /// Nobody else hears of it.
    Inline { jid: FullJid, requests: Vec<Element> },
    /// The session begins. With `with_login` the client has asked for it along with its login (XEP-0386).
    Established { jid: FullJid, with_login: bool },
    /// The client sent a stanza.
    Stanza(Stanza),
    /// Stream management begins (XEP-0198 §3): stanzas sent from now on are counted and
    /// kept until they are acknowledged.
    Manage(Terms),
    /// Before anything else: wait until what the client's stanzas led to is on disk.
    Settle,
    /// The client has received so many of them (§4).
    Acknowledged(u32),
    /// Find the session of an earlier stream of this account (§5).
    Resume { account: BareJid, request: Resume },
    /// That session goes on here; what it was sent and did not acknowledge is sent again.
    Reestablished(FullJid),
    /// Whether anybody looks at the client (XEP-0352).
    ClientState { active: bool },
    /// The stream is over.
    Close(Ending),
}

/// How a stream came to its end, for the log and for those who ask whether the
/// client said goodbye.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The client closed its stream, or answered to our closing it.
    Closed,
    /// The connection broke off.
    Lost,
    /// The client reported this stream error.
    Reported(String),
    /// We ended it with this error.
    Failed(StreamError),
}
