//! The console's server part: REST, live events and the console's pages, all over one table of
//! operations ([`xylem_ops::Ops`]).
//!
//! [`router`] is all of it. Every route but those of signing in is made from the table: nothing is
//! done here that the command line could not do. Who asks is the [`Caller`](xylem_ops::Caller) that
//! every handler takes; it comes from a bearer token or from [`SignIn`].

mod api;
mod assets;
mod caller;
mod coding;
mod console;
mod downloads;
mod entrance;
mod events;
mod followers;
pub mod listener;
mod problem;
pub mod security;
pub mod setup;
pub mod sign_in;
mod uploads;

use axum::Router;
use axum::routing::{get, post};

pub use api::openapi;
pub use assets::Assets;
pub use caller::{Later, Nobody, Peer, SignIn};
pub use console::Console;
pub use entrance::Entrance;
pub use problem::Problem;

/// Everything that is answered.
pub fn router(console: Console) -> Router {
    let own = Router::new()
        .route("/api/v1/operations", get(api::operations))
        .route("/api/v1/openapi.json", get(api::document))
        .route("/api/v1/events", get(events::follow))
        .route("/api/v1/topics", get(events::topics))
        .route("/api/v1/uploads", post(uploads::take))
        .route("/api/v1/exports/{file}/content", get(downloads::export))
        .route("/api/v1/users/{account}/export", get(downloads::account))
        .route("/api/v1/x/{noun}/{verb}", axum::routing::any(api::contributed))
        .merge(api::routes(console.ops()))
        .merge(console.sign_in().routes())
        .route("/api/{*rest}", axum::routing::any(problem::no_route))
        .fallback(assets::page)
        .method_not_allowed_fallback(problem::no_method)
        .layer(axum::middleware::from_fn(coding::pack));
    own.with_state(console)
}
