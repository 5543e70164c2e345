//! `[adds]`: what a plugin says without code.

use toml::Spanned;

use super::read::Table;
use super::refusal::ManifestError;

/// The slots and their values, in the order of the file; `text` is the file, to find lines in.
pub(super) fn check(text: &str, raw: Table<Spanned<Vec<String>>>) -> Result<Vec<(String, Vec<String>)>, ManifestError> {
    let refuse = |span, problem| Err(ManifestError::at(text, Some(span), problem));
    let mut entries: Vec<_> = raw.into_iter().collect();
    entries.sort_by_key(|(slot, _)| slot.span().start);
    let one = |(slot, values): (Spanned<String>, Spanned<Vec<String>>)| {
        if !SLOTS.contains(&slot.get_ref().as_str()) && !slot.get_ref().starts_with("x.") {
            return refuse(slot.span(), format!("unknown slot; known: {}, and x.… between plugins", SLOTS.join(", ")));
        }
        if slot.get_ref().starts_with("stream.") {
            let wrong = values.get_ref().iter().find(|xml| xylem_xml::Element::parse(xml).is_err());
            if let Some(wrong) = wrong {
                return refuse(values.span(), format!("`{wrong}` is not one well-formed element"));
            }
        }
        Ok((slot.into_inner(), values.into_inner()))
    };
    entries.into_iter().map(one).collect()
}

/// What the kernel and its plugins collect from `[adds]`.
const SLOTS: [&str; 7] = [
    "disco.server",
    "disco.account",
    "disco.identity.server",
    "disco.identity.account",
    "disco.items.server",
    "stream.before-auth",
    "stream.after-auth",
];
