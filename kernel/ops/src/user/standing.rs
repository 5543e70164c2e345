//! `user.disable`, `user.enable`, `user.reset` and `user.signout`: whether and how somebody gets in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Account;
use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::backend::Answer;
use crate::operation::operation;

/// A new password, which nobody is told again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reset {
    pub account: String,
    pub password: String,
    /// How many sessions were told to end.
    pub sessions: usize,
    /// How many API tokens were ended.
    pub tokens: usize,
}

/// What an account was signed out of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignedOut {
    pub account: String,
    /// How many sessions were told to end.
    pub sessions: usize,
    /// How many browsers were signed in to the console.
    pub browsers: usize,
    /// How many devices need the password to come back.
    pub devices: usize,
    /// How many API tokens were ended.
    pub tokens: usize,
}

/// Who says whether and how somebody gets in.
pub trait Standing: Send + Sync {
    /// A disabled account cannot log in, by whatever mechanism or token, and its sessions end
    /// (RFC 6120 §6.5.1: `account-disabled`). To others it is an account without available resources
    /// (RFC 6121 §8.5.2.2): messages may be kept for it, its subscriptions stay, and nobody can tell
    /// it from one whose owner is away. Nothing of it is deleted, as XEP-0133 §4.3 has it.
    fn set_disabled(&self, account: String, disabled: bool) -> Answer<'_, Account>;
    /// Sets a password of 120 bits or more that nobody chose; with it go the tokens of all devices and the
    /// sessions of the console, and if wanted all other sessions and the API tokens.
    fn reset(&self, account: String, sign_out: bool, tokens: bool) -> Answer<'_, Reset>;
    /// Ends all sessions, those of the console too, and the tokens of all devices; if wanted the API tokens.
    fn sign_out(&self, account: String, tokens: bool) -> Answer<'_, SignedOut>;
}

const TOKENS: Argument = Argument::optional("tokens", Kind::Flag, "whether its API tokens end as well");
const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");

operation! {
    Disable { account: String } -> Account,
    name: "user.disable",
    help: "Keeps an account from logging in and ends its sessions; everything of it stays.",
    route: post "/users/{account}/disable",
    arguments: [ACCOUNT],
    result: "the account",
    roles: Roles::ADMINISTER,
    about: About::account(),
    danger: Danger::confirm("Its sessions end at once, and nobody can sign in with it until it is enabled again. What is sent to it meanwhile is treated as if it was offline."),
    audit: |it| format!("disable the account {}", it.account),
    run: |it, backend| backend.standing.set_disabled(it.account, true),
}

operation! {
    Enable { account: String } -> Account,
    name: "user.enable",
    help: "Lets a disabled account log in again.",
    route: post "/users/{account}/enable",
    arguments: [ACCOUNT],
    result: "the account",
    roles: Roles::ADMINISTER,
    about: About::account(),
    audit: |it| format!("enable the account {}", it.account),
    run: |it, backend| backend.standing.set_disabled(it.account, false),
}

operation! {
    ResetPassword { account: String, #[serde(default)] signout: bool, #[serde(default)] tokens: bool } -> Reset,
    name: "user.reset",
    help: "Sets a password that the server makes, and tells it once.",
    route: post "/users/{account}/reset",
    arguments: [
        ACCOUNT,
        Argument::optional("signout", Kind::Flag, "whether its sessions end as well"),
        TOKENS,
    ],
    result: "the new password, which is not shown again",
    roles: Roles::ADMINISTER,
    about: About::account(),
    danger: Danger::confirm("The present password and all device tokens stop working at once. The new one is shown once."),
    audit: |it| format!("reset the password of {}", it.account),
    run: |it, backend| backend.standing.reset(it.account, it.signout, it.tokens),
}

operation! {
    SignOut { account: String, #[serde(default)] tokens: bool } -> SignedOut,
    name: "user.signout",
    help: "Ends all sessions of an account, those of the console too, and the tokens of its devices.",
    route: post "/users/{account}/signout",
    arguments: [ACCOUNT, TOKENS],
    result: "how many sessions, browsers, devices and API tokens",
    roles: Roles::ADMINISTER.and_own(),
    about: About::account(),
    danger: Danger::confirm("Every connected client and every browser that is signed in with the account is signed out and needs the password to come back."),
    audit: |it| format!("sign out all clients of {}", it.account),
    run: |it, backend| backend.standing.sign_out(it.account, it.tokens),
}
