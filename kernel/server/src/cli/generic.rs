//! `xylem op`: any operation by its name, also those of plugins.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, stdin};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use super::Failure;
use super::client::Client;
use super::show::table;
use crate::admin::Request;

/// Columns of a list that are printed; `--json` has all.
const COLUMNS: usize = 6;

#[derive(clap::Args)]
pub(super) struct OpArgs {
    /// Its name, such as user.list; without it, all are listed
    name: Option<String>,
    /// What it takes, KEY=VALUE: lists with commas, `-` reads the value from standard input
    #[arg(value_name = "KEY=VALUE")]
    arguments: Vec<String>,
    /// Show what it takes, and do nothing
    #[arg(long, requires = "name")]
    about: bool,
}

/// Calls it, or says what there is. Gives the answer, and the same for people.
pub(super) fn run(client: Client, args: OpArgs) -> Result<(Value, String), Failure> {
    match args.name {
        Some(name) if !args.about => {
            let texts = texts(&args.arguments)?;
            let value = client.send(&Request { operation: name, arguments: Value::Null, texts })?;
            let text = show(&value);
            Ok((value, text))
        }
        name => {
            let operation = Request::OPERATIONS.to_owned();
            let known = client.send(&Request { operation, arguments: Value::Null, texts: BTreeMap::new() })?;
            Ok(describe(known, name.as_deref())?)
        }
    }
}

fn texts(arguments: &[String]) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for argument in arguments {
        let Some((key, value)) = argument.split_once('=') else { bail!("{argument} is not of the form KEY=VALUE") };
        let value = if value == "-" { line()? } else { value.to_owned() };
        texts.entry(key.to_owned()).or_default().push(value);
    }
    Ok(texts)
}

fn line() -> anyhow::Result<String> {
    let mut line = String::new();
    stdin().lock().read_line(&mut line).context("standard input cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// All operations in a line each, or one with what it takes.
fn describe(known: Value, name: Option<&str>) -> anyhow::Result<(Value, String)> {
    let all = known.as_array().map(Vec::as_slice).unwrap_or_default();
    let Some(name) = name else {
        let rows = all.iter().map(|one| [word(one.get("name")), word(one.get("help"))]);
        let text = table(["OPERATION", "WHAT IT DOES"], rows);
        return Ok((known, text));
    };
    let Some(one) = all.iter().find(|one| one.get("name").is_some_and(|known| known == name)) else {
        bail!("there is no operation {name}; `xylem op` lists them");
    };
    let mut text =
        format!("{name}: {}\n{} {}\n", word(one.get("help")), word(one.get("method")), word(one.get("path")));
    for argument in one.get("arguments").and_then(Value::as_array).into_iter().flatten() {
        let required = argument.get("required").is_some_and(|required| *required == true);
        let kind = argument.get("type").and_then(|kind| kind.get("kind"));
        let (name, help) = (word(argument.get("name")), word(argument.get("help")));
        let need = if required { "" } else { ", optional" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {name} ({}{need}): {help}", word(kind));
    }
    Ok((one.clone(), text))
}

/// Any answer, for people: a page as a table, an object as lines, the rest as JSON.
fn show(value: &Value) -> String {
    match value {
        Value::Object(page) if page.get("items").is_some_and(Value::is_array) => {
            let items = page.get("items").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let mut text = rows(items);
            if let Some(next) = page.get("next").and_then(Value::as_str) {
                let _ = write!(text, "\nThere are more: after={next}");
            }
            text
        }
        Value::Object(object) => lines(object),
        Value::Array(items) => rows(items),
        other => word(Some(other)),
    }
}

fn lines(object: &Map<String, Value>) -> String {
    let width = object.keys().map(String::len).max().unwrap_or_default();
    object.iter().map(|(key, value)| format!("{key:width$}  {}\n", word(Some(value)))).collect()
}

fn rows(items: &[Value]) -> String {
    let Some(Value::Object(first)) = items.first() else {
        return items.iter().map(|item| format!("{}\n", word(Some(item)))).collect();
    };
    let keys: [&str; COLUMNS] = {
        let mut keys = first.keys().map(String::as_str);
        std::array::from_fn(|_| keys.next().unwrap_or_default())
    };
    table(keys, items.iter().map(|item| keys.map(|key| item.get(key).map_or(String::new(), |value| word(Some(value))))))
}

fn word(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) if items.iter().all(Value::is_string) => {
            items.iter().map(|item| word(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_keys_and_values() {
        let read = texts(&["a=1".into(), "b=x=y".into(), "a=2".into()]).unwrap();
        assert_eq!(
            read,
            BTreeMap::from([("a".into(), vec!["1".into(), "2".into()]), ("b".into(), vec!["x=y".into()])])
        );
        assert!(texts(&["a".into()]).is_err());
    }

    #[test]
    fn answers_are_shown_as_what_they_are() {
        let page = json!({"items": [{"a": 1, "b": ["x", "y"]}, {"a": 22, "b": null}], "next": "n", "total": 9});
        assert_eq!(show(&page), "a   b\n1   x, y\n22  -\n\nThere are more: after=n");
        assert_eq!(show(&json!({"long": true, "a": "x"})), "a     x\nlong  true\n");
    }
}
