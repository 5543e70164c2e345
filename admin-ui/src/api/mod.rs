//! REST, made from the table of operations.

mod arguments;
mod entrance_paths;
pub mod openapi;

use std::sync::Arc;

use axum::extract::{Path, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{MethodFilter, on};
use axum::{RequestExt as _, Router};
use serde_json::Value;
use xylem_ops::{Caller, Method, Ops, Route, Spec};

use crate::caller::identify;
use crate::console::Console;
use crate::problem::Problem;

/// One route for each operation of the server's own.
pub(crate) fn routes(ops: &Ops) -> Router<Console> {
    ops.own_specs().fold(Router::new(), |router, spec| {
        let answers = Arc::clone(spec);
        let handler = move |State(console): State<Console>, caller: Caller, path: RawPathParams, request: Request| {
            let spec = Arc::clone(&answers);
            async move { perform(&console, &spec, &caller, &path, request).await }
        };
        router.route(&format!("{}{}", Route::BASE, spec.route.path), on(filter(spec.route.method), handler))
    })
}

/// `/api/v1/x/{noun}/{verb}`: what plugins contribute, as it is now.
pub(crate) async fn contributed(
    State(console): State<Console>,
    caller: Caller,
    Path((noun, verb)): Path<(String, String)>,
    mut request: Request,
) -> Result<Response, Problem> {
    let none = || Problem::new("not-found", format!("no plugin has the operation {noun}.{verb}"));
    let spec = console.ops().spec(&format!("{noun}.{verb}")).ok_or_else(none)?;
    if !spec.route.path.starts_with("/x/") {
        return Err(none());
    }
    let asked = request.method().as_str();
    if asked != spec.route.method.name() && !(asked == "HEAD" && spec.route.method == Method::Get) {
        return Err(Problem::new("method-not-allowed", format!("{} is asked for by {}", spec.name, spec.route)));
    }
    // The noun and the verb are no arguments.
    let path = request.extract_parts::<RawPathParams>().await.map_err(|_| none())?;
    perform(&console, &spec, &caller, &path, request).await
}

/// `GET /api/v1/operations`: what the caller may call, for faces that make themselves from that.
pub(crate) async fn operations(State(console): State<Console>, caller: Caller) -> Json<Value> {
    let specs = console.ops().specs_for(&caller);
    Json(serde_json::json!({"operations": specs.iter().map(|spec| spec.describe()).collect::<Vec<_>>()}))
}

/// `GET /api/v1/openapi.json`: no secret, so nobody has to sign in for it. What plugins contribute
/// now is told to those who did.
pub(crate) async fn document(State(console): State<Console>, parts: Parts) -> Json<Value> {
    let specs = match identify(&console, &parts).await {
        Ok(_) => console.ops().specs(),
        Err(_) => console.ops().own_specs().cloned().collect(),
    };
    Json(openapi::document(&specs))
}

async fn perform(
    console: &Console,
    spec: &Spec,
    caller: &Caller,
    path: &RawPathParams,
    request: Request,
) -> Result<Response, Problem> {
    let arguments = arguments::read(spec, path, request).await?;
    let answer = console.ops().call(caller, &spec.name, Value::Object(arguments)).await?;
    let mut response = Json(answer).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn filter(method: Method) -> MethodFilter {
    match method {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    }
}
