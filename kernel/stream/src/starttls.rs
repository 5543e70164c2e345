//! STARTTLS (RFC 6120 §5).

use xylem_stanza::{StreamCondition, ns};
use xylem_xml::El;

use crate::action::{Action, Ending};
use crate::closing;
use crate::config::StartTls;
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::event::Tls;
use crate::header::Header;
use crate::stream::State;

/// Proof that TLS protects the connection.
#[derive(Debug)]
pub struct TlsEstablished {
    tls: Tls,
}

impl TlsEstablished {
    /// What is known of the connection.
    pub const fn facts(&self) -> &Tls {
        &self.tls
    }
}

/// The handshake is the driver's; nothing else can happen before it is done.
pub(crate) struct Handshake(());

/// TLS came before the stream (XEP-0368).
pub(crate) const fn direct(tls: Tls) -> TlsEstablished {
    TlsEstablished { tls }
}

/// Answers `<starttls/>`.
pub(crate) fn requested(tls: Option<TlsEstablished>, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
    if tls.is_some() || conversation.host().starttls == StartTls::Unavailable {
        // RFC 6120 §5.4.2.2: the failure ends the stream, without a stream error.
        write(out, El::new("failure", ns::TLS).build());
        let error = StreamError::with_text(StreamCondition::UnsupportedFeature, "STARTTLS was not offered");
        return closing::close(Ending::Failed(error), conversation, out);
    }
    write(out, El::new("proceed", ns::TLS).build());
    out.push(Action::StartTls);
    State::StartTls(Handshake(()))
}

impl Handshake {
    /// The client begins a new stream inside TLS (RFC 6120 §5.4.3.3).
    pub(crate) fn established(self, tls: Tls, conversation: &mut Conversation) -> State {
        conversation.restart();
        conversation.early = tls.early;
        State::Header(Header::new(Some(TlsEstablished { tls })))
    }
}
