//! Who may call an operation, and on what.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use crate::caller::Rank;

/// A set of ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles(u8);

impl Roles {
    /// Owners alone: what concerns plugins, configuration, the data itself.
    pub const OWN: Self = Self(0).and(Rank::Owner);
    /// And administrators: what concerns accounts.
    pub const ADMINISTER: Self = Self::OWN.and(Rank::Administrator);
    /// And operators: what shows and changes nothing.
    pub const SEE: Self = Self::ADMINISTER.and(Rank::Operator);
    /// And auditors: numbers, nobody's address.
    pub const OVERSEE: Self = Self::SEE.and(Rank::Auditor);
    /// Owners and auditors: what others did.
    pub const AUDIT: Self = Self::OWN.and(Rank::Auditor);
    /// Everybody who signed in.
    pub const ANYBODY: Self = Self::OVERSEE.and(Rank::User);

    #[must_use]
    pub const fn and(self, rank: Rank) -> Self {
        Self(self.0 | 1 << rank as u8)
    }

    /// And everybody for the own account, where the operation is about an account.
    #[must_use]
    pub const fn and_own(self) -> Self {
        self.and(Rank::User)
    }

    #[must_use]
    pub const fn has(self, rank: Rank) -> bool {
        self.0 & (1 << rank as u8) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = Rank> {
        Rank::ALL.into_iter().filter(move |rank| self.has(*rank))
    }
}

/// What an operation is about, which says where a role that holds in some domains only holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "about", content = "argument", rename_all = "kebab-case")]
pub enum About {
    /// The whole server: who is limited to domains is refused.
    Server,
    /// What anybody may know who may call it at all; no domain's in particular.
    Common,
    /// The domain in the argument of this name. Who is limited has to give it; if he has one
    /// domain only it is taken for given.
    Domain(Cow<'static, str>),
    /// The account in this argument, likewise. Who is a mere user is given the own one.
    Account(Cow<'static, str>),
    /// The address in this argument, whose domain may be that of a service within a domain.
    Address(Cow<'static, str>),
    /// Either: the account in the argument `account`, else the domain in the argument `domain`.
    AccountOrDomain,
}

impl About {
    #[must_use]
    pub const fn domain() -> Self {
        Self::Domain(Cow::Borrowed("domain"))
    }

    #[must_use]
    pub const fn account() -> Self {
        Self::Account(Cow::Borrowed("account"))
    }

    /// The argument that holds an account, if any does.
    #[must_use]
    pub fn account_argument(&self) -> Option<&str> {
        match self {
            Self::Account(name) => Some(name),
            Self::AccountOrDomain => Some("account"),
            Self::Server | Self::Common | Self::Domain(_) | Self::Address(_) => None,
        }
    }

    /// The argument that holds a domain, if any does.
    #[must_use]
    pub fn domain_argument(&self) -> Option<&str> {
        match self {
            Self::Domain(name) => Some(name),
            Self::AccountOrDomain => Some("domain"),
            Self::Server | Self::Common | Self::Account(_) | Self::Address(_) => None,
        }
    }
}

/// What faces with people in front of them ask before they go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "level", rename_all = "kebab-case")]
pub enum Danger {
    /// Nothing is asked.
    None,
    /// It is said what will happen.
    Confirm { says: Cow<'static, str> },
    /// The value of this argument has to be typed once more: it cannot be undone.
    Type { says: Cow<'static, str>, argument: Cow<'static, str> },
}

impl Danger {
    #[must_use]
    pub const fn confirm(says: &'static str) -> Self {
        Self::Confirm { says: Cow::Borrowed(says) }
    }

    #[must_use]
    pub const fn typed(argument: &'static str, says: &'static str) -> Self {
        Self::Type { says: Cow::Borrowed(says), argument: Cow::Borrowed(argument) }
    }
}
