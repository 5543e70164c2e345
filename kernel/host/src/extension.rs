//! Calls from one plugin to others, through an interface that both declare.
//!
//! The owner of the interface imports it; a call of one of its functions goes to each
//! plugin of the domain that exports it, in the plan's order, and the answers are
//! folded into one ([`fold`]). Each of them runs a turn of its own under the owner's
//! key. The owner's instance stays locked meanwhile; that nobody comes to wait for
//! himself the plan has made sure of. What one of them does wrong is its own fault:
//! it is left out, or refuses if its manifest says `screen`, and the owner goes on.

mod fold;

use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, ComponentExportIndex, Linker, Val};
use wasmtime::{Engine, StoreContextMut};
use xylem_hooks::manifest::Interface;
use xylem_hooks::{Phase, Plan};

use crate::error::HostError;
use crate::guest::Guest;
use fold::{Folded, Kind};

/// Most questions of one call; what is asked beyond them nobody hears.
const QUESTIONS: u32 = 64;

/// Puts the functions of the owner's interface into the linker.
pub(crate) fn link(
    linker: &mut Linker<Guest>,
    engine: &Engine,
    component: &Component,
    (plugin, interface): (&str, &Interface),
) -> Result<(), HostError> {
    let fault = |error: wasmtime::Error| HostError::component(plugin, format!("{error:#}"));
    let ty = component.component_type();
    for (name, import) in ty.imports(engine).filter(|(name, _)| interface.covers(name)) {
        let ComponentItem::ComponentInstance(instance) = import.ty else { continue };
        let mut into = linker.instance(name).map_err(fault)?;
        for (function, item) in instance.exports(engine) {
            let ComponentItem::ComponentFunc(ty) = item.ty else { continue };
            let kind = Kind::of(&ty).ok_or_else(|| {
                let problem =
                    format!("{name}: {function} gives neither nothing, a list nor a variant that begins with `pass`");
                HostError::component(plugin, problem)
            })?;
            let asked = entry(name, function);
            let ask = move |cx: StoreContextMut<'_, Guest>, _, params: &[Val], results: &mut [Val]| {
                ask(cx, &asked, kind, params, results);
                Ok(())
            };
            into.func_new(function, ask).map_err(fault)?;
        }
    }
    Ok(())
}

/// The functions that a component exports for interfaces of others, by [`entry`].
pub(crate) fn exports(
    engine: &Engine,
    component: &Component,
    (plugin, interfaces): (&str, Vec<&Interface>),
) -> Result<Vec<(Arc<str>, ComponentExportIndex)>, HostError> {
    let mut found = Vec::new();
    let ty = component.component_type();
    for interface in interfaces {
        let before = found.len();
        for (name, export) in ty.exports(engine).filter(|(name, _)| interface.covers(name)) {
            let ComponentItem::ComponentInstance(instance) = export.ty else { continue };
            let Some(at) = component.get_export_index(None, name) else { continue };
            for (function, _) in instance.exports(engine) {
                if let Some(index) = component.get_export_index(Some(&at), function) {
                    found.push((entry(name, function), index));
                }
            }
        }
        if found.len() == before {
            let problem = format!("its manifest has [[extend]] {interface}, but the component does not export it");
            return Err(HostError::component(plugin, problem));
        }
    }
    Ok(found)
}

/// How a function is called between plugins whose patch versions may differ.
fn entry(name: &str, function: &str) -> Arc<str> {
    let minor = name.rsplit_once('.').map_or(name, |(minor, _)| minor);
    format!("{minor}#{function}").into()
}

/// Asks everybody who takes part.
fn ask(mut cx: StoreContextMut<'_, Guest>, asked: &str, kind: Kind, params: &[Val], results: &mut [Val]) {
    let mut folded = Folded::new(kind, params);
    let begun = Instant::now();
    if ask_all(cx.data_mut(), asked, &mut folded) {
        // What others take is not the owner's time.
        let ticks = cx.data_mut().watch.excuse(begun.elapsed());
        cx.set_epoch_deadline(ticks);
    }
    if let (Some(result), Some(value)) = (results.first_mut(), folded.end()) {
        *result = value;
    }
}

/// True if anybody was asked.
fn ask_all(guest: &mut Guest, asked: &str, folded: &mut Folded) -> bool {
    let core = Arc::clone(&guest.core);
    let Some(interface) = &core.manifest.extension else { return false };
    let Some(call) = guest.call.as_mut().filter(|call| !call.cause.key.is_empty()) else { return false };
    let plan: Option<Arc<Plan>> = core.services.plan(&call.cause.domain);
    let subscribers = plan.as_ref().map_or(&[][..], |plan| plan.subscribers(interface));
    if subscribers.is_empty() {
        return false;
    }
    if call.questions >= QUESTIONS {
        tracing::warn!(plugin = %core.id, %interface, "asks more than {QUESTIONS} times in one call; nobody hears it");
        return false;
    }
    call.questions += 1;
    for subscriber in subscribers {
        let Some(plugin) = core.services.plugin(subscriber.plugin) else { continue };
        let answer = plugin.extend(&call.cause, call.current(), |instance, call| {
            let (values, call) = instance.extend(call, asked, folded.params(), folded.results())?;
            folded.sound(values.as_deref())?;
            Ok((values, call))
        });
        match answer {
            Ok(values) => folded.add(values),
            Err(_) if subscriber.phase == Phase::Screen => folded.refuse(),
            Err(_) => {}
        }
        if folded.is_decided() {
            break;
        }
    }
    true
}
