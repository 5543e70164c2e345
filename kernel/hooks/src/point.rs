//! Where and when plugins are called.

use serde::Deserialize;
use xylem_stanza::Kind;

/// A place on a stanza's path. The manifest writes it as `message.out` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub enum HookPoint {
    /// A message from a session of this server, once, before it is routed. Key: the sender's account.
    #[serde(rename = "message.out")]
    MessageOut,
    /// A presence from a session, before it is routed or broadcast. Key: the sender's account.
    #[serde(rename = "presence.out")]
    PresenceOut,
    /// An IQ from a session, before it is routed or answered. Key: the sender's account.
    #[serde(rename = "iq.out")]
    IqOut,
    /// A message to a local account or claimed domain, once per addressed entity. Key: that entity.
    #[serde(rename = "message.in")]
    MessageIn,
    /// A presence to a local account or claimed domain, probes and subscriptions included. Key: that entity.
    #[serde(rename = "presence.in")]
    PresenceIn,
    /// An IQ to a local full JID, account or claimed domain. Key: that entity.
    #[serde(rename = "iq.in")]
    IqIn,
    /// A message that no session of the account took (RFC 6121 §8.5.2.2). Key: the account.
    #[serde(rename = "message.fallback")]
    MessageFallback,
}

impl HookPoint {
    /// All of them, in the order of a stanza's path.
    pub const ALL: [Self; 7] = [
        Self::MessageOut,
        Self::PresenceOut,
        Self::IqOut,
        Self::MessageIn,
        Self::PresenceIn,
        Self::IqIn,
        Self::MessageFallback,
    ];

    /// The stanzas that pass here.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::MessageOut | Self::MessageIn | Self::MessageFallback => Kind::Message,
            Self::PresenceOut | Self::PresenceIn => Kind::Presence,
            Self::IqOut | Self::IqIn => Kind::Iq,
        }
    }

    /// Whether the other party is the sender (`in`) or the recipient (`out`).
    #[must_use]
    pub const fn inbound(self) -> bool {
        !matches!(self, Self::MessageOut | Self::PresenceOut | Self::IqOut)
    }

    /// Whether it is on a stanza's way out of its sender's session.
    #[must_use]
    pub const fn is_outgoing(self) -> bool {
        matches!(self, Self::MessageOut | Self::PresenceOut | Self::IqOut)
    }

    /// Whether stanzas to a claimed domain pass here.
    #[must_use]
    pub const fn may_be_claimed(self) -> bool {
        matches!(self, Self::MessageIn | Self::PresenceIn | Self::IqIn)
    }

    /// The name in manifests and in `xylem chain`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::MessageOut => "message.out",
            Self::PresenceOut => "presence.out",
            Self::IqOut => "iq.out",
            Self::MessageIn => "message.in",
            Self::PresenceIn => "presence.in",
            Self::IqIn => "iq.in",
            Self::MessageFallback => "message.fallback",
        }
    }
}

/// The named stages of a chain, in this order. Inside a phase `before` and
/// `after` on plugin ids decide, then the plugin id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Blocking, spam, policy: may reject. Fails closed.
    Screen,
    /// May edit: stanza ids, capability hashes.
    Enrich,
    /// May store: archive, inbox.
    Record,
    /// May send copies: carbons.
    Copy,
    /// In place of or beside the kernel's own delivery.
    Default,
    /// When nobody took it: offline storage, bounce.
    Fallback,
    /// May neither edit nor stop: push, audit.
    Observe,
}

impl Phase {
    /// The name in manifests and in `xylem chain`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Screen => "screen",
            Self::Enrich => "enrich",
            Self::Record => "record",
            Self::Copy => "copy",
            Self::Default => "default",
            Self::Fallback => "fallback",
            Self::Observe => "observe",
        }
    }
}

/// What happened, for plugins that only want to know. Key: the account concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
pub enum EventPoint {
    /// A resource was bound. Subject: the full JID.
    #[serde(rename = "session.bound")]
    SessionBound,
    /// A session became available, or its priority rose from negative to at least 0. Subject: the full JID.
    /// Detail: the priority.
    #[serde(rename = "session.available")]
    SessionAvailable,
    /// An available session became unavailable, by presence or by ending. Subject: the full JID.
    #[serde(rename = "session.unavailable")]
    SessionUnavailable,
    /// A session has lost its connection and waits for its client; it stays available, and what it is sent is
    /// kept (XEP-0198). Subject: the full JID; detail: how many messages its client has not confirmed.
    #[serde(rename = "session.hibernated")]
    SessionHibernated,
    /// The client of such a session came back. Subject: the full JID.
    #[serde(rename = "session.resumed")]
    SessionResumed,
    /// A session is gone. Subject: the full JID. Detail: why.
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// Subject: the account.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// The server removes the account next, when everybody has heard: its rows and sessions are still
    /// there. Not told when a plugin removes it, which does so within its own turn. Subject: the account.
    #[serde(rename = "account.leaving")]
    AccountLeaving,
    /// The account and all rows of its key are gone. Subject: the account.
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// Subject: the account.
    #[serde(rename = "account.password")]
    AccountPassword,
    /// The plugin runs for a domain: at start, after an upgrade and after a change of
    /// configuration. Key and subject: the domain.
    #[serde(rename = "domain.started")]
    DomainStarted,
    /// The server stops; the sessions are still there, and what is sent to them goes out before they end. Told
    /// for each key under which the plugin has groups: that is where others wait for a word. Subject: the key.
    #[serde(rename = "server.stopping")]
    ServerStopping,
}

impl EventPoint {
    /// How many there are.
    pub const COUNT: usize = 12;
}

/// Who an IQ is addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EntityClass {
    /// A domain this server hosts.
    Server,
    /// A bare JID of a hosted domain, or no `to` at all (RFC 6120 §10.3.3).
    Account,
    /// A domain that the plugin claims, and everything at it.
    Domain,
}
