//! What an operation takes, with bounds that are checked before it runs.

use serde_json::{Map, Value};

use crate::error::OpError;

/// One argument of an operation.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// The key in the JSON object, and the name on every face.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    pub required: bool,
}

/// What values an argument takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text of 1 to `max` bytes.
    Text {
        max: usize,
    },
    /// Text of 1 to 1023 bytes that is never shown nor logged.
    Secret,
    /// A bare address, `name@domain`; at most 2047 bytes (RFC 7622 §3.1).
    Account,
    /// An absolute path on the server's machine.
    Path,
    /// A whole number within bounds, both included.
    Number {
        min: u64,
        max: u64,
    },
    Flag,
}

impl Argument {
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, help, kind, required: true }
    }

    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, help, kind, required: false }
    }

    fn check(&self, value: &Value) -> Result<(), OpError> {
        let wrong = |right: String| OpError::Invalid(format!("{} must be {right}", self.name));
        match self.kind {
            Kind::Text { max } => text(value, max).ok_or_else(|| wrong(format!("text of 1 to {max} bytes"))),
            Kind::Secret => text(value, 1023).ok_or_else(|| wrong("text of 1 to 1023 bytes".into())),
            Kind::Account => text(value, 2047)
                .filter(|t| t.split_once('@').is_some_and(|(l, d)| !l.is_empty() && !d.is_empty()))
                .ok_or_else(|| wrong("an address of the form name@domain".into())),
            Kind::Path => {
                text(value, 4096).filter(|t| t.starts_with('/')).ok_or_else(|| wrong("an absolute path".into()))
            }
            Kind::Number { min, max } => {
                let fits = value.as_u64().is_some_and(|n| (min..=max).contains(&n));
                return if fits { Ok(()) } else { Err(wrong(format!("a number from {min} to {max}"))) };
            }
            Kind::Flag => return value.as_bool().map(drop).ok_or_else(|| wrong("true or false".into())),
        }
        .map(drop)
    }
}

/// Checks a JSON object against an operation's arguments. Null counts as absent.
pub fn check(arguments: &[Argument], given: &mut Map<String, Value>) -> Result<(), OpError> {
    given.retain(|_, value| !value.is_null());
    for key in given.keys() {
        if !arguments.iter().any(|a| a.name == key) {
            let known: Vec<_> = arguments.iter().map(|a| a.name).collect();
            let known =
                if known.is_empty() { "it takes none".into() } else { format!("it takes {}", known.join(", ")) };
            return Err(OpError::Invalid(format!("unknown argument {key}: {known}")));
        }
    }
    for argument in arguments {
        match given.get(argument.name) {
            Some(value) => argument.check(value)?,
            None if argument.required => {
                return Err(OpError::Invalid(format!("{} is missing: {}", argument.name, argument.help)));
            }
            None => {}
        }
    }
    Ok(())
}

fn text(value: &Value, max: usize) -> Option<&str> {
    value.as_str().filter(|t| (1..=max).contains(&t.len()) && !t.contains('\0'))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use serde_json::json;

    use super::*;

    const ARGUMENTS: &[Argument] = &[
        Argument::required("account", Kind::Account, "whose"),
        Argument::optional("limit", Kind::Number { min: 1, max: 10 }, "how many"),
        Argument::optional("path", Kind::Path, "where"),
    ];

    fn checked(value: Value) -> Result<(), String> {
        let Value::Object(mut map) = value else { panic!("not an object") };
        check(ARGUMENTS, &mut map).map_err(|e| e.to_string())
    }

    #[test]
    fn bounds_are_kept_and_named() {
        assert_eq!(checked(json!({"account": "a@b", "limit": 10, "path": null})), Ok(()));
        assert!(checked(json!({"account": "a@b", "limit": 11})).unwrap_err().contains("from 1 to 10"));
        assert!(checked(json!({"account": "a@b", "limit": "3"})).unwrap_err().contains("from 1 to 10"));
        assert!(checked(json!({"account": "b"})).unwrap_err().contains("name@domain"));
        assert!(checked(json!({"account": "a@b", "path": "x"})).unwrap_err().contains("absolute"));
    }

    #[test]
    fn missing_and_unknown_arguments_are_named() {
        assert!(checked(json!({})).unwrap_err().starts_with("account is missing"));
        assert!(checked(json!({"account": "a@b", "acount": 1})).unwrap_err().contains("it takes account, limit"));
    }
}
