//! What services answer (§7.1).

use xylem_sdk::prelude::*;
use xylem_sdk::{Answer, runtime};

use crate::Config;
use crate::device::Device;

const STANZAS: &str = "urn:ietf:params:xml:ns:xmpp-stanzas";
/// Conditions that time may heal, whatever the error's type says.
const PASSING: [&str; 6] = [
    "internal-server-error",
    "remote-server-not-found",
    "remote-server-timeout",
    "resource-constraint",
    "service-unavailable",
    "recipient-unavailable",
];

/// Counts failures; a node that fails too often in a row counts as gone. It stays in the store, is tried again from
/// time to time, and works again as soon as its client enables it.
pub(crate) fn answered(cx: &Cx, answer: &Answer) -> Result<(), Failure> {
    let Some(mut device) = Device::find(answer.token)? else { return Ok(()) };
    let Some(why) = failure(answer) else {
        if device.failures != 0 {
            (device.failures, device.refusals, device.gone, device.tried) = (0, 0, 0, 0);
            device.save()?;
        }
        return Ok(());
    };
    let config = Config::load();
    device.failures = device.failures.saturating_add(1);
    if !why.passing {
        device.refusals = device.refusals.saturating_add(1);
    }
    device.why = why.condition.to_owned();
    let gone = i64::from(device.failures) >= config.failures || i64::from(device.refusals) >= config.refusals;
    if gone && device.gone == 0 {
        runtime::info(
            &["a push service fails and is given up for now: ", device.place().0, ", ", &device.why].concat(),
        );
        device.gone = cx.now().max(1);
    }
    if gone {
        device.tried = cx.now();
    }
    Ok(device.save()?)
}

struct Why<'a> {
    condition: &'a str,
    passing: bool,
}

/// None for a result.
fn failure<'a>(answer: &Answer<'a>) -> Option<Why<'a>> {
    let Ok(stanza) = &answer.stanza else {
        return Some(Why { condition: "remote-server-timeout", passing: true });
    };
    if !stanza.is("error") {
        return None;
    }
    let error = stanza.child("jabber:client", "error");
    let mut conditions = error.into_iter().flat_map(|error| error.children()).filter(|child| child.ns() == STANZAS);
    let condition = conditions.find(|child| child.name() != "text").map_or("undefined-condition", |child| child.name());
    let wait = error.and_then(|error| error.attr("type")) == Some("wait");
    Some(Why { condition, passing: wait || PASSING.contains(&condition) })
}
