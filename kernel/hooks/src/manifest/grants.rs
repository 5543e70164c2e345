//! `[needs]`: what a plugin asks to be allowed.

use std::sync::Arc;

use serde::Deserialize;

use super::units::PluginId;

/// What the plugin may do beyond its own stores; nothing unless asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Change the current stanza.
    pub edit: bool,
    pub outbox: Option<OutboxGrant>,
    /// Read-only stores of other plugins, numbered after the plugin's own.
    pub views: Vec<View>,
    pub sessions: SessionGrants,
    pub groups: bool,
    pub accounts: AccountGrants,
    /// Slots whose merged contributions it may read; `*` for all.
    pub contributions: Vec<String>,
    /// Send IQ requests and get their answers.
    pub ask: bool,
    /// Be called at a time.
    pub wake: bool,
    /// Listen for connections and have them relayed.
    pub wires: bool,
    /// Call operations of the server's table, in the name of whoever is behind the stanza.
    pub operations: bool,
}

/// Who it may send as, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboxGrant {
    pub from: Vec<Sender>,
    pub to: Vec<Recipient>,
}

/// A `from` that a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// The account of the call's key, bare or with any resource.
    Account,
    /// The hosted domain.
    Server,
    /// Anything at a domain that the plugin claims.
    Domain,
}

/// A `to` that a plugin may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    Any,
    /// The account of the call's key and its sessions.
    OwnSessions,
    /// Every available session of the domain at once.
    Everybody,
}

/// A store of another plugin.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct View {
    pub plugin: PluginId,
    pub store: String,
    /// `plugin/store`.
    pub table: Arc<str>,
}

impl TryFrom<String> for View {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let Some((plugin, store)) = text.split_once('/') else {
            return Err(format!("`{text}` is no view; write plugin/store, such as `xylem.roster/contacts`"));
        };
        let plugin = PluginId::try_from(plugin.to_owned())?;
        Ok(Self { plugin, store: store.to_owned(), table: text.as_str().into() })
    }
}

/// `needs.sessions`: `true` for all, or a list of verbs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SessionGrants {
    pub read: bool,
    pub tag: bool,
    pub end: bool,
}

/// `needs.accounts`: a list of verbs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountGrants {
    pub exists: bool,
    pub create: bool,
    pub password: bool,
    pub delete: bool,
    pub devices: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SessionVerb {
    Read,
    Tag,
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AccountVerb {
    Exists,
    Create,
    Password,
    Delete,
    Devices,
}

impl<'de> Deserialize<'de> for SessionGrants {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "write true, or a list of `read`, `tag`, `end`")]
        enum Form {
            All(bool),
            Verbs(Vec<SessionVerb>),
        }
        Ok(match Form::deserialize(source)? {
            Form::All(all) => Self { read: all, tag: all, end: all },
            Form::Verbs(verbs) => Self {
                read: verbs.contains(&SessionVerb::Read),
                tag: verbs.contains(&SessionVerb::Tag),
                end: verbs.contains(&SessionVerb::End),
            },
        })
    }
}

impl<'de> Deserialize<'de> for AccountGrants {
    fn deserialize<D: serde::Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        let verbs = Vec::<AccountVerb>::deserialize(source)?;
        Ok(Self {
            exists: verbs.contains(&AccountVerb::Exists),
            create: verbs.contains(&AccountVerb::Create),
            password: verbs.contains(&AccountVerb::Password),
            delete: verbs.contains(&AccountVerb::Delete),
            devices: verbs.contains(&AccountVerb::Devices),
        })
    }
}
