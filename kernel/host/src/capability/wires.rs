//! `xylem:wires/wires`: connections that the server relays for the plugin.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Lift, Linker};

use super::{Answer, Fault};
use crate::guest::Guest;
use crate::wires::{Splice, WireBounds, WireRefusal, WireService};

#[derive(ComponentType, Lift)]
#[component(record)]
struct Bounds {
    #[component(name = "user")]
    user: String,
    #[component(name = "per-user")]
    per_user: u32,
    #[component(name = "total")]
    total: u32,
    #[component(name = "rate")]
    rate: u64,
    #[component(name = "bytes")]
    bytes: u64,
    #[component(name = "idle")]
    idle: u32,
}

/// None where the server has no sockets.
type Service = Option<Arc<dyn WireService>>;

/// Longest user, label and token in bytes.
const TEXT: usize = 4096;
/// Milliseconds that a relay may be idle.
const IDLE: std::ops::RangeInclusive<u32> = 1000..=86_400_000;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:wires/wires@0.1.0")?;
    into.func_wrap(
        "ports",
        |cx: StoreContextMut<'_, Guest>, (listener,): (u32,)| -> wasmtime::Result<Answer<Vec<u16>>> {
            Ok((ports(cx.data(), listener),))
        },
    )?;
    into.func_wrap(
        "waiting",
        |cx: StoreContextMut<'_, Guest>, (listener, label): (u32, String)| -> wasmtime::Result<Answer<Vec<u64>>> {
            Ok((waiting(cx.data(), listener, &label),))
        },
    )?;
    into.func_wrap(
        "splice",
        |mut cx: StoreContextMut<'_, Guest>,
         (one, other, bounds, token): (u64, u64, Bounds, String)|
         -> wasmtime::Result<Answer<()>> { Ok((splice(cx.data_mut(), one, other, bounds, token),)) },
    )?;
    into.func_wrap("close", |mut cx: StoreContextMut<'_, Guest>, (wire,): (u64,)| -> wasmtime::Result<Answer<()>> {
        Ok((close(cx.data_mut(), wire),))
    })
}

fn ports(guest: &Guest, listener: u32) -> Result<Vec<u16>, Fault> {
    let (service, name) = listening(guest, listener)?;
    Ok(service.map_or_else(Vec::new, |service| service.ports(&guest.core.id, name)))
}

fn waiting(guest: &Guest, listener: u32, label: &str) -> Result<Vec<u64>, Fault> {
    let (service, name) = listening(guest, listener)?;
    bounded(label)?;
    Ok(service.map_or_else(Vec::new, |service| service.waiting(&guest.core.id, name, label)))
}

fn splice(guest: &mut Guest, one: u64, other: u64, bounds: Bounds, token: String) -> Result<(), Fault> {
    let service = service(guest)?.ok_or(Fault::Missing)?;
    bounded(&bounds.user)?;
    bounded(&token)?;
    if !IDLE.contains(&bounds.idle) {
        return Err(Fault::Invalid(format!("idle is {} to {} ms", IDLE.start(), IDLE.end())));
    }
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    let bounds = WireBounds {
        user: bounds.user,
        per_user: size(bounds.per_user),
        total: size(bounds.total),
        rate: bounds.rate,
        bytes: bounds.bytes,
        idle: Duration::from_millis(u64::from(bounds.idle)),
    };
    let wires = service.claim(&guest.core.id, one, other, bounds).map_err(|refusal| match refusal {
        WireRefusal::Missing => Fault::Missing,
        WireRefusal::Quota => Fault::Quota,
    })?;
    // Dropped with the call, if that fails: then the wires wait on.
    guest.call()?.after.wires.splices.push(Splice { wires, token });
    Ok(())
}

fn close(guest: &mut Guest, wire: u64) -> Result<(), Fault> {
    service(guest)?;
    guest.call()?.after.wires.closes.push(wire);
    Ok(())
}

fn listening(guest: &Guest, listener: u32) -> Result<(Service, &str), Fault> {
    let at = usize::try_from(listener).unwrap_or(usize::MAX);
    let service = service(guest)?;
    let spec = guest.core.manifest.listeners.get(at).ok_or(Fault::Missing)?;
    Ok((service, &spec.name))
}

fn service(guest: &Guest) -> Result<Service, Fault> {
    if !guest.core.manifest.needs.wires {
        return Err(Fault::denied(guest, "wires = true"));
    }
    Ok(guest.core.services.wires.get().map(|port| Arc::clone(&port.service)))
}

fn bounded(text: &str) -> Result<(), Fault> {
    if text.len() <= TEXT { Ok(()) } else { Err(Fault::Invalid(format!("longer than {TEXT} bytes"))) }
}
