//! An operation as faces are told of it that make themselves from that.

use serde_json::{Value, json};

use crate::argument::Argument;
use crate::caller::Rank;
use crate::operation::{Output, Spec};
use crate::route::Route;

/// Where an argument is in a request of the REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Body,
}

impl Place {
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Body => "body",
        }
    }
}

impl Spec {
    /// All of it as JSON: `GET /api/v1/operations` is a list of these.
    #[must_use]
    pub fn describe(&self) -> Value {
        let argument = |argument: &Argument| {
            json!({
                "name": argument.name,
                "help": argument.help,
                "required": argument.required,
                "in": self.place(argument).word(),
                "type": argument.kind,
                "schema": argument.kind.schema(),
            })
        };
        json!({
            "name": self.name,
            "help": self.help,
            "method": self.route.method.name(),
            "path": format!("{}{}", Route::BASE, self.route.path),
            "arguments": self.arguments.iter().map(argument).collect::<Vec<_>>(),
            "result": self.result,
            "times": self.times(),
            "roles": self.roles.iter().map(Rank::word).collect::<Vec<_>>(),
            "about": self.about,
            "changes": self.changes,
            "danger": self.danger,
        })
    }

    /// What in its answer is a time, as far as its plugin says so.
    fn times(&self) -> Vec<&str> {
        let Output::Given(schema) = &self.output else { return Vec::new() };
        let item = schema.pointer("/properties/items/items").unwrap_or(schema);
        let fields = item.get("properties").and_then(Value::as_object).into_iter().flatten();
        let is_time = |field: &Value| field.get("format").and_then(Value::as_str) == Some("unix-time");
        fields.filter(|(_, field)| is_time(field)).map(|(name, _)| name.as_str()).collect()
    }

    /// Where one of its arguments is in a request.
    #[must_use]
    pub fn place(&self, argument: &Argument) -> Place {
        if self.route.in_path().any(|name| name == argument.name) {
            Place::Path
        } else if self.route.method.has_body() {
            Place::Body
        } else {
            Place::Query
        }
    }
}
