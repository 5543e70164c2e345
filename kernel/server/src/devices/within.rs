//! Devices as plugins see and end them: at once, and within their turn.

use std::time::Duration;

use xylem_stanza::BareJid;
use xylem_store::{Op, Turn};

use super::{Devices, Known, Row, TABLE, known, lock, record};
use crate::accounts::{self, Record};

/// After this time a plugin's turn is over, committed or not.
const SETTLED: Duration = Duration::from_secs(15);

impl Devices {
    /// The devices of an account that could log in now. May read from the disk.
    pub(crate) fn list_now(&self, account: &BareJid, record: &Record) -> Vec<Known> {
        self.load_now(account);
        let vault = self.vault(account, record);
        let mut devices = lock(&self.0.memory).get(account).map(|row| row.devices.clone()).unwrap_or_default();
        vault.sweep(&mut devices);
        devices.iter().map(known).collect()
    }

    /// Ends all tokens of one device with the plugin's turn; in memory they end at once, and come
    /// back if that turn is not carried out. False if there is no such device.
    pub(crate) fn revoke_within(&self, turn: &mut Turn, account: &BareJid, name: &str) -> bool {
        self.load_now(account);
        let mut memory = lock(&self.0.memory);
        let Some(row) = memory.get_mut(account) else { return false };
        let others: Vec<_> = row.devices.iter().filter(|device| device.name != name).cloned().collect();
        let Some(key) = accounts::key(account).filter(|_| others.len() != row.devices.len()) else { return false };
        if turn.raw(Op { table: TABLE.into(), key, value: record::encode(&others) }).is_err() {
            return false;
        }
        row.devices = others;
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            row.writing += 1;
            let (devices, account) = (self.clone(), account.clone());
            runtime.spawn(async move {
                tokio::time::sleep(SETTLED).await;
                devices.settle(&account, true);
            });
        }
        true
    }

    fn load_now(&self, account: &BareJid) {
        if lock(&self.0.memory).contains_key(account) {
            return;
        }
        let Some(key) = accounts::key(account) else { return };
        match self.0.store.backend().get(TABLE, &key) {
            Ok(found) => {
                let devices = found.map(|bytes| record::decode(&bytes)).unwrap_or_default();
                lock(&self.0.memory).entry(account.clone()).or_insert(Row { devices, writing: 0 });
            }
            Err(error) => tracing::error!(%account, %error, "the account's devices cannot be read"),
        }
    }
}
