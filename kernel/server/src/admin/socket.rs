use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;
use xylem_ops::{Caller, OpError, Ops};

use super::{Reply, Request};

/// Longest request, in bytes.
const REQUEST_BYTES: u64 = 2 << 20;
/// Connections at once.
const CONNECTIONS: usize = 32;
/// How long a connected peer may say nothing.
const PATIENCE: Duration = Duration::from_secs(30);

/// The socket, bound; removed again when dropped.
pub struct AdminSocket {
    path: PathBuf,
    listener: UnixListener,
}

impl AdminSocket {
    /// Binds it with mode 0600. A socket that nobody answers on is replaced.
    pub fn bind(path: &Path) -> anyhow::Result<Self> {
        if path.exists() {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                bail!("another server is running with this data folder: it answers at {}", path.display());
            }
            std::fs::remove_file(path).with_context(|| format!("cannot replace {}", path.display()))?;
        }
        let listener = UnixListener::bind(path)
            .with_context(|| format!("cannot listen at {} (a socket's path has 107 bytes at most)", path.display()))?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { path: path.to_path_buf(), listener })
    }

    /// Answers until it is dropped.
    pub async fn serve(self, ops: Arc<Ops>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let ops = Arc::clone(&ops);
                    tokio::spawn(async move {
                        if let Err(error) = converse(stream, &ops).await {
                            tracing::debug!(%error, "admin connection ended");
                        }
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "admin socket");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

async fn converse(stream: UnixStream, ops: &Ops) -> io::Result<()> {
    let peer = stream.peer_cred()?;
    let own = rustix::process::geteuid().as_raw();
    if peer.uid() != 0 && peer.uid() != own {
        tracing::warn!(uid = peer.uid(), "admin connection refused: neither root nor the server's own user");
        return Ok(());
    }
    let who = if peer.uid() == 0 { "root".to_owned() } else { format!("uid {}", peer.uid()) };
    let caller = Caller::local(who);
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut bounded = (&mut read).take(REQUEST_BYTES);
        timeout(PATIENCE, bounded.read_until(b'\n', &mut line)).await.map_err(io::Error::from)??;
        if line.is_empty() {
            return Ok(());
        }
        let whole = line.last() == Some(&b'\n');
        let reply = if whole {
            answer(ops, &caller, &line).await
        } else {
            Reply::Error(OpError::Invalid(format!("a request has {REQUEST_BYTES} bytes at most, and ends its line")))
        };
        let mut text = serde_json::to_vec(&reply).map_err(io::Error::other)?;
        text.push(b'\n');
        timeout(PATIENCE, write.write_all(&text)).await.map_err(io::Error::from)??;
        if !whole {
            return Ok(());
        }
    }
}

async fn answer(ops: &Ops, caller: &Caller, line: &[u8]) -> Reply {
    let request: Request = match serde_json::from_slice(line) {
        Ok(request) => request,
        Err(error) => return Reply::Error(OpError::Invalid(format!("not a request: {error}"))),
    };
    if request.operation == Request::OPERATIONS {
        return Reply::Ok(ops.specs().iter().map(|spec| spec.describe()).collect());
    }
    let outcome = match with_texts(ops, request) {
        Ok((operation, arguments)) => ops.call(caller, &operation, arguments).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(value) => Reply::Ok(value),
        Err(error) => Reply::Error(error),
    }
}

/// Arguments that came as texts are put among the others.
fn with_texts(ops: &Ops, request: Request) -> Result<(String, Value), OpError> {
    let Request { operation, mut arguments, texts } = request;
    if texts.is_empty() {
        return Ok((operation, arguments));
    }
    let spec = ops.spec(&operation).ok_or_else(|| OpError::UnknownOperation(operation.clone()))?;
    if arguments.is_null() {
        arguments = Value::Object(Map::new());
    }
    if let Value::Object(given) = &mut arguments {
        for (key, texts) in texts {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let value = match spec.argument(&key) {
                Some(argument) => argument.from_text(&texts)?,
                // The table says that it does not know it.
                None => true.into(),
            };
            given.insert(key, value);
        }
    }
    Ok((operation, arguments))
}
