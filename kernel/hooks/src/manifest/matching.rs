//! What one line of `[match]` asks for.

use std::sync::Arc;

use super::grants::Needs;
use super::{Class, ConfigSchema, Scope, Shape, StoreSpec, Test};

/// Reads a test; the problem says what would be right.
pub(super) fn test_of(text: &str, stores: &[StoreSpec], needs: &Needs, config: &ConfigSchema) -> Result<Test, String> {
    if let Some(rest) = text.strip_prefix('{') {
        let Some((ns, name)) = rest.split_once('}') else {
            return Err(format!("`{text}` lacks a }}; write {{namespace}}name or {{namespace}}*"));
        };
        if name.is_empty() || ns.is_empty() || name.contains(|c: char| c.is_whitespace() || "<>&/{}\"'=".contains(c)) {
            return Err(format!("`{text}` is no element test; write {{namespace}}name or {{namespace}}*"));
        }
        return Ok(Test::Child { ns: ns.to_owned(), name: (name != "*").then(|| name.to_owned()) });
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    match *words.as_slice() {
        ["session", "tagged", tag] => return Ok(Test::Tagged { tag: tag.into() }),
        ["session", "waits"] => return Ok(Test::Waits),
        ["peer", "is", "key"] => return Ok(Test::Own),
        ["config", option, "is", value] => {
            if !config.options.iter().any(|known| known.name == option) {
                return Err(format!("there is no option `{option}`; add it under [config]"));
            }
            return Ok(Test::Config { option: option.to_owned(), value: value.to_owned() });
        }
        _ => {}
    }
    let &[whose @ ("peer" | "any"), "in", place] = words.as_slice() else {
        let known = "write {namespace}name, {namespace}*, `peer in store`, `any in store`, `session tagged name`, `session waits`, `peer is key` or `config option is value`";
        return Err(format!("`{text}` is no test; {known}"));
    };
    let (table, scope) = table_of(place, stores, needs)?;
    Ok(if whose == "peer" { Test::Peer { table, scope } } else { Test::Any { table, scope } })
}

fn table_of(place: &str, stores: &[StoreSpec], needs: &Needs) -> Result<(Arc<str>, Scope), String> {
    if place.contains('/') {
        let view = needs.views.iter().find(|view| *view.table == *place);
        let view = view.ok_or_else(|| format!("`{place}` is not granted; add it to `views` under [needs]"))?;
        return Ok((view.table.clone(), Scope::Key));
    }
    let store = stores.iter().find(|store| store.name == place && store.shape == Shape::Kv);
    let store = store.ok_or_else(|| format!("there is no kv store `{place}`; add a [[store]] of that name"))?;
    if store.class == Class::Volatile {
        return Err(format!("`{place}` is volatile, so filters cannot ask it; give it another `class`"));
    }
    Ok((store.table.clone(), store.scope))
}
