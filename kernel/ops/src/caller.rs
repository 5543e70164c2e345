//! Who asks: roles, and what narrows them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::scopes::Scopes;

/// What an account is to the server. The order is for reading; who may do what is said by
/// [`crate::access::Roles`] of each operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rank {
    /// Uses the server; sees and changes what is of the own account.
    #[default]
    User,
    /// Reads the audit log and how the server does, and nothing of anybody's.
    Auditor,
    /// Sees what administrators see, and changes nothing.
    Operator,
    /// Manages accounts and what belongs to them, in some domains or in all.
    Administrator,
    /// Everything: plugins, configuration, the data itself, who is what.
    Owner,
}

impl Rank {
    pub const ALL: [Self; 5] = [Self::User, Self::Auditor, Self::Operator, Self::Administrator, Self::Owner];
    /// Their words, in the same order.
    pub const WORDS: [&'static str; 5] = ["user", "auditor", "operator", "administrator", "owner"];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Auditor => "auditor",
            Self::Operator => "operator",
            Self::Administrator => "administrator",
            Self::Owner => "owner",
        }
    }
}

/// A rank and where it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Role {
    #[serde(rename = "role")]
    pub rank: Rank,
    /// The domains that an administrator or operator is limited to; null means all.
    #[serde(default)]
    pub domains: Option<Vec<String>>,
}

impl Role {
    #[must_use]
    pub const fn of(rank: Rank) -> Self {
        Self { rank, domains: None }
    }

    #[must_use]
    pub const fn limited(rank: Rank, domains: Vec<String>) -> Self {
        Self { rank, domains: Some(domains) }
    }

    /// Whether it holds in this domain.
    #[must_use]
    pub fn holds_in(&self, domain: &str) -> bool {
        self.domains().is_none_or(|own| own.iter().any(|own| own == domain))
    }

    /// The domains it is limited to; ranks that have nothing to do with domains are not.
    #[must_use]
    pub fn domains(&self) -> Option<&[String]> {
        match self.rank {
            Rank::Administrator | Rank::Operator => self.domains.as_deref(),
            Rank::User | Rank::Auditor | Rank::Owner => None,
        }
    }

    /// Whether who has this role may manage an account that has the other: give it, take it, set
    /// its password. Otherwise an administrator would be an owner by setting an owner's password.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        match (self.rank, other.rank) {
            (Rank::Owner, _) | (Rank::Administrator, Rank::User) => true,
            (Rank::Administrator, Rank::Owner) => false,
            (Rank::Administrator, Rank::Auditor) => self.domains.is_none(),
            (Rank::Administrator, Rank::Operator | Rank::Administrator) => match (&self.domains, &other.domains) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(own), Some(others)) => others.iter().all(|domain| own.contains(domain)),
            },
            (Rank::User | Rank::Auditor | Rank::Operator, _) => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rank.word())?;
        match self.domains() {
            Some(domains) => write!(f, " of {}", domains.join(", ")),
            None => Ok(()),
        }
    }
}

/// Through what an operation was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Face {
    /// The local socket.
    CommandLine,
    /// HTTP with a token.
    Rest,
    /// HTTP with a session of the console.
    Console,
    /// XEP-0050.
    AdHoc,
    /// None: the server did it by itself, because it was due.
    Schedule,
}

impl Face {
    pub const WORDS: [&'static str; 5] = ["command-line", "rest", "console", "ad-hoc", "schedule"];

    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::CommandLine => "command-line",
            Self::Rest => "rest",
            Self::Console => "console",
            Self::AdHoc => "ad-hoc",
            Self::Schedule => "schedule",
        }
    }
}

/// Who asks for an operation, as established by the face it came through.
#[derive(Clone, Debug)]
pub struct Caller {
    /// For the audit log: `root`, `uid 1000`, an account, an account with its token, `server`.
    pub who: String,
    /// For the audit log: `local socket`, a network address, `server`.
    pub from: String,
    pub face: Face,
    pub role: Role,
    /// The bare address of the own account; none on the local socket.
    pub account: Option<String>,
    /// What a token leaves of the role; none without a token.
    pub narrowed: Option<Narrowed>,
}

/// What a token leaves of its account's role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// No more than this.
    pub ceiling: Role,
    /// Nothing but these.
    pub scopes: Scopes,
}

impl Caller {
    /// Root, or the server's own user, on the local socket: an owner.
    #[must_use]
    pub fn local(who: impl Into<String>) -> Self {
        Self {
            who: who.into(),
            from: "local socket".to_owned(),
            face: Face::CommandLine,
            role: Role::of(Rank::Owner),
            account: None,
            narrowed: None,
        }
    }

    /// The server itself, for the audit log alone: it asks for nothing, so it may nothing.
    #[must_use]
    pub fn server() -> Self {
        Self {
            who: "server".to_owned(),
            from: "server".to_owned(),
            face: Face::Schedule,
            role: Role::default(),
            account: None,
            narrowed: None,
        }
    }

    /// An account that proved who it is.
    #[must_use]
    pub fn account(account: impl Into<String>, role: Role, face: Face, from: impl Into<String>) -> Self {
        let account = account.into();
        Self { who: account.clone(), from: from.into(), face, role, account: Some(account), narrowed: None }
    }

    /// Whether this is the account itself, with all that it may: a token that is less than its
    /// account, or good for some operations only, must not, for one, set the password and be more afterwards.
    #[must_use]
    pub fn is_all_of(&self, account: &str) -> bool {
        let whole = self.manages(self.role.rank)
            && self.narrowed.as_ref().is_none_or(|narrowed| {
                narrowed.ceiling.rank >= self.role.rank
                    && (narrowed.ceiling.domains().is_none() || narrowed.ceiling == self.role)
            });
        whole && self.account.as_deref() == Some(account)
    }

    /// Every role that has to allow what is asked for.
    pub fn roles(&self) -> impl Iterator<Item = &Role> {
        std::iter::once(&self.role).chain(self.narrowed.iter().map(|narrowed| &narrowed.ceiling))
    }

    /// Whether it manages accounts of this role, token and all.
    #[must_use]
    pub fn covers(&self, other: &Role) -> bool {
        self.manages(other.rank) && self.roles().all(|role| role.covers(other))
    }

    /// A token for some operations touches nobody who is more than a user: else one that sets passwords
    /// would be worth whatever its account is.
    fn manages(&self, rank: Rank) -> bool {
        rank == Rank::User || self.narrowed.as_ref().is_none_or(|narrowed| narrowed.scopes.is_all())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_for_some_operations_manages_users_alone() {
        let of = |scopes: &[&str], rank| {
            let mut caller = Caller::account("o@a.example", Role::of(rank), Face::Rest, "::1");
            let scopes = Scopes::parse(scopes.iter().map(|it| (*it).to_owned()).collect());
            caller.narrowed = scopes.ok().map(|scopes| Narrowed { ceiling: Role::of(rank), scopes });
            caller
        };
        let (all, some) = (of(&["*"], Rank::Owner), of(&["user.*"], Rank::Owner));
        assert!(all.covers(&Role::of(Rank::Owner)) && all.is_all_of("o@a.example"));
        assert!(some.covers(&Role::default()) && !some.covers(&Role::of(Rank::Auditor)));
        assert!(!some.is_all_of("o@a.example"), "it would set the owner's password");
        assert!(of(&["user.password"], Rank::User).is_all_of("o@a.example"));
    }

    #[test]
    fn nobody_manages_who_is_more() {
        let of = |rank, domain: &str| Role::limited(rank, vec![domain.to_owned()]);
        let owner = Role::of(Rank::Owner);
        let administrator = of(Rank::Administrator, "a.example");
        assert!(owner.covers(&owner) && owner.covers(&Role::of(Rank::Auditor)));
        assert!(!administrator.covers(&owner) && !administrator.covers(&Role::of(Rank::Administrator)));
        assert!(administrator.covers(&administrator) && administrator.covers(&of(Rank::Operator, "a.example")));
        assert!(!administrator.covers(&of(Rank::Operator, "b.example")));
        assert!(!administrator.covers(&Role::of(Rank::Auditor)));
        assert!(Role::of(Rank::Administrator).covers(&Role::of(Rank::Auditor)));
        assert!(!Role::of(Rank::Operator).covers(&Role::default()));
    }
}
