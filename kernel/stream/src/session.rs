//! The stream of a client with a session: stanzas (RFC 6120 §8).

use xylem_stanza::{Condition, Kind, Stanza, StanzaError, StreamCondition, Type, error_for_element, ns};
use xylem_xml::{Element, Node};

use crate::action::Action;
use crate::bind::Bound;
use crate::closing;
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::management::{self, Enable};
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
        if let Some(handled) = &mut conversation.handled {
            *handled = handled.wrapping_add(1);
        }
        // Cheap: it shares the bytes. Needed to answer what is no stanza.
        match Stanza::from_element(element.clone()) {
            Ok(stanza) => self.stanza(stanza, conversation, out),
            Err(StanzaError::NotAStanza) => closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out),
            Err(StanzaError::MalformedFrom) => closing::fail(StreamCondition::InvalidFrom, conversation, out),
            Err(error) => {
                let condition = error.condition().unwrap_or(Condition::BadRequest);
                if let Some(reply) = error_for_element(&element, condition, None) {
                    out.push(Action::Reply(reply.into()));
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
            out.push(Action::Reply(bytes.into()));
        }
        true
    }

    /// Something of another namespace.
    fn foreign(self, element: &Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let root = element.root();
        if let Some(reported) = closing::reported(element) {
            return closing::close(crate::Ending::Reported(reported), conversation, out);
        }
        if let Some(active) = client_state(root) {
            out.push(Action::ClientState { active });
            return State::Session(self);
        }
        let error = match root.ns() {
            ns::STREAM_MANAGEMENT => return self.management(root, conversation, out),
            // RFC 6120 §4.8.5: stanzas of another content namespace.
            ns::SERVER | ns::COMPONENT => StreamCondition::InvalidNamespace.into(),
            ns::SASL | ns::SASL2 | ns::TLS => {
                StreamError::with_text(StreamCondition::PolicyViolation, "the client has logged in already")
            }
            _ => StreamError::new(StreamCondition::UnsupportedStanzaType),
        };
        closing::fail(error, conversation, out)
    }

    /// XEP-0198 §3–§4.
    fn management(self, root: Node<'_>, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        match (root.name(), conversation.handled) {
            ("r", Some(handled)) => {
                // §4: what is acknowledged is the server's responsibility.
                out.push(Action::Settle);
                write(out, management::acknowledgement(handled));
            }
            ("a", Some(_)) => match management::handled(root) {
                Some(h) => out.push(Action::Acknowledged(h)),
                None => {
                    let error = StreamError::with_text(StreamCondition::BadFormat, "an acknowledgement of nothing");
                    return closing::fail(error, conversation, out);
                }
            },
            ("enable", None) => {
                let answer = management::grant(Enable::parse(root), conversation, out);
                write(out, answer.build());
            }
            ("enable", Some(_)) => {
                // §3 wants both: the answer, and the end of the stream.
                write(out, management::unexpected().build());
                let error = StreamError::with_text(StreamCondition::PolicyViolation, "enabled already");
                return closing::fail(error, conversation, out);
            }
            ("r" | "a" | "resume", _) => write(out, management::unexpected().build()),
            _ => return closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out),
        }
        State::Session(self)
    }
}

/// Whether the client says that it is looked at, or that it is not (XEP-0352 §4.2).
pub(crate) fn client_state(root: Node<'_>) -> Option<bool> {
    match (root.ns(), root.name()) {
        (ns::CLIENT_STATE, "active") => Some(true),
        (ns::CLIENT_STATE, "inactive") => Some(false),
        _ => None,
    }
}
