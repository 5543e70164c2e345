//! The answer of any operation as a form of type `result` (XEP-0004 §3.1): an object is fields, a list of
//! objects a table.

use xylem_sdk::prelude::*;

use crate::command::note;
use crate::form::form;

/// Columns of a table.
const COLUMNS: usize = 32;

/// Adds the answer to a command that is done.
pub(crate) fn add(done: Xml, title: &str, answer: &Json) -> Xml {
    if let Some(items) = answer.get("items") {
        let next = answer.get("next").and_then(Json::as_text);
        let more = next.map(|next| note("info", &["There is more: go on after ", next].concat()));
        return done.child_opt(more).child(table(title, items.items()));
    }
    match answer {
        Json::List(items) => done.child(table(title, items)),
        Json::Object(entries) if !entries.is_empty() => {
            let fields = entries.iter().map(|(name, value)| field(name, value).attr("label", name));
            done.child(form("result", title, None).children(fields))
        }
        Json::Object(_) | Json::Null => done.child(note("info", "Done.")),
        other => done.child(note("info", &texts(other).concat())),
    }
}

fn table(title: &str, items: &[Json]) -> Xml {
    let mut columns: Vec<&str> = Vec::new();
    for (name, _) in items.iter().flat_map(Json::entries) {
        if !columns.contains(&name.as_str()) && columns.len() < COLUMNS {
            columns.push(name);
        }
    }
    if columns.is_empty() {
        // A list of plain values.
        let values = items.iter().flat_map(texts);
        let field = Xml::new("field").attr("var", "items").attr("type", "text-multi").attr("label", title);
        return form("result", title, None).child(values.fold(field, |field, value| field.leaf("value", &value)));
    }
    let reported = columns.iter().map(|name| Xml::new("field").attr("var", name).attr("label", name));
    let row = |item: &Json| {
        let cells = columns.iter().map(|name| field(name, item.get(name).unwrap_or(&Json::Null)));
        Xml::new("item").children(cells)
    };
    form("result", title, None).child(Xml::new("reported").children(reported)).children(items.iter().map(row))
}

fn field(name: &str, value: &Json) -> Xml {
    let field = Xml::new("field").attr("var", name);
    texts(value).into_iter().fold(field, |field, text| field.leaf("value", &text))
}

/// A value as people read it; what is nested stays JSON.
fn texts(value: &Json) -> Vec<String> {
    match value {
        Json::Null => Vec::new(),
        Json::Text(text) => text.lines().map(str::to_owned).collect(),
        Json::List(items) => items.iter().flat_map(texts).collect(),
        other => vec![other.build()],
    }
}

#[cfg(test)]
mod tests {
    use super::{add, table};
    use xylem_sdk::{Json, Xml};

    #[test]
    fn objects_are_fields_and_lists_are_tables() {
        let item = |name: &str| Json::object().with("name", name).with("n", 1_u64);
        let shown = table("T", &[item("a<"), Json::object().with("name", "b")]).build();
        assert!(shown.contains(
            "<reported><field var='name' label='name'/><field var='n' label='n'/></reported>\
             <item><field var='name'><value>a&lt;</value></field><field var='n'><value>1</value></field></item>\
             <item><field var='name'><value>b</value></field><field var='n'/></item>"
        ));
        let answer = Json::object().with("deep", item("x")).with("list", vec!["a", "b"]).with("none", None::<u64>);
        let shown = add(Xml::new("command"), "T", &answer).build();
        assert!(shown.contains("<value>{\"name\":\"x\",\"n\":1}</value>"), "{shown}");
        assert!(shown.contains("<field var='list' label='list'><value>a</value><value>b</value></field>"), "{shown}");
    }
}
