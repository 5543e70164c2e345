//! The routes of signing in, of the own account and of the first start, as the OpenAPI document has them.

use serde_json::{Map, Value, json};
use xylem_ops::Route;

/// Method, path, name, what it does, fields of the body (`*` before one: any JSON; alone: any object), and what is answered.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str], &'static str);

const ROWS: [Row; 22] = [
    ("get", "/session", "signin.show", "Says who is signed in, with the token for changes.", &[], "the session"),
    (
        "post",
        "/session",
        "signin.password",
        "Begins to sign in.",
        &["account", "password"],
        "the session, or the second factors there are",
    ),
    ("delete", "/session", "signin.out", "Signs out.", &[], "nothing"),
    ("post", "/session/totp", "signin.code", "Gives a code of the app, or a recovery code.", &["code"], "the session"),
    (
        "post",
        "/session/passkey/begin",
        "signin.passkey.begin",
        "Begins to sign in with a passkey.",
        &[],
        "`publicKey`, for navigator.credentials.get",
    ),
    (
        "post",
        "/session/passkey/finish",
        "signin.passkey.finish",
        "Gives what the passkey answered.",
        &["*"],
        "the session",
    ),
    ("get", "/me/sessions", "me.sessions", "Lists the own sessions of the console.", &[], "the sessions"),
    ("delete", "/me/sessions", "me.sessions.end", "Ends all own sessions but this one.", &[], "how many"),
    ("delete", "/me/sessions/{id}", "me.session.end", "Ends one of them.", &[], "nothing"),
    ("get", "/me/factors", "me.factors", "Shows the own second factors.", &[], "the factors"),
    (
        "post",
        "/me/totp/begin",
        "me.totp.begin",
        "Makes a secret for an authenticator app.",
        &["password"],
        "`secret` and `uri`, shown once",
    ),
    (
        "post",
        "/me/totp/confirm",
        "me.totp.confirm",
        "Takes the app once it has shown a code.",
        &["code"],
        "recovery codes, shown once",
    ),
    ("post", "/me/totp/remove", "me.totp.remove", "Takes the app away.", &["password"], "the factors"),
    (
        "post",
        "/me/passkeys/begin",
        "me.passkeys.begin",
        "Begins to make a passkey.",
        &["password"],
        "`publicKey`, for navigator.credentials.create",
    ),
    (
        "post",
        "/me/passkeys/finish",
        "me.passkeys.finish",
        "Takes the passkey.",
        &["name", "*credential"],
        "the factors, with recovery codes if they are the first",
    ),
    ("post", "/me/passkeys/remove", "me.passkeys.remove", "Takes a passkey away.", &["password", "id"], "the factors"),
    ("post", "/me/recovery", "me.recovery", "Makes ten new recovery codes.", &["password"], "the codes, shown once"),
    (
        "get",
        "/setup",
        "setup.show",
        "Says how far the first start is.",
        &[],
        "the state, and a proposal once the code was given",
    ),
    ("post", "/setup", "setup.install", "Sets the server up.", &["*"], "what is wrong, or the session of the owner"),
    ("post", "/setup/code", "setup.code", "Gives the code that the server told at its start.", &["code"], "the state"),
    (
        "post",
        "/setup/check",
        "setup.check",
        "Says what is wrong with a plan, without doing it.",
        &["*"],
        "the problems",
    ),
    (
        "get",
        "/exports/{file}/content",
        "export.download",
        "Downloads a file among the exports; for owners.",
        &[],
        "the file",
    ),
];

/// Adds them to the paths of the document.
pub(super) fn add(paths: &mut Map<String, Value>) {
    for row in ROWS {
        let (method, path, ..) = row;
        let at = paths.entry(format!("{}{path}", Route::BASE)).or_insert_with(|| json!({}));
        if let Value::Object(methods) = at {
            methods.insert(method.to_owned(), operation(row));
        }
    }
    let export = format!("{}/users/{{account}}/export", Route::BASE);
    if let Some(Value::Object(methods)) = paths.get_mut(&export) {
        let row = (
            "get",
            "/users/{account}/export",
            "user.download",
            "Downloads everything of an account as one document.",
            &[][..],
            "the document",
        );
        methods.insert("get".to_owned(), operation(row));
    }
}

fn operation((method, path, name, help, fields, answer): Row) -> Value {
    let tag = if path.ends_with("/content") || path.ends_with("/export") { "downloads" } else { "sign-in" };
    let parameters: Vec<_> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let parameter = |name: &&str| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
    let kind = if path.ends_with("/content") { "application/octet-stream" } else { "application/json" };
    let mut operation = json!({
        "operationId": name, "tags": [tag], "summary": help,
        "parameters": parameters.iter().map(parameter).collect::<Vec<_>>(),
        "responses": {
            "200": {"description": answer, "content": {kind: {"schema": {}}}},
            "default": {"$ref": "#/components/responses/Problem"},
        },
    });
    if let (true, Some(operation)) = (method == "post", operation.as_object_mut()) {
        operation.insert(
            "requestBody".to_owned(),
            json!({"required": true, "content": {"application/json": {"schema": body(fields)}}}),
        );
    }
    operation
}

fn body(fields: &[&str]) -> Value {
    if fields == ["*"] {
        return json!({"type": "object"});
    }
    let properties: Map<String, Value> = fields
        .iter()
        .map(|field| match field.strip_prefix('*') {
            Some(any) => (any.to_owned(), json!({})),
            None => ((*field).to_owned(), json!({"type": "string"})),
        })
        .collect();
    let required: Vec<_> = fields.iter().map(|field| field.trim_start_matches('*')).collect();
    json!({"type": "object", "properties": properties, "required": required})
}
