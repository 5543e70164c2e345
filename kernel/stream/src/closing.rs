//! The end of a stream: the closing handshake of RFC 6120 §4.4 and the errors
//! of §4.9.

use xylem_stanza::{StreamCondition, ns};
use xylem_xml::{Element, XmlError};

use crate::action::{Action, Ending};
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::header;
use crate::management;
use crate::stream::State;

/// Our closing tag is sent, the client's is awaited. What the client still
/// sends is dropped.
pub(crate) struct Closing {
    ending: Ending,
}

const CLOSING_TAG: &str = "</stream:stream>";

/// Sends a stream error and waits for the client to close its side.
///
/// Where our header was not sent yet, it goes first (RFC 6120 §4.9.1.2).
pub(crate) fn fail(error: impl Into<StreamError>, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    let error = error.into();
    send_error(&error, conversation, out);
    State::Closing(Closing { ending: Ending::Failed(error) })
}

/// The server ends the stream.
pub(crate) fn end(state: State, error: StreamError, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    match state {
        // In the midst of a handshake nothing can be said in the clear.
        State::StartTls(_) => finish(Ending::Failed(error), out),
        State::Closing(_) | State::Closed => state,
        _ => fail(error, conversation, out),
    }
}

/// A phase took too long (RFC 6120 §4.9.3.4), or the closing handshake did.
pub(crate) fn timed_out(state: State, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    match state {
        State::Closing(closing) => finish(closing.ending, out),
        other => end(other, StreamCondition::ConnectionTimeout.into(), conversation, out),
    }
}

/// After bad XML nothing that follows can be read, so no closing tag is waited for.
pub(crate) fn bad_xml(state: State, error: XmlError, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    match state {
        State::Closing(closing) => finish(closing.ending, out),
        State::Closed => state,
        _ => {
            let error = StreamError::new(error.into());
            send_error(&error, conversation, out);
            finish(Ending::Failed(error), out)
        }
    }
}

/// The client sent its closing tag.
pub(crate) fn closed_by_client(state: State, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    match state {
        State::Closing(closing) => finish(closing.ending, out),
        State::Closed => state,
        _ => close(Ending::Closed, conversation, out),
    }
}

/// An element after our closing tag: dropped, unless it is the client's own end or
/// says what it received.
pub(crate) fn element(state: State, element: &Element, out: &mut Vec<Action>) -> State {
    let root = element.root();
    if matches!(state, State::Closing(_)) && root.is(ns::STREAM_MANAGEMENT, "a") {
        out.extend(management::handled(root).map(Action::Acknowledged));
        return state;
    }
    match state {
        State::Closing(closing) if reported(element).is_some() => finish(closing.ending, out),
        other => other,
    }
}

/// The socket ended without a closing tag.
pub(crate) fn disconnected(state: State, out: &mut Vec<Action>) -> State {
    match state {
        State::Closing(closing) => finish(closing.ending, out),
        State::Closed => state,
        _ => finish(Ending::Lost, out),
    }
}

/// Closes our side as well and is done.
pub(crate) fn close(ending: Ending, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    header::answer_if_due(conversation, out);
    write(out, CLOSING_TAG.to_owned());
    finish(ending, out)
}

/// The condition of a stream error the client sent; after it nothing follows
/// but the end (RFC 6120 §4.9.1.1).
pub(crate) fn reported(element: &Element) -> Option<String> {
    let root = element.root();
    if !root.is(ns::STREAMS, "error") {
        return None;
    }
    let condition = root.children().find(|child| child.ns() == ns::STREAM_ERRORS);
    Some(condition.map_or("undefined-condition", |child| child.name()).to_owned())
}

fn send_error(error: &StreamError, conversation: &mut Conversation, out: &mut Vec<Action>) {
    header::answer_if_due(conversation, out);
    let mut text = error.to_xml();
    text.push_str(CLOSING_TAG);
    write(out, text);
}

fn finish(ending: Ending, out: &mut Vec<Action>) -> State {
    out.push(Action::Close(ending));
    State::Closed
}
