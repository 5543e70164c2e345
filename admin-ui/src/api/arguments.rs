//! Arguments out of a request: from the path, and from the query or the body.

use std::collections::BTreeMap;

use axum::body::to_bytes;
use axum::extract::{Query, RawPathParams, Request};
use axum::http::{HeaderMap, header};
use serde_json::{Map, Value};
use xylem_ops::{OpError, Spec};

use crate::problem::Problem;

/// Largest body, in bytes; files go another way.
pub(crate) const BODY: usize = 1 << 20;

/// All that was given. What is missing or wrong in itself is the table's to say.
pub(super) async fn read(spec: &Spec, path: &RawPathParams, request: Request) -> Result<Map<String, Value>, Problem> {
    let mut given = if spec.route.method.has_body() { body(request).await? } else { query(spec, &request)? };
    for name in spec.route.in_path() {
        if given.contains_key(name) {
            return Err(invalid(format!("{name} is in the path already")));
        }
        let Some((_, text)) = path.iter().find(|(key, _)| *key == name) else { continue };
        let value = match spec.argument(name) {
            Some(argument) => argument.from_text(&[text])?,
            None => text.into(),
        };
        given.insert(name.to_owned(), value);
    }
    Ok(given)
}

fn query(spec: &Spec, request: &Request) -> Result<Map<String, Value>, Problem> {
    let Ok(Query(pairs)) = Query::<Vec<(String, String)>>::try_from_uri(request.uri()) else {
        return Err(invalid("the query cannot be read".to_owned()));
    };
    let mut texts: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, text) in &pairs {
        texts.entry(key).or_default().push(text);
    }
    let mut given = Map::new();
    for (key, texts) in texts {
        let value = match spec.argument(key) {
            Some(argument) => argument.from_text(&texts)?,
            // The table says that it does not know it.
            None => texts.concat().into(),
        };
        given.insert(key.to_owned(), value);
    }
    Ok(given)
}

async fn body(request: Request) -> Result<Map<String, Value>, Problem> {
    let is_json = is_json(request.headers());
    let too_large = |_| Problem::new("too-large", format!("a body has {BODY} bytes at most"));
    let bytes = to_bytes(request.into_body(), BODY).await.map_err(too_large)?;
    if bytes.is_empty() {
        return Ok(Map::new());
    }
    if !is_json {
        return Err(Problem::new("not-json", "say Content-Type: application/json"));
    }
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(given)) => Ok(given),
        Ok(_) => Err(invalid("the body must be a JSON object".to_owned())),
        Err(error) => Err(invalid(format!("the body is not JSON: {error}"))),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json")
}

fn invalid(detail: String) -> Problem {
    OpError::Invalid(detail).into()
}
