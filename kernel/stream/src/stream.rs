use std::sync::Arc;

use xylem_xml::{Element, Frame, StreamHeader};

use crate::action::{Action, Ending};
use crate::auth::Auth;
use crate::bind::Bind;
use crate::closing::{self, Closing};
use crate::config::{Environment, HostConfig};
use crate::conversation::Conversation;
use crate::entering::Entering;
use crate::error::StreamError;
use crate::event::{Event, Tls};
use crate::fast::Fast;
use crate::features::Features;
use crate::header::Header;
use crate::management;
use crate::session::Session;
use crate::starttls::{self, Handshake};
use crate::upgrade::Upgrade;

/// What a stream is at, so that each phase can have its own time limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A stream header is due.
    Header,
    /// The client has yet to choose STARTTLS or a mechanism.
    Negotiating,
    /// The TLS handshake runs.
    Handshake,
    /// A SASL exchange runs.
    Authenticating,
    /// The client has logged in and has yet to bind a resource.
    Binding,
    /// Stanzas flow.
    Session,
    /// We have closed our stream and wait for the client to close its own
    /// (RFC 6120 §4.4); a few seconds will do.
    Closing,
    /// Over.
    Closed,
}

/// The state of one client's stream.
pub struct Stream {
    state: State,
    conversation: Conversation,
}

/// The states, each in a file of its name. Only delegation happens here.
pub(crate) enum State {
    Header(Header),
    Features(Features),
    StartTls(Handshake),
    Auth(Box<Auth>),
    Fast(Box<Fast>),
    Upgrade(Box<Upgrade>),
    Entering(Box<Entering>),
    Bind(Bind),
    Session(Session),
    Closing(Closing),
    Closed,
}

impl Stream {
    /// A connection on which nothing has been sent. `tls` is given where TLS
    /// came first (XEP-0368).
    pub fn new(env: Arc<dyn Environment>, tls: Option<Tls>) -> Self {
        let mut conversation = Conversation::new(env);
        conversation.early = tls.as_ref().is_some_and(|tls| tls.early);
        Self { state: State::Header(Header::new(tls.map(starttls::direct))), conversation }
    }

    /// Takes in what happened; appends what is to be done.
    pub fn handle(&mut self, event: Event, out: &mut Vec<Action>) {
        let state = std::mem::replace(&mut self.state, State::Closed);
        self.state = state.on(event, &mut self.conversation, out);
    }

    /// Whether the next frame may be passed in. If not, the stream waits for
    /// the driver, or is over.
    pub fn wants_frames(&self) -> bool {
        match &self.state {
            State::StartTls(_) | State::Fast(_) | State::Entering(_) | State::Closed => false,
            State::Auth(auth) => auth.wants_frames(),
            State::Upgrade(upgrade) => upgrade.wants_frames(),
            State::Bind(bind) => bind.wants_frames(),
            State::Header(_) | State::Features(_) => true,
            // Nothing but a login is taken from early data.
            State::Session(_) | State::Closing(_) => !self.conversation.early,
        }
    }

    /// Whether [`Event::TlsConfirmed`] is yet to come.
    pub fn is_early(&self) -> bool {
        self.conversation.early
    }

    pub fn phase(&self) -> Phase {
        match &self.state {
            State::Header(_) => Phase::Header,
            State::Features(_) => Phase::Negotiating,
            State::StartTls(_) => Phase::Handshake,
            State::Auth(_) | State::Fast(_) | State::Upgrade(_) => Phase::Authenticating,
            State::Entering(_) | State::Bind(_) => Phase::Binding,
            State::Session(_) => Phase::Session,
            State::Closing(_) => Phase::Closing,
            State::Closed => Phase::Closed,
        }
    }

    /// Stanzas of the client that were handled, modulo 2³²; none without stream
    /// management (XEP-0198 §4).
    pub fn handled(&self) -> Option<u32> {
        self.conversation.handled
    }

    /// The host the client named, once it did.
    pub fn host(&self) -> Option<&Arc<HostConfig>> {
        self.conversation.host.as_ref()
    }
}

impl State {
    fn on(self, event: Event, conversation: &mut Conversation, out: &mut Vec<Action>) -> Self {
        match event {
            Event::Frame(Frame::Element(element)) => self.element(element, conversation, out),
            Event::Frame(Frame::Whitespace) => self,
            Event::Frame(Frame::Open(header)) => self.open(&header, conversation, out),
            Event::Frame(Frame::Close) => closing::closed_by_client(self, conversation, out),
            Event::XmlError(error) => closing::bad_xml(self, error, conversation, out),
            Event::TlsEstablished(tls) => self.tls_established(tls, conversation),
            Event::TlsConfirmed => {
                conversation.early = false;
                self
            }
            Event::Secrets(lookup) => match self {
                Self::Auth(auth) => auth.secrets(lookup, conversation, out),
                other => other,
            },
            Event::TokenChecked(result) => match self {
                Self::Fast(fast) => fast.checked(result, conversation, out),
                other => other,
            },
            Event::Upgraded(kept) => match self {
                Self::Upgrade(upgrade) => upgrade.kept(kept, conversation, out),
                other => other,
            },
            Event::TokenIssued(token) => match self {
                Self::Entering(entering) => entering.issued(token, conversation, out),
                other => other,
            },
            Event::Inlined(answers) => match self {
                Self::Entering(entering) => entering.inlined(answers, conversation, out),
                other => other,
            },
            Event::Bound(result) => match self {
                Self::Bind(bind) => bind.bound(result, conversation, out),
                Self::Entering(entering) => entering.bound(result, conversation, out),
                other => other,
            },
            Event::Resumed(result) => match self {
                Self::Bind(bind) => bind.resumed(result, conversation, out),
                Self::Entering(entering) => entering.resumed(result, conversation, out),
                other => other,
            },
            Event::AcknowledgedTooMany { h, sent } => {
                closing::end(self, management::too_high(h, sent), conversation, out)
            }
            Event::TimedOut => closing::timed_out(self, conversation, out),
            Event::End(error) => closing::end(self, error, conversation, out),
            Event::Disconnected => closing::disconnected(self, out),
        }
    }

    fn element(self, element: Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> Self {
        match self {
            // First, because it is asked for every stanza.
            Self::Session(session) => session.element(element, conversation, out),
            Self::Closing(_) | Self::Closed => closing::element(self, &element, out),
            _ if let Some(reported) = closing::reported(&element) => {
                closing::close(Ending::Reported(reported), conversation, out)
            }
            Self::Features(features) => features.element(element, conversation, out),
            Self::Auth(auth) => auth.element(&element, conversation, out),
            Self::Upgrade(upgrade) => upgrade.element(&element, conversation, out),
            Self::Bind(bind) => bind.element(element, conversation, out),
            Self::Header(_) | Self::StartTls(_) | Self::Fast(_) | Self::Entering(_) => {
                closing::fail(driver_error(), conversation, out)
            }
        }
    }

    fn open(self, header: &StreamHeader, conversation: &mut Conversation, out: &mut Vec<Action>) -> Self {
        match self {
            Self::Header(state) => state.open(header, conversation, out),
            ignored @ (Self::Closing(_) | Self::Closed) => ignored,
            _ => closing::fail(driver_error(), conversation, out),
        }
    }

    fn tls_established(self, tls: Tls, conversation: &mut Conversation) -> Self {
        match self {
            Self::StartTls(handshake) => handshake.established(tls, conversation),
            other => other,
        }
    }
}

/// The driver passed in what it was not asked for.
const fn driver_error() -> StreamError {
    StreamError::with_text(xylem_stanza::StreamCondition::InternalServerError, "frame out of turn")
}
