//! `user.*`: accounts.

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::backend::{Answer, Backend};
use crate::caller::Permission;
use crate::operation::{Operation, Spec};

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

#[derive(Debug, Serialize, Deserialize)]
pub struct Add {
    pub account: String,
    pub password: String,
}

impl Operation for Add {
    const SPEC: Spec = Spec {
        name: "user.add",
        help: "Creates an account.",
        arguments: &[ACCOUNT, PASSWORD],
        result: "the account",
        permission: Permission::Operate,
        changes: true,
    };
    type Output = Account;

    fn audit(&self) -> String {
        format!("create the account {}", self.account)
    }

    fn run(self, backend: &Backend) -> Answer<'_, Account> {
        backend.accounts.add(self.account, self.password)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Delete {
    pub account: String,
}

impl Operation for Delete {
    const SPEC: Spec = Spec {
        name: "user.delete",
        help: "Deletes an account with everything stored for it, and ends its sessions.",
        arguments: &[ACCOUNT],
        result: "the address",
        permission: Permission::Operate,
        changes: true,
    };
    type Output = Done;

    fn audit(&self) -> String {
        format!("delete the account {}", self.account)
    }

    fn run(self, backend: &Backend) -> Answer<'_, Done> {
        let done = Done { account: self.account.clone() };
        Box::pin(async move { backend.accounts.delete(self.account).await.map(|()| done) })
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Password {
    pub account: String,
    pub password: String,
}

impl Operation for Password {
    const SPEC: Spec = Spec {
        name: "user.password",
        help: "Sets an account's password.",
        arguments: &[ACCOUNT, PASSWORD],
        result: "the address",
        permission: Permission::Operate,
        changes: true,
    };
    type Output = Done;

    fn audit(&self) -> String {
        format!("set the password of {}", self.account)
    }

    fn run(self, backend: &Backend) -> Answer<'_, Done> {
        let done = Done { account: self.account.clone() };
        Box::pin(async move { backend.accounts.set_password(self.account, self.password).await.map(|()| done) })
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub struct List {
    pub domain: Option<String>,
    pub after: Option<String>,
    pub limit: Option<usize>,
}

impl List {
    /// How many accounts are listed unless the caller says otherwise.
    pub const LIMIT: usize = 1000;
}

impl Operation for List {
    const SPEC: Spec = Spec {
        name: "user.list",
        help: "Lists accounts in order of address.",
        arguments: &[
            Argument::optional("domain", Kind::Text { max: 1023 }, "only accounts of this domain"),
            Argument::optional("after", Kind::Text { max: 2047 }, "go on after this address"),
            Argument::optional("limit", Kind::Number { min: 1, max: 10_000 }, "at most so many; 1000 unless given"),
        ],
        result: "a list of accounts",
        permission: Permission::Operate,
        changes: false,
    };
    type Output = Vec<Account>;

    fn run(self, backend: &Backend) -> Answer<'_, Vec<Account>> {
        backend.accounts.list(self.domain, self.after, self.limit.unwrap_or(Self::LIMIT))
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Show {
    pub account: String,
}

impl Operation for Show {
    const SPEC: Spec = Spec {
        name: "user.show",
        help: "Shows one account.",
        arguments: &[ACCOUNT],
        result: "the account",
        permission: Permission::Operate,
        changes: false,
    };
    type Output = Account;

    fn run(self, backend: &Backend) -> Answer<'_, Account> {
        backend.accounts.show(self.account)
    }
}
