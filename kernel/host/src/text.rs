//! What rows of archives are found by: the text of a stanza's children, as `text` of a `[[store]]` says.

use std::sync::{Arc, Weak};

use xylem_hooks::manifest::TextSpec;
use xylem_stanza::Stanza;
use xylem_store::TextOf;

use crate::guest::Core;

/// Has the store index the archives of a plugin. Its configuration decides as it is when rows are put in
/// their place, which is some time after they were appended.
pub(crate) fn index(core: &Arc<Core>) {
    for slot in core.stores.iter().filter(|slot| slot.own) {
        if let Some(text) = &slot.text {
            core.services.store.index_text(slot.table, text_of(Arc::downgrade(core), text.clone()));
        }
    }
}

fn text_of(core: Weak<Core>, text: TextSpec) -> TextOf {
    Arc::new(move |partition, payload| {
        // The name of a partition is an account or a domain.
        let domain = partition.split_once('@').map_or(partition, |(_, domain)| domain);
        let core = core.upgrade()?;
        let stanza = || Stanza::parse(std::str::from_utf8(payload).ok()?).ok();
        text.is_on(&core.config(domain).json).then(stanza)?.map(|stanza| text.of_stanza(&stanza))
    })
}
