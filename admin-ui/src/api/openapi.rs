//! The OpenAPI document (3.1), made from the table.

use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};
use xylem_ops::{Argument, Kind, Output, Place, Rank, Route, Spec};

use super::entrance_paths;
use crate::problem::{KINDS, Problem};
use crate::uploads::Upload;

const BASE: &str = Route::BASE;

/// The document of these operations.
#[must_use]
pub fn document(specs: &[Arc<Spec>]) -> Value {
    let mut schemas = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    schemas.subschema_for::<Problem>();
    let mut paths = Map::new();
    for spec in specs {
        let at = paths.entry(format!("{BASE}{}", spec.route.path)).or_insert_with(|| json!({}));
        if let Value::Object(methods) = at {
            methods.insert(spec.route.method.name().to_lowercase(), operation(spec, &mut schemas));
        }
    }
    beside(&mut paths, &mut schemas);
    entrance_paths::add(&mut paths);
    paths.sort_keys();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Xylem",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Every administrative operation of a Xylem server. Made from its table of operations.",
            "license": {"name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "responses": responses(),
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "A token made by token.create."},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-xylem", "description":
                    "A session of the console; methods that change something need the header X-CSRF-Token."},
            },
        },
    })
}

fn operation(spec: &Spec, schemas: &mut SchemaGenerator) -> Value {
    let output = match &spec.output {
        Output::Of(schema) => schema(schemas).to_value(),
        Output::Given(schema) => schema.clone(),
    };
    let parameters: Vec<_> =
        spec.arguments.iter().filter(|a| spec.place(a) != Place::Body).map(|a| parameter(spec, a)).collect();
    let mut operation = json!({
        "operationId": spec.name,
        "summary": spec.help,
        "tags": [spec.name.split_once('.').map_or("server", |(noun, _)| noun)],
        "parameters": parameters,
        "responses": {
            "200": {
                "description": spec.result,
                "content": {"application/json": {"schema": output}},
            },
            "default": {"$ref": "#/components/responses/Problem"},
        },
        "x-roles": spec.roles.iter().map(Rank::word).collect::<Vec<_>>(),
        "x-changes": spec.changes,
    });
    if let (true, Some(operation)) = (spec.route.method.has_body(), operation.as_object_mut()) {
        operation.insert("requestBody".to_owned(), body(spec));
    }
    operation
}

fn parameter(spec: &Spec, argument: &Argument) -> Value {
    let place = spec.place(argument);
    let mut parameter = json!({
        "name": argument.name,
        "in": place.word(),
        "description": argument.help,
        "required": place == Place::Path || argument.required,
        "schema": argument.kind.schema(),
    });
    if let (Kind::List { .. }, Some(parameter)) = (&argument.kind, parameter.as_object_mut()) {
        parameter.insert("style".to_owned(), "form".into());
        parameter.insert("explode".to_owned(), true.into());
    }
    parameter
}

fn body(spec: &Spec) -> Value {
    let arguments = || spec.arguments.iter().filter(|argument| spec.place(argument) == Place::Body);
    let properties: Map<String, Value> = arguments().map(|a| (a.name.clone().into_owned(), property(a))).collect();
    let required: Vec<_> = arguments().filter(|a| a.required).map(|a| a.name.clone()).collect();
    json!({
        "required": !required.is_empty(),
        "content": {"application/json": {"schema": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        }}},
    })
}

fn property(argument: &Argument) -> Value {
    let mut schema = argument.kind.schema();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("description".to_owned(), argument.help.clone().into());
    }
    schema
}

/// What is no operation.
fn beside(paths: &mut Map<String, Value>, schemas: &mut SchemaGenerator) {
    let problem = || json!({"$ref": "#/components/responses/Problem"});
    let answers = |help: &str, schema: Value| {
        json!({
            "200": {"description": help, "content": {"application/json": {"schema": schema}}},
            "default": problem(),
        })
    };
    let object = || json!({"type": "object"});
    paths.insert(
        format!("{BASE}/operations"),
        json!({"get": {
            "operationId": "operations", "tags": ["server"], "parameters": [],
            "summary": "Lists the operations that the caller may call, with what they take.",
            "responses": answers("the operations", object()),
        }}),
    );
    paths.insert(
        format!("{BASE}/topics"),
        json!({"get": {
            "operationId": "topics", "tags": ["server"], "parameters": [],
            "summary": "Lists the topics that the caller may follow.",
            "responses": answers("the topics", object()),
        }}),
    );
    let upload = Upload::json_schema(schemas).to_value();
    paths.insert(
        format!("{BASE}/uploads"),
        json!({"post": {
            "operationId": "upload", "tags": ["server"], "parameters": [],
            "summary": "Takes a file, to be named in an argument of an operation within the hour.",
            "requestBody": {"required": true, "content": {"application/octet-stream": {"schema": {}}}},
            "responses": answers("what to name it", upload),
        }}),
    );
    paths.insert(
        format!("{BASE}/events"),
        json!({"get": {
            "operationId": "events", "tags": ["server"],
            "summary": "Follows topics by server-sent events; a topic's filter is given as TOPIC.KEY=VALUE.",
            "parameters": [{
                "name": "topics", "in": "query", "required": true, "style": "form", "explode": false,
                "description": "the topics", "schema": {"type": "array", "minItems": 1, "maxItems": 16, "items": {"type": "string"}},
            }],
            "responses": {
                "200": {"description": "events without end", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
                "default": problem(),
            },
        }}),
    );
}

fn responses() -> Value {
    let kinds: Vec<_> =
        KINDS.iter().map(|(slug, status, title)| format!("- `/problems/{slug}` ({status}): {title}")).collect();
    json!({"Problem": {
        "description": format!("It was not done (RFC 9457). The types:\n{}", kinds.join("\n")),
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }})
}
