//! `xylem:groups/groups`: sets of addresses for fan-out, held by the host.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;
use xylem_stanza::Jid;

use super::{Answer, Fault};
use crate::groups::MEMBERS;
use crate::guest::Guest;

/// Longest name of a group in bytes.
const NAME: usize = 256;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:groups/groups@0.1.0")?;
    into.func_wrap(
        "put",
        |mut cx: StoreContextMut<'_, Guest>, (group, member): (String, String)| -> wasmtime::Result<Answer<()>> {
            Ok((put(cx.data_mut(), &group, &member),))
        },
    )?;
    into.func_wrap(
        "drop",
        |mut cx: StoreContextMut<'_, Guest>, (group, member): (String, String)| -> wasmtime::Result<Answer<bool>> {
            Ok((drop_member(cx.data_mut(), &group, member),))
        },
    )?;
    into.func_wrap(
        "has",
        |cx: StoreContextMut<'_, Guest>, (group, member): (String, String)| -> wasmtime::Result<Answer<bool>> {
            Ok((has(cx.data(), &group, &member),))
        },
    )?;
    into.func_wrap(
        "members",
        |cx: StoreContextMut<'_, Guest>, (group,): (String,)| -> wasmtime::Result<Answer<Vec<String>>> {
            Ok((members(cx.data(), &group),))
        },
    )?;
    into.func_wrap("clear", |mut cx: StoreContextMut<'_, Guest>, (group,): (String,)| -> wasmtime::Result<Answer<()>> {
        Ok((clear(cx.data_mut(), &group),))
    })
}

fn put(guest: &mut Guest, group: &str, member: &str) -> Result<(), Fault> {
    allowed(guest)?;
    if group.len() > NAME {
        return Err(Fault::Invalid(format!("a group's name has {NAME} bytes at most")));
    }
    let member = Jid::parse(member).map_err(Fault::invalid)?;
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    if core.services.groups.count(&core.id, &call.cause.key, group, &call.after.groups) >= MEMBERS {
        return Err(Fault::Quota);
    }
    call.after.groups.set(group, member, true);
    Ok(())
}

fn drop_member(guest: &mut Guest, group: &str, member: String) -> Result<bool, Fault> {
    let was = has(guest, group, &member)?;
    if was {
        let member = Jid::parse(&member).map_err(Fault::invalid)?;
        guest.call()?.after.groups.set(group, member, false);
    }
    Ok(was)
}

fn has(guest: &Guest, group: &str, member: &str) -> Result<bool, Fault> {
    allowed(guest)?;
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let core = &guest.core;
    Ok(core.services.groups.has(&core.id, &call.cause.key, group, member, &call.after.groups))
}

fn members(guest: &Guest, group: &str) -> Result<Vec<String>, Fault> {
    allowed(guest)?;
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let core = &guest.core;
    let members = core.services.groups.members(&core.id, &call.cause.key, group, &call.after.groups);
    Ok(members.iter().map(|member| member.jid().as_str().to_owned()).collect())
}

fn clear(guest: &mut Guest, group: &str) -> Result<(), Fault> {
    allowed(guest)?;
    guest.call()?.after.groups.clear(group);
    Ok(())
}

fn allowed(guest: &Guest) -> Result<(), Fault> {
    if guest.core.manifest.needs.groups { Ok(()) } else { Err(Fault::denied(guest, "groups = true")) }
}
