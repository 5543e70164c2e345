//! `xylem:accounts/accounts`: the accounts of the hosted domains.

use std::sync::Arc;

use wasmtime::component::{ComponentType, Linker, Lower};
use wasmtime::{AsContextMut, StoreContextMut};
use xylem_hooks::Effect;
use xylem_hooks::manifest::Class;
use xylem_stanza::BareJid;

use super::{Answer, Fault};
use crate::accounts::{AccountDevice, AccountRefusal};
use crate::guest::Guest;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:accounts/accounts@0.1.0")?;
    into.func_wrap(
        "exists",
        |cx: StoreContextMut<'_, Guest>, (account,): (String,)| -> wasmtime::Result<Answer<bool>> {
            Ok((exists(cx.data(), &account),))
        },
    )?;
    into.func_wrap(
        "create",
        |mut cx: StoreContextMut<'_, Guest>, (username, password): (String, String)| -> wasmtime::Result<Answer<()>> {
            let done = create(cx.data_mut(), &username, &password);
            again(cx);
            Ok((done,))
        },
    )?;
    into.func_wrap(
        "set-password",
        |mut cx: StoreContextMut<'_, Guest>, (account, password): (String, String)| -> wasmtime::Result<Answer<()>> {
            let done = set_password(cx.data_mut(), &account, &password);
            again(cx);
            Ok((done,))
        },
    )?;
    into.func_wrap(
        "delete",
        |mut cx: StoreContextMut<'_, Guest>, (account,): (String,)| -> wasmtime::Result<Answer<()>> {
            Ok((delete(cx.data_mut(), &account),))
        },
    )?;
    into.func_wrap(
        "devices",
        |cx: StoreContextMut<'_, Guest>, (): ()| -> wasmtime::Result<Answer<Vec<DeviceRecord>>> {
            Ok((devices(cx.data()),))
        },
    )?;
    into.func_wrap(
        "revoke-device",
        |mut cx: StoreContextMut<'_, Guest>, (id,): (String,)| -> wasmtime::Result<Answer<()>> {
            Ok((revoke_device(cx.data_mut(), &id),))
        },
    )
}

/// `xylem:accounts/accounts.device`.
#[derive(ComponentType, Lower)]
#[component(record)]
struct DeviceRecord {
    #[component(name = "id")]
    id: String,
    #[component(name = "software")]
    software: Option<String>,
    #[component(name = "device")]
    device: Option<String>,
    #[component(name = "since")]
    since: u64,
    #[component(name = "seen")]
    seen: u64,
    #[component(name = "expires")]
    expires: u64,
}

/// Deriving secrets takes milliseconds on purpose; that time is not the plugin's.
fn again(mut cx: StoreContextMut<'_, Guest>) {
    let ticks = cx.data_mut().watch.start();
    cx.as_context_mut().set_epoch_deadline(ticks);
}

fn exists(guest: &Guest, account: &str) -> Result<bool, Fault> {
    if !guest.core.manifest.needs.accounts.exists {
        return Err(Fault::denied(guest, "accounts = [\"exists\"]"));
    }
    let account = BareJid::parse(account).map_err(Fault::invalid)?;
    Ok(guest.core.services.accounts.exists(&account))
}

fn create(guest: &mut Guest, username: &str, password: &str) -> Result<(), Fault> {
    if !guest.core.manifest.needs.accounts.create {
        return Err(Fault::denied(guest, "accounts = [\"create\"]"));
    }
    let accounts = Arc::clone(&guest.core.services.accounts);
    let call = guest.call()?;
    let domain = Arc::clone(&call.cause.domain);
    let account = accounts.create(&mut call.turn, &domain, username, password)?;
    call.class = Class::Durable;
    call.effects.push(Effect::AccountCreated(account));
    Ok(())
}

fn set_password(guest: &mut Guest, account: &str, password: &str) -> Result<(), Fault> {
    if !guest.core.manifest.needs.accounts.password {
        return Err(Fault::denied(guest, "accounts = [\"password\"]"));
    }
    let accounts = Arc::clone(&guest.core.services.accounts);
    let call = guest.call()?;
    let account = local(account, &call.cause.domain)?;
    accounts.set_password(&mut call.turn, &account, password)?;
    call.class = Class::Durable;
    call.effects.push(Effect::PasswordChanged(account));
    Ok(())
}

fn delete(guest: &mut Guest, account: &str) -> Result<(), Fault> {
    if !guest.core.manifest.needs.accounts.delete {
        return Err(Fault::denied(guest, "accounts = [\"delete\"]"));
    }
    let services = Arc::clone(&guest.core.services);
    let call = guest.call()?;
    let account = local(account, &call.cause.domain)?;
    services.accounts.delete(&mut call.turn, &account)?;
    services.forget_rows(&mut call.turn, account.as_str());
    call.class = Class::Durable;
    call.after.forgotten.push(account.as_str().into());
    call.effects.push(Effect::AccountDeleted(account));
    Ok(())
}

fn devices(guest: &Guest) -> Result<Vec<DeviceRecord>, Fault> {
    if !guest.core.manifest.needs.accounts.devices {
        return Err(Fault::denied(guest, "accounts = [\"devices\"]"));
    }
    let cause = &guest.call.as_ref().ok_or(Fault::Denied)?.cause;
    let account = local(&cause.key, &cause.domain)?;
    let record = |known: AccountDevice| {
        let AccountDevice { id, software, device, since, seen, expires } = known;
        DeviceRecord { id, software, device, since, seen, expires }
    };
    Ok(guest.core.services.accounts.devices(&account)?.into_iter().map(record).collect())
}

fn revoke_device(guest: &mut Guest, id: &str) -> Result<(), Fault> {
    if !guest.core.manifest.needs.accounts.devices {
        return Err(Fault::denied(guest, "accounts = [\"devices\"]"));
    }
    let accounts = Arc::clone(&guest.core.services.accounts);
    let call = guest.call()?;
    let account = local(&call.cause.key, &call.cause.domain)?;
    accounts.revoke_device(&mut call.turn, &account, id)?;
    call.class = Class::Durable;
    Ok(())
}

/// A plugin of one domain has no business with accounts of another.
fn local(account: &str, domain: &str) -> Result<BareJid, Fault> {
    let account = BareJid::parse(account).map_err(Fault::invalid)?;
    if account.domain() != domain || account.is_domain() {
        return Err(Fault::Missing);
    }
    Ok(account)
}

impl From<AccountRefusal> for Fault {
    fn from(refusal: AccountRefusal) -> Self {
        match refusal {
            AccountRefusal::Exists => Self::Conflict,
            AccountRefusal::Missing => Self::Missing,
            AccountRefusal::Invalid(problem) => Self::Invalid(problem.to_owned()),
            AccountRefusal::Forbidden => Self::Denied,
        }
    }
}
