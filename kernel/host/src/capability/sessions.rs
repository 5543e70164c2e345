//! `xylem:sessions/sessions`: the connected resources of the key's account.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, Lower};
use xylem_hooks::Effect;
use xylem_stanza::{BareJid, StreamCondition};

use super::{Answer, Fault};
use crate::guest::Guest;

#[derive(ComponentType, Lower)]
#[component(record)]
struct Session {
    #[component(name = "resource")]
    resource: String,
    #[component(name = "available")]
    available: bool,
    #[component(name = "priority")]
    priority: i8,
    #[component(name = "hibernated")]
    hibernated: bool,
    #[component(name = "tags")]
    tags: Vec<String>,
}

/// Longest tag in bytes.
const TAG: usize = 64;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:sessions/sessions@0.1.0")?;
    into.func_wrap("all", |cx: StoreContextMut<'_, Guest>, (): ()| -> wasmtime::Result<Answer<Vec<Session>>> {
        Ok((all(cx.data()),))
    })?;
    into.func_wrap(
        "set-tag",
        |mut cx: StoreContextMut<'_, Guest>,
         (resource, tag, on): (String, String, bool)|
         -> wasmtime::Result<Answer<()>> { Ok((set_tag(cx.data_mut(), resource, tag, on),)) },
    )?;
    into.func_wrap(
        "end",
        |mut cx: StoreContextMut<'_, Guest>,
         (resource, condition): (Option<String>, String)|
         -> wasmtime::Result<Answer<()>> { Ok((end(cx.data_mut(), resource, &condition),)) },
    )
}

fn all(guest: &Guest) -> Result<Vec<Session>, Fault> {
    if !guest.core.manifest.needs.sessions.read {
        return Err(Fault::denied(guest, "sessions = [\"read\"]"));
    }
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let table = &guest.core.services.sessions;
    let tags = table.tags().all();
    let one = |session: &std::sync::Arc<xylem_session::Session>| {
        let presence = session.presence();
        Session {
            resource: session.jid().resource().to_owned(),
            available: presence.available,
            priority: presence.priority,
            hibernated: session.is_hibernated(),
            tags: tags.iter().filter(|(tag, _)| session.has(*tag)).map(|(_, name)| name.clone()).collect(),
        }
    };
    Ok(table.of(&call.cause.key).iter().map(one).collect())
}

fn set_tag(guest: &mut Guest, resource: String, tag: String, on: bool) -> Result<(), Fault> {
    if !guest.core.manifest.needs.sessions.tag {
        return Err(Fault::denied(guest, "sessions = [\"tag\"]"));
    }
    if tag.is_empty() || tag.len() > TAG {
        return Err(Fault::Invalid(format!("a tag has 1 to {TAG} bytes")));
    }
    let sessions = std::sync::Arc::clone(&guest.core.services.sessions);
    let call = guest.call()?;
    sessions.find_resource(&call.cause.key, &resource).ok_or(Fault::Missing)?;
    if on && sessions.tags().intern(&tag).is_none() {
        return Err(Fault::Quota);
    }
    call.after.tags.push((resource, tag, on));
    Ok(())
}

fn end(guest: &mut Guest, resource: Option<String>, condition: &str) -> Result<(), Fault> {
    if !guest.core.manifest.needs.sessions.end {
        return Err(Fault::denied(guest, "sessions = [\"end\"]"));
    }
    let condition = StreamCondition::parse(condition)
        .ok_or_else(|| Fault::Invalid(format!("`{condition}` is no stream error condition")))?;
    let call = guest.call()?;
    let account = BareJid::parse(&call.cause.key).map_err(Fault::invalid)?;
    call.effects.push(Effect::EndSessions { account, resource, condition });
    Ok(())
}
