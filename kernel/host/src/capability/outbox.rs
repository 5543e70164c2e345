//! `xylem:outbox/outbox`: what a call sends, collected until it has succeeded.

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker};
use xylem_hooks::manifest::{Class, OutboxGrant, Recipient, Sender};
use xylem_hooks::{Effect, Pick, Recipients};
use xylem_stanza::{BareJid, Jid, Kind, Stanza};

use super::{Answer, Fault};
use crate::guest::{Ask, Call, Core, Guest, Wake};
use crate::timers;

#[derive(ComponentType, Lift)]
#[component(record)]
struct PickRecord {
    #[component(name = "available")]
    available: bool,
    #[component(name = "min-priority")]
    min_priority: Option<i8>,
    #[component(name = "tag")]
    tag: Option<String>,
    #[component(name = "except")]
    except: Option<String>,
    #[component(name = "only")]
    only: Option<String>,
}

/// Longest token and timer name in bytes.
const TOKEN: usize = 1024;
/// Longest wait for an answer in milliseconds.
const TIMEOUT: u32 = 300_000;

impl From<PickRecord> for Pick {
    fn from(pick: PickRecord) -> Self {
        Self {
            available: pick.available,
            min_priority: pick.min_priority,
            tag: pick.tag,
            except: pick.except,
            only: pick.only,
        }
    }
}

type Cx<'a> = StoreContextMut<'a, Guest>;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:outbox/outbox@0.1.0")?;
    into.func_wrap("send", |mut cx: Cx<'_>, (stanza,): (String,)| -> wasmtime::Result<Answer<()>> {
        Ok((send(cx.data_mut(), &stanza),))
    })?;
    into.func_wrap(
        "forward",
        |mut cx: Cx<'_>, (sender, to): (Option<String>, Option<String>)| -> wasmtime::Result<Answer<()>> {
            Ok((forward(cx.data_mut(), sender.as_deref(), to.as_deref()),))
        },
    )?;
    into.func_wrap(
        "to-sessions",
        |mut cx: Cx<'_>, (template, pick): (Option<String>, PickRecord)| -> wasmtime::Result<Answer<()>> {
            Ok((to_sessions(cx.data_mut(), template.as_deref(), pick),))
        },
    )?;
    into.func_wrap(
        "copy-to-sessions",
        |mut cx: Cx<'_>, (wrapping, pick): (String, PickRecord)| -> wasmtime::Result<Answer<()>> {
            Ok((copy_to_sessions(cx.data_mut(), &wrapping, pick),))
        },
    )?;
    into.func_wrap(
        "to-index",
        |mut cx: Cx<'_>,
         (template, store, index, value): (Option<String>, u32, String, String)|
         -> wasmtime::Result<Answer<()>> {
            Ok((to_index(cx.data_mut(), template.as_deref(), store, &index, &value),))
        },
    )?;
    into.func_wrap(
        "to-group",
        |mut cx: Cx<'_>,
         (template, sender, group, except): (Option<String>, Option<String>, String, Vec<String>)|
         -> wasmtime::Result<Answer<()>> {
            Ok((to_group(cx.data_mut(), template.as_deref(), sender.as_deref(), &group, except),))
        },
    )?;
    into.func_wrap("to-everybody", |mut cx: Cx<'_>, (template,): (String,)| -> wasmtime::Result<Answer<u32>> {
        Ok((to_everybody(cx.data_mut(), &template),))
    })?;
    into.func_wrap("presence-to", |mut cx: Cx<'_>, (to,): (String,)| -> wasmtime::Result<Answer<()>> {
        Ok((presence_to(cx.data_mut(), &to),))
    })?;
    into.func_wrap(
        "ask",
        |mut cx: Cx<'_>, (request, timeout, token): (String, u32, String)| -> wasmtime::Result<Answer<()>> {
            Ok((ask(cx.data_mut(), &request, timeout, token),))
        },
    )?;
    into.func_wrap(
        "wake",
        |mut cx: Cx<'_>, (name, at, token): (String, u64, String)| -> wasmtime::Result<Answer<()>> {
            Ok((wake(cx.data_mut(), name, Some((at, token))),))
        },
    )?;
    into.func_wrap("cancel-wake", |mut cx: Cx<'_>, (name,): (String,)| -> wasmtime::Result<Answer<()>> {
        Ok((wake(cx.data_mut(), name, None),))
    })
}

fn send(guest: &mut Guest, xml: &str) -> Result<(), Fault> {
    let stanza = made(guest, xml)?;
    count(guest, 1, xml.len())?;
    guest.call()?.effects.push(Effect::Send(stanza));
    Ok(())
}

fn forward(guest: &mut Guest, sender: Option<&str>, to: Option<&str>) -> Result<(), Fault> {
    let grant = grant(guest)?.clone();
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    let stanza = call.current().ok_or(Fault::Missing)?.clone();
    let from = match sender {
        None => stanza.from().cloned().ok_or(Fault::Missing)?,
        Some(sender) => {
            let sender = Jid::parse(sender).map_err(Fault::invalid)?;
            may_send_as(&core, call, &grant, &sender)?;
            sender
        }
    };
    let to = match to {
        None => stanza.to().cloned().ok_or(Fault::Missing)?,
        Some(to) => Jid::parse(to).map_err(Fault::invalid)?,
    };
    may_send_to(call, &grant, &to)?;
    count(guest, 1, 0)?;
    guest.call()?.effects.push(Effect::Send(stanza.readdressed(Some(from), Some(to))));
    Ok(())
}

fn to_sessions(guest: &mut Guest, template: Option<&str>, pick: PickRecord) -> Result<(), Fault> {
    grant(guest)?;
    let call = guest.call()?;
    let account = BareJid::parse(&call.cause.key).map_err(Fault::invalid)?;
    let stanza = match template {
        None => call.current().ok_or(Fault::Missing)?.clone(),
        Some(xml) => {
            let stanza = Stanza::parse(xml).map_err(Fault::invalid)?;
            let from = stanza.from().cloned().unwrap_or_else(|| Jid::from(&account));
            stanza.readdressed(Some(from), stanza.to().cloned())
        }
    };
    count(guest, 1, template.map_or(0, str::len))?;
    guest.call()?.effects.push(Effect::ToSessions { account, stanza, pick: pick.into() });
    Ok(())
}

/// The wrapping is checked once, however many stanzas it is for.
fn copy_to_sessions(guest: &mut Guest, wrapping: &str, pick: PickRecord) -> Result<(), Fault> {
    grant(guest)?;
    let core = std::sync::Arc::clone(&guest.core);
    let wrapping = core.services.wrappings.get(wrapping)?;
    count(guest, 1, 0)?;
    let call = guest.call()?;
    let account = BareJid::parse(&call.cause.key).map_err(Fault::invalid)?;
    let stanza = call.current().ok_or(Fault::Missing)?.clone();
    call.effects.push(Effect::Copies { account, stanza, wrapping, pick: pick.into() });
    Ok(())
}

fn to_index(guest: &mut Guest, template: Option<&str>, store: u32, index: &str, value: &str) -> Result<(), Fault> {
    let grant = grant(guest)?.clone();
    let core = std::sync::Arc::clone(&guest.core);
    let limit = usize::try_from(core.manifest.run.outbox.count).unwrap_or(usize::MAX);
    let call = guest.call()?;
    let rows = super::kv::indexed(&core, call, store, index, value, limit)?;
    let addresses =
        rows.iter().filter_map(|(_, key, _)| std::str::from_utf8(key).ok().and_then(|key| Jid::parse(key).ok()));
    let to = addresses.collect();
    fan_out(guest, &grant, template, None, to)
}

fn to_group(
    guest: &mut Guest,
    template: Option<&str>,
    sender: Option<&str>,
    group: &str,
    except: Vec<String>,
) -> Result<(), Fault> {
    let grant = grant(guest)?.clone();
    if !guest.core.manifest.needs.groups {
        return Err(Fault::denied(guest, "groups = true"));
    }
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    let members = core.services.groups.members(&core.id, &call.cause.key, group, &call.after.groups);
    fan_out(guest, &grant, template, sender, Recipients::new(members, except))
}

fn fan_out(
    guest: &mut Guest,
    grant: &OutboxGrant,
    template: Option<&str>,
    sender: Option<&str>,
    to: Recipients,
) -> Result<(), Fault> {
    let sender = sender.map(Jid::parse).transpose().map_err(Fault::invalid)?;
    let core = std::sync::Arc::clone(&guest.core);
    if let Some(sender) = &sender {
        may_send_as(&core, guest.call()?, grant, sender)?;
    }
    let stanza = match template {
        None => guest.call()?.current().ok_or(Fault::Missing)?.clone(),
        Some(xml) if sender.is_some() => Stanza::parse(xml).map_err(Fault::invalid)?,
        Some(xml) => made(guest, xml)?,
    };
    let stanza = match sender {
        None => stanza,
        sender => stanza.readdressed(sender, None),
    };
    let call = guest.call()?;
    if !grant.to.contains(&Recipient::Any) {
        to.iter().try_for_each(|to| may_send_to(call, grant, to.jid()))?;
    }
    if to.is_empty() {
        return Ok(());
    }
    count(guest, to.len(), template.map_or(0, str::len))?;
    guest.call()?.effects.push(Effect::ToAddresses { stanza, to });
    Ok(())
}

fn to_everybody(guest: &mut Guest, template: &str) -> Result<u32, Fault> {
    let grant = grant(guest)?.clone();
    if !grant.to.contains(&Recipient::Everybody) {
        return Err(Fault::denied(guest, "everybody (in outbox.to)"));
    }
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    let stanza = Stanza::parse(template).map_err(Fault::invalid)?;
    let from = stanza.from().cloned().map_or_else(|| Jid::parse(&call.cause.domain).map_err(Fault::invalid), Ok)?;
    may_send_as(&core, call, &grant, &from)?;
    let sessions = core.services.sessions.all(0, usize::MAX);
    let here =
        sessions.iter().filter(|session| session.is_available() && session.jid().domain() == &*call.cause.domain);
    let to: Recipients = here.map(|session| Jid::from(session.jid().clone())).collect();
    if to.is_empty() {
        return Ok(0);
    }
    count(guest, to.len(), template.len())?;
    let reached = u32::try_from(to.len()).unwrap_or(u32::MAX);
    let stanza = stanza.readdressed(Some(from), None);
    guest.call()?.effects.push(Effect::ToAddresses { stanza, to });
    Ok(reached)
}

fn presence_to(guest: &mut Guest, to: &str) -> Result<(), Fault> {
    let grant = grant(guest)?.clone();
    let call = guest.call()?;
    let account = BareJid::parse(&call.cause.key).map_err(Fault::invalid)?;
    let to = Jid::parse(to).map_err(Fault::invalid)?;
    may_send_to(call, &grant, &to)?;
    count(guest, 1, 0)?;
    guest.call()?.effects.push(Effect::PresenceTo { account, to });
    Ok(())
}

fn ask(guest: &mut Guest, xml: &str, timeout: u32, token: String) -> Result<(), Fault> {
    if !guest.core.manifest.needs.ask {
        return Err(Fault::denied(guest, "ask = true"));
    }
    if timeout == 0 || timeout > TIMEOUT || token.len() > TOKEN {
        return Err(Fault::Invalid(format!("the timeout is 1 to {TIMEOUT} ms, the token {TOKEN} bytes at most")));
    }
    let stanza = made(guest, xml)?;
    if stanza.kind() != Kind::Iq || !stanza.type_().is_request() {
        return Err(Fault::Invalid("only an IQ of type get or set can be answered".to_owned()));
    }
    if !guest.core.services.asks.has_room(&guest.core.id) {
        return Err(Fault::Quota);
    }
    count(guest, 1, xml.len())?;
    let id = unguessable()?;
    let stanza = stanza.set_attr("id", Some(&id)).map_err(Fault::invalid)?;
    let to = stanza.to().map_or_else(String::new, |to| to.as_str().to_owned());
    let call = guest.call()?;
    call.after.asks.push(Ask { id, to, timeout, token });
    call.effects.push(Effect::Send(stanza));
    Ok(())
}

fn wake(guest: &mut Guest, name: String, set: Option<(u64, String)>) -> Result<(), Fault> {
    if !guest.core.manifest.needs.wake {
        return Err(Fault::denied(guest, "wake = true"));
    }
    let long = set.as_ref().is_some_and(|(_, token)| token.len() > TOKEN);
    if name.len() > TOKEN || long || name.contains('\0') {
        return Err(Fault::Invalid(format!("name and token have {TOKEN} bytes at most")));
    }
    let core = std::sync::Arc::clone(&guest.core);
    if set.is_some() && !core.services.timers.has_room(&core.id) {
        return Err(Fault::Quota);
    }
    let call = guest.call()?;
    let written = timers::record(&core, call, &name, set.as_ref());
    written.map_err(|error| Fault::storage(&core.id, &error))?;
    call.class = Class::Durable;
    call.after.wakes.push(Wake { name, set });
    Ok(())
}

/// A stanza that the plugin wrote, with both addresses, checked against the grant.
pub(super) fn made(guest: &mut Guest, xml: &str) -> Result<Stanza, Fault> {
    let grant = grant(guest)?.clone();
    let core = std::sync::Arc::clone(&guest.core);
    let call = guest.call()?;
    let stanza = Stanza::parse(xml).map_err(Fault::invalid)?;
    let own = || Jid::parse(&call.cause.key).map_err(Fault::invalid);
    let from = stanza.from().cloned().map_or_else(own, Ok)?;
    let to = stanza.to().cloned().map_or_else(own, Ok)?;
    may_send_as(&core, call, &grant, &from)?;
    may_send_to(call, &grant, &to)?;
    Ok(stanza.readdressed(Some(from), Some(to)))
}

fn grant(guest: &Guest) -> Result<&OutboxGrant, Fault> {
    let grant = guest.core.manifest.needs.outbox.as_ref();
    grant.ok_or_else(|| Fault::denied(guest, "outbox = { from = […], to = […] }"))
}

fn may_send_as(core: &Core, call: &Call, grant: &OutboxGrant, from: &Jid) -> Result<(), Fault> {
    let domain = &*call.cause.domain;
    let allowed = grant.from.iter().any(|sender| match sender {
        Sender::Account => from.local().is_some() && from.bare_str() == &*call.cause.key,
        Sender::Server => from.as_str() == domain,
        Sender::Domain => {
            let plan = core.services.plan(domain);
            plan.is_some_and(|plan| plan.domain_owner(from.domain()) == Some(core.index))
                || core.manifest.domains.iter().any(|claim| claim.at(domain) == from.domain())
        }
    });
    if allowed {
        return Ok(());
    }
    tracing::warn!(plugin = %core.id, %from, "denied: `outbox.from` of its manifest does not cover this sender");
    Err(Fault::Denied)
}

fn may_send_to(call: &Call, grant: &OutboxGrant, to: &Jid) -> Result<(), Fault> {
    let allowed = grant.to.iter().any(|recipient| match recipient {
        Recipient::Any => true,
        Recipient::OwnSessions => to.bare_str() == &*call.cause.key,
        Recipient::Everybody => false,
    });
    if allowed { Ok(()) } else { Err(Fault::Denied) }
}

/// Whether the grant covers this recipient.
pub(super) fn may_reach(guest: &mut Guest, to: &Jid) -> Result<(), Fault> {
    let grant = grant(guest)?.clone();
    may_send_to(guest.call()?, &grant, to)
}

pub(super) fn count(guest: &mut Guest, stanzas: usize, bytes: usize) -> Result<(), Fault> {
    let limit = guest.core.manifest.run.outbox;
    let call = guest.call()?;
    let stanzas = call.sent + u64::try_from(stanzas).unwrap_or(u64::MAX);
    let bytes = call.sent_bytes + u64::try_from(bytes).unwrap_or(u64::MAX);
    if stanzas > limit.count || bytes > limit.bytes {
        return Err(Fault::Quota);
    }
    (call.sent, call.sent_bytes) = (stanzas, bytes);
    Ok(())
}

/// Answers are matched by id and sender; the id must not be guessable by others.
pub(crate) fn unguessable() -> Result<String, Fault> {
    let mut random = [0u8; 10];
    getrandom::fill(&mut random).map_err(Fault::invalid)?;
    Ok(random.iter().fold("ask-".to_owned(), |id, byte| format!("{id}{byte:02x}")))
}
