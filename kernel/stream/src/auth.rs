//! SASL negotiation (RFC 6120 §6).

use std::sync::Arc;

use xylem_sasl::{Exchange, Failure, Identity, Lookup, SaslCondition, Step, decode_payload, encode_payload};
use xylem_stanza::{BareJid, StreamCondition, ns};
use xylem_xml::{El, Element, Node};

use crate::action::Action;
use crate::closing;
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::features::Features;
use crate::header::Header;
use crate::stream::State;

/// Proof that the client is who it says.
#[derive(Debug)]
pub struct Authenticated {
    account: BareJid,
}

impl Authenticated {
    pub const fn account(&self) -> &BareJid {
        &self.account
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
}

/// Answers an element of the SASL namespace sent while no exchange runs.
pub(crate) fn requested(
    features: Features,
    element: &Element,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    let root = element.root();
    match root.name() {
        "auth" => begin(features, root, conversation, out),
        "abort" => {
            let failure = failure(SaslCondition::Aborted, "abort without an exchange");
            failed(features, None, failure, conversation, out)
        }
        "response" => {
            let failure = failure(SaslCondition::MalformedRequest, "response without an exchange");
            failed(features, None, failure, conversation, out)
        }
        _ => closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out),
    }
}

fn begin(features: Features, auth: Node<'_>, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    if features.must_encrypt(&conversation.host()) {
        let failure = failure(SaslCondition::EncryptionRequired, "login before STARTTLS");
        return failed(features, None, failure, conversation, out);
    }
    let mechanism = auth.attr("mechanism").unwrap_or_default();
    let begun = payload(auth).and_then(|data| Ok((Exchange::new(&mechanism, Arc::clone(&features.offer))?, data)));
    match begun {
        Ok((mut exchange, data)) => {
            let step = exchange.initial(data.as_deref());
            let auth = Box::new(Auth { exchange, features, account: None, waiting: false });
            auth.take(step, conversation, out)
        }
        Err(failure) => failed(features, None, failure, conversation, out),
    }
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
        let step = match (root.ns(), root.name()) {
            (ns::SASL, "response") => match payload(root) {
                Ok(data) => self.exchange.respond(&data.unwrap_or_default()),
                Err(failure) => Step::Failure(failure),
            },
            (ns::SASL, "abort") => self.exchange.abort(),
            (ns::SASL, "auth") => Step::Failure(failure(SaslCondition::MalformedRequest, "auth within an exchange")),
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
                // Data of zero length is no text at all: clients read that either way.
                let text = if data.is_empty() { String::new() } else { encode_payload(&data) };
                write(out, El::new("challenge", ns::SASL).text(&text).build());
                State::Auth(self)
            }
            Step::NeedSecrets { account } => match BareJid::parse(&account) {
                Ok(account) => {
                    self.waiting = true;
                    self.account = Some(account.clone());
                    out.push(Action::LookUp { account, costly: self.exchange.is_costly() });
                    State::Auth(self)
                }
                Err(_) => self.fail(failure(SaslCondition::NotAuthorized, "not an account"), conversation, out),
            },
            Step::Success { identity, additional } => self.succeed(&identity, additional, conversation, out),
            Step::Failure(failure) => self.fail(failure, conversation, out),
        }
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
        let text = additional.map(|data| encode_payload(&data)).unwrap_or_default();
        write(out, El::new("success", ns::SASL).text(&text).build());
        out.push(Action::LoggedIn { account: account.clone(), mechanism: self.exchange.mechanism(), anonymous });
        out.push(Action::Restart);
        out.push(Action::SetLimits(host.limits));
        conversation.restart();
        State::Header(Header::authenticated(Authenticated { account }))
    }

    fn fail(self: Box<Self>, failure: Failure, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        failed(self.features, self.account, failure, conversation, out)
    }
}

/// Tells the client and lets it try again, but not for ever (RFC 6120 §6.4.5).
fn failed(
    features: Features,
    account: Option<BareJid>,
    failure: Failure,
    conversation: &mut Conversation,
    out: &mut Vec<Action>,
) -> State {
    let condition = El::new(failure.condition.as_str(), "");
    write(out, El::new("failure", ns::SASL).child(condition).build());
    out.push(Action::LoginFailed { account, failure });
    conversation.failed_logins = conversation.failed_logins.saturating_add(1);
    if conversation.failed_logins >= conversation.host().login_attempts.max(1) {
        let error = StreamError::with_text(StreamCondition::PolicyViolation, "too many failed logins");
        return closing::fail(error, conversation, out);
    }
    State::Features(features)
}

/// The data of `<auth/>` or `<response/>`.
fn payload(node: Node<'_>) -> Result<Option<Vec<u8>>, Failure> {
    if node.children().next().is_some() {
        return Err(failure(SaslCondition::MalformedRequest, "an element where base64 is due"));
    }
    decode_payload(&node.text()).map_err(|condition| failure(condition, "the payload is not base64"))
}

const fn failure(condition: SaslCondition, reason: &'static str) -> Failure {
    Failure { condition, reason }
}
