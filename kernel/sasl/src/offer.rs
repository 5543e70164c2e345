use std::sync::Arc;

use crate::condition::SaslCondition;
use crate::decoy::DecoyKey;
use crate::mechanism::Mechanism;
use crate::token::TokenMechanism;

/// Channel-binding data of the TLS connection, as the TLS library gave it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChannelBindings {
    /// RFC 9266: 32 bytes exported under `EXPORTER-Channel-Binding`; TLS 1.3 only.
    pub tls_exporter: Option<[u8; 32]>,
    /// RFC 5929 §4: the hash of the server's certificate.
    pub tls_server_end_point: Option<Vec<u8>>,
}

impl ChannelBindings {
    /// Whether a -PLUS mechanism can be offered at all.
    pub fn any(&self) -> bool {
        self.types().next().is_some()
    }

    /// The registered names of the types at hand, strongest first, as XEP-0440
    /// announces them.
    pub fn types(&self) -> impl Iterator<Item = &'static str> {
        let exporter = self.tls_exporter.is_some().then_some("tls-exporter");
        let end_point = self.tls_server_end_point.is_some().then_some("tls-server-end-point");
        exporter.into_iter().chain(end_point)
    }

    /// The data of one type.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        match name {
            "tls-exporter" => self.tls_exporter.as_ref().map(<[u8; 32]>::as_slice),
            "tls-server-end-point" => self.tls_server_end_point.as_deref(),
            _ => None,
        }
    }
}

/// How names become addresses. The rules (RFC 7622) live with the caller, so
/// that this crate compares only normal forms.
pub trait Addressing: Send + Sync {
    /// The bare JID of the account that a simple user name means on this
    /// stream's domain; `None` if no account can have that name.
    fn account(&self, username: &str) -> Option<String>;
    /// The normal form of an authorization identity that is a bare JID
    /// (RFC 6120 §6.3.8); `None` if it is not one.
    fn authzid(&self, authzid: &str) -> Option<String>;
}

/// What one stream offers and knows; every exchange of the stream is held to it.
#[derive(Clone)]
pub struct Offer {
    /// Mechanisms allowed by policy, most preferred first.
    pub enabled: Arc<[Mechanism]>,
    /// Whether TLS protects the stream.
    pub encrypted: bool,
    /// Empty where the stream is not encrypted.
    pub bindings: ChannelBindings,
    /// Normalised bare JIDs that the client's verified certificate speaks for
    /// (XEP-0178 §2), already narrowed to the stream's domain.
    pub certificate: Vec<String>,
    /// Makes secrets for accounts that do not exist.
    pub decoy: DecoyKey,
    pub addressing: Arc<dyn Addressing>,
}

impl Offer {
    /// The mechanisms to announce, most preferred first.
    pub fn mechanisms(&self) -> impl Iterator<Item = Mechanism> + '_ {
        self.enabled.iter().copied().filter(|m| self.possible(*m))
    }

    /// Whether some -PLUS mechanism is announced.
    pub fn announces_plus(&self) -> bool {
        self.mechanisms().any(|m| matches!(m, Mechanism::Scram { plus: true, .. }))
    }

    /// Channel-binding types to announce (XEP-0440 §2); none where no
    /// mechanism could use them.
    pub fn channel_binding_types(&self) -> impl Iterator<Item = &'static str> {
        let shown = self.announces_plus();
        self.bindings.types().filter(move |_| shown)
    }

    /// The lists of mechanisms and of channel-binding types as a client saw them, written so that
    /// both sides hash the same (XEP-0474 §5.1).
    pub(crate) fn listed(&self) -> String {
        let joined = |mut names: Vec<&str>| {
            // Of ASCII: the order of octets.
            names.sort_unstable();
            names.join("\u{1e}")
        };
        let bindings: Vec<_> = self.channel_binding_types().collect();
        let mechanisms = joined(self.mechanisms().map(Mechanism::name).collect());
        if bindings.is_empty() { mechanisms } else { format!("{mechanisms}\u{1f}{}", joined(bindings)) }
    }

    /// The mechanisms for tokens to announce (XEP-0484 §3.1), strongest first; none on
    /// a stream that is not encrypted.
    pub fn token_mechanisms(&self) -> impl Iterator<Item = TokenMechanism> + '_ {
        TokenMechanism::ALL.into_iter().filter(|m| self.encrypted && m.binding(&self.bindings).is_some())
    }

    /// Finds the mechanism a client chose by name, or the condition it earns.
    pub(crate) fn choose(&self, name: &str) -> Result<Mechanism, SaslCondition> {
        let mechanism = Mechanism::parse(name).ok_or(SaslCondition::InvalidMechanism)?;
        if !self.enabled.contains(&mechanism) {
            return Err(match mechanism {
                Mechanism::Plain | Mechanism::Scram { plus: false, .. } => SaslCondition::MechanismTooWeak,
                _ => SaslCondition::InvalidMechanism,
            });
        }
        match mechanism {
            m if self.possible(m) => Ok(m),
            Mechanism::Plain if !self.encrypted => Err(SaslCondition::EncryptionRequired),
            _ => Err(SaslCondition::InvalidMechanism),
        }
    }

    fn possible(&self, mechanism: Mechanism) -> bool {
        match mechanism {
            Mechanism::Scram { plus, .. } => !plus || (self.encrypted && self.bindings.any()),
            Mechanism::Plain => self.encrypted,
            Mechanism::External => self.encrypted && !self.certificate.is_empty(),
            Mechanism::Anonymous => true,
        }
    }
}
