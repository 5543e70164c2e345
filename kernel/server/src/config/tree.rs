//! The file as a tree of values that know where they stand.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Byte offset in the file.
    File(usize),
    /// Name of an environment variable.
    Environment(String),
}

#[derive(Clone, Debug)]
pub(super) struct Located {
    pub(super) place: Place,
    pub(super) value: Value,
}

#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Number(i64),
    Float(f64),
    Flag(bool),
    Date(String),
    List(Vec<Located>),
    Table(Table),
}

/// Keys in order of name, each with the place of the key itself.
pub(super) type Table = BTreeMap<String, (Place, Located)>;

impl Value {
    /// What it is, for messages.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Number(_) => "a number",
            Self::Float(_) => "a fraction",
            Self::Flag(_) => "true or false",
            Self::Date(_) => "a date",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
        }
    }

    /// As JSON, for plugins.
    pub(super) fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Text(text) | Self::Date(text) => text.clone().into(),
            Self::Number(number) => (*number).into(),
            Self::Float(number) => (*number).into(),
            Self::Flag(flag) => (*flag).into(),
            Self::List(list) => list.iter().map(|item| item.value.to_json()).collect::<Vec<_>>().into(),
            Self::Table(table) => {
                let map = table.iter().map(|(key, (_, item))| (key.clone(), item.value.to_json()));
                serde_json::Value::Object(map.collect())
            }
        }
    }
}

/// Parses a file; an error has its byte offset and what is wrong.
pub(super) fn parse(text: &str) -> Result<Table, (usize, String)> {
    let table = DeTable::parse(text).map_err(|e| (e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
    Ok(convert_table(table.get_ref()))
}

fn convert_table(table: &DeTable<'_>) -> Table {
    let entry = |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
        (key.get_ref().to_string(), (Place::File(key.span().start), convert(value)))
    };
    table.iter().map(entry).collect()
}

fn convert(value: &Spanned<DeValue<'_>>) -> Located {
    let place = Place::File(value.span().start);
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or_else(|_| Value::Text(number.as_str().to_owned()), Value::Number),
        DeValue::Float(number) => Value::Float(number.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(list) => Value::List(list.iter().map(convert).collect()),
        DeValue::Table(table) => Value::Table(convert_table(table)),
    };
    Located { place, value }
}
