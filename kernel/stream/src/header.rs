//! The stream header: what the client's must say, and ours in return
//! (RFC 6120 §4.7).

use std::sync::Arc;

use xylem_stanza::{Domain, Jid, StreamCondition, ns};
use xylem_xml::{StreamHeader, escape_attr};

use crate::action::Action;
use crate::auth::Authenticated;
use crate::bind::Bind;
use crate::closing;
use crate::config::{HostConfig, HostLookup};
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::features::{self, Features};
use crate::starttls::TlsEstablished;
use crate::stream::State;

/// The client's header is due: at the beginning, and after each restart.
pub(crate) struct Header {
    progress: Progress,
}

/// What the client achieved on the streams before.
enum Progress {
    Nothing,
    Encrypted(TlsEstablished),
    Authenticated(Authenticated),
}

/// Longest `from` and `to` that are looked at: a JID of three full parts.
const LONGEST_JID: usize = 3 * 1023 + 2;

impl Header {
    pub(crate) fn new(tls: Option<TlsEstablished>) -> Self {
        Self { progress: tls.map_or(Progress::Nothing, Progress::Encrypted) }
    }

    pub(crate) const fn authenticated(client: Authenticated) -> Self {
        Self { progress: Progress::Authenticated(client) }
    }

    pub(crate) fn open(self, header: &StreamHeader, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let checked = self.check(header, conversation);
        let from = checked.as_ref().ok().and_then(Option::as_ref);
        answer(from, conversation, out);
        if let Err(error) = &checked {
            return closing::fail(error.clone(), conversation, out);
        }
        conversation.client = checked.ok().flatten().map(|from| from.bare()).filter(|from| !from.is_domain());
        conversation.lang = header.lang().filter(|lang| plausible(lang)).map(Into::into);
        match self.progress {
            Progress::Nothing => Features::begin(None, conversation, out),
            Progress::Encrypted(tls) => Features::begin(Some(tls), conversation, out),
            Progress::Authenticated(client) => {
                write(out, features::after_auth(&conversation.host()));
                State::Bind(Bind::new(client))
            }
        }
    }

    /// Holds the header against RFC 6120 §4.7–§4.8; chooses the host; returns
    /// the client's `from`.
    fn check(&self, header: &StreamHeader, conversation: &mut Conversation) -> Result<Option<Jid>, StreamError> {
        let host = self.choose_host(header.to(), conversation);
        if header.ns() != ns::STREAMS {
            return Err(StreamError::with_text(StreamCondition::InvalidNamespace, "not a stream"));
        }
        if header.name() != "stream" {
            return Err(StreamError::with_text(StreamCondition::BadFormat, "not a stream"));
        }
        if header.default_ns() != ns::CLIENT {
            let text = "the default namespace must be jabber:client";
            return Err(StreamError::with_text(StreamCondition::InvalidNamespace, text));
        }
        host?;
        check_version(header.version().as_deref())?;
        self.check_from(header.from(), conversation)
    }

    fn choose_host(&self, to: Option<String>, conversation: &mut Conversation) -> Result<(), StreamError> {
        let Some(to) = to else {
            conversation.host.get_or_insert_with(|| conversation.env.default_host());
            return Ok(());
        };
        let domain = domain(&to)?;
        if let Progress::Authenticated(client) = &self.progress {
            // An identity holds for the domain that checked it.
            return if client.account().domain() == domain.as_str() {
                Ok(())
            } else {
                Err(StreamError::with_text(StreamCondition::NotAuthorized, "logged in at another domain"))
            };
        }
        match conversation.env.host(&domain) {
            HostLookup::Found(host) => {
                conversation.host = Some(host);
                Ok(())
            }
            HostLookup::Unknown => Err(StreamCondition::HostUnknown.into()),
            HostLookup::Gone => Err(StreamCondition::HostGone.into()),
        }
    }

    /// RFC 6120 §4.7.1; once the client logged in it cannot be somebody else
    /// (§4.9.3.9).
    fn check_from(&self, from: Option<String>, conversation: &Conversation) -> Result<Option<Jid>, StreamError> {
        let Some(from) = from else { return Ok(None) };
        let invalid = StreamError::new(StreamCondition::InvalidFrom);
        let from = Some(from).filter(|from| from.len() <= LONGEST_JID);
        let from = from.and_then(|from| Jid::parse(&from).ok()).ok_or(invalid.clone())?;
        match &self.progress {
            Progress::Authenticated(client) if from.bare() != *client.account() => Err(invalid),
            // XEP-0388 §2.1: nobody of another domain can log in here.
            _ if from.domain() != conversation.host().domain.as_str() => Err(invalid),
            _ => Ok(Some(from)),
        }
    }
}

/// The domain of `to`. What is no address at all is `improper-addressing`
/// (RFC 6120 §4.9.3.7); an address that is no domain is nobody's host.
fn domain(to: &str) -> Result<Domain, StreamError> {
    let jid = Some(to).filter(|to| to.len() <= LONGEST_JID).and_then(|to| Jid::parse(to).ok());
    let jid = jid.ok_or(StreamError::new(StreamCondition::ImproperAddressing))?;
    if jid.is_domain() { Ok(jid.to_domain()) } else { Err(StreamCondition::HostUnknown.into()) }
}

/// RFC 6120 §4.7.5: majors are compared as numbers, and what we speak is 1.0.
/// A missing version means a protocol from before XMPP.
fn check_version(version: Option<&str>) -> Result<(), StreamError> {
    let major = version.and_then(|v| v.split_once('.')).filter(|(major, minor)| digits(major) && digits(minor));
    let supported = major.is_some_and(|(major, _)| major.bytes().any(|b| b != b'0'));
    if supported { Ok(()) } else { Err(StreamCondition::UnsupportedVersion.into()) }
}

fn digits(text: &str) -> bool {
    (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

/// The form of a language tag (RFC 5646 §2.1), so that it can be repeated on
/// every stanza without harm.
fn plausible(lang: &str) -> bool {
    (1..=35).contains(&lang.len()) && lang.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Sends our header unless that was done.
pub(crate) fn answer_if_due(conversation: &mut Conversation, out: &mut Vec<Action>) {
    if !conversation.answered {
        answer(None, conversation, out);
    }
}

fn answer(client: Option<&Jid>, conversation: &mut Conversation, out: &mut Vec<Action>) {
    conversation.answered = true;
    let host: Arc<HostConfig> = conversation.host();
    let mut text = format!(
        "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' id='{}' from='{}'",
        ns::CLIENT,
        ns::STREAMS,
        escape_attr(&conversation.env.token()),
        escape_attr(host.domain.as_str()),
    );
    if let Some(client) = client {
        text.push_str(&format!(" to='{}'", escape_attr(client.as_str())));
    }
    text.push_str(" version='1.0' xml:lang='en'>");
    write(out, text);
}
