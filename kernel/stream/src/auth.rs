//! SASL negotiation (RFC 6120 §6, XEP-0388 §2).

use std::sync::Arc;

use xylem_sasl::{Exchange, Failure, Identity, Lookup, SaslCondition, Step, TokenMechanism, encode_payload};
use xylem_stanza::{BareJid, StreamCondition, ns};
use xylem_xml::{El, Element, Node};

use crate::action::Action;
use crate::closing;
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::fast;
use crate::features::Features;
use crate::header::Header;
use crate::profile::{Profile, failure};
use crate::stream::State;
use crate::upgrade;
use crate::wishes::{TokenUse, Wishes};

/// Proof that the client is who it says.
#[derive(Debug)]
pub struct Authenticated {
    account: BareJid,
}

impl Authenticated {
    pub const fn account(&self) -> &BareJid {
        &self.account
    }

    /// Only for those who have just seen the proof.
    pub(crate) const fn proved(account: BareJid) -> Self {
        Self { account }
    }
}

/// An exchange is under way.
pub(crate) struct Auth {
    exchange: Exchange,
    /// Where a failure leads back to.
    features: Features,
    /// Whose secrets were asked for.
    account: Option<BareJid>,
    waiting: bool,
    profile: Profile,
    /// What else is wanted; nothing with RFC 6120.
    wishes: Wishes,
}

/// Answers an element of the SASL namespace sent while no exchange runs.
pub(crate) fn requested(
    features: Features,
    element: &Element,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    let root = element.root();
    let failure = match (Profile::of(root.ns()), root.name()) {
        (Some(profile), name) if name == profile.opening() => {
            return begin(profile, features, root, conversation, out);
        }
        (Some(_), "abort") => failure(SaslCondition::Aborted, "abort without an exchange"),
        (Some(_), "response") => failure(SaslCondition::MalformedRequest, "response without an exchange"),
        _ => return closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out),
    };
    failed(Profile::of(root.ns()).unwrap_or(Profile::Rfc6120), features, None, failure, conversation, out)
}

fn begin(
    profile: Profile,
    features: Features,
    opening: Node<'_>,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    if features.must_encrypt(&conversation.host()) {
        let failure = failure(SaslCondition::EncryptionRequired, "login before STARTTLS");
        return failed(profile, features, None, failure, conversation, out);
    }
    let mechanism = opening.attr("mechanism").unwrap_or_default();
    let wishes = if profile == Profile::Sasl2 { Wishes::parse(opening) } else { Ok(Wishes::default()) };
    let read = wishes.and_then(|wishes| Ok((wishes, profile.initial(opening)?)));
    let read = read.and_then(|read| if conversation.early { unrepeatable(&mechanism, read) } else { Ok(read) });
    let begun = match (read, TokenMechanism::parse(&mechanism)) {
        (Ok((wishes, data)), Some(mechanism)) if profile == Profile::Sasl2 => {
            return fast::begin(features, mechanism, data.as_deref(), wishes, conversation, out);
        }
        (read, _) => read.and_then(|(wishes, data)| Ok((exchange(&mechanism, &features, conversation)?, wishes, data))),
    };
    match begun {
        Ok((mut exchange, wishes, data)) => {
            let step = exchange.initial(data.as_deref());
            let auth = Box::new(Auth { exchange, features, account: None, waiting: false, profile, wishes });
            auth.take(step, conversation, out)
        }
        Err(failure) => failed(profile, features, None, failure, conversation, out),
    }
}

/// What comes as early data may have come before: only a token knows how often it was used (XEP-0484 §3.4).
fn unrepeatable(mechanism: &str, read: (Wishes, Option<Vec<u8>>)) -> Result<(Wishes, Option<Vec<u8>>), Failure> {
    if TokenMechanism::parse(mechanism).is_none() {
        return Err(failure(SaslCondition::MechanismTooWeak, "a mechanism that is not for tokens, in early data"));
    }
    match read.0.fast {
        Some(TokenUse { count: Some(_), .. }) => Ok(read),
        _ => Err(failure(SaslCondition::MalformedRequest, "a token without a count, in early data")),
    }
}

fn exchange(mechanism: &str, features: &Features, conversation: &Conversation) -> Result<Exchange, Failure> {
    let nonce = if mechanism.starts_with("SCRAM-") { conversation.env.token() } else { String::new() };
    Exchange::new(mechanism, Arc::clone(&features.offer), nonce)
}

impl Auth {
    pub(crate) const fn wants_frames(&self) -> bool {
        !self.waiting
    }

    pub(crate) fn element(
        mut self: Box<Self>,
        element: &Element,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        let root = element.root();
        let ours = root.ns() == self.profile.ns();
        let step = match root.name() {
            "response" if ours => match self.profile.data(root) {
                Ok(data) => self.exchange.respond(&data.unwrap_or_default()),
                Err(failure) => Step::Failure(failure),
            },
            "abort" if ours => self.exchange.abort(),
            name if ours && name == self.profile.opening() => {
                Step::Failure(failure(SaslCondition::MalformedRequest, "another exchange within an exchange"))
            }
            // XEP-0388 §2.4: nothing else may come.
            _ if self.profile == Profile::Sasl2 => {
                let error = StreamError::with_text(StreamCondition::PolicyViolation, "not part of the login");
                return closing::fail(error, conversation, out);
            }
            // Whatever else it is, the client is still nobody.
            _ => return self.features.element(element.clone(), conversation, out),
        };
        self.take(step, conversation, out)
    }

    pub(crate) fn secrets(
        mut self: Box<Self>,
        lookup: Lookup,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        if !self.waiting {
            return State::Auth(self);
        }
        self.waiting = false;
        let step = self.exchange.provide(lookup);
        self.take(step, conversation, out)
    }

    fn take(mut self: Box<Self>, step: Step, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        match step {
            Step::Challenge(data) => {
                write(out, self.profile.challenge(&data).build());
                State::Auth(self)
            }
            Step::NeedSecrets { account } => match self.claimed(&account, conversation) {
                Ok(account) => {
                    self.waiting = true;
                    self.account = Some(account.clone());
                    out.push(Action::LookUp { account, costly: self.exchange.is_costly() });
                    State::Auth(self)
                }
                Err(failure) => self.fail(failure, conversation, out),
            },
            Step::Success { identity, additional } => self.succeed(&identity, additional, conversation, out),
            Step::Failure(failure) => self.fail(failure, conversation, out),
        }
    }

    fn claimed(&self, account: &str, conversation: &Conversation) -> Result<BareJid, Failure> {
        let account = BareJid::parse(account);
        let account = account.map_err(|_| failure(SaslCondition::NotAuthorized, "not an account"))?;
        if self.profile == Profile::Sasl2 {
            conversation.check_client(&account)?;
        }
        Ok(account)
    }

    fn succeed(
        self: Box<Self>,
        identity: &Identity,
        additional: Option<Vec<u8>>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        let host = conversation.host();
        let (account, anonymous) = match identity {
            Identity::Account(jid) => (BareJid::parse(jid), false),
            Identity::Anonymous { .. } => (BareJid::new(&conversation.env.token(), &host.domain), true),
        };
        let Ok(account) = account else {
            let failure = failure(SaslCondition::TemporaryAuthFailure, "no address for the client");
            return self.fail(failure, conversation, out);
        };
        let mechanism = self.exchange.mechanism().name();
        if self.profile == Profile::Sasl2 {
            out.push(Action::LoggedIn { account: account.clone(), mechanism, anonymous });
            let wishes = Wishes { token: self.wishes.token.filter(|_| !anonymous), ..self.wishes };
            let (client, secrets) = (Authenticated { account }, self.exchange.password_secrets());
            return upgrade::begin(client, self.features, wishes, secrets, additional, conversation, out);
        }
        let text = additional.map(|data| encode_payload(&data)).unwrap_or_default();
        write(out, El::new("success", ns::SASL).text(&text).build());
        out.push(Action::LoggedIn { account: account.clone(), mechanism, anonymous });
        out.push(Action::Restart);
        out.push(Action::SetLimits(host.limits));
        conversation.restart();
        State::Header(Header::authenticated(Authenticated { account }))
    }

    fn fail(self: Box<Self>, failure: Failure, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        failed(self.profile, self.features, self.account, failure, conversation, out)
    }
}

/// Tells the client and lets it try again, but not for ever (RFC 6120 §6.4.5).
pub(crate) fn failed(
    profile: Profile,
    features: Features,
    account: Option<BareJid>,
    failure: Failure,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    write(out, profile.failure(failure.condition).build());
    out.push(Action::LoginFailed { account, failure });
    conversation.failed_logins = conversation.failed_logins.saturating_add(1);
    if conversation.failed_logins >= conversation.host().login_attempts.max(1) {
        let error = StreamError::with_text(StreamCondition::PolicyViolation, "too many failed logins");
        return closing::fail(error, conversation, out);
    }
    State::Features(features)
}
