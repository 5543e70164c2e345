//! Sockets that the console is reached by.

use std::future::Future;

use axum::Router;
use tokio::net::TcpListener;

use crate::caller::Peer;

/// Answers until `stopping` is there, then lets requests under way end.
pub async fn serve(listener: TcpListener, router: Router, stopping: impl Future<Output = ()> + Send + 'static) {
    let service = router.into_make_service_with_connect_info::<Peer>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stopping).await {
        tracing::error!(%error, "the console ended");
    }
}
