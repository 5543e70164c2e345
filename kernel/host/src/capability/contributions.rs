//! `xylem:contributions/contributions`: what all plugins of the domain add.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::{Answer, Fault};
use crate::guest::Guest;

/// Most values a plugin publishes in one slot.
const VALUES: usize = 256;

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:contributions/contributions@0.1.0")?;
    into.func_wrap(
        "all",
        |cx: StoreContextMut<'_, Guest>, (slot,): (String,)| -> wasmtime::Result<Answer<Vec<String>>> {
            Ok((all(cx.data(), &slot),))
        },
    )?;
    into.func_wrap(
        "publish",
        |mut cx: StoreContextMut<'_, Guest>, (slot, values): (String, Vec<String>)| -> wasmtime::Result<Answer<()>> {
            Ok((publish(cx.data_mut(), slot, values),))
        },
    )
}

fn all(guest: &Guest, slot: &str) -> Result<Vec<String>, Fault> {
    allowed(guest, slot)?;
    let call = guest.call.as_ref().ok_or(Fault::Denied)?;
    let plan = guest.core.services.plan(&call.cause.domain).ok_or(Fault::Missing)?;
    Ok(plan.contributions(slot).to_vec())
}

fn publish(guest: &mut Guest, slot: String, values: Vec<String>) -> Result<(), Fault> {
    allowed(guest, &slot)?;
    if values.len() > VALUES {
        return Err(Fault::Quota);
    }
    if slot.starts_with("stream.") && values.iter().any(|xml| xylem_xml::Element::parse(xml).is_err()) {
        return Err(Fault::Invalid("not one well-formed element".to_owned()));
    }
    guest.call()?.after.published.push((slot, values));
    Ok(())
}

fn allowed(guest: &Guest, slot: &str) -> Result<(), Fault> {
    let granted = guest.core.manifest.needs.contributions.iter().any(|known| known == slot || known == "*");
    if granted { Ok(()) } else { Err(Fault::denied(guest, &format!("contributions = [\"{slot}\"]"))) }
}
