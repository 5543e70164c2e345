//! Rows that are found by their words.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use super::{Archive, ArchivePage, ArchiveQuery, Purge};
use crate::backend::Scan;
use crate::keys::Family;
use crate::store::Store;
use crate::text::{Search, Sought, TextOf};

async fn found(archive: &Archive, query: &str, rest: ArchiveQuery) -> (Vec<String>, bool) {
    let accepts = |payload: &[u8], sought: &Sought| sought.is_in(std::str::from_utf8(payload).unwrap());
    let search = Some(Search::new(Sought::new(query), accepts));
    let ArchivePage { rows, complete, .. } = archive.page("juliet", ArchiveQuery { search, ..rest }).await.unwrap();
    (rows.into_iter().map(|row| String::from_utf8(row.payload.to_vec()).unwrap()).collect(), complete)
}

/// Words that are stored, once all rows are in chunks.
async fn entries(store: &Store) -> Vec<Vec<u8>> {
    let folded = tempfile::tempdir().unwrap();
    store.export(&folded.path().join("export")).await.unwrap();
    let entries = store.scan("messages", Scan::prefix([Family::Words as u8])).await.unwrap();
    entries.into_iter().map(|(_, words)| words).collect()
}

fn text_of() -> TextOf {
    Arc::new(|_, payload| String::from_utf8(payload.to_vec()).ok())
}

fn filled() -> (Store, Archive) {
    let store = Store::memory().unwrap();
    let archive = store.archive("messages");
    store.index_text(archive.table(), text_of());
    for some in 0..30_u64 {
        let mut turn = store.turn();
        for n in some * 100..(some + 1) * 100 {
            let text = format!("number {n} 第{n}号 {}", if n % 1000 == 7 { "rare 稀有" } else { "common" });
            let peer = if n % 2 == 0 { "romeo@x/a" } else { "nurse@x" };
            turn.append(archive.table(), "juliet", n * 1000, peer, text).unwrap();
        }
        drop(store.submit_turn(turn));
    }
    (store, archive)
}

#[tokio::test]
async fn pages_in_both_directions() {
    let (_store, archive) = filled();
    let all = ArchiveQuery::default();
    let (rows, complete) = found(&archive, "RARE", all.clone()).await;
    assert_eq!((rows.len(), complete), (3, true));
    assert!(rows.first().unwrap().starts_with("number 7 "));
    let newest = ArchiveQuery { newest_first: true, limit: 2, ..all.clone() };
    let (rows, complete) = found(&archive, "稀有 number", newest).await;
    assert!(rows.first().unwrap().starts_with("number 2007 ") && rows.len() == 2 && !complete);
    let (rows, complete) = found(&archive, "common", all.clone()).await;
    assert_eq!((rows.len(), complete), (100, false));
    assert_eq!(found(&archive, "rare common", all.clone()).await, (Vec::new(), true));
    assert_eq!(found(&archive, "!", all.clone()).await, (Vec::new(), true));
    let romeo = ArchiveQuery { peer: Some("romeo@x".into()), ..all.clone() };
    assert_eq!(found(&archive, "number 1006", romeo.clone()).await.0.len(), 1);
    assert!(found(&archive, "rare", romeo).await.0.is_empty());
    let later = ArchiveQuery { start_ms: Some(8000), end_ms: Some(1_500_000), ..all };
    assert_eq!(found(&archive, "rare", later).await.0.len(), 1);
}

/// Whether its words are known or not, in a chunk or not yet.
#[tokio::test]
async fn wherever_it_is() {
    let store = Store::memory().unwrap();
    let archive = store.archive("messages");
    let secret: TextOf = Arc::new(|_, payload| {
        let text = String::from_utf8(payload.to_vec()).unwrap();
        (!text.contains("secret")).then_some(text)
    });
    store.index_text(archive.table(), secret);
    for n in 0..200 {
        let text = if n % 50 == 3 { format!("rare secret {n}") } else { format!("rare {n}") };
        drop(archive.append("juliet", n, "romeo@x", text).unwrap());
    }
    let most = ArchiveQuery { limit: 1000, ..ArchiveQuery::default() };
    assert_eq!(found(&archive, "rare", most.clone()).await.0.len(), 200);
    assert!(entries(&store).await.iter().any(Vec::is_empty), "who looks there finds out");
    assert_eq!(found(&archive, "rare", most.clone()).await.0.len(), 200);
    assert_eq!(found(&archive, "secret", most).await.0.len(), 4);
}

/// What is removed or replaced leaves nothing behind.
#[tokio::test]
async fn words_go_with_their_rows() {
    let (store, archive) = filled();
    let all = ArchiveQuery::default();
    let page = archive.page("juliet", ArchiveQuery { limit: 1, start_ms: Some(7000), ..all.clone() }).await.unwrap();
    let seventh = page.rows.first().unwrap().id;
    archive.replace("juliet", seventh, "gone").unwrap().wait().await.unwrap();
    assert_eq!(found(&archive, "rare", all.clone()).await.0.len(), 2);
    assert_eq!(found(&archive, "gone", all.clone()).await.0.len(), 1);
    archive.purge("juliet", Purge::KeepNewest(1500)).wait().await.unwrap();
    assert_eq!(found(&archive, "rare", all.clone()).await.0.len(), 1);
    archive.purge("juliet", Purge::All).wait().await.unwrap();
    store.barrier().await.unwrap();
    assert_eq!(archive.count("juliet").await.unwrap(), 0);
    assert!(entries(&store).await.is_empty());
}

/// A page that is not full is the last one, however many rows have to be looked at for nothing.
#[tokio::test]
async fn a_page_with_room_is_complete() {
    let store = Store::memory().unwrap();
    let archive = store.archive("messages");
    store.index_text(archive.table(), text_of());
    for some in 0..35_u64 {
        let mut turn = store.turn();
        for n in some * 2000..(some + 1) * 2000 {
            let text = if n == 1 {
                "left right"
            } else if n % 2 == 0 {
                "left"
            } else {
                "right"
            };
            turn.append(archive.table(), "juliet", n, "romeo@x", text).unwrap();
        }
        drop(store.submit_turn(turn));
    }
    for newest_first in [true, false] {
        let query = ArchiveQuery { newest_first, ..ArchiveQuery::default() };
        assert_eq!(found(&archive, "left right", query).await, (vec!["left right".to_owned()], true));
    }
}
