use super::sizes::{relative, sources};
use crate::workspace::Workspace;

/// Beginnings of namespaces that belong to features, and so to plugins.
const FEATURES: [&str; 6] =
    ["jabber:iq:", "jabber:x:", "vcard-temp", "http://jabber.org/protocol/", "storage:", "urn:xmpp:"];
/// What the kernel speaks itself: streams, channel binding, the limits it advertises,
/// stanza errors, and the keepalive it sends.
const KERNEL: [&str; 5] =
    ["urn:xmpp:sasl-cb:0", "urn:xmpp:stream-limits:0", "urn:xmpp:ping", "urn:xmpp:features:", "urn:xmpp:errors"];

/// The kernel names no feature's namespace.
pub fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    for path in sources(&workspace.root.join("kernel"))? {
        let name = relative(workspace, &path);
        if name.contains("/tests/") || name.ends_with("/tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path)?;
        let product = text.split("#[cfg(test)]").next().unwrap_or(&text);
        for (number, line) in product.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            let line = KERNEL.iter().fold(line.to_owned(), |line, own| line.replace(own, ""));
            if let Some(feature) = FEATURES.iter().find(|feature| line.contains(*feature)) {
                breaches.push(format!("{name}:{}: the kernel names the namespace {feature}...", number + 1));
            }
        }
    }
    Ok(())
}
