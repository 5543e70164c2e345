//! `device.*`: clients that may log in again with a token instead of the password.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{About, Danger, Roles};
use crate::argument::{Argument, Kind};
use crate::operation::operation;
use crate::page::{Page, Paging};

/// A client of an account, on one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeviceRow {
    /// What the server calls it; its resources end with it.
    pub id: String,
    /// What it says of itself.
    pub software: Option<String>,
    pub device: Option<String>,
    /// Seconds since 1970 UTC: when it got its first token.
    pub since: u64,
    /// When it last logged in with one, give or take an hour.
    pub seen: u64,
    /// When its newest token ends.
    pub expires: u64,
    /// What that token is good for.
    pub mechanism: String,
    /// Its connected resources.
    pub sessions: Vec<String>,
}

/// What was ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revoked {
    pub account: String,
    pub id: String,
    /// How many of its sessions were told to end.
    pub sessions: usize,
}

const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");

operation! {
    List { account: String, #[serde(flatten)] paging: Paging } -> Page<DeviceRow>,
    name: "device.list",
    help: "Lists the devices that may log in with a token.",
    route: get "/users/{account}/devices",
    arguments: [ACCOUNT],
    pages: ["seen", "since", "software"],
    result: "a list of devices",
    roles: Roles::SEE.and_own(),
    about: About::account(),
    run: |it, backend| backend.devices.list(it.account, it.paging),
}

operation! {
    Revoke { account: String, id: String } -> Revoked,
    name: "device.revoke",
    help: "Ends a device's tokens and its sessions; it needs the password to come back.",
    route: delete "/users/{account}/devices/{id}",
    arguments: [
        ACCOUNT,
        Argument::required("id", Kind::Text { max: 64 }, "the device's id, as device.list shows it"),
    ],
    result: "how many sessions were told to end",
    roles: Roles::ADMINISTER.and_own(),
    about: About::account(),
    danger: Danger::confirm("The device is disconnected and needs the password to come back."),
    audit: |it| format!("revoke the device {} of {}", it.id, it.account),
    run: |it, backend| backend.devices.revoke(it.account, it.id),
}
