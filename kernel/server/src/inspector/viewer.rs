//! One who looks: at what, and what he is shown.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use tokio::sync::mpsc;
use xylem_router::Way;
use xylem_stanza::{FullJid, Jid, Kind, Stanza};

use super::{now, redact};

/// Longest stanza shown, in bytes.
const LONGEST: usize = 16 << 10;

/// Which stanzas are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this address: a domain, an account or a resource, as whoever sends, gets or is addressed.
    pub jid: Option<String>,
    pub kind: Option<Kind>,
    /// Something in it is of this namespace.
    pub ns: Option<String>,
    /// Of sessions of these domains; none means all.
    pub domains: Option<Vec<String>>,
    /// Until when text is shown, in milliseconds since 1970 UTC; 0: it is not.
    pub unlocked: u64,
}

pub(super) struct Viewer {
    wanted: Wanted,
    sender: mpsc::Sender<Value>,
    missed: AtomicU64,
}

impl Viewer {
    pub(super) fn new(wanted: Wanted, sender: mpsc::Sender<Value>) -> Self {
        Self { wanted, sender, missed: AtomicU64::new(0) }
    }

    /// Shows a stanza if it is wanted. Who is too slow misses some, and is told how many.
    pub(super) fn show(&self, way: Way, session: &FullJid, stanza: &Stanza) {
        if !self.wanted.takes(session, stanza) {
            return;
        }
        let Ok(place) = self.sender.try_reserve() else {
            self.missed.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let now = now();
        let unlocked = self.wanted.unlocked > now;
        let mut xml = if unlocked { stanza.root().to_xml_string() } else { redact::redacted(stanza.root()) };
        let bytes = stanza.element().bytes().len();
        shorten(&mut xml);
        let missed = self.missed.swap(0, Ordering::Relaxed);
        place.send(json!({
            "at": now,
            "way": match way { Way::FromClient => "in", Way::ToClient => "out" },
            "session": session.as_str(),
            "kind": word(stanza.kind()),
            "type": stanza.root().attr("type"),
            "id": stanza.id(),
            "from": stanza.from().map(Jid::as_str),
            "to": stanza.to().map_or(session.as_str(), Jid::as_str),
            "payload": stanza.root().children().map(|child| child.ns()).collect::<Vec<_>>(),
            "bytes": bytes,
            "xml": xml,
            "unlocked": unlocked,
            "missed": missed,
        }));
    }
}

impl Wanted {
    fn takes(&self, session: &FullJid, stanza: &Stanza) -> bool {
        self.kind.is_none_or(|kind| kind == stanza.kind())
            && self.domains.as_ref().is_none_or(|domains| domains.iter().any(|domain| domain == session.domain()))
            && self.jid.as_ref().is_none_or(|jid| {
                let others = [stanza.from(), stanza.to()].into_iter().flatten().map(Jid::as_str);
                others.chain([session.as_str()]).any(|address| is_of(address, jid))
            })
            && self.ns.as_ref().is_none_or(|ns| stanza.root().subtree().any(|node| node.ns() == ns))
    }
}

/// Whether an address is this one or within it: a resource of an account, an account of a domain.
fn is_of(address: &str, wanted: &str) -> bool {
    let bare = address.split_once('/').map_or(address, |(bare, _)| bare);
    let domain = bare.split_once('@').map_or(bare, |(_, domain)| domain);
    [address, bare, domain].contains(&wanted)
}

pub(super) fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Message => "message",
        Kind::Presence => "presence",
        Kind::Iq => "iq",
    }
}

fn shorten(xml: &mut String) {
    if xml.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|at| xml.is_char_boundary(*at)).unwrap_or(0);
        xml.truncate(end);
        xml.push('…');
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    const MESSAGE: &str = "<message xmlns='jabber:client' from='a@x.example/1' to='b@y.example' type='chat'>\
        <body>secret</body><thing xmlns='urn:example:thing'/></message>";

    fn seen(wanted: Wanted) -> Option<Value> {
        let (sender, mut receiver) = mpsc::channel(1);
        let viewer = Viewer::new(wanted, sender);
        let session = FullJid::parse("b@y.example/phone").unwrap();
        viewer.show(Way::ToClient, &session, &Stanza::parse(MESSAGE).unwrap());
        receiver.try_recv().ok()
    }

    #[test]
    fn text_is_left_out_unless_unlocked() {
        let shown = seen(Wanted::default()).unwrap();
        assert!(!shown["xml"].as_str().unwrap().contains("secret"));
        assert_eq!((shown["way"].as_str(), shown["unlocked"].as_bool()), (Some("out"), Some(false)));
        let shown = seen(Wanted { unlocked: u64::MAX, ..Wanted::default() }).unwrap();
        assert!(shown["xml"].as_str().unwrap().contains("<body>secret</body>"));
        assert_eq!(shown["bytes"].as_u64(), Some(MESSAGE.len() as u64));
        let over = seen(Wanted { unlocked: 1, ..Wanted::default() }).unwrap();
        assert_eq!(over["unlocked"], false);
    }

    #[test]
    fn filters_hold() {
        let jid = |jid: &str| seen(Wanted { jid: Some(jid.to_owned()), ..Wanted::default() }).is_some();
        assert!(jid("a@x.example") && jid("x.example") && jid("b@y.example/phone") && jid("a@x.example/1"));
        assert!(!jid("a@x.example/2") && !jid("ample") && !jid("c@y.example"));
        let ns = |ns: &str| seen(Wanted { ns: Some(ns.to_owned()), ..Wanted::default() }).is_some();
        assert!(ns("urn:example:thing") && !ns("urn:example"));
        let kind = |kind| seen(Wanted { kind: Some(kind), ..Wanted::default() }).is_some();
        assert!(kind(Kind::Message) && !kind(Kind::Iq));
        let domains = |domain: &str| seen(Wanted { domains: Some(vec![domain.to_owned()]), ..Wanted::default() });
        assert!(domains("y.example").is_some() && domains("x.example").is_none());
    }

    #[test]
    fn who_is_slow_is_told_what_he_missed() {
        let (sender, mut receiver) = mpsc::channel(1);
        let viewer = Viewer::new(Wanted::default(), sender);
        let (session, stanza) = (FullJid::parse("b@y.example/p").unwrap(), Stanza::parse(MESSAGE).unwrap());
        for _ in 0..4 {
            viewer.show(Way::FromClient, &session, &stanza);
        }
        assert_eq!(receiver.try_recv().unwrap()["missed"], 0);
        viewer.show(Way::FromClient, &session, &stanza);
        assert_eq!(receiver.try_recv().unwrap()["missed"], 3);
    }
}
