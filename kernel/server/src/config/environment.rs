//! Overrides from the environment: `XYLEM__SECTION__KEY=value`, where `__` stands
//! for the dot between section and key. A value is read as TOML, and as plain
//! text when it is none, so that `5s` needs no quotes.

use super::tree::{Located, Place, Table, Value, parse};

/// What every override begins with.
pub(super) const PREFIX: &str = "XYLEM__";

/// Lays one variable over the tree. The error says what is wrong with its name.
pub(super) fn lay_over(root: &mut Table, variable: &str, text: &str) -> Result<(), String> {
    let path: Vec<String> = variable.trim_start_matches(PREFIX).split("__").map(|part| part.to_lowercase()).collect();
    let (Some((key, sections)), true) = (path.split_last(), path.iter().all(|part| !part.is_empty())) else {
        return Err("must have the form XYLEM__SECTION__KEY".to_owned());
    };
    let place = Place::Environment(variable.to_owned());
    let mut table = root;
    for section in sections {
        let (_, entry) = table.entry(section.clone()).or_insert_with(|| {
            let value = Value::Table(Table::new());
            (place.clone(), Located { place: place.clone(), value })
        });
        let Value::Table(inner) = &mut entry.value else {
            return Err(format!("{section} is a key, not a section"));
        };
        table = inner;
    }
    table.insert(key.clone(), (place.clone(), Located { value: value(text, &place), place }));
    Ok(())
}

fn value(text: &str, place: &Place) -> Value {
    let parsed = parse(&format!("value = {text}")).ok().filter(|t| t.len() == 1).and_then(|mut t| t.remove("value"));
    let mut value = parsed.map_or_else(|| Value::Text(text.to_owned()), |(_, located)| located.value);
    move_to(&mut value, place);
    value
}

/// Offsets into the variable's text mean nothing to anybody.
fn move_to(value: &mut Value, place: &Place) {
    let items: Vec<&mut Located> = match value {
        Value::List(list) => list.iter_mut().collect(),
        Value::Table(table) => table.values_mut().map(|(_, item)| item).collect(),
        _ => return,
    };
    for item in items {
        item.place = place.clone();
        move_to(&mut item.value, place);
    }
}
