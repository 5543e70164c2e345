//! Pages that are read and sent natively: what the plugin asks is checked here, the
//! work is an effect.

use std::sync::Arc;

use wasmtime::component::{ComponentType, Lift};
use xylem_hooks::Effect;
use xylem_hooks::page::{Asked, PageForm, PageOrder, PageQuery, Place, Template, TextQuery};
use xylem_stanza::{Jid, Kind};
use xylem_store::ArchiveId;

use super::{Fault, slot};
use crate::capability::outbox;
use crate::guest::{Core, Guest};
use crate::marks::Marks;

/// `xylem:archive/archive.query`.
#[derive(ComponentType, Lift)]
#[component(record)]
pub(super) struct QueryRecord {
    #[component(name = "peer")]
    peer: Option<String>,
    #[component(name = "start")]
    start: Option<u64>,
    #[component(name = "end")]
    end: Option<u64>,
    #[component(name = "after")]
    after: Vec<String>,
    #[component(name = "before")]
    before: Vec<String>,
    #[component(name = "ids")]
    ids: Option<Vec<String>>,
    #[component(name = "limit")]
    limit: u32,
    #[component(name = "last")]
    last: bool,
    #[component(name = "flip")]
    flip: bool,
}

/// Most rows of a page, and of ids in a query.
const MOST: usize = 1000;
/// Longest token in bytes.
const TOKEN: usize = 16 << 10;
/// Reads rows and sends each inside the template; then `on-page` is called.
pub(super) fn page(
    guest: &mut Guest,
    store: u32,
    query: QueryRecord,
    template: &str,
    token: String,
) -> Result<(), Fault> {
    let query = query.checked()?;
    send(guest, store, query, template, token)
}

/// The same with those rows alone that are found by a text.
pub(super) fn search(
    guest: &mut Guest,
    store: u32,
    query: QueryRecord,
    sought: String,
    template: &str,
    token: String,
) -> Result<(), Fault> {
    let core = Arc::clone(&guest.core);
    let Some(text) = &slot(&core, store)?.text else {
        return Err(Fault::denied(guest, "text = { of = [\"…\"] } (under [[store]])"));
    };
    let query = PageQuery { text: Some(TextQuery { sought, of: text.clone() }), ..query.checked()? };
    send(guest, store, query, template, token)
}

fn send(guest: &mut Guest, store: u32, query: PageQuery, template: &str, token: String) -> Result<(), Fault> {
    if guest.core.manifest.replies.page.is_none() {
        return Err(Fault::denied(guest, "page = \"…\" (under [replies])"));
    }
    if token.len() > TOKEN {
        return Err(Fault::Invalid(format!("a token has {TOKEN} bytes at most")));
    }
    let marks = Marks::new()?;
    let stanza = outbox::made(guest, &marks.put(template))?;
    if stanza.kind() != Kind::Message {
        return Err(Fault::Invalid("the template is no message".to_owned()));
    }
    let to = stanza.to().cloned().ok_or(Fault::Missing)?;
    outbox::count(guest, query.limit, template.len())?;
    let text = stanza.outgoing().to_vec();
    let template = marks.find(&String::from_utf8_lossy(&text));
    let core = Arc::clone(&guest.core);
    let key = Arc::clone(&guest.call()?.cause.key);
    let place = core.services.pages.enter(&core.id, &key).ok_or(Fault::Quota)?;
    let asked = Asked { plugin: Arc::clone(&core.id), token, place };
    order(guest, store, query, to, PageForm::Wrapped { template, asked })
}

/// Reads rows and sends each as it was stored, in order among the call's sends.
pub(super) fn replay(
    guest: &mut Guest,
    store: u32,
    query: QueryRecord,
    to: &str,
    children: &[String],
    characters: Option<u64>,
) -> Result<(), Fault> {
    let query = query.checked()?;
    let to = Jid::parse(to).map_err(Fault::invalid)?;
    outbox::may_reach(guest, &to)?;
    let marks = Marks::new()?;
    let template = |child: &String| {
        let text = marks.put(child);
        xylem_xml::Element::parse(&text).map_err(Fault::invalid)?;
        Ok(marks.find(&text))
    };
    let children: Vec<Template> = children.iter().map(template).collect::<Result<_, Fault>>()?;
    if children.iter().any(|child| child.holds(Place::Stanza)) {
        return Err(Fault::Invalid("a child cannot hold the stanza".to_owned()));
    }
    let characters = characters.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    outbox::count(guest, query.limit, 0)?;
    order(guest, store, query, to, PageForm::Restored { children, characters })
}

fn order(guest: &mut Guest, store: u32, query: PageQuery, to: Jid, form: PageForm) -> Result<(), Fault> {
    let core = Arc::clone(&guest.core);
    let slot = slot(&core, store)?;
    let call = guest.call()?;
    let partition = Core::partition_name(slot, &call.cause).to_owned();
    let order = PageOrder { table: slot.name.to_string(), partition, query, to, form };
    call.effects.push(Effect::Page(Box::new(order)));
    Ok(())
}

impl QueryRecord {
    pub(super) fn checked(self) -> Result<PageQuery, Fault> {
        let number = |id: &String| id.parse().map(ArchiveId::to_u64).map_err(|_| Fault::Missing);
        let numbers = |ids: &[String]| match ids.len() {
            0..=MOST => ids.iter().map(number).collect::<Result<Vec<_>, _>>(),
            _ => Err(Fault::Invalid(format!("{MOST} ids at most"))),
        };
        Ok(PageQuery {
            peer: self.peer,
            start: self.start,
            end: self.end,
            after: numbers(&self.after)?,
            before: numbers(&self.before)?,
            ids: self.ids.as_deref().map(numbers).transpose()?,
            limit: usize::try_from(self.limit).unwrap_or(MOST).min(MOST),
            text: None,
            last: self.last,
            flip: self.flip,
        })
    }
}
