use std::sync::Arc;

use bytes::Bytes;
use xylem_sasl::{Failure, SaslCondition};
use xylem_stanza::BareJid;

use crate::action::Action;
use crate::config::{Environment, HostConfig};

/// What outlives the states: the stream they all talk on.
pub(crate) struct Conversation {
    pub env: Arc<dyn Environment>,
    /// Chosen by the client's header.
    pub host: Option<Arc<HostConfig>>,
    /// Whether our header of the present stream was sent.
    pub answered: bool,
    /// What comes may be a replay of early data (RFC 8446 §8).
    pub early: bool,
    /// `xml:lang` of the client's header: the default of its stanzas.
    pub lang: Option<Arc<str>>,
    /// Who the client's header says it is, which proves nothing.
    pub client: Option<BareJid>,
    pub failed_logins: u8,
    pub failed_bindings: u8,
    /// With stream management: how many stanzas of the client were handled (XEP-0198 §4).
    pub handled: Option<u32>,
}

impl Conversation {
    pub(crate) fn new(env: Arc<dyn Environment>) -> Self {
        Self {
            env,
            host: None,
            answered: false,
            early: false,
            lang: None,
            client: None,
            failed_logins: 0,
            failed_bindings: 0,
            handled: None,
        }
    }

    /// The host spoken with; the default one as long as none was named.
    pub(crate) fn host(&self) -> Arc<HostConfig> {
        self.host.clone().unwrap_or_else(|| self.env.default_host())
    }

    /// XEP-0388 §2.3: whoever the header named, nobody else may log in.
    pub(crate) fn check_client(&self, account: &BareJid) -> Result<(), Failure> {
        if self.client.as_ref().is_none_or(|client| client == account) {
            return Ok(());
        }
        let reason = "the login is another's than the stream header's";
        Err(Failure { condition: SaslCondition::InvalidAuthzid, reason })
    }

    /// The client will begin a new stream (RFC 6120 §4.3.3).
    pub(crate) fn restart(&mut self) {
        self.answered = false;
        self.lang = None;
    }
}

/// Queues text for the client.
pub(crate) fn write(out: &mut Vec<Action>, text: String) {
    out.push(Action::Write(Bytes::from(text)));
}
