//! The near end of the admin socket.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use xylem_ops::{OpError, Operation};

use crate::admin::{Reply, Request};

/// Longest answer taken, in bytes.
const ANSWER_BYTES: u64 = 256 << 20;
/// An export of everything may take its time.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Most often: no server runs.
    #[error("cannot reach the server at {}: {source}{}", path.display(), hint(source))]
    Reach { path: PathBuf, source: io::Error },
    #[error("the server's answer cannot be read: {0}")]
    Answer(String),
    /// The server answered, and refused.
    #[error("{0}")]
    Operation(#[from] OpError),
}

pub(super) struct Client {
    path: PathBuf,
    stream: UnixStream,
}

impl Client {
    pub(super) fn connect(path: &Path) -> Result<Self, ClientError> {
        let reach = |source| ClientError::Reach { path: path.to_path_buf(), source };
        let stream = UnixStream::connect(path).map_err(reach)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(reach)?;
        Ok(Self { path: path.to_path_buf(), stream })
    }

    pub(super) fn call<O: Operation>(self, operation: &O) -> Result<O::Output, ClientError> {
        let wrong = |error: serde_json::Error| ClientError::Answer(error.to_string());
        let arguments = serde_json::to_value(operation).map_err(wrong)?;
        let request = Request { operation: O::NAME.to_owned(), arguments, texts: BTreeMap::new() };
        serde_json::from_value(self.send(&request)?).map_err(wrong)
    }

    /// Asks for whatever it is; gives what comes back as it is.
    pub(super) fn send(self, request: &Request) -> Result<Value, ClientError> {
        let wrong = |error: serde_json::Error| ClientError::Answer(error.to_string());
        let mut line = serde_json::to_vec(request).map_err(wrong)?;
        line.push(b'\n');
        let answer = self.exchange(&line)?;
        match serde_json::from_slice(&answer).map_err(wrong)? {
            Reply::Ok(output) => Ok(output),
            Reply::Error(error) => Err(error.into()),
        }
    }

    fn exchange(mut self, line: &[u8]) -> Result<Vec<u8>, ClientError> {
        let path = self.path;
        let reach = |source| ClientError::Reach { path: path.clone(), source };
        self.stream.write_all(line).map_err(reach)?;
        let mut answer = Vec::new();
        BufReader::new(self.stream.take(ANSWER_BYTES)).read_until(b'\n', &mut answer).map_err(reach)?;
        if answer.is_empty() {
            return Err(ClientError::Answer(
                "the server closed the connection; are you root or the server's user?".into(),
            ));
        }
        Ok(answer)
    }
}

fn hint(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => "; is it running, with this data folder?",
        io::ErrorKind::PermissionDenied => "; only root and the user that runs the server may",
        _ => "",
    }
}
