//! What is told of orders that nobody asked for: one line in the audit log for each.

use std::future::Future;

use serde_json::{Value, json};
use xylem_ops::certificate::Renew;
use xylem_ops::{AuditLog, OpError};

use super::NotIssued;
use crate::folder;
use crate::instance::Instance;

/// Waits for the order of a domain's certificate and writes down what came of it.
pub(super) async fn noted(
    instance: &Instance,
    audit: &AuditLog,
    domain: &str,
    order: impl Future<Output = Result<(), NotIssued>>,
) -> Result<(), NotIssued> {
    let before = in_use(instance, domain);
    let outcome = order.await;
    let after = if outcome.is_ok() { in_use(instance, domain) } else { Value::Null };
    let error = match &outcome {
        // The configuration has changed meanwhile: nothing was ordered.
        Err(NotIssued::NotWanted(_)) => return outcome,
        other => other.as_ref().err().map(OpError::from),
    };
    // A certificate that runs out is worse than one that the log does not know of.
    if let Err(error) = audit.by_itself(&Renew { domain: domain.to_owned() }, (before, after), error.as_ref()) {
        tracing::error!(%error, domain, "the audit log cannot be written");
    }
    outcome
}

/// What tells the certificate that a domain shows from the one before.
fn in_use(instance: &Instance, domain: &str) -> Value {
    let ascii = folder::ascii(domain);
    let certificates = instance.tls.certificates();
    let found = certificates.iter().find(|(name, _)| *name == ascii);
    found.map_or(Value::Null, |(_, it)| json!({ "issuer": it.issuer(), "serial": it.serial() }))
}
