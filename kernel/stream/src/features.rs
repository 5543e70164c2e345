//! The features of a stream (RFC 6120 §4.3.2, in the order of XEP-0170), and
//! the state in which the client has yet to choose among them.

use std::sync::Arc;

use xylem_sasl::{Addressing, Mechanism, Offer};
use xylem_stanza::{BareJid, Domain, Kind, Stanza, StreamCondition, ns};
use xylem_xml::{El, Element, Limits};

use crate::action::Action;
use crate::auth;
use crate::closing;
use crate::config::{HostConfig, StartTls};
use crate::conversation::{Conversation, write};
use crate::error::StreamError;
use crate::management;
use crate::starttls::{self, TlsEstablished};
use crate::stream::State;
use crate::upgrade;

/// The client is nobody yet.
pub(crate) struct Features {
    pub tls: Option<TlsEstablished>,
    pub offer: Arc<Offer>,
}

impl Features {
    /// Announces what is possible.
    pub(crate) fn begin(tls: Option<TlsEstablished>, conversation: &Conversation, out: &mut Vec<Action>) -> State {
        let host = conversation.host();
        let offer = Arc::new(offer(&host, tls.as_ref()));
        write(out, before_auth(&host, tls.is_some(), &offer));
        State::Features(Self { tls, offer })
    }

    pub(crate) fn element(self, element: Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let root = element.root();
        match root.ns() {
            ns::TLS if root.name() == "starttls" => starttls::requested(self.tls, conversation, out),
            ns::SASL | ns::SASL2 => auth::requested(self, &element, conversation, out),
            _ if conversation.early => {
                let error =
                    StreamError::with_text(StreamCondition::PolicyViolation, "no login, and sent as early data");
                closing::fail(error, conversation, out)
            }
            ns::CLIENT => self.stanza(element, conversation, out),
            // XEP-0198 §3: not before the client has logged in.
            ns::STREAM_MANAGEMENT => {
                write(out, management::unexpected().build());
                State::Features(self)
            }
            _ => closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out),
        }
    }

    /// Whether the host wants TLS before anything else.
    pub(crate) fn must_encrypt(&self, host: &HostConfig) -> bool {
        self.tls.is_none() && host.starttls == StartTls::Required
    }

    /// A stanza from nobody: an error (RFC 6120 §4.9.3.12) but for what the
    /// configuration admits.
    fn stanza(self, element: Element, conversation: &mut Conversation, out: &mut Vec<Action>) -> State {
        let host = conversation.host();
        let root = element.root();
        if !matches!(root.name(), "iq" | "message" | "presence") {
            return closing::fail(StreamCondition::UnsupportedStanzaType, conversation, out);
        }
        let payload = root.children().next().map(|child| child.ns()).unwrap_or_default();
        let admitted = root.name() == "iq" && host.pre_auth_namespaces.iter().any(|ns| ns == payload);
        if !admitted || self.must_encrypt(&host) {
            return closing::fail(StreamCondition::NotAuthorized, conversation, out);
        }
        match Stanza::from_element(element) {
            Ok(stanza) if stanza.kind() == Kind::Iq => {
                out.push(Action::PreAuthIq { stanza, host });
                State::Features(self)
            }
            _ => closing::fail(StreamCondition::NotAuthorized, conversation, out),
        }
    }
}

/// Addresses of one host's accounts.
struct Accounts(Domain);

impl Addressing for Accounts {
    fn account(&self, username: &str) -> Option<String> {
        BareJid::new(username, &self.0).ok().map(|jid| jid.to_string())
    }

    fn authzid(&self, authzid: &str) -> Option<String> {
        BareJid::parse(authzid).ok().map(|jid| jid.to_string())
    }
}

fn offer(host: &HostConfig, tls: Option<&TlsEstablished>) -> Offer {
    let tls = tls.map(TlsEstablished::facts);
    let certificate = tls.map(|tls| tls.certificate.as_slice()).unwrap_or_default();
    let ours = certificate.iter().filter(|jid| jid.domain() == host.domain.as_str() && !jid.is_domain());
    Offer {
        enabled: host.mechanisms.clone(),
        encrypted: tls.is_some(),
        bindings: tls.map(|tls| tls.bindings.clone()).unwrap_or_default(),
        certificate: ours.map(ToString::to_string).collect(),
        decoy: host.decoy.clone(),
        addressing: Arc::new(Accounts(host.domain.clone())),
    }
}

fn before_auth(host: &HostConfig, encrypted: bool, offer: &Offer) -> String {
    let mut features = El::new("stream:features", "");
    if !encrypted && host.starttls != StartTls::Unavailable {
        let required = host.starttls == StartTls::Required;
        let required = required.then(|| El::new("required", ""));
        features = features.child(El::new("starttls", ns::TLS).child_opt(required));
    }
    if !encrypted && host.starttls == StartTls::Required {
        return features.build();
    }
    let limits = host.limits_before_auth.map(|before| limits(before, None));
    features
        .raw(&host.features_before_auth)
        .child_opt(channel_bindings(offer))
        .child_opt(mechanisms(offer))
        .child_opt(authentication(host, offer))
        .child_opt(limits)
        .build()
}

/// XEP-0440 §2.
fn channel_bindings(offer: &Offer) -> Option<El> {
    let mut types = offer.channel_binding_types().peekable();
    types.peek()?;
    let types = types.map(|name| El::new("channel-binding", "").attr("type", name));
    Some(El::new("sasl-channel-binding", ns::CHANNEL_BINDING).children(types))
}

/// RFC 6120 §6.4.1.
fn mechanisms(offer: &Offer) -> Option<El> {
    let mut names = offer.mechanisms().map(Mechanism::name).peekable();
    names.peek()?;
    let names = names.map(|name| El::new("mechanism", "").text(name));
    Some(El::new("mechanisms", ns::SASL).children(names))
}

/// XEP-0388 §2.1, XEP-0480 §2.1.
fn authentication(host: &HostConfig, offer: &Offer) -> Option<El> {
    let mut names = offer.mechanisms().map(Mechanism::name).peekable();
    names.peek()?;
    let names = names.map(|name| El::new("mechanism", "").text(name));
    let resumption = El::new("sm", ns::STREAM_MANAGEMENT);
    let inline = El::new("inline", "").child(resumption).child(binding(host)).child_opt(fast(host, offer));
    let upgrades = upgrade::offered(host).map(|hash| El::new("upgrade", ns::SASL_UPGRADE).text(&upgrade::task(hash)));
    Some(El::new("authentication", ns::SASL2).children(names).child(inline).children(upgrades))
}

/// XEP-0386 §3.1: what the stream knows itself, and what others do.
fn binding(host: &HostConfig) -> El {
    let own = [ns::STREAM_MANAGEMENT, ns::CLIENT_STATE].into_iter();
    let all = own.chain(host.inline_features.iter().map(String::as_str));
    let features = all.map(|feature| El::new("feature", "").attr("var", feature));
    El::new("bind", ns::BIND2).child(El::new("inline", "").children(features))
}

/// XEP-0484 §3.1.
fn fast(host: &HostConfig, offer: &Offer) -> Option<El> {
    let mut names = offer.token_mechanisms().filter(|_| host.tokens).peekable();
    names.peek()?;
    let names = names.map(|mechanism| El::new("mechanism", "").text(mechanism.name()));
    let early = host.early_data.then_some("true");
    Some(El::new("fast", ns::FAST).attr_opt("tls-0rtt", early).children(names))
}

/// XEP-0478 §2.
fn limits(limits: Limits, idle_seconds: Option<u32>) -> El {
    let number = |name, value: String| El::new(name, "").text(&value);
    El::new("limits", ns::STREAM_LIMITS)
        .child(number("max-bytes", limits.stanza_bytes.to_string()))
        .child_opt(idle_seconds.map(|seconds| number("idle-seconds", seconds.to_string())))
}

/// What is left to know once there is a session: the limits, and what plugins say.
pub(crate) fn with_session(host: &HostConfig) -> String {
    El::new("stream:features", "").child(limits(host.limits, host.idle_seconds)).raw(&host.features_after_auth).build()
}

/// Resource binding, what follows it, and the limits.
pub(crate) fn after_auth(host: &HostConfig) -> String {
    El::new("stream:features", "")
        .child(El::new("bind", ns::BIND))
        .child(El::new("session", ns::SESSION).child(El::new("optional", "")))
        .child(El::new("sm", ns::STREAM_MANAGEMENT))
        .child(limits(host.limits, host.idle_seconds))
        .raw(&host.features_after_auth)
        .build()
}
