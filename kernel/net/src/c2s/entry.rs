//! What a connection asks of the rest of the server.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use xylem_sasl::{Failure, Lookup, SaslCondition, Secrets, TokenMechanism};
use xylem_session::{Session, Unacknowledged};
use xylem_stanza::{BareJid, Outgoing, Stanza};
use xylem_stream::{Ending, HostConfig, Token, TokenClaim, TokenLogin, UserAgent};
use xylem_xml::Element;

/// Something that has to be waited for.
pub type Waiting<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// The server behind the connections.
///
/// Calls come from the connection's task. Where one returns something to wait for,
/// the connection takes nothing more from its client until that is done, so the
/// order in which a client speaks is the order in which it is heard; what is queued
/// for the client goes on being written. Returning `None` costs nothing.
pub trait Entry: Send + Sync + 'static {
    /// A stanza from a bound session; `from` is its full address.
    fn stanza(&self, session: &Arc<Session>, stanza: Stanza) -> Option<Waiting<()>>;

    /// A session begins: it was told its address and may be sent to.
    fn bound(&self, session: &Arc<Session>) -> Option<Waiting<()>> {
        let _ = session;
        None
    }

    /// Waits until everything that was worked off so far is on disk, because clients are told that
    /// their stanzas are handled (XEP-0198 §4); `None` if it is. False if it will not be: then
    /// they are not told so.
    fn settled(&self) -> Option<Waiting<bool>> {
        None
    }

    /// A session has lost its connection and waits for its client; messages for it are
    /// kept meanwhile (XEP-0198 §5). `kept` is what it was sent and has not acknowledged.
    fn hibernated(&self, session: &Arc<Session>, kept: &mut Unacknowledged) -> Option<Waiting<()>> {
        let _ = (session, kept);
        None
    }

    /// It goes on over another connection.
    fn resumed(&self, session: &Arc<Session>) -> Option<Waiting<()>> {
        let _ = session;
        None
    }

    /// A session is over and out of the table. Told exactly once for every session
    /// that was bound, before a successor to the same address is announced.
    fn ended(&self, session: &Arc<Session>, ending: &Ending) -> Option<Waiting<()>>;

    /// What was queued for a session but not written when its connection ended, in
    /// order. Told after [`Entry::ended`], and only if there is something. The client
    /// may have received the first of them.
    fn undelivered(&self, session: &Arc<Session>, stanzas: Vec<Outgoing>) -> Option<Waiting<()>>;

    /// Finds the secrets of an account; `Unavailable` also where the address or account
    /// failed too often of late.
    fn look_up(&self, account: &BareJid, peer: SocketAddr) -> Waiting<Lookup>;

    /// Holds a client's proof against its tokens; what that changes is durable with the answer.
    /// `temporary-auth-failure` also where the address or account failed too often of late.
    fn check_token(&self, claim: Box<TokenClaim>, peer: SocketAddr) -> Waiting<Result<TokenLogin, Failure>> {
        let _ = (claim, peer);
        let condition = SaslCondition::TemporaryAuthFailure;
        Box::pin(std::future::ready(Err(Failure { condition, reason: "there are no tokens" })))
    }

    /// Makes a token for a client that has logged in otherwise.
    fn issue_token(&self, account: &BareJid, agent: UserAgent, mechanism: TokenMechanism) -> Waiting<Option<Token>> {
        let _ = (account, agent, mechanism);
        Box::pin(std::future::ready(None))
    }

    /// Writes down what a client has computed from its password (XEP-0480), if the account's
    /// secrets are still those; false if not.
    fn upgrade(&self, account: &BareJid, was: Secrets, now: Secrets) -> Waiting<bool> {
        let _ = (account, was, now);
        Box::pin(std::future::ready(false))
    }

    /// What a client wants for its session, which is bound and has not begun; the answers
    /// are elements for the client.
    fn inline(&self, session: &Arc<Session>, requests: Vec<Element>) -> Waiting<Vec<String>> {
        let _ = (session, requests);
        Box::pin(std::future::ready(Vec::new()))
    }

    /// A client proved who it is.
    fn logged_in(&self, account: &BareJid, mechanism: &'static str, anonymous: bool, peer: SocketAddr) {
        let _ = (account, mechanism, anonymous, peer);
    }

    /// A client failed to prove who it is.
    fn login_failed(&self, account: Option<&BareJid>, failure: &Failure, peer: SocketAddr) {
        let _ = (account, failure, peer);
    }

    /// An IQ from a client that has not logged in, in a namespace that the host admits.
    /// The answer is written to it.
    fn pre_auth_iq(&self, stanza: Stanza, host: &Arc<HostConfig>, peer: SocketAddr) -> Waiting<Option<Outgoing>>;
}
