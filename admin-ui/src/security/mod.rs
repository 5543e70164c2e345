//! What stands before every route: headers on every answer, and who is not let through at all.

mod headers;
mod loopback;
mod origin;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;

use crate::sign_in::People;

/// What the guards have to know.
#[derive(Clone)]
pub struct Guard {
    pub people: Arc<dyn People>,
    /// Whether browsers trust the certificate of this host: then they are told to insist on it.
    pub trusted: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// Puts the guards before all routes, those that do not exist included.
pub fn guarded(routes: Router, guard: Guard) -> Router {
    routes
        .layer(axum::middleware::from_fn(origin::check))
        .layer(from_fn_with_state(guard.clone(), loopback::check))
        .layer(from_fn_with_state(guard, headers::add))
}
