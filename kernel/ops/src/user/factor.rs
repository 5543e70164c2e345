//! `user.factors` and `user.reset-second-factor`: what an account needs beside its password in the console.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// The second factors of an account, without anything secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FactorReport {
    pub account: String,
    /// Whether an authenticator app is asked for.
    pub totp: bool,
    pub passkeys: u64,
    /// Recovery codes that are left.
    pub recovery: u64,
    /// Sessions of the console.
    pub sessions: u64,
}

/// Who keeps them.
pub trait SecondFactors: Send + Sync {
    fn show(&self, account: String) -> Answer<'_, FactorReport>;
    /// Takes all away and ends the account's sessions of the console; what there was.
    fn reset(&self, account: String) -> Answer<'_, FactorReport>;
}

const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");

operation! {
    Show { account: String } -> FactorReport,
    name: "user.factors",
    help: "Shows which second factors an account has in the console, and how many sessions there.",
    route: get "/users/{account}/factors",
    arguments: [ACCOUNT],
    result: "what there is, nothing secret",
    roles: Roles::SEE.and_own(),
    about: About::account(),
    run: |it, backend| backend.factors.show(it.account),
}

operation! {
    ResetFactors { account: String } -> FactorReport,
    name: "user.reset-second-factor",
    help: "Takes authenticator app, passkeys and recovery codes from an account, and ends its sessions of the console.",
    route: delete "/users/{account}/factors",
    arguments: [ACCOUNT],
    result: "what there was",
    roles: Roles::ADMINISTER,
    about: About::account(),
    danger: Danger::typed("account", "From now on the password alone is enough to sign in to the console. Be sure that it is the owner of the account who asked for this."),
    audit: |it| format!("take the second factors of {} away", it.account),
    state: |it, backend| backend.factors.show(it.account.clone()),
    run: |it, backend| backend.factors.reset(it.account),
}
