//! What somebody wants of a new server.

use serde::{Deserialize, Serialize};

use super::password;
use crate::sign_in::Answer;

/// All that the wizard asks for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The host that addresses end in.
    pub domain: String,
    pub certificate: Certificate,
    pub owner: Owner,
    pub registration: Registration,
    /// Ids of the plugins that shall run; `*` stands for all that are installed.
    pub plugins: Vec<String>,
}

/// Where the certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Certificate {
    /// The server makes one; clients and browsers ask whether to trust it.
    SelfSigned,
    /// PEM files on the server.
    Files { chain: String, key: String },
    /// From an authority by ACME (RFC 8555).
    Acme {
        /// An e-mail address that it may write to; may be empty.
        #[serde(default)]
        contact: String,
        /// Whether whoever sets the server up has agreed to its terms of service.
        #[serde(default)]
        terms_agreed: bool,
        /// The address of its directory; that of the configuration unless given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        directory: Option<String>,
    },
}

/// The account that may do everything.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The part before the `@`.
    pub name: String,
    pub password: String,
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Owner").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registration {
    /// Administrators make accounts.
    Closed,
    /// Anybody, some an hour from each network address.
    Open,
}

/// What the server proposes, from its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The domains that it serves now, the proposed one first.
    pub domains: Vec<String>,
    pub certificate: Certificate,
    pub registration: Registration,
    pub plugins: Vec<Choice>,
    /// The authority that certificates by ACME come from: the address of its directory.
    pub authority: String,
    /// Where what is chosen will be written; none if it cannot be.
    pub file: Option<String>,
}

/// A plugin that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Choice {
    pub id: String,
    pub summary: String,
    pub enabled: bool,
}

/// Something about a plan that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// `domain`, `certificate`, `owner.name`, `owner.password`, `registration`, `plugins`, or empty: the whole.
    pub field: &'static str,
    pub message: String,
}

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// The owner's bare address.
    pub owner: String,
    /// What is in force now, in words.
    pub applied: Vec<String>,
    /// What is after a restart.
    pub restart: Vec<String>,
}

/// The server, as it is set up. The server implements it.
pub trait Installation: Send + Sync {
    fn proposal(&self) -> Answer<'_, Proposal>;

    /// What is wrong with a plan; nothing is changed.
    fn check<'a>(&'a self, plan: &'a Plan) -> Answer<'a, Vec<Wrong>>;

    /// Writes the configuration, takes it up, and makes the owner, in this order. What is wrong if it was
    /// not done.
    fn install(&self, plan: Plan) -> Answer<'_, Result<Installed, Vec<Wrong>>>;
}

impl Plan {
    /// What can be said without asking the server.
    pub(super) fn wrong(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let mut say = |field, message: &str| wrong.push(Wrong { field, message: message.to_owned() });
        if self.domain.is_empty() || self.domain.len() > 1023 {
            say("domain", "a domain has 1 to 1023 bytes");
        }
        if matches!(self.certificate, Certificate::Acme { terms_agreed: false, .. }) {
            say("certificate", "the authority's terms of service have to be read and agreed to");
        }
        if self.owner.name.is_empty() || self.owner.name.len() > 1023 || self.owner.name.contains(['@', '/']) {
            say("owner.name", "the part of the address before the @: 1 to 1023 bytes, without @ and /");
        }
        if self.plugins.len() > 1000 {
            say("plugins", "so many plugins there are not");
        }
        if let Some(message) = password::wrong(&self.owner.password, &self.owner.name, &self.domain) {
            say("owner.password", &message);
        }
        wrong
    }
}
