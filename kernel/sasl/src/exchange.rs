use std::sync::Arc;

use crate::condition::SaslCondition;
use crate::engine::{self, Claim};
use crate::mechanism::{Hash, Mechanism};
use crate::offer::Offer;
use crate::scram::{self, ClientFirst};
use crate::secrets::{Secrets, StoredKeys};
use crate::verifier::Verifier;

/// Who the client is, once the exchange succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The bare JID of an account that exists and may log in. An authorization
    /// identity, where the client sent one, was the same.
    Account(String),
    /// Nobody known; `trace` is what the client chose to say (RFC 4505 §2).
    Anonymous { trace: String },
}

/// What the caller has to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this to the client; go on with [`Exchange::respond`].
    Challenge(Vec<u8>),
    /// Look the account up, whatever that takes; go on with [`Exchange::provide`].
    NeedSecrets {
        /// Its normalised bare JID.
        account: String,
    },
    /// The client is who it says. `additional` goes into `<success/>`.
    Success { identity: Identity, additional: Option<Vec<u8>> },
    /// The attempt is over.
    Failure(Failure),
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What the client is told.
    pub condition: SaslCondition,
    /// What the log says; it can tell more than the client may know.
    pub reason: &'static str,
}

impl Failure {
    pub(crate) const fn new(condition: SaslCondition, reason: &'static str) -> Self {
        Self { condition, reason }
    }

    pub(crate) const fn malformed(reason: &'static str) -> Self {
        Self::new(SaslCondition::MalformedRequest, reason)
    }

    /// Whether the attempt counts as a guess at somebody's password.
    pub fn counts_as_guess(&self) -> bool {
        self.condition == SaslCondition::NotAuthorized
    }
}

/// What the store knows of an account.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// The account exists.
    Found { secrets: Secrets, standing: Standing },
    /// There is no such account. The exchange goes on with made-up secrets, so
    /// that the client cannot tell.
    Unknown,
    /// The store could not answer: `temporary-auth-failure`.
    Unavailable,
}

/// Whether an account may log in. The client learns of it only after it gave
/// the right credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Active,
    /// `account-disabled`.
    Disabled,
    /// `credentials-expired`.
    Expired,
}

/// One authentication attempt, from `<auth/>` to success or failure
/// (RFC 6120 §6.4).
///
/// The exchange does no I/O: where it needs an account's secrets it says so
/// and waits. Its calls are cheap but for one: [`Exchange::provide`] runs
/// PBKDF2 where [`Exchange::is_costly`] says so.
pub struct Exchange {
    mechanism: Mechanism,
    offer: Arc<Offer>,
    nonce: String,
    /// What the account was found to have.
    secrets: Option<Secrets>,
    state: State,
}

enum State {
    /// Nothing arrived that belongs to the mechanism.
    Initial,
    Secrets(Waiting),
    /// SCRAM sent its challenge.
    Final {
        verifier: Box<Verifier>,
        account: String,
        known: bool,
        standing: Standing,
    },
    Over,
}

/// What hangs on the account's secrets.
enum Waiting {
    Scram { hash: Hash, first: Box<ClientFirst>, account: String },
    Plain { password: Vec<u8>, account: String },
    External { account: String },
}

impl Exchange {
    /// Begins an attempt with the mechanism the client named. `nonce` is the server's part of
    /// SCRAM's: printable, without commas, never used before and not to be guessed.
    ///
    /// Fails with `invalid-mechanism`, `mechanism-too-weak` or
    /// `encryption-required` where the offer does not allow it.
    pub fn new(mechanism: &str, offer: Arc<Offer>, nonce: String) -> Result<Self, Failure> {
        let mechanism =
            offer.choose(mechanism).map_err(|condition| Failure::new(condition, "the mechanism was not offered"))?;
        Ok(Self { mechanism, offer, nonce, secrets: None, state: State::Initial })
    }

    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The secrets of the account, if the mechanism is one that proves knowledge of its password;
    /// for the time after [`Step::Success`].
    pub fn password_secrets(self) -> Option<Secrets> {
        self.secrets.filter(|_| matches!(self.mechanism, Mechanism::Scram { .. } | Mechanism::Plain))
    }

    /// Whether [`Exchange::provide`] will take milliseconds of computing time
    /// (PLAIN), so that the caller may do it on a thread for such work.
    pub const fn is_costly(&self) -> bool {
        matches!(self.state, State::Secrets(Waiting::Plain { .. }))
    }

    /// Takes the data of `<auth/>`. `None` means it had none: every mechanism
    /// here lets the client speak first, so it is asked to by an empty challenge.
    pub fn initial(&mut self, data: Option<&[u8]>) -> Step {
        match (&self.state, data) {
            (State::Initial, None) => Step::Challenge(Vec::new()),
            (State::Initial, Some(data)) => self.first(data),
            _ => self.fail(Failure::malformed("the exchange has begun already")),
        }
    }

    /// Takes the data of `<response/>`.
    pub fn respond(&mut self, data: &[u8]) -> Step {
        match self.state {
            State::Initial => self.first(data),
            State::Final { .. } => self.last(data),
            State::Secrets(_) | State::Over => self.fail(Failure::malformed("response out of turn")),
        }
    }

    /// Takes what the store said to [`Step::NeedSecrets`].
    pub fn provide(&mut self, lookup: Lookup) -> Step {
        let State::Secrets(waiting) = std::mem::replace(&mut self.state, State::Over) else {
            return self.fail(Failure::malformed("no secrets were asked for"));
        };
        let (secrets, standing) = match lookup {
            Lookup::Found { secrets, standing } => (Some(secrets), standing),
            Lookup::Unknown => (None, Standing::Active),
            Lookup::Unavailable => {
                let failure = Failure::new(SaslCondition::TemporaryAuthFailure, "accounts cannot be read");
                return self.fail(failure);
            }
        };
        self.secrets.clone_from(&secrets);
        match waiting {
            Waiting::Scram { hash, first, account } => {
                let keys = secrets.and_then(|s| s.get(hash));
                self.challenge(hash, &first, account, keys, standing)
            }
            Waiting::Plain { password, account } => {
                let known = secrets.is_some();
                // Made up and verified for every account: all cost the same time.
                let decoy = Secrets::decoy(&account, &self.offer.decoy);
                let secrets = secrets.unwrap_or(decoy);
                let right = std::str::from_utf8(&password).is_ok_and(|p| secrets.verify_plain(p));
                self.verdict(account, known, right, standing, None)
            }
            Waiting::External { account } => self.verdict(account, secrets.is_some(), true, standing, None),
        }
    }

    /// Takes `<abort/>`.
    pub fn abort(&mut self) -> Step {
        self.fail(Failure::new(SaslCondition::Aborted, "the client gave up"))
    }

    fn first(&mut self, data: &[u8]) -> Step {
        let waiting = match self.mechanism {
            Mechanism::Scram { hash, plus } => self.first_scram(hash, plus, data),
            _ => match self.claim(data) {
                Ok(Claim::Anonymous { trace }) => {
                    self.state = State::Over;
                    return Step::Success { identity: Identity::Anonymous { trace }, additional: None };
                }
                Ok(claim) => self.waiting_for(claim),
                Err(failure) => Err(failure),
            },
        };
        match waiting {
            Ok(waiting) => {
                let account = waiting.account().to_owned();
                self.state = State::Secrets(waiting);
                Step::NeedSecrets { account }
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn first_scram(&self, hash: Hash, plus: bool, data: &[u8]) -> Result<Waiting, Failure> {
        let first = scram::client_first(data, plus, &self.offer)?;
        let account = self.account(&first.username, first.authzid.as_deref())?;
        Ok(Waiting::Scram { hash, first: Box::new(first), account })
    }

    /// Has rsasl read the only message of a simple mechanism.
    fn claim(&self, data: &[u8]) -> Result<Claim, Failure> {
        let unreadable = Failure::malformed("the message breaks the grammar of the mechanism");
        match engine::claim(self.mechanism, data) {
            // RFC 4505 §2, which rsasl leaves to us.
            Some(Claim::Anonymous { trace }) if trace.chars().count() > 255 => Err(unreadable),
            Some(claim) => Ok(claim),
            None => Err(unreadable),
        }
    }

    fn waiting_for(&self, claim: Claim) -> Result<Waiting, Failure> {
        match claim {
            Claim::Plain { username, authzid, password } => {
                let account = self.account(&username, authzid.as_deref())?;
                Ok(Waiting::Plain { password, account })
            }
            Claim::External { authzid } => {
                let account = self.certified(authzid.as_deref())?;
                Ok(Waiting::External { account })
            }
            Claim::Anonymous { .. } => Err(Failure::malformed("not a claim to an account")),
        }
    }

    /// The account of a user name. An authorization identity must mean the same
    /// (RFC 6120 §6.3.8: acting for others is not supported).
    fn account(&self, username: &str, authzid: Option<&str>) -> Result<String, Failure> {
        let addressing = &self.offer.addressing;
        let account = addressing
            .account(username)
            .ok_or(Failure::new(SaslCondition::NotAuthorized, "the user name cannot be an account's"))?;
        match authzid.map(|authzid| addressing.authzid(authzid)) {
            None => Ok(account),
            Some(Some(authzid)) if authzid == account => Ok(account),
            Some(_) => Err(Failure::new(SaslCondition::InvalidAuthzid, "authzid is not the user's own address")),
        }
    }

    /// XEP-0178 §2: the certificate must speak for the identity; it may go
    /// unnamed only where there is no choice.
    fn certified(&self, authzid: Option<&str>) -> Result<String, Failure> {
        let invalid = |reason| Failure::new(SaslCondition::InvalidAuthzid, reason);
        match (authzid, self.offer.certificate.as_slice()) {
            (None, [only]) => Ok(only.clone()),
            (None, _) => Err(invalid("the certificate names several addresses and the client none")),
            (Some(authzid), certified) => {
                let authzid = self.offer.addressing.authzid(authzid);
                let authzid = authzid.ok_or(invalid("authzid is not a bare JID"))?;
                let known = certified.contains(&authzid);
                known.then_some(authzid).ok_or(invalid("the certificate does not speak for the authzid"))
            }
        }
    }

    fn challenge(
        &mut self,
        hash: Hash,
        first: &ClientFirst,
        account: String,
        keys: Option<StoredKeys>,
        standing: Standing,
    ) -> Step {
        let known = keys.is_some();
        // Made up for every account: all cost the same time.
        let decoy = self.offer.decoy.keys(&account, hash);
        let keys = keys.unwrap_or(decoy);
        let (verifier, challenge) = Verifier::challenge(hash, keys, first, &self.nonce, &self.offer);
        self.state = State::Final { verifier: Box::new(verifier), account, known, standing };
        Step::Challenge(challenge)
    }

    fn last(&mut self, data: &[u8]) -> Step {
        let State::Final { verifier, account, known, standing } = std::mem::replace(&mut self.state, State::Over)
        else {
            return self.fail(Failure::malformed("response out of turn"));
        };
        match scram::client_final(data) {
            Ok(last) => {
                let signature = verifier.verify(&last);
                self.verdict(account, known, signature.is_some(), standing, signature)
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn verdict(
        &mut self,
        account: String,
        known: bool,
        right: bool,
        standing: Standing,
        additional: Option<Vec<u8>>,
    ) -> Step {
        use SaslCondition::{AccountDisabled, CredentialsExpired, NotAuthorized};
        let failure = match (known, right, standing) {
            (true, true, Standing::Active) => {
                self.state = State::Over;
                return Step::Success { identity: Identity::Account(account), additional };
            }
            (true, true, Standing::Disabled) => Failure::new(AccountDisabled, "the account is disabled"),
            (true, true, Standing::Expired) => Failure::new(CredentialsExpired, "the credentials expired"),
            (true, false, _) => Failure::new(NotAuthorized, "wrong credentials"),
            (false, _, _) => Failure::new(NotAuthorized, "no such account, or no keys for the mechanism"),
        };
        self.fail(failure)
    }

    fn fail(&mut self, failure: Failure) -> Step {
        self.state = State::Over;
        Step::Failure(failure)
    }
}

impl Waiting {
    fn account(&self) -> &str {
        match self {
            Self::Scram { account, .. } | Self::Plain { account, .. } | Self::External { account } => account,
        }
    }
}
