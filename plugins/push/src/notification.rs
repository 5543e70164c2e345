//! What is published (§7).

use xylem_sdk::kv::Rows;
use xylem_sdk::prelude::*;
use xylem_sdk::{outbox, runtime};

use crate::device::Device;
use crate::importance::Important;
use crate::views::ROSTER_CONTACTS;
use crate::{Config, FORM, NS, PUBSUB};

/// How long a service may take to answer, in milliseconds.
const PATIENCE: u32 = 60_000;
/// Longest text in a notification, in bytes.
const TEXT: usize = 512;

/// What a notification says beside the number of messages.
pub(crate) struct Summary {
    /// Requests for a subscription that wait.
    pub(crate) requests: usize,
    sender: Option<String>,
    text: Option<String>,
}

impl Summary {
    /// Reads what the configuration lets be known of the last message.
    pub(crate) fn of(config: &Config, last: Option<&Important>) -> Result<Self, Fault> {
        let sender = last.filter(|_| config.sender).map(|last| last.sender.to_owned());
        let text = last.filter(|_| config.body).and_then(|last| last.text).map(shortened);
        Ok(Self { requests: ROSTER_CONTACTS.by_index("pending", "1")?.len(), sender, text })
    }
}

/// Publishes to the device's node; the answer comes to [`crate::answering`].
pub(crate) fn publish(cx: &Cx, device: &Device, messages: u32, summary: &Summary) -> Result<(), Fault> {
    let (jid, node) = device.place();
    let form = Xml::with_ns("x", FORM)
        .attr("type", "submit")
        .child(field("FORM_TYPE", "urn:xmpp:push:summary"))
        .child(field("message-count", &messages.to_string()))
        .child(field("pending-subscription-count", &summary.requests.to_string()))
        .child_opt(summary.sender.as_deref().map(|sender| field("last-message-sender", sender)))
        .child_opt(summary.text.as_deref().map(|text| field("last-message-body", text)));
    let item = Xml::new("item").child(Xml::with_ns("notification", NS).child(form));
    let publish = Xml::new("publish").attr_opt("node", Some(node).filter(|node| !node.is_empty())).child(item);
    let options = device.options.as_deref().map(|form| Xml::new("publish-options").raw(form));
    let pubsub = Xml::with_ns("pubsub", PUBSUB).child(publish).child_opt(options);
    let request = Xml::iq("set", &runtime::random_id()).attr("from", &cx.domain()).attr("to", jid).child(pubsub);
    outbox::ask(request, PATIENCE, &device.name())
}

fn field(name: &str, value: &str) -> Xml {
    Xml::new("field").attr("var", name).leaf("value", value)
}

fn shortened(text: &str) -> String {
    text.get(..text.floor_char_boundary(TEXT)).unwrap_or_default().to_owned()
}
