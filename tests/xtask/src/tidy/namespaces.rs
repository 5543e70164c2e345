use super::sizes::{relative, sources};
use crate::workspace::Workspace;

/// Beginnings of namespaces that belong to features, and so to plugins.
const FEATURES: [&str; 6] =
    ["jabber:iq:", "jabber:x:", "vcard-temp", "http://jabber.org/protocol/", "storage:bookmarks", "urn:xmpp:"];
/// What the kernel speaks itself: streams, logging in, channel binding, the limits it advertises,
/// stanza errors, and the keepalive it sends.
const KERNEL: [&str; 12] = [
    "urn:xmpp:sasl-cb:0",
    "urn:xmpp:sasl:2",
    "urn:xmpp:bind:0",
    "urn:xmpp:fast:0",
    "urn:xmpp:sasl:upgrade:0",
    "urn:xmpp:scram-upgrade:0",
    "urn:xmpp:stream-limits:0",
    "urn:xmpp:sm:3",
    "urn:xmpp:csi:0",
    "urn:xmpp:ping",
    "urn:xmpp:features:",
    "urn:xmpp:errors",
];

/// Where namespaces are only tried out.
const TRIALS: [&str; 3] = ["/tests/", "/examples/", "/benches/"];

/// The kernel names no feature's namespace.
pub fn check(workspace: &Workspace, breaches: &mut Vec<String>) -> anyhow::Result<()> {
    for path in sources(&workspace.root.join("kernel"))? {
        let name = relative(workspace, &path);
        if !TRIALS.iter().any(|folder| name.contains(folder)) && !name.ends_with("tests.rs") {
            let found = named(&std::fs::read_to_string(&path)?);
            breaches.extend(found.iter().map(|(line, ns)| format!("{name}:{line}: the kernel names {ns}...")));
        }
    }
    Ok(())
}

/// Lines that name a feature's namespace, comments and tests left out.
fn named(text: &str) -> Vec<(usize, &'static str)> {
    let product = text.split("#[cfg(test)]").next().unwrap_or(text);
    let lines = (1..).zip(product.lines()).filter(|(_, line)| !line.trim_start().starts_with("//"));
    let found = lines.filter_map(|(number, line)| {
        let line = KERNEL.iter().fold(line.to_owned(), |line, own| line.replace(own, ""));
        FEATURES.iter().find(|feature| line.contains(*feature)).map(|feature| (number, *feature))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn features_are_found_and_the_kernels_own_are_not() {
        assert_eq!(named("let a = 1;\nlet ns = \"jabber:iq:roster\";"), [(2, "jabber:iq:")]);
        assert_eq!(named("const A: &str = \"urn:xmpp:mam:2\";"), [(1, "urn:xmpp:")]);
        assert_eq!(named("// jabber:iq:roster\nconst A: &str = \"urn:xmpp:stream-limits:0\";"), []);
        assert_eq!(named("#[cfg(test)]\nmod tests { \"jabber:iq:roster\" }"), []);
    }
}
