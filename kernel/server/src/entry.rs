//! What connections ask of the server: the router for stanzas, the accounts for
//! logins, and the brake on guessing passwords.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use xylem_net::c2s::{Entry, Waiting};
use xylem_router::Router;
use xylem_sasl::{Failure, Lookup, SaslCondition, Secrets, Standing, TokenMechanism};
use xylem_session::{Session, Unacknowledged};
use xylem_stanza::{BareJid, Outgoing, Stanza, StreamCondition};
use xylem_stream::{Ending, HostConfig, Token, TokenClaim, TokenLogin, UserAgent};
use xylem_xml::Element;

use crate::accounts::Accounts;
use crate::brake::Brake;
use crate::devices::Devices;
use crate::metrics::Logins;

/// The way into the server.
pub struct Gate {
    router: Router,
    accounts: Accounts,
    devices: Devices,
    brake: Arc<Brake>,
    logins: Arc<Logins>,
}

impl Gate {
    pub fn new(router: Router, accounts: Accounts, devices: Devices, brake: Arc<Brake>, logins: Arc<Logins>) -> Self {
        Self { router, accounts, devices, brake, logins }
    }

    fn is_blocked(&self, address: IpAddr, account: &BareJid) -> bool {
        self.brake.check(address, account.as_str()).is_err()
    }
}

impl Entry for Gate {
    fn stanza(&self, session: &Arc<Session>, stanza: Stanza) -> Option<Waiting<()>> {
        self.router.from_session(session, stanza)
    }

    fn bound(&self, session: &Arc<Session>) -> Option<Waiting<()>> {
        tracing::info!(domain = session.jid().domain(), account = session.jid().bare_str(), jid = %session.jid(),
            peer = %session.endpoint().peer, "session begins");
        // It was disabled between its login and now.
        if self.accounts.is_surely_disabled(&session.jid().bare()) {
            session.queue().end(StreamCondition::NotAuthorized, Some("the account was disabled"));
        }
        self.router.bound(session);
        None
    }

    fn settled(&self) -> Option<Waiting<bool>> {
        self.router.settled()
    }

    fn hibernated(&self, session: &Arc<Session>, kept: &mut Unacknowledged) -> Option<Waiting<()>> {
        tracing::info!(domain = session.jid().domain(), account = session.jid().bare_str(), jid = %session.jid(),
            "session waits for its client");
        self.router.hibernated(session, kept)
    }

    fn resumed(&self, session: &Arc<Session>) -> Option<Waiting<()>> {
        tracing::info!(domain = session.jid().domain(), account = session.jid().bare_str(), jid = %session.jid(),
            peer = %session.endpoint().peer, "session resumed");
        self.router.resumed(session);
        None
    }

    fn ended(&self, session: &Arc<Session>, ending: &Ending) -> Option<Waiting<()>> {
        let reason = reason(ending);
        tracing::info!(domain = session.jid().domain(), account = session.jid().bare_str(), jid = %session.jid(),
            reason, "session ends");
        self.router.ended(session, &reason)
    }

    fn undelivered(&self, session: &Arc<Session>, stanzas: Vec<Outgoing>) -> Option<Waiting<()>> {
        self.router.undelivered(session, stanzas)
    }

    fn look_up(&self, account: &BareJid, peer: SocketAddr) -> Waiting<Lookup> {
        if self.is_blocked(peer.ip(), account) {
            tracing::warn!(domain = account.domain(), %account, %peer, "login put off: too many failures");
            return Box::pin(std::future::ready(Lookup::Unavailable));
        }
        let (accounts, router, account) = (self.accounts.clone(), self.router.clone(), account.clone());
        Box::pin(async move {
            match accounts.find(&account).await {
                Ok(Some(record)) => {
                    // While the client computes its proof.
                    router.expect(&account);
                    let standing = if record.disabled { Standing::Disabled } else { Standing::Active };
                    Lookup::Found { secrets: record.secrets.clone(), standing }
                }
                Ok(None) => Lookup::Unknown,
                Err(error) => {
                    tracing::error!(%account, %error, "login put off: the account cannot be looked up");
                    Lookup::Unavailable
                }
            }
        })
    }

    fn check_token(&self, claim: Box<TokenClaim>, peer: SocketAddr) -> Waiting<Result<TokenLogin, Failure>> {
        let temporary = |reason| Err(Failure { condition: SaslCondition::TemporaryAuthFailure, reason });
        if self.is_blocked(peer.ip(), &claim.account) {
            tracing::warn!(account = %claim.account, %peer, "login put off: too many failures");
            return Box::pin(std::future::ready(temporary("too many failures")));
        }
        let (accounts, devices, router) = (self.accounts.clone(), self.devices.clone(), self.router.clone());
        Box::pin(async move {
            let refused = |condition, reason| Err(Failure { condition, reason });
            match accounts.find(&claim.account).await {
                Ok(Some(record)) => {
                    router.expect(&claim.account);
                    let login = devices.redeem(&record, &claim).await?;
                    if record.disabled {
                        return refused(SaslCondition::AccountDisabled, "the account is disabled");
                    }
                    Ok(login)
                }
                Ok(None) => refused(SaslCondition::NotAuthorized, "no such account"),
                Err(error) => {
                    tracing::error!(account = %claim.account, %error, "login put off: the account cannot be looked up");
                    temporary("accounts cannot be read")
                }
            }
        })
    }

    fn issue_token(&self, account: &BareJid, agent: UserAgent, mechanism: TokenMechanism) -> Waiting<Option<Token>> {
        let (accounts, devices, account) = (self.accounts.clone(), self.devices.clone(), account.clone());
        Box::pin(async move {
            let record = accounts.find(&account).await.ok().flatten()?;
            devices.issue(&account, &record, &agent, mechanism).await
        })
    }

    fn upgrade(&self, account: &BareJid, was: Secrets, now: Secrets) -> Waiting<bool> {
        let (accounts, account) = (self.accounts.clone(), account.clone());
        Box::pin(async move {
            let kept = accounts.upgrade(&account, &was, now).await;
            match &kept {
                Ok(true) => tracing::info!(domain = account.domain(), %account, "further keys of the account"),
                Ok(false) => tracing::info!(%account, "keys not kept: the account has changed"),
                Err(error) => tracing::error!(%account, %error, "keys not kept"),
            }
            kept.unwrap_or_default()
        })
    }

    fn inline(&self, session: &Arc<Session>, requests: Vec<Element>) -> Waiting<Vec<String>> {
        let (router, session) = (self.router.clone(), Arc::clone(session));
        Box::pin(async move { router.inline(&session, requests).await })
    }

    fn logged_in(&self, account: &BareJid, mechanism: &'static str, anonymous: bool, peer: SocketAddr) {
        self.logins.succeeded();
        if !anonymous {
            self.brake.succeeded(peer.ip(), account.as_str());
        }
        tracing::debug!(domain = account.domain(), %account, mechanism, %peer, "login");
    }

    fn login_failed(&self, account: Option<&BareJid>, failure: &Failure, peer: SocketAddr) {
        self.logins.failed();
        if failure.counts_as_guess() {
            self.brake.failed(peer.ip(), account.map(BareJid::as_str));
        }
        tracing::info!(account = account.map(tracing::field::display), condition = ?failure.condition,
            reason = failure.reason, %peer, "login failed");
    }

    fn pre_auth_iq(&self, stanza: Stanza, host: &Arc<HostConfig>, peer: SocketAddr) -> Waiting<Option<Outgoing>> {
        let (router, host) = (self.router.clone(), Arc::clone(host));
        Box::pin(async move {
            let answer = router.before_auth(host.domain.as_str(), peer.ip(), stanza).await?;
            Some(answer.outgoing())
        })
    }
}

fn reason(ending: &Ending) -> String {
    match ending {
        Ending::Closed => "closed".to_owned(),
        Ending::Lost => "connection lost".to_owned(),
        Ending::Reported(condition) => format!("the client reported {condition}"),
        Ending::Failed(error) => format!("{}", error.condition),
        _ => "ended".to_owned(),
    }
}
