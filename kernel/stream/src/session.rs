//! The stream of a client with a session: stanzas (RFC 6120 §8).

use xylem_stanza::{Condition, Kind, Stanza, StanzaError, StreamCondition, Type, error_for_element, ns};
use xylem_xml::Element;

use crate::action::Action;
use crate::bind::Bound;
use crate::closing;
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::stream::State;

/// Stanzas flow. There is no way to make one but with the proof.
pub(crate) struct Session {
    bound: Bound,
}

impl Session {
    pub(crate) const fn new(bound: Bound) -> Self {
        Self { bound }
    }

    pub(crate) fn element(self, element: Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        if element.root().ns() != ns::CLIENT {
            return self.foreign(&element, conversation, out);
        }
        // Cheap: it shares the bytes. Needed to answer what is no stanza.
        match Stanza::from_element(element.clone()) {
            Ok(stanza) => self.stanza(stanza, conversation, out),
            Err(StanzaError::NotAStanza) => closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out),
            Err(StanzaError::MalformedFrom) => closing::fail(StreamCondition::InvalidFrom, conversation, out),
            Err(error) => {
                let condition = error.condition().unwrap_or(Condition::BadRequest);
                if let Some(reply) = error_for_element(&element, condition, None) {
                    write(out, reply);
                }
                State::Session(self)
            }
        }
    }

    fn stanza(self, stanza: Stanza, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        if !self.may_say(&stanza) {
            return closing::fail(StreamCondition::InvalidFrom, conversation, out);
        }
        if stanza.kind() == Kind::Iq && self.answered(&stanza, conversation, out) {
            return State::Session(self);
        }
        // RFC 6120 §4.7.4: the stream's language is the stanzas'.
        let stanza = stanza.stamped(self.bound.from().clone(), conversation.lang.clone());
        out.push(Action::Stanza(stanza));
        State::Session(self)
    }

    /// RFC 6120 §8.1.2.1: no `from`, or the client's own bare or full address.
    fn may_say(&self, stanza: &Stanza) -> bool {
        let own = self.bound.jid();
        stanza.from().is_none_or(|from| *from == *own.as_str() || *from == *own.bare_str())
    }

    /// Answers the two requests that concern the stream itself.
    fn answered(&self, stanza: &Stanza, conversation: &Conversation, out: &mut Vec<Action>) -> bool {
        let to_server = stanza.to().is_none_or(|to| to.as_str() == conversation.host().domain.as_str());
        if stanza.type_() != Type::Set || !to_server {
            return false;
        }
        let reply = if stanza.child(ns::BIND, "bind").is_some() {
            // One stream, one resource (RFC 6120 §7.1).
            stanza.error_reply(Condition::NotAllowed, Some("a resource is bound already"))
        } else if stanza.child(ns::SESSION, "session").is_some() {
            stanza.result(None)
        } else {
            return false;
        };
        if let Some(reply) = reply {
            let mut bytes = Vec::new();
            reply.write_to(&mut bytes);
            out.push(Action::Write(bytes.into()));
        }
        true
    }

    /// Something of another namespace.
    fn foreign(self, element: &Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let root = element.root();
        if let Some(reported) = closing::reported(element) {
            return closing::close(crate::Ending::Reported(reported), conversation, out);
        }
        let error = match root.ns() {
            // RFC 6120 §4.8.5: stanzas of another content namespace.
            ns::SERVER | ns::COMPONENT => StreamCondition::InvalidNamespace.into(),
            ns::SASL | ns::TLS => {
                StreamError::with_text(StreamCondition::PolicyViolation, "the client has logged in already")
            }
            _ => StreamError::new(StreamCondition::UnsupportedStanzaType),
        };
        closing::fail(error, conversation, out)
    }
}
