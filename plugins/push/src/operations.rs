//! What administrators ask about devices.

use xylem_sdk::prelude::*;

use crate::device::Device;
use crate::stores::DEVICES;

pub(crate) fn list(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let page = call.page();
    let text = |text: &str| Some(text).filter(|text| !text.is_empty()).map(Json::from);
    let mut entries = Vec::new();
    for device in Device::all()? {
        let (service, node) = device.place();
        if !page.finds(&[service, node, &device.resource]) {
            continue;
        }
        let shown = Json::object()
            .with("service", service)
            .with("node", text(node))
            .with("resource", device.resource.as_str())
            .with("failures", device.failures)
            .with("gone", Some(device.gone / 1000).filter(|gone| *gone > 0))
            .with("why", text(&device.why));
        entries.push((device.key.clone(), shown));
    }
    Ok(page.of(entries))
}

pub(crate) fn forget(_cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let (service, node) = (call.required("service"), call.text("node"));
    let mut removed = 0_u32;
    for device in Device::all()? {
        let (of, named) = device.place();
        if of == service && node.is_none_or(|node| node == named) && DEVICES.delete(&device.key)? {
            removed += 1;
        }
    }
    if removed == 0 {
        return Err(Refusal::Missing("there is no such device".into()));
    }
    Ok(Json::object().with("removed", removed))
}
