//! `device.*`: clients that may log in again with a token instead of the password.

use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::backend::{Answer, Backend};
use crate::caller::Permission;
use crate::operation::{Operation, Spec};

/// A client of an account, on one device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    pub account: String,
    pub id: String,
    /// How many of its sessions were told to end.
    pub sessions: usize,
}

const ACCOUNT: Argument = Argument::required("account", Kind::Account, "the account's address, name@domain");

#[derive(Debug, Serialize, Deserialize)]
pub struct List {
    pub account: String,
}

impl Operation for List {
    const SPEC: Spec = Spec {
        name: "device.list",
        help: "Lists the devices that may log in with a token.",
        arguments: &[ACCOUNT],
        result: "a list of devices",
        permission: Permission::Operate,
        changes: false,
    };
    type Output = Vec<DeviceRow>;

    fn run(self, backend: &Backend) -> Answer<'_, Vec<DeviceRow>> {
        backend.devices.list(self.account)
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Revoke {
    pub account: String,
    pub id: String,
}

impl Operation for Revoke {
    const SPEC: Spec = Spec {
        name: "device.revoke",
        help: "Ends a device's tokens and its sessions; it needs the password to come back.",
        arguments: &[
            ACCOUNT,
            Argument::required("id", Kind::Text { max: 64 }, "the device's id, as device.list shows it"),
        ],
        result: "how many sessions were told to end",
        permission: Permission::Operate,
        changes: true,
    };
    type Output = Revoked;

    fn audit(&self) -> String {
        format!("revoke the device {} of {}", self.id, self.account)
    }

    fn run(self, backend: &Backend) -> Answer<'_, Revoked> {
        backend.devices.revoke(self.account, self.id)
    }
}
