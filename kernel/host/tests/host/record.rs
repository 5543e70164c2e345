//! What the host appends without calling the plugin, and when it has to call it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use xylem_hooks::Plugins;
use xylem_hooks::call::{Parties, Recorded, Stamp};
use xylem_stanza::Stanza;
use xylem_store::{ArchiveQuery, PeersQuery};

use crate::stage::{ALL, DOMAIN, KEY, Stage};

const PEER: &str = "juliet@example.net/balcony";

/// The tricks guest with an archive that is recorded natively, and this quota.
fn stage(rows: u32) -> Stage {
    let record = "handler = \"f\"\nrecord = { store = \"past\", stamp = \"{urn:x}id\", every = 4 }\n";
    let marks = format!("shape = \"archive\"\nmarks = [\"news\", \"not news\"]\nquota = {{ rows = {rows} }}\n");
    let manifest = ALL.replacen("handler = \"f\"\n", record, 1).replacen("shape = \"archive\"\n", &marks, 1);
    Stage::with("t", &format!("[match]\nnews = \"{{urn:x}}news\"\n{manifest}"))
}

fn record(stage: &Stage, from: &str, child: &str) -> Option<Option<Stamp>> {
    let domain: Arc<str> = DOMAIN.into();
    let stanza = Stanza::parse(&format!("<message from='{from}' to='{KEY}'>{child}</message>")).unwrap();
    let parties = Parties { domain: &domain, key: KEY, peer: PEER };
    // What the chain found of the manifest's matches, of which there is one.
    let bits = u64::from(stanza.root().child("urn:x", "news").is_some());
    match stage.host.record(stage.plugin("t"), 0, bits, parties, &stanza) {
        Recorded::Kept(stamp) => Some(stamp),
        Recorded::Ask => None,
    }
}

fn append(stage: &Stage) {
    drop(stage.store.archive("t/past").append(KEY, 1, PEER, "<message/>").unwrap());
}

#[tokio::test]
async fn rows_are_appended_as_the_plugin_would() {
    let stage = stage(100);
    let calls = stage.info("t").calls;
    assert!(record(&stage, PEER, "").is_none(), "the first is the plugin's");
    append(&stage);
    let stamp = record(&stage, PEER, "<body>hi</body>").unwrap().unwrap();
    assert_eq!((&*stamp.by, stamp.child.name.as_str()), (KEY, "id"));
    record(&stage, &format!("{KEY}/x"), "<news xmlns='urn:x'/>").unwrap();
    let archive = stage.store.archive("t/past");
    let page = archive.page(KEY, ArchiveQuery::default()).await.unwrap();
    assert_eq!((page.rows.len(), page.rows[1].id.to_u64(), &*page.rows[1].peer), (3, stamp.id, PEER));
    let kept = String::from_utf8(page.rows[1].payload.to_vec()).unwrap();
    assert!(kept.contains("<body>hi</body>") && kept.contains(PEER) && !kept.contains("urn:x"), "{kept}");
    let query = PeersQuery { looked_at: 0, last: 0, rows: 10, peers: 10 };
    let peers = archive.peers(KEY, query).await.unwrap();
    let marks: Vec<u8> = peers[0].rows.iter().map(|row| row.marks).collect();
    assert_eq!(marks, [1 | 1 << 7, 1 << 1, 0], "who sent it and what is in it");
    append(&stage);
    assert!(record(&stage, PEER, "").is_none(), "once in four it is the plugin's again");
    assert_eq!(stage.info("t").calls, calls, "the plugin was never called");
}

#[tokio::test]
async fn without_room_the_plugin_is_asked() {
    let stage = stage(2);
    append(&stage);
    assert!(record(&stage, PEER, "").is_some());
    assert!(record(&stage, PEER, "").is_none());
    assert_eq!(stage.store.archive("t/past").count(KEY).await.unwrap(), 2);
}

#[tokio::test]
async fn on_a_broken_disk_nothing_is_said_to_be_kept() {
    let (stage, _, broken) =
        crate::turns::gated(&ALL.replacen("handler = \"f\"\n", "handler = \"f\"\nrecord = { store = \"past\" }\n", 1));
    append(&stage);
    assert!(record(&stage, PEER, "").unwrap().is_none(), "no stamp asked for");
    stage.store.barrier().await.unwrap();
    broken.store(true, Ordering::SeqCst);
    record(&stage, PEER, "");
    assert!(stage.store.barrier().await.is_err());
    assert!(record(&stage, PEER, "").is_none());
}
