//! `user.*`: accounts.

pub mod export;
pub mod factor;
pub mod import;
pub mod standing;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::caller::{Rank, Role};
use crate::error::OpError;
use crate::operation::operation;
use crate::page::{Page, Paging};

/// An account as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// Bare JID.
    pub account: String,
    /// Seconds since 1970 UTC.
    pub created: u64,
    /// A disabled account cannot log in.
    pub disabled: bool,
    /// Connected resources.
    pub sessions: Vec<String>,
    /// What it is to the server.
    #[serde(default)]
    pub role: Role,
}

/// Nothing to say but that it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Done {
    pub account: String,
}

/// Which accounts are listed: those for which all holds that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    pub domain: Option<String>,
    pub disabled: Option<bool>,
    pub role: Option<Rank>,
}

impl Which {
    /// Whether an account is among them, its domain apart.
    #[must_use]
    pub fn finds(&self, disabled: bool, role: &Role) -> bool {
        self.disabled.is_none_or(|wanted| wanted == disabled) && self.role.is_none_or(|wanted| wanted == role.rank)
    }
}

const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");
const PASSWORD: Argument = Argument::required("password", Kind::Secret, "the new password");

operation! {
    Add { account: String, password: String } -> Account,
    name: "user.add",
    help: "Creates an account.",
    route: post "/users",
    arguments: [ACCOUNT, PASSWORD],
    result: "the account",
    roles: Roles::ADMINISTER,
    about: About::account(),
    audit: |it| format!("create the account {}", it.account),
    run: |it, backend| backend.accounts.add(it.account, it.password),
}

operation! {
    Delete { account: String } -> Done,
    name: "user.delete",
    help: "Deletes an account with everything stored for it, and ends its sessions.",
    route: delete "/users/{account}",
    arguments: [ACCOUNT],
    result: "the address",
    roles: Roles::ADMINISTER,
    about: About::account(),
    danger: Danger::typed("account", "The account is deleted with everything stored for it. This cannot be undone."),
    audit: |it| format!("delete the account {}", it.account),
    run: |it, backend| {
        let done = Done { account: it.account.clone() };
        Box::pin(async move { backend.accounts.delete(it.account).await.map(|()| done) })
    },
}

operation! {
    Password { account: String, password: String } -> Done,
    name: "user.password",
    help: "Sets an account's password.",
    route: put "/users/{account}/password",
    arguments: [ACCOUNT, PASSWORD],
    result: "the address",
    roles: Roles::ADMINISTER,
    about: About::account(),
    audit: |it| format!("set the password of {}", it.account),
    run: |it, backend| {
        let done = Done { account: it.account.clone() };
        Box::pin(async move { backend.accounts.set_password(it.account, it.password).await.map(|()| done) })
    },
}

operation! {
    #[derive(Default)]
    List {
        domain: Option<String>,
        disabled: Option<bool>,
        role: Option<Rank>,
        #[serde(flatten)] paging: Paging,
    } -> Page<Account>,
    name: "user.list",
    help: "Lists accounts.",
    route: get "/users",
    arguments: [
        Argument::optional("domain", Kind::Domain, "only accounts of this domain"),
        Argument::optional("disabled", Kind::Flag, "only those that are disabled; or only those that are not"),
        Argument::optional("role", Kind::choice(&Rank::WORDS), "only those that are this to the server"),
    ],
    pages: ["account", "created", "sessions"],
    result: "a list of accounts",
    roles: Roles::SEE,
    about: About::domain(),
    run: |it, backend| {
        let List { domain, disabled, role, paging } = it;
        backend.accounts.list(Which { domain, disabled, role }, paging)
    },
}

operation! {
    Show { account: String } -> Account,
    name: "user.show",
    help: "Shows one account.",
    route: get "/users/{account}",
    arguments: [ACCOUNT],
    result: "the account",
    roles: Roles::SEE.and_own(),
    about: About::account(),
    run: |it, backend| backend.accounts.show(it.account),
}

operation! {
    SetRole { account: String, role: Rank, #[serde(default)] domains: Option<Vec<String>> } -> Account,
    name: "user.role",
    help: "Makes an account an owner, an administrator, an operator, an auditor, or a mere user.",
    route: put "/users/{account}/role",
    arguments: [
        ACCOUNT,
        Argument::required("role", Kind::choice(&Rank::WORDS), "what it shall be"),
        Argument::optional(
            "domains",
            Kind::List { items: 64, max: 1023 },
            "the domains that an administrator or operator is limited to; all unless given",
        ),
    ],
    result: "the account",
    roles: Roles::ADMINISTER,
    about: About::account(),
    danger: Danger::confirm("The account may do more, or less, from now on."),
    audit: |it| format!("make {} {}", it.account, it.wanted()),
    allow: |it, caller| {
        if caller.covers(&it.wanted()) {
            return Ok(());
        }
        Err(OpError::Denied(format!("{} cannot be made by {}", it.wanted(), caller.role)))
    },
    state: |it, backend| backend.accounts.role(it.account.clone()),
    run: |it, backend| {
        let role = it.wanted();
        backend.accounts.set_role(it.account, role)
    },
}

impl SetRole {
    fn wanted(&self) -> Role {
        Role { rank: self.role, domains: self.domains.clone().filter(|domains| !domains.is_empty()) }
    }
}
