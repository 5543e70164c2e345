//! `xylem:runtime/runtime`: log, time, randomness, configuration, on whose behalf.

use std::sync::Arc;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};
use xylem_stanza::Jid;

use crate::guest::{Guest, Level};

#[derive(Clone, Copy, ComponentType, Lift, Lower)]
#[component(enum)]
#[repr(u8)]
#[allow(dead_code, reason = "made by lifting")]
enum LevelName {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

#[derive(ComponentType, Lower)]
#[component(record)]
struct Server {
    #[component(name = "name")]
    name: String,
    #[component(name = "version")]
    version: String,
    #[component(name = "uptime")]
    uptime: u64,
}

/// Longest log line and status text in bytes.
const LINE: usize = 4096;
/// Most random bytes at once.
const RANDOM: u32 = 1024;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:runtime/runtime@0.1.0")?;
    into.func_wrap("log", |cx: StoreContextMut<'_, Guest>, (level, message): (LevelName, String)| {
        log(cx.data(), level, &message);
        Ok(())
    })?;
    into.func_wrap("now", |cx: StoreContextMut<'_, Guest>, (): ()| Ok((now(cx.data()),)))?;
    into.func_wrap("random", |_: StoreContextMut<'_, Guest>, (count,): (u32,)| {
        let mut bytes = vec![0; usize::try_from(count.min(RANDOM))?];
        getrandom::fill(&mut bytes).map_err(|error| wasmtime::Error::msg(error.to_string()))?;
        Ok((bytes,))
    })?;
    into.func_wrap("server-info", |cx: StoreContextMut<'_, Guest>, (): ()| {
        let services = &cx.data().core.services;
        let uptime = services.clock.now_ms().saturating_sub(services.started);
        Ok((Server { name: services.server.name.clone(), version: services.server.version.clone(), uptime },))
    })?;
    into.func_wrap("config", |cx: StoreContextMut<'_, Guest>, (): ()| {
        let guest = cx.data();
        let domain = guest.call.as_ref().map_or("", |call| &call.cause.domain);
        Ok((Arc::clone(&guest.core.config(domain).json),))
    })?;
    into.func_wrap("status", |cx: StoreContextMut<'_, Guest>, (level, text): (LevelName, String)| {
        let mut status = cx.data().core.status.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        *status = Some((level.into(), cut(&text).to_owned()));
        Ok(())
    })?;
    into.func_wrap("domain", |cx: StoreContextMut<'_, Guest>, (): ()| {
        Ok((cx.data().call.as_ref().map_or_else(|| "".into(), |call| call.cause.domain.clone()),))
    })?;
    into.func_wrap("key", |cx: StoreContextMut<'_, Guest>, (): ()| {
        Ok((cx.data().call.as_ref().map_or_else(|| "".into(), |call| call.cause.key.clone()),))
    })?;
    into.func_wrap("actor", |cx: StoreContextMut<'_, Guest>, (): ()| {
        let actor = cx.data().call.as_ref().and_then(|call| call.cause.actor.as_ref());
        Ok((actor.map(|actor| actor.as_str().to_owned()),))
    })?;
    into.func_wrap("peer", |cx: StoreContextMut<'_, Guest>, (): ()| {
        let peer = cx.data().call.as_ref().and_then(|call| call.cause.peer);
        Ok((peer.map(|peer| peer.to_string()),))
    })?;
    into.func_wrap("normalise", |_: StoreContextMut<'_, Guest>, (address,): (String,)| {
        Ok((Jid::parse(&address).ok().map(|jid| jid.as_str().to_owned()),))
    })
}

fn now(guest: &Guest) -> u64 {
    guest.call.as_ref().map_or_else(|| guest.core.services.clock.now_ms(), |call| call.now)
}

fn log(guest: &Guest, level: LevelName, message: &str) {
    let core = &guest.core;
    if !core.log_rate.take(core.services.clock.now_ms(), core.manifest.run.log_rate) {
        return;
    }
    let plugin = &*core.id;
    let domain = guest.call.as_ref().map_or("", |call| &call.cause.domain);
    let message = cut(message);
    match level {
        LevelName::Trace => tracing::trace!(target: "plugin", plugin, domain, "{message}"),
        LevelName::Debug => tracing::debug!(target: "plugin", plugin, domain, "{message}"),
        LevelName::Info => tracing::info!(target: "plugin", plugin, domain, "{message}"),
        LevelName::Warn => tracing::warn!(target: "plugin", plugin, domain, "{message}"),
        LevelName::Error => tracing::error!(target: "plugin", plugin, domain, "{message}"),
    }
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(LINE)).unwrap_or_default()
}

impl From<LevelName> for Level {
    fn from(level: LevelName) -> Self {
        match level {
            LevelName::Trace => Self::Trace,
            LevelName::Debug => Self::Debug,
            LevelName::Info => Self::Info,
            LevelName::Warn => Self::Warn,
            LevelName::Error => Self::Error,
        }
    }
}
