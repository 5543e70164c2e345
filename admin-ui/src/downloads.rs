//! Files that somebody takes away: exports of the store, and everything of an account. Both are operations first
//! (`export.show`, `user.export`), so the table says who may; who did is in the audit log.

use std::io;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use xylem_ops::data::ExportRow;
use xylem_ops::{Caller, OpError};

use crate::console::Console;
use crate::problem::Problem;

/// Bytes read from a file at once.
const PIECE: usize = 64 << 10;
/// Pieces that wait for the connection.
const WAITING: usize = 2;

type Piece = Result<Bytes, io::Error>;

/// `GET /api/v1/exports/{file}/content`
pub(crate) async fn export(
    State(console): State<Console>,
    caller: Caller,
    Path(file): Path<String>,
) -> Result<Response, Problem> {
    let ops = console.ops();
    let answer = ops.call(&caller, "export.show", json!({ "file": file })).await?;
    let row: ExportRow = serde_json::from_value(answer).map_err(|error| OpError::Failed(error.to_string()))?;
    let failed = |error: io::Error| Problem::from(OpError::Failed(error.to_string()));
    // Named as the operation has found it: a plain name within the folder of exports.
    let mut from = tokio::fs::File::open(ops.files().exports().join(&row.file)).await.map_err(failed)?;
    let bytes = from.metadata().await.map_err(failed)?.len();
    ops.audit().event(&caller, "export.download", format!("download the export {}", row.file), None).map_err(failed)?;
    let (to, pieces) = mpsc::channel::<Piece>(WAITING);
    tokio::spawn(async move {
        let mut left = bytes;
        while left > 0 {
            let mut piece = vec![0; PIECE.min(usize::try_from(left).unwrap_or(PIECE))];
            let piece = match from.read(&mut piece).await {
                Ok(0) => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                Ok(read) => {
                    left -= read as u64;
                    piece.truncate(read);
                    Ok(Bytes::from(piece))
                }
                Err(error) => Err(error),
            };
            let is_over = piece.is_err();
            if to.send(piece).await.is_err() || is_over {
                return;
            }
        }
    });
    let mut response = attached(&row.file, "application/octet-stream", pieces);
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(bytes));
    Ok(response)
}

/// `GET /api/v1/users/{account}/export`: all parts of `user.export` as one document.
pub(crate) async fn account(
    State(console): State<Console>,
    caller: Caller,
    Path(account): Path<String>,
) -> Result<Response, Problem> {
    let ask = |after: Option<Value>| json!({ "account": account, "after": after });
    let mut part = console.ops().call(&caller, "user.export", ask(None)).await?;
    let name = part.get("account").and_then(Value::as_str).unwrap_or_default().to_owned();
    let (to, pieces) = mpsc::channel::<Piece>(WAITING);
    let response = attached(&format!("{name}.json"), "application/json", pieces);
    tokio::spawn(async move {
        let mut head = part.clone();
        if let Some(head) = head.as_object_mut() {
            head.remove("rows");
            head.remove("next");
        }
        let mut text = head.to_string();
        text.truncate(text.trim_end_matches('}').len());
        text.push_str(",\"rows\":[");
        let mut first = true;
        loop {
            for row in part.get("rows").and_then(Value::as_array).into_iter().flatten() {
                text.push_str(if first { "\n" } else { ",\n" });
                text.push_str(&row.to_string());
                first = false;
            }
            let next = part.get("next").filter(|next| !next.is_null()).cloned();
            if next.is_none() {
                text.push_str("\n]}\n");
            }
            if to.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() || next.is_none() {
                return;
            }
            let ask = json!({ "account": name, "after": next });
            part = match console.ops().call(&caller, "user.export", ask).await {
                Ok(part) => part,
                // The file ends in the middle, and whoever takes it sees that.
                Err(error) => return drop(to.send(Err(io::Error::other(error))).await),
            };
        }
    });
    Ok(response)
}

fn attached(name: &str, kind: &'static str, pieces: mpsc::Receiver<Piece>) -> Response {
    let mut response = Response::new(Body::from_stream(ReceiverStream::new(pieces)));
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CONTENT_DISPOSITION, disposition(name));
    response
}

/// RFC 6266 §4.1; what is no plain letter is percent-encoded (RFC 8187 §3.2).
fn disposition(name: &str) -> HeaderValue {
    let encoded = name.bytes().fold(String::new(), |text, byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => text + char::from(byte).to_string().as_str(),
        _ => format!("{text}%{byte:02X}"),
    });
    let value = HeaderValue::try_from(format!("attachment; filename*=UTF-8''{encoded}"));
    value.unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_say_nothing_else() {
        let name = disposition("jülia\"\r\n@a.example.json");
        assert_eq!(name, "attachment; filename*=UTF-8''j%C3%BClia%22%0D%0A%40a.example.json");
    }
}
