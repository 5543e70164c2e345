//! The states of a subscription and how stanzas change them (RFC 6121 appendix A).

/// A set of facts about a contact. The nine states of the appendix are combinations
/// of the first four; the numbers are part of the row format that other plugins read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    /// We get the contact's presence.
    pub(crate) const TO: Self = Self(1);
    /// The contact gets our presence.
    pub(crate) const FROM: Self = Self(2);
    /// Pending out: we asked for the contact's presence.
    pub(crate) const ASK: Self = Self(4);
    /// Pending in: the contact asked for ours.
    pub(crate) const PENDING: Self = Self(8);
    /// A request of the contact is answered yes when it comes (§3.4).
    pub(crate) const APPROVED: Self = Self(16);
    /// In the list that clients see. A request alone does not put anybody there (§3.1.3).
    pub(crate) const LISTED: Self = Self(32);

    pub(crate) fn of(letter: u8) -> Self {
        Self(letter & 63)
    }

    pub(crate) fn bits(self) -> u8 {
        self.0
    }

    pub(crate) fn has(self, flag: Self) -> bool {
        self.0 & flag.0 == flag.0
    }

    pub(crate) fn with(self, flag: Self) -> Self {
        Self(self.0 | flag.0)
    }

    pub(crate) fn without(self, flag: Self) -> Self {
        Self(self.0 & !flag.0)
    }

    /// The `subscription` attribute.
    pub(crate) fn subscription(self) -> &'static str {
        match (self.has(Self::TO), self.has(Self::FROM)) {
            (false, false) => "none",
            (true, false) => "to",
            (false, true) => "from",
            (true, true) => "both",
        }
    }
}

/// The four presence types that change subscriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
}

impl Change {
    pub(crate) fn of(kind: Option<&str>) -> Option<Self> {
        Some(match kind? {
            "subscribe" => Self::Subscribe,
            "subscribed" => Self::Subscribed,
            "unsubscribe" => Self::Unsubscribe,
            "unsubscribed" => Self::Unsubscribed,
            _ => return None,
        })
    }
}

/// What follows from a stanza: whether it goes on, and the new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Outbound: route it. Inbound: deliver it.
    pub(crate) passes: bool,
    pub(crate) flags: Flags,
}

/// A stanza of the user to the contact (A.2).
pub(crate) fn outbound(flags: Flags, change: Change) -> Step {
    match change {
        Change::Subscribe if flags.has(Flags::TO) => Step { passes: true, flags },
        Change::Subscribe => Step { passes: true, flags: flags.with(Flags::ASK).with(Flags::LISTED) },
        Change::Unsubscribe => Step { passes: true, flags: flags.without(Flags::TO).without(Flags::ASK) },
        Change::Subscribed if flags.has(Flags::PENDING) => {
            Step { passes: true, flags: flags.without(Flags::PENDING).with(Flags::FROM).with(Flags::LISTED) }
        }
        Change::Subscribed if flags.has(Flags::FROM) => Step { passes: false, flags },
        Change::Subscribed => Step { passes: false, flags: flags.with(Flags::APPROVED).with(Flags::LISTED) },
        Change::Unsubscribed => Step {
            passes: flags.has(Flags::PENDING) || flags.has(Flags::FROM),
            flags: flags.without(Flags::PENDING).without(Flags::FROM).without(Flags::APPROVED),
        },
    }
}

/// A stanza of the contact to the user (A.3). `Subscribe` that does not pass is
/// answered for the user where the contact has, or is given, a subscription.
pub(crate) fn inbound(flags: Flags, change: Change) -> Step {
    let asked = flags.has(Flags::ASK);
    match change {
        Change::Subscribe if flags.has(Flags::FROM) || flags.has(Flags::PENDING) => Step { passes: false, flags },
        Change::Subscribe if flags.has(Flags::APPROVED) => Step { passes: false, flags: flags.with(Flags::FROM) },
        Change::Subscribe => Step { passes: true, flags: flags.with(Flags::PENDING) },
        Change::Unsubscribe => Step {
            passes: flags.has(Flags::PENDING) || flags.has(Flags::FROM),
            flags: flags.without(Flags::PENDING).without(Flags::FROM),
        },
        Change::Subscribed if asked => Step { passes: true, flags: flags.without(Flags::ASK).with(Flags::TO) },
        Change::Subscribed => Step { passes: false, flags },
        Change::Unsubscribed => {
            Step { passes: asked || flags.has(Flags::TO), flags: flags.without(Flags::ASK).without(Flags::TO) }
        }
    }
}

#[cfg(test)]
mod tests;
