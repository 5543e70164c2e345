//! Files on their way to an operation.

use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use tokio::fs::OpenOptions;
use tokio::io::AsyncWriteExt as _;
use tokio_stream::StreamExt as _;
use xylem_ops::{Caller, Kind, OpError};

use crate::console::Console;
use crate::problem::Problem;

/// Largest upload, in bytes.
pub(crate) const MOST: u64 = 64 << 20;

/// An upload that waits, for an hour, to be named in an argument.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Upload {
    /// What to give as the argument.
    pub upload: String,
    pub bytes: u64,
}

/// Takes a file from whoever may call an operation that takes one.
pub(crate) async fn take(State(console): State<Console>, caller: Caller, body: Body) -> Result<Json<Upload>, Problem> {
    let takes = |kind: &Kind| matches!(kind, Kind::Upload);
    if !console.ops().specs_for(&caller).iter().any(|spec| spec.arguments.iter().any(|a| takes(&a.kind))) {
        return Err(Problem::new("not-allowed", "no operation that the caller may call takes a file"));
    }
    let files = console.ops().files();
    let (upload, path) = files.begin_upload(caller.account.as_deref().unwrap_or(&caller.who))?;
    match write(&path, body.into_data_stream()).await {
        Ok(bytes) => Ok(Json(Upload { upload, bytes })),
        Err(problem) => {
            files.end_upload(&upload);
            Err(problem)
        }
    }
}

async fn write(path: &std::path::Path, mut body: BodyDataStream) -> Result<u64, Problem> {
    let failed = |error: std::io::Error| Problem::from(OpError::Failed(error.to_string()));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).await.map_err(failed)?;
    let mut bytes = 0;
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|_| Problem::new("invalid", "the upload broke off"))?;
        bytes += piece.len() as u64;
        if bytes > MOST {
            return Err(Problem::new("too-large", format!("an upload has {MOST} bytes at most")));
        }
        file.write_all(&piece).await.map_err(failed)?;
    }
    file.flush().await.map_err(failed)?;
    Ok(bytes)
}
