//! `audit.list`. There is no operation that changes the log.

use super::AuditRow;
use super::read::AuditQuery;
use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::caller::Face;
use crate::error::OpError;
use crate::operation::operation;
use crate::page::{Page, Paging};

operation! {
    #[derive(Default)]
    List {
        who: Option<String>,
        operation: Option<String>,
        face: Option<String>,
        since: Option<u64>,
        until: Option<u64>,
        failed: Option<bool>,
        #[serde(flatten)] paging: Paging,
    } -> Page<AuditRow>,
    name: "audit.list",
    help: "Lists who changed what, when and from where, the newest first unless it is sorted otherwise.",
    route: get "/audit",
    arguments: [
        Argument::optional("who", Kind::Text { max: 2047 }, "only what this account, or root, did"),
        Argument::optional("operation", Kind::Text { max: 128 }, "only this operation, or those of this noun"),
        Argument::optional("face", Kind::choice(&Face::WORDS), "only what came this way"),
        Argument::optional("since", Kind::Time, "only from this second on"),
        Argument::optional("until", Kind::Time, "only up to this second"),
        Argument::optional("failed", Kind::Flag, "only what was refused or failed; or only what was done"),
    ],
    pages: ["time", "who", "operation"],
    result: "a list of changes; a page may be short and still have a next. By who or operation, the newest 10,000 of them are sorted",
    roles: Roles::AUDIT,
    about: About::Server,
    run: |it, backend| {
        let audit = std::sync::Arc::clone(&backend.audit);
        let List { who, operation, face, since, until, failed, paging } = it;
        let query = AuditQuery { who, operation, face, since, until, failed, paging };
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || audit.read(&query)).await;
            let page = read.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
            page.map_err(|e| match e.kind() {
                std::io::ErrorKind::InvalidInput => OpError::Invalid("after must be what a page gave as next".into()),
                _ => OpError::Failed(format!("the audit log cannot be read: {e}")),
            })
        })
    },
}
