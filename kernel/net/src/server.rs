//! Listeners that serve, and the way down.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use xylem_stanza::StreamCondition;

use crate::c2s::{self, Context};
use crate::error::NetError;
use crate::listen::{Listener, ListenerConfig};

/// The running front of the server.
pub struct Server {
    context: Arc<Context>,
    accepting: Mutex<Vec<JoinHandle<()>>>,
    addresses: Vec<SocketAddr>,
}

impl Server {
    /// Opens all sockets, then begins to accept. Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// Names the address that cannot be had; none is listened on then.
    pub fn start(context: Arc<Context>, configs: Vec<ListenerConfig>) -> Result<Self, NetError> {
        let listeners: Result<Vec<_>, _> = configs.into_iter().map(Listener::bind).collect();
        let listeners = listeners?;
        let mut addresses = Vec::new();
        for listener in &listeners {
            let address = listener.config().address;
            addresses.push(listener.local_address().map_err(|source| NetError::Listen { address, source })?);
        }
        let accepting = listeners.into_iter().map(|listener| tokio::spawn(accept(listener, context.clone())));
        Ok(Self { accepting: Mutex::new(accepting.collect()), context, addresses })
    }

    /// The addresses listened on, in the order of the configuration, with the ports that
    /// the system chose.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What the connections share.
    #[must_use]
    pub fn context(&self) -> &Arc<Context> {
        &self.context
    }

    /// Stops accepting, ends every stream with `system-shutdown` and waits until all
    /// connections are gone, at most so long. Returns how many are left.
    pub async fn shut_down(&self, patience: Duration) -> usize {
        let accepting = std::mem::take(&mut *self.accepting.lock().unwrap_or_else(PoisonError::into_inner));
        for task in &accepting {
            task.abort();
        }
        for task in accepting {
            // Cancelled, as asked; the sockets are closed when this returns.
            let _ = task.await;
        }
        self.context.lobby.close();
        self.context.sessions.end_all(StreamCondition::SystemShutdown, None);
        let all_gone = async {
            self.context.admission.all_gone().await;
            self.context.hibernation.all_gone().await;
        };
        let _ = tokio::time::timeout(patience, all_gone).await;
        self.context.admission.count() + self.context.hibernation.waiting()
    }
}

async fn accept(listener: Listener, context: Arc<Context>) {
    loop {
        let (stream, peer) = listener.accept().await;
        c2s::spawn(stream, peer, listener.config(), &context);
    }
}
