//! `xylem:stanza/current`: the stanza the call is about, and edits of it.

use wasmtime::StoreContextMut;
use wasmtime::component::Linker;

use super::{Answer, Fault};
use crate::guest::{Call, Guest};

pub(super) fn link(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut into = linker.instance("xylem:stanza/current@0.1.0")?;
    into.func_wrap("xml", |cx: StoreContextMut<'_, Guest>, (): ()| {
        let stanza = cx.data().call.as_ref().and_then(Call::current);
        Ok((stanza.map(|stanza| stanza.to_xml_string()),))
    })?;
    into.func_wrap("element-xml", |cx: StoreContextMut<'_, Guest>, (element,): (u32,)| {
        Ok((element_xml(cx.data(), element),))
    })?;
    into.func_wrap(
        "insert",
        |mut cx: StoreContextMut<'_, Guest>, (child,): (String,)| -> wasmtime::Result<Answer<()>> {
            Ok((insert(cx.data_mut(), &child),))
        },
    )?;
    into.func_wrap(
        "remove",
        |mut cx: StoreContextMut<'_, Guest>, (ns, name): (String, String)| -> wasmtime::Result<Answer<u32>> {
            Ok((remove(cx.data_mut(), &ns, &name),))
        },
    )
}

fn element_xml(guest: &Guest, element: u32) -> Option<String> {
    let stanza = guest.call.as_ref()?.stanza.as_ref()?;
    if element == 0 {
        return Some(stanza.to_xml_string());
    }
    let node = stanza.element().nodes().nth(usize::try_from(element).ok()?)?;
    Some(node.to_xml_string())
}

fn insert(guest: &mut Guest, child: &str) -> Result<(), Fault> {
    let call = editable(guest)?;
    let stanza = call.current().ok_or(Fault::Missing)?;
    let edited = stanza.insert_child(child).map_err(Fault::invalid)?;
    call.edited = Some(edited);
    Ok(())
}

fn remove(guest: &mut Guest, ns: &str, name: &str) -> Result<u32, Fault> {
    let call = editable(guest)?;
    let stanza = call.current().ok_or(Fault::Missing)?;
    let count = stanza.root().children().filter(|child| child.is(ns, name)).count();
    if count > 0 {
        let edited = stanza.remove_children(ns, name).map_err(Fault::invalid)?;
        call.edited = Some(edited);
    }
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

fn editable(guest: &mut Guest) -> Result<&mut Call, Fault> {
    if !guest.core.manifest.needs.edit {
        return Err(Fault::denied(guest, "edit = true"));
    }
    let call = guest.call()?;
    if call.observes {
        return Err(Fault::Denied);
    }
    Ok(call)
}
