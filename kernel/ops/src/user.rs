//! `user.*`: accounts.

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::operation::operation;

/// An account as administrators see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Bare JID.
    pub account: String,
    /// Seconds since 1970 UTC.
    pub created: u64,
    /// A disabled account cannot log in.
    pub disabled: bool,
    /// Connected resources.
    pub sessions: Vec<String>,
}

/// Nothing to say but that it was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub account: String,
}

const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");
const PASSWORD: Argument = Argument::required("password", Kind::Secret, "the new password");

operation! {
    Add { account: String, password: String } -> Account,
    name: "user.add",
    help: "Creates an account.",
    arguments: [ACCOUNT, PASSWORD],
    result: "the account",
    permission: Operate,
    audit: |it| format!("create the account {}", it.account),
    run: |it, backend| backend.accounts.add(it.account, it.password),
}

operation! {
    Delete { account: String } -> Done,
    name: "user.delete",
    help: "Deletes an account with everything stored for it, and ends its sessions.",
    arguments: [ACCOUNT],
    result: "the address",
    permission: Operate,
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
    arguments: [ACCOUNT, PASSWORD],
    result: "the address",
    permission: Operate,
    audit: |it| format!("set the password of {}", it.account),
    run: |it, backend| {
        let done = Done { account: it.account.clone() };
        Box::pin(async move { backend.accounts.set_password(it.account, it.password).await.map(|()| done) })
    },
}

impl List {
    /// How many accounts are listed unless the caller says otherwise.
    pub const LIMIT: usize = 1000;
}

operation! {
    #[derive(Default)]
    List { domain: Option<String>, after: Option<String>, limit: Option<usize> } -> Vec<Account>,
    name: "user.list",
    help: "Lists accounts in order of address.",
    arguments: [
        Argument::optional("domain", Kind::Text { max: 1023 }, "only accounts of this domain"),
        Argument::optional("after", Kind::Text { max: 2047 }, "go on after this address"),
        Argument::optional("limit", Kind::Number { min: 1, max: 10_000 }, "at most so many; 1000 unless given"),
    ],
    result: "a list of accounts",
    permission: Operate,
    run: |it, backend| backend.accounts.list(it.domain, it.after, it.limit.unwrap_or(Self::LIMIT)),
}

operation! {
    Show { account: String } -> Account,
    name: "user.show",
    help: "Shows one account.",
    arguments: [ACCOUNT],
    result: "the account",
    permission: Operate,
    run: |it, backend| backend.accounts.show(it.account),
}
