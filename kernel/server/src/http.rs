//! `/health` and `/metrics`.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Json};
use axum::routing::get;
use tokio::net::TcpListener;
use xylem_ops::server::HealthReport;

use crate::instance::Instance;
use crate::metrics::Metrics;

#[derive(Clone)]
struct Shared {
    instance: Arc<Instance>,
    metrics: Arc<Metrics>,
}

/// Opens the sockets and answers until the runtime ends; gives the addresses with
/// the ports the system chose.
pub async fn serve(instance: &Arc<Instance>, addresses: &[SocketAddr]) -> anyhow::Result<Vec<SocketAddr>> {
    let metrics = Arc::new(Metrics::new(Arc::clone(instance)));
    let shared = Shared { instance: Arc::clone(instance), metrics };
    let pages = Router::new().route("/health", get(health)).route("/metrics", get(page)).with_state(shared);
    let mut bound = Vec::new();
    for address in addresses {
        let listener =
            TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address} (HTTP)"))?;
        bound.push(listener.local_addr()?);
        let pages = pages.clone();
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, pages).await {
                tracing::error!(%error, "HTTP ended");
            }
        });
    }
    Ok(bound)
}

async fn health(State(shared): State<Shared>) -> impl IntoResponse {
    let problems = shared.instance.problems();
    let healthy = problems.is_empty();
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(HealthReport { healthy, problems }))
}

async fn page(State(shared): State<Shared>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], shared.metrics.page())
}
