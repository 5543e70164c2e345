//! `audit.verify`: whether the log still is what was written.

use super::VerifyReport;
use crate::access::{About, Roles};
use crate::argument::{Argument, Kind};
use crate::error::OpError;
use crate::operation::operation;

operation! {
    #[derive(Default)]
    Verify { head: Option<String> } -> VerifyReport,
    name: "audit.verify",
    help: "Reads the whole audit log and says whether a line was changed, added or taken out.",
    route: get "/audit/verify",
    arguments: [Argument::optional(
        "head",
        Kind::Text { max: 64 },
        "the chain of a line as it was seen earlier: without it nobody sees that the end was cut off",
    )],
    result: "what was found, and the chain of the last line",
    roles: Roles::AUDIT,
    about: About::Server,
    run: |it, backend| {
        let audit = std::sync::Arc::clone(&backend.audit);
        Box::pin(async move {
            let read = tokio::task::spawn_blocking(move || audit.verify(it.head.as_deref())).await;
            let report = read.map_err(|_| OpError::Unavailable("the server is stopping".into()))?;
            report.map_err(|e| OpError::Failed(format!("the audit log cannot be read: {e}")))
        })
    },
}
