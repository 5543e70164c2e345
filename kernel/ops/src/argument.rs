//! What an operation takes, with bounds that are checked before it runs.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::OpError;
pub use crate::kind::{Kind, Words};

/// Longest value that stands in the audit log, in bytes.
const NOTED: usize = 4096;
/// Under which it is said how many arguments were given that there are not; no argument has such a name.
const UNKNOWN: &str = "(unknown)";

/// One argument of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// The key in the JSON object, and the name on every face.
    pub name: Cow<'static, str>,
    pub help: Cow<'static, str>,
    pub kind: Kind,
    pub required: bool,
}

impl Argument {
    #[must_use]
    pub const fn required(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), help: Cow::Borrowed(help), kind, required: true }
    }

    #[must_use]
    pub const fn optional(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), help: Cow::Borrowed(help), kind, required: false }
    }

    /// A value from the texts of a query or a command line.
    ///
    /// # Errors
    /// [`OpError::Invalid`] if they are not of its kind.
    pub fn from_text(&self, given: &[&str]) -> Result<Value, OpError> {
        self.kind.from_text(given).ok_or_else(|| self.wrong())
    }

    fn wrong(&self) -> OpError {
        OpError::Invalid(format!("{} must be {}", self.name, self.kind.right()))
    }
}

/// Checks what was given, and makes it canonical: addresses prepared (RFC 7622), nulls left out.
///
/// # Errors
/// [`OpError::Invalid`] for an unknown argument and for one out of its bounds.
pub fn canonical(arguments: &[Argument], given: &mut Map<String, Value>) -> Result<(), OpError> {
    given.retain(|_, value| !value.is_null());
    let mut wrong = Ok(());
    for (key, value) in given.iter_mut() {
        let outcome = match arguments.iter().find(|a| a.name == *key) {
            Some(argument) => match argument.kind.canonical(value.clone()) {
                Some(canonical) => {
                    *value = canonical;
                    Ok(())
                }
                None => Err(argument.wrong()),
            },
            None => Err(unknown(arguments, key)),
        };
        wrong = wrong.and(outcome);
    }
    wrong
}

/// Checks that nothing is missing.
///
/// # Errors
/// [`OpError::Invalid`] names what is, and says what it is for.
pub fn complete(arguments: &[Argument], given: &Map<String, Value>) -> Result<(), OpError> {
    match arguments.iter().find(|a| a.required && !given.contains_key(&*a.name)) {
        Some(missing) => Err(OpError::Invalid(format!("{} is missing: {}", missing.name, missing.help))),
        None => Ok(()),
    }
}

fn unknown(arguments: &[Argument], key: &str) -> OpError {
    let known: Vec<_> = arguments.iter().map(|a| &*a.name).collect();
    let known = if known.is_empty() { "it takes none".into() } else { format!("it takes {}", known.join(", ")) };
    OpError::Invalid(format!("unknown argument {key}: {known}"))
}

/// The arguments as they may be written down: without secrets. Of those that there are not, which may be misspelt
/// secrets and as long as anybody likes, no more than how many.
#[must_use]
pub fn without_secrets(arguments: &[Argument], given: &Map<String, Value>) -> Map<String, Value> {
    let mut noted = Map::new();
    for argument in arguments {
        let value = given.get(&*argument.name).filter(|_| !argument.kind.is_secret());
        if let Some(value) = value {
            // What is meant to be long is somebody's text, or a file that tells what not everybody may know.
            let most = if matches!(argument.kind, Kind::Text { max: 65_536.. }) { 0 } else { NOTED };
            noted.insert(argument.name.clone().into_owned(), in_short(value, most));
        }
    }
    let unknown = given.keys().filter(|key| arguments.iter().all(|a| a.name != **key)).count();
    if unknown > 0 {
        noted.insert(UNKNOWN.to_owned(), unknown.into());
    }
    noted
}

/// Whole files would fill the log.
pub(crate) fn in_short(value: &Value, most: usize) -> Value {
    let length = match value {
        Value::String(text) => text.len(),
        Value::Array(_) | Value::Object(_) => serde_json::to_vec(value).map_or(0, |bytes| bytes.len()),
        _ => 0,
    };
    if length > most { format!("({length} bytes)").into() } else { value.clone() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use serde_json::json;

    use super::*;

    const ARGUMENTS: &[Argument] = &[
        Argument::required("account", Kind::Account, "whose"),
        Argument::optional("limit", Kind::Number { min: 1, max: 10 }, "how many"),
        Argument::optional("password", Kind::Secret, "what opens it"),
        Argument::optional("order", Kind::choice(&["asc", "desc"]), "which way"),
        Argument::optional("domains", Kind::List { items: 2, max: 5 }, "where"),
    ];

    fn checked(value: Value) -> Result<Value, String> {
        let Value::Object(mut map) = value else { panic!("not an object") };
        canonical(ARGUMENTS, &mut map)
            .and_then(|()| complete(ARGUMENTS, &map))
            .map(|()| Value::Object(map))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn bounds_are_kept_and_named() {
        assert!(checked(json!({"account": "a@b", "limit": 10, "order": null, "domains": ["a"]})).is_ok());
        assert!(checked(json!({"account": "a@b", "limit": 11})).unwrap_err().contains("from 1 to 10"));
        assert!(checked(json!({"account": "a@b", "limit": "3"})).unwrap_err().contains("from 1 to 10"));
        assert!(checked(json!({"account": "b"})).unwrap_err().contains("name@domain"));
        assert!(checked(json!({"account": "a@b", "order": "up"})).unwrap_err().contains("one of asc, desc"));
        assert!(checked(json!({"account": "a@b", "domains": ["a", "b", "c"]})).unwrap_err().contains("up to 2"));
    }

    #[test]
    fn addresses_are_made_canonical() {
        assert_eq!(
            checked(json!({"account": "Juliet@Example.ORG"})).unwrap(),
            json!({"account": "juliet@example.org"})
        );
    }

    #[test]
    fn missing_and_unknown_arguments_are_named() {
        assert!(checked(json!({})).unwrap_err().starts_with("account is missing"));
        assert!(checked(json!({"account": "a@b", "acount": 1})).unwrap_err().contains("it takes account, limit"));
    }

    #[test]
    fn texts_become_values() {
        let of = |name: &str, texts: &[&str]| {
            ARGUMENTS.iter().find(|a| a.name == name).unwrap().from_text(texts).map_err(|e| e.to_string())
        };
        assert_eq!(of("limit", &["3"]), Ok(json!(3)));
        assert_eq!(of("domains", &["a,b", "c"]), Ok(json!(["a", "b", "c"])));
        assert!(of("limit", &["x"]).is_err() && of("limit", &["1", "2"]).is_err());
    }

    #[test]
    fn secrets_are_left_out() {
        let Value::Object(given) = json!({"account": "a@b", "password": "pencil"}) else { panic!() };
        assert_eq!(Value::Object(without_secrets(ARGUMENTS, &given)), json!({"account": "a@b"}));
        let Value::Object(given) = json!({"account": "a@b", "Password": "pencil", "pasword": "pencil"}) else {
            panic!()
        };
        let noted = json!({"account": "a@b", "(unknown)": 2});
        assert_eq!(Value::Object(without_secrets(ARGUMENTS, &given)), noted, "misspelt secrets");
    }
}
