//! One key of a text changed; comments and order stay. The text is edited where the value stands,
//! and read again afterwards: what did not come out as meant is refused.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Sets a key, or takes it out so that its default holds again. `section` is written as in the
/// file, `limits.before_login` or `plugins."ID"`; `value` as well, `"5s"` with its quotes.
pub fn set(text: &str, section: &str, key: &str, value: Option<&str>) -> Result<String, String> {
    let path = path(section)?;
    let value = value.map(str::trim);
    if value
        .is_some_and(|value| value.contains('\n') || toml::from_str::<toml::Table>(&format!("v = {value}")).is_err())
    {
        return Err(format!("{} is not a value; texts stand in quotes", value.unwrap_or_default()));
    }
    let document = DeTable::parse(text).map_err(|error| error.message().to_owned())?;
    let table = find(document.get_ref(), &path);
    let written = table.and_then(|table| table.iter().find(|(name, _)| name.get_ref() == key));
    let spans = written.map(|(name, value)| (name.span(), value.span()));
    let changed = match (spans, value) {
        (None, None) => text.to_owned(),
        (Some((_, old)), Some(value)) => replaced(text, old, value),
        (Some((name, old)), None) => replaced(text, lines(text, name.start..old.end), ""),
        (None, Some(value)) => added(text, table, &path, section, &format!("{} = {value}", quoted(key))),
    };
    let came = read(&changed, &path, key)?;
    let meant = value.map(|value| read(&format!("v = {value}"), &[], "v")).transpose()?.flatten();
    if came == meant {
        Ok(changed)
    } else {
        Err(format!("[{section}] is written in a way that needs a hand: edit the text"))
    }
}

/// The words of a section's name.
pub(super) fn path(section: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("{section} is not the name of a section");
    if section.contains('\n') {
        return Err(wrong());
    }
    let table: toml::Table = toml::from_str(&format!("[{section}]")).map_err(|_| wrong())?;
    let mut names = Vec::new();
    let mut here = &table;
    while let Some((name, toml::Value::Table(inner))) = here.iter().next() {
        names.push(name.clone());
        here = inner;
    }
    if names.is_empty() { Err(wrong()) } else { Ok(names) }
}

fn find<'t>(root: &'t DeTable<'t>, path: &[String]) -> Option<&'t DeTable<'t>> {
    path.iter().try_fold(root, |table, name| {
        match table.iter().find(|(key, _)| key.get_ref() == name.as_str())?.1.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        }
    })
}

/// A line more in a section that is there, behind what stands in it already, or a section more.
fn added(text: &str, table: Option<&DeTable<'_>>, path: &[String], section: &str, line: &str) -> String {
    let is_value = |value: &&Spanned<DeValue<'_>>| !matches!(value.get_ref(), DeValue::Table(_));
    let last =
        table.and_then(|table| table.iter().map(|(_, value)| value).filter(is_value).map(|v| v.span().end).max());
    match last.or_else(|| header(text, path)) {
        Some(behind) => {
            let end = text.get(behind..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| behind + at);
            replaced(text, end..end, &format!("\n{line}"))
        }
        None => format!("{}\n\n[{section}]\n{line}\n", text.trim_end()).trim_start().to_owned(),
    }
}

/// Where the line `[section]` is, if there is one.
fn header(text: &str, wanted: &[String]) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let name = line.trim().strip_prefix('[').and_then(|rest| rest.split_once(']').map(|(name, _)| name));
        // A name may have a bracket in its quotes.
        let name = name.filter(|name| path(name).is_ok_and(|path| path == wanted));
        if name.is_some() {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// The whole lines around something.
fn lines(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.get(..range.start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let end = text.get(range.end..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| range.end + at + 1);
    start..end
}

fn replaced(text: &str, range: Range<usize>, by: &str) -> String {
    let (before, after) = (text.get(..range.start).unwrap_or(text), text.get(range.end..).unwrap_or_default());
    [before, by, after].concat()
}

fn read(text: &str, path: &[String], key: &str) -> Result<Option<toml::Value>, String> {
    let root: toml::Table = toml::from_str(text).map_err(|error| error.message().to_owned())?;
    let table = path.iter().try_fold(&root, |table, name| table.get(name)?.as_table());
    Ok(table.and_then(|table| table.get(key)).cloned())
}

fn quoted(key: &str) -> String {
    let bare = key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if bare { key.to_owned() } else { serde_json::Value::from(key).to_string() }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const TEXT: &str =
        "# Ours.\n[limits]\n# Deep enough.\ndepth = 20 # or so\n\n[log]\nlevel = \"info\"\n\n[http] # nothing\n";

    #[test]
    fn comments_stay_where_they_are() {
        assert_eq!(set(TEXT, "limits", "depth", Some("30")).unwrap(), TEXT.replace("20", "30"));
        let taken = set(TEXT, "log", "level", None).unwrap();
        assert_eq!(taken, TEXT.replace("level = \"info\"\n", ""));
        assert_eq!(set(&taken, "log", "level", None).unwrap(), taken);
    }

    #[test]
    fn what_is_not_there_is_put_where_it_belongs() {
        let more = set(TEXT, "limits", "size", Some("\"1MiB\"")).unwrap();
        assert_eq!(more, TEXT.replace("# or so\n", "# or so\nsize = \"1MiB\"\n"));
        let more = set(TEXT, "http", "listen", Some("[]")).unwrap();
        assert_eq!(more, TEXT.replace("# nothing\n", "# nothing\nlisten = []\n"));
        let more = set(TEXT, "plugins.\"a.b\"", "on", Some("true")).unwrap();
        assert_eq!(more, format!("{}\n\n[plugins.\"a.b\"]\non = true\n", TEXT.trim_end()));
        assert_eq!(set("", "log", "level", Some("\"warn\"")).unwrap(), "[log]\nlevel = \"warn\"\n");
        let more = set("[limits.before_login]\ndepth = 9\n", "limits", "depth", Some("9")).unwrap();
        assert!(more.ends_with("[limits]\ndepth = 9\n"), "{more}");
    }

    #[test]
    fn what_cannot_be_done_is_refused() {
        assert!(set(TEXT, "log", "level", Some("debug")).is_err());
        assert!(set(TEXT, "log", "level", Some("1\nx = 2")).is_err());
        assert!(set(TEXT, "log]\n[x", "level", Some("1")).is_err());
        assert!(set("[", "log", "level", None).is_err());
        assert!(set("log = { level = \"info\" }\n", "log", "format", Some("\"json\"")).is_err());
    }
}
