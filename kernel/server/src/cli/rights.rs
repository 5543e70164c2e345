//! Who may do what: roles, tokens, and the log of what was done.

use clap::{Subcommand, ValueEnum};
use xylem_ops::{Rank, audit, token};

use super::args::PageArgs;

/// A role, as it is typed.
#[derive(Clone, Copy, ValueEnum)]
pub(super) enum RoleWord {
    User,
    Auditor,
    Operator,
    Administrator,
    Owner,
}

impl RoleWord {
    pub(super) const fn rank(self) -> Rank {
        match self {
            Self::User => Rank::User,
            Self::Auditor => Rank::Auditor,
            Self::Operator => Rank::Operator,
            Self::Administrator => Rank::Administrator,
            Self::Owner => Rank::Owner,
        }
    }
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token; it is shown once
    Create(TokenArgs),
    /// List tokens
    List {
        #[arg(long)]
        account: Option<String>,
        #[command(flatten)]
        page: PageArgs,
    },
    /// End a token
    Revoke {
        /// As `token list` shows it
        id: String,
    },
}

#[derive(clap::Args)]
pub(super) struct TokenArgs {
    /// The operations it is good for: names, or a noun with .*; '*' for all
    #[arg(required = true)]
    scopes: Vec<String>,
    /// Whose it is
    #[arg(long)]
    account: String,
    /// What it is for
    #[arg(long)]
    name: String,
    /// The most it is worth [default: what its account is]
    #[arg(long)]
    role: Option<RoleWord>,
    /// A domain that it is limited to; may be said several times
    #[arg(long)]
    domain: Vec<String>,
    /// How long it lasts; 0 for ever
    #[arg(long, default_value_t = 90)]
    days: u64,
}

impl TokenArgs {
    pub(super) fn operation(self) -> token::Create {
        token::Create {
            account: Some(self.account),
            name: self.name,
            scopes: self.scopes,
            role: self.role.map(RoleWord::rank),
            domains: Some(self.domain).filter(|domains| !domains.is_empty()),
            days: Some(self.days),
        }
    }
}

#[derive(clap::Args)]
pub(super) struct AuditArgs {
    /// Only what this account, or root, did
    #[arg(long)]
    who: Option<String>,
    /// Only this operation, or those of this noun
    #[arg(long)]
    operation: Option<String>,
    /// Only what was refused or failed
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    page: PageArgs,
}

impl AuditArgs {
    pub(super) fn operation(self) -> audit::list::List {
        let failed = self.failed.then_some(true);
        let Self { who, operation, page, .. } = self;
        audit::list::List { who, operation, failed, paging: page.paging(), ..Default::default() }
    }
}
