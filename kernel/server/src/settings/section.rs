//! A whole section taken out of a text, with those below it.

use super::edit::path;

/// The text without a section, `domains."example.org"`, and without all that are below it; comments that stand
/// before another section stay.
pub fn without(text: &str, section: &str) -> Result<String, String> {
    let wanted = path(section)?;
    let read = |text: &str| toml::from_str::<toml::Table>(text).map_err(|error| error.message().to_owned());
    let mut meant = read(text)?;
    take(&mut meant, &wanted);
    let mut left = String::with_capacity(text.len());
    let (mut inside, mut waiting) = (false, String::new());
    for line in text.split_inclusive('\n') {
        if let Some(name) = header(line) {
            inside = path(name).is_ok_and(|path| path.starts_with(&wanted));
            if !inside {
                left.push_str(&waiting);
            }
            waiting.clear();
        }
        match (inside, line.trim()) {
            (false, _) => left.push_str(line),
            // Words on what comes next, it may be.
            (true, said) if said.starts_with('#') => waiting.push_str(line),
            (true, _) => waiting.clear(),
        }
    }
    if read(&left).as_ref() == Ok(&meant) {
        Ok(left)
    } else {
        Err(format!("[{section}] is written in a way that needs a hand: edit the text"))
    }
}

/// Whether a text has anything below a name.
pub fn has(text: &str, name: &str) -> bool {
    let table = toml::from_str::<toml::Table>(text).unwrap_or_default();
    table.get(name).and_then(toml::Value::as_table).is_some_and(|table| !table.is_empty())
}

/// The name between brackets.
fn header(line: &str) -> Option<&str> {
    let (name, behind) = line.trim().strip_prefix('[')?.rsplit_once(']')?;
    let behind = behind.trim();
    (behind.is_empty() || behind.starts_with('#')).then_some(name)
}

fn take(table: &mut toml::Table, path: &[String]) {
    match path {
        [] => {}
        [last] => drop(table.remove(last)),
        [first, rest @ ..] => {
            if let Some(toml::Value::Table(inner)) = table.get_mut(first) {
                take(inner, rest);
                if inner.is_empty() {
                    table.remove(first);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_section_goes_with_all_below_it_and_nothing_else() {
        let text = "# Ours.\n[domains.\"a.example\"]\nanonymous = true\n# Old.\n\n[domains.\"a.example\".settings.\"x.y\"]\nz = 1\n\n\
            # The other.\n[domains.\"b.example\"] # stays\n";
        let left = without(text, "domains.\"a.example\"").unwrap();
        assert_eq!(left, "# Ours.\n# The other.\n[domains.\"b.example\"] # stays\n");
        assert_eq!(without(&left, "domains.\"a.example\"").unwrap(), left, "it is not there");
        assert_eq!(without(&left, "domains.\"b.example\"").unwrap(), "# Ours.\n# The other.\n");
    }

    #[test]
    fn what_is_written_otherwise_is_left_to_people() {
        assert!(without("[domains]\n\"a.example\" = { anonymous = true }\n", "domains.\"a.example\"").is_err());
        assert!(without("[", "domains").is_err());
    }
}
