//! An operation as faces are told of it.

use serde_json::{Value, json};
use xylem_ops::{Argument, Rank, Spec};

use super::BASE;
use super::openapi;

/// `GET /api/v1/operations` is a list of these.
pub(super) fn spec(spec: &Spec) -> Value {
    json!({
        "name": spec.name,
        "help": spec.help,
        "method": spec.route.method.name(),
        "path": format!("{BASE}{}", spec.route.path),
        "arguments": spec.arguments.iter().map(|a| argument(spec, a)).collect::<Vec<_>>(),
        "result": spec.result,
        "roles": spec.roles.iter().map(Rank::word).collect::<Vec<_>>(),
        "about": spec.about,
        "changes": spec.changes,
        "danger": spec.danger,
    })
}

fn argument(spec: &Spec, argument: &Argument) -> Value {
    json!({
        "name": argument.name,
        "help": argument.help,
        "required": argument.required,
        "in": openapi::place(spec, argument),
        "type": argument.kind,
        "schema": argument.kind.schema(),
    })
}
