//! Resource binding (RFC 6120 §7).

use xylem_stanza::{BareJid, Condition, ErrorType, FullJid, Jid, StreamCondition, ns};
use xylem_xml::{El, Element, Node};

use crate::action::Action;
use crate::auth::Authenticated;
use crate::closing;
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::management::{self, Resume, ResumeRefusal, Resumed};
use crate::session::Session;
use crate::stream::State;

/// Proof that the client has a session under a full address of its account.
#[derive(Debug)]
pub struct Bound {
    jid: FullJid,
    from: Jid,
}

impl Bound {
    pub const fn jid(&self) -> &FullJid {
        &self.jid
    }

    /// The same address as stanzas carry it.
    pub(crate) const fn from(&self) -> &Jid {
        &self.from
    }

    /// Only here, where one who has logged in is given an address of its own.
    pub(crate) fn new(client: &Authenticated, jid: FullJid) -> Option<Self> {
        let own = jid.bare_str() == client.account().as_str();
        own.then(|| Self { from: Jid::from(&jid), jid })
    }
}

/// Why the server gives no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindRefusal {
    /// The resource is taken and its holder keeps it (RFC 6120 §7.7.2.2).
    Conflict,
    /// The account has as many sessions as it may (§7.6.2.1).
    ResourceConstraint,
    /// The account may have no session (§7.6.2.2).
    NotAllowed,
    /// The resource cannot be used (§7.7.2.1).
    BadRequest,
    /// The server failed to make one.
    InternalServerError,
}

/// The client has logged in and has no session yet.
pub(crate) struct Bind {
    client: Authenticated,
    /// The id of the request that the driver is working on.
    waiting: Option<String>,
    /// The id of the stream that is to be resumed, while the driver looks for it.
    resuming: Option<String>,
}

impl Bind {
    pub(crate) const fn new(client: Authenticated) -> Self {
        Self { client, waiting: None, resuming: None }
    }

    pub(crate) const fn wants_frames(&self) -> bool {
        self.waiting.is_none() && self.resuming.is_none()
    }

    pub(crate) fn element(mut self, element: Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let root = element.root();
        if root.ns() == ns::STREAM_MANAGEMENT {
            return self.management(root, conversation, out);
        }
        if root.ns() != ns::CLIENT || !matches!(root.name(), "iq" | "message" | "presence") {
            return closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out);
        }
        let type_ = root.attr("type");
        // Results and errors are never answered, so they are no requests to refuse.
        let is_request = root.name() == "iq" && !matches!(type_.as_deref(), Some("result" | "error"));
        let Some(request) = root.child(ns::BIND, "bind").filter(|_| is_request) else {
            // RFC 6120 §7.1: no session, no stanzas.
            let error = StreamError::with_text(StreamCondition::NotAuthorized, "bind a resource first");
            return closing::fail(error, conversation, out);
        };
        let id = root.attr("id").unwrap_or_default().into_owned();
        let well_formed = type_.as_deref() == Some("set") && !id.is_empty();
        match requested(request, self.client.account()) {
            Ok(requested) if well_formed => {
                out.push(Action::Bind { account: self.client.account().clone(), requested });
                self.waiting = Some(id);
                State::Bind(self)
            }
            _ => self.refuse(&id, BindRefusal::BadRequest, conversation, out),
        }
    }

    pub(crate) fn bound(
        mut self,
        result: Result<FullJid, BindRefusal>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        let Some(id) = self.waiting.take() else { return State::Bind(self) };
        let bound = result.and_then(|jid| Bound::new(&self.client, jid).ok_or(BindRefusal::InternalServerError));
        match bound {
            Ok(bound) => {
                let jid = El::new("jid", "").text(bound.jid().as_str());
                let result = El::new("iq", "").attr("type", "result").attr("id", &id);
                write(out, result.child(El::new("bind", ns::BIND).child(jid)).build());
                out.push(Action::Established { jid: bound.jid().clone(), with_login: false });
                State::Session(Session::new(bound))
            }
            Err(refusal) => self.refuse(&id, refusal, conversation, out),
        }
    }

    /// Only resumption is possible before there is a session (XEP-0198 §3).
    fn management(self, root: Node<'_>, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        if root.name() != "resume" {
            write(out, management::unexpected().build());
            return self.count_failure(conversation, out);
        }
        match Resume::parse(root) {
            Some(request) => self.resume(request, out),
            None => {
                write(out, management::failed(Condition::BadRequest, None).build());
                self.count_failure(conversation, out)
            }
        }
    }

    /// Has the driver look for the stream; [`Bind::resumed`] follows.
    pub(crate) fn resume(mut self, request: Resume, out: &mut Vec<Action>) -> State {
        self.resuming = Some(request.previd.clone());
        out.push(Action::Resume { account: self.client.account().clone(), request });
        State::Bind(self)
    }

    pub(crate) fn resumed(
        mut self,
        result: Result<Resumed, ResumeRefusal>,
        conversation: &mut Conversation,
        out: &mut Vec<Action>,
    ) -> State {
        let Some(previd) = self.resuming.take() else { return State::Bind(self) };
        let found = result.and_then(|Resumed { jid, handled }| {
            let bound = Bound::new(&self.client, jid).ok_or(ResumeRefusal::NotFound(None))?;
            Ok((bound, handled))
        });
        match found {
            Ok((bound, handled)) => {
                write(out, management::resumed(&previd, handled).build());
                out.push(Action::Reestablished(bound.jid().clone()));
                conversation.handled = Some(handled);
                State::Session(Session::new(bound))
            }
            Err(ResumeRefusal::NotFound(handled)) => {
                // XEP-0198 §5: the client may bind a resource instead.
                write(out, management::failed(Condition::ItemNotFound, handled).build());
                self.count_failure(conversation, out)
            }
            Err(ResumeRefusal::HandledTooMany { h, sent }) => {
                closing::fail(management::too_high(h, sent), conversation, out)
            }
        }
    }

    /// Lets the client ask again, but not for ever (RFC 6120 §7.7.2).
    fn refuse(self, id: &str, refusal: BindRefusal, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let (type_, condition) = refusal.error();
        let error = El::new("error", "").attr("type", type_.as_str()).child(El::new(condition.as_str(), ns::STANZAS));
        let id = Some(id).filter(|id| !id.is_empty());
        write(out, El::new("iq", "").attr("type", "error").attr_opt("id", id).child(error).build());
        self.count_failure(conversation, out)
    }

    fn count_failure(self, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        conversation.failed_bindings = conversation.failed_bindings.saturating_add(1);
        if conversation.failed_bindings >= conversation.host().bind_attempts.max(1) {
            let error = StreamError::with_text(StreamCondition::PolicyViolation, "too many failed bindings");
            return closing::fail(error, conversation, out);
        }
        State::Bind(self)
    }
}

impl BindRefusal {
    const fn error(self) -> (ErrorType, Condition) {
        match self {
            Self::Conflict => (ErrorType::Modify, Condition::Conflict),
            Self::ResourceConstraint => (ErrorType::Wait, Condition::ResourceConstraint),
            Self::NotAllowed => (ErrorType::Cancel, Condition::NotAllowed),
            Self::BadRequest => (ErrorType::Modify, Condition::BadRequest),
            Self::InternalServerError => (ErrorType::Cancel, Condition::InternalServerError),
        }
    }
}

/// The address asked for; none if the server is to choose (RFC 6120 §7.6).
fn requested(request: Node<'_>, account: &BareJid) -> Result<Option<FullJid>, BindRefusal> {
    let resource = request.child(ns::BIND, "resource").map(|resource| resource.text());
    match resource {
        Some(resource) if !resource.is_empty() => {
            account.with_resource(&resource).map(Some).map_err(|_| BindRefusal::BadRequest)
        }
        _ => Ok(None),
    }
}
