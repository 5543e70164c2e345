//! Pages of archives: read natively, sent row by row, and then told to the plugin.

use std::sync::Arc;

use xylem_hooks::page::{Asked, PageForm, PageQuery, Template, TextQuery};
use xylem_hooks::{Cause, PageEnd, PageError, PageOrder};
use xylem_session::Session;
use xylem_stanza::{Outgoing, Stanza};
use xylem_store::{Archive, ArchiveId, ArchivePage, ArchiveQuery, ArchiveRow, Search, Sought};

use crate::release::written;
use crate::router::{Origin, Parts};
use crate::stamp::stamp;

/// A page ends with the row that reaches so many bytes.
const BYTES: usize = 256 << 10;

impl Parts {
    pub(crate) async fn page(self: &Arc<Self>, order: PageOrder, cause: &Cause, origin: &Origin) {
        let PageOrder { table, partition, query, to, form } = order;
        let archive = self.store.archive(&table);
        match form {
            PageForm::Restored { children, characters } => {
                if let Ok(page) = read(&archive, &partition, &query).await {
                    let mut stanzas = restored(&page, &to, &children);
                    if let Some(most) = characters {
                        shorten(&mut stanzas, most);
                    }
                    self.restore(stanzas, &to, origin).await;
                }
            }
            PageForm::Wrapped { template, asked } => {
                let (parts, cause, origin) = (Arc::clone(self), cause.clone(), origin.clone());
                // Neither the key nor those that share its lane wait for the disk.
                tokio::spawn(async move {
                    let sent = match read(&archive, &partition, &query).await {
                        Ok(page) => parts.wrap(&archive, &partition, &query, page, &to, &template, &origin).await,
                        Err(error) => Err(error),
                    };
                    let Asked { plugin, token, place } = asked;
                    if let Some(plugins) = parts.plugins.get() {
                        plugins.page(&plugin, &cause, &token, sent).get().await;
                    }
                    drop(place);
                });
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a page is made of")]
    async fn wrap(
        self: &Arc<Self>,
        archive: &Archive,
        partition: &str,
        query: &PageQuery,
        page: ArchivePage,
        to: &xylem_stanza::Jid,
        template: &Template,
        origin: &Origin,
    ) -> Result<PageEnd, PageError> {
        let mut xml = String::new();
        let session = to.full().and_then(|to| self.sessions.find(&to));
        let mut sent = 0;
        for row in &page.rows {
            let Some(stanza) = text(row) else { continue };
            xml.clear();
            template.write(&row.id.to_string(), &stamp(row.at_ms), stanza, &mut xml);
            if !self.send_row(session.as_deref(), &xml, origin).await {
                break;
            }
            sent += 1;
        }
        let ids = page.rows.iter().map(|row| row.id);
        let ends = ids.clone().min().zip(ids.max()).map(|(first, last)| (first.to_string(), last.to_string()));
        let count = if query.is_unfiltered() { archive.count_now(partition).ok() } else { None };
        Ok(PageEnd { ends, sent, count, complete: page.complete })
    }

    /// A row in its wrapping; false when whom it is for has gone.
    async fn send_row(self: &Arc<Self>, session: Option<&Session>, xml: &str, origin: &Origin) -> bool {
        let Some(session) = session else {
            if let Ok(stanza) = Stanza::parse(xml) {
                self.route(stanza, origin.clone()).await;
            }
            return true;
        };
        room(session).await && {
            let pushed = session.queue().push(Outgoing::raw(xml.to_owned()).kept()).is_ok();
            if pushed {
                self.counters.went(xylem_stanza::Kind::Message);
            }
            pushed
        }
    }

    /// Rows as they were stored.
    async fn restore(self: &Arc<Self>, stanzas: Vec<Stanza>, to: &xylem_stanza::Jid, origin: &Origin) {
        let session = to.full().and_then(|to| self.sessions.find(&to));
        for stanza in stanzas {
            match &session {
                Some(session) => {
                    if !room(session).await || !self.push_kept(session, &stanza) {
                        return;
                    }
                }
                None => self.route(stanza, origin.clone()).await,
            }
        }
    }
}

/// The rows of a page with their new address and children.
fn restored(page: &ArchivePage, to: &xylem_stanza::Jid, children: &[Template]) -> Vec<Stanza> {
    let mut stanzas = Vec::with_capacity(page.rows.len());
    let mut xml = String::new();
    for row in &page.rows {
        let Some(stanza) = text(row).and_then(|xml| Stanza::parse(xml).ok()) else { continue };
        let (id, at) = (row.id.to_string(), stamp(row.at_ms));
        let mut edit = stanza.edit();
        for child in children {
            xml.clear();
            child.write(&id, &at, "", &mut xml);
            edit = edit.insert(&xml);
        }
        match edit.apply() {
            Ok(edited) => stanzas.push(edited.with_to(to)),
            Err(error) => tracing::warn!(%error, "children for stored stanzas do not fit"),
        }
    }
    stanzas
}

/// Leaves the last ones that have no more than so many characters together.
fn shorten(stanzas: &mut Vec<Stanza>, most: usize) {
    let mut left = most;
    let fits = |stanza: &&Stanza| {
        let length = stanza.to_xml_string().chars().count();
        left.checked_sub(length).map(|rest| left = rest).is_some()
    };
    let kept = stanzas.iter().rev().take_while(fits).count();
    stanzas.drain(..stanzas.len() - kept);
}

/// In the order in which the rows are to be sent.
async fn read(archive: &Archive, partition: &str, query: &PageQuery) -> Result<ArchivePage, PageError> {
    let id = |number: &u64| ArchiveId::from_u64(*number);
    let wanted = ArchiveQuery {
        peer: query.peer.as_deref().map(Into::into),
        start_ms: query.start,
        end_ms: query.end,
        after: query.after.iter().map(id).max(),
        before: query.before.iter().map(id).min(),
        ids: query.ids.as_ref().map(|ids| ids.iter().map(id).collect()),
        required: query.after.iter().chain(&query.before).map(id).collect(),
        search: query.text.as_ref().map(search),
        limit: query.limit,
        bytes: BYTES,
        newest_first: query.last,
    };
    match archive.page(partition, wanted).await {
        Ok(page) if page.missing.is_some() => Err(PageError::Missing),
        Ok(mut page) => {
            if query.last != query.flip {
                page.rows.reverse();
            }
            Ok(page)
        }
        Err(error) => {
            tracing::error!(partition, %error, "an archive cannot be read");
            Err(PageError::Storage)
        }
    }
}

fn search(query: &TextQuery) -> Search {
    let of = query.of.clone();
    Search::new(Sought::new(&query.sought), move |payload, sought| {
        let stanza = std::str::from_utf8(payload).ok().and_then(|xml| Stanza::parse(xml).ok());
        stanza.is_some_and(|stanza| sought.is_in(&of.of_stanza(&stanza)))
    })
}

fn text(row: &ArchiveRow) -> Option<&str> {
    let text = std::str::from_utf8(&row.payload).ok();
    if text.is_none() {
        tracing::error!(id = %row.id, "an archived stanza is damaged; left out");
    }
    text
}

/// Waits while the session has much to write; false if it ended.
async fn room(session: &Session) -> bool {
    let (stanzas, bytes) = session.queue().depth();
    let limits = session.queue().limits();
    (stanzas < limits.stanzas / 2 && bytes < limits.bytes / 2) || written(session).await
}
