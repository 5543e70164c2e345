//! Pages of a list that an operation gives (`list = true` in the manifest).

use std::cmp::Ordering;

use crate::Json;

/// Which part of a list is asked for, and what of it.
pub struct Page<'a> {
    /// Only what has this in it; in lowercase.
    pub search: String,
    /// Only what comes after this cursor.
    pub after: Option<&'a str>,
    /// So many at most; 50 unless the caller says otherwise.
    pub limit: usize,
    /// By which field of its items, if the operation has an argument `sort`.
    pub sort: Option<&'a str>,
    /// Downwards, if the operation has an argument `order`.
    pub downwards: bool,
}

/// Most characters of a field that count for the order; those that follow would only make cursors long.
const KEY: usize = 64;
/// Digits of the biggest number.
const DIGITS: usize = 20;

/// Where an item stands: by its field, then by its own cursor.
type Place = (String, String);

impl Page<'_> {
    /// Whether what is searched for is in one of these; always if nothing is searched for.
    #[must_use]
    pub fn finds(&self, texts: &[&str]) -> bool {
        self.search.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&self.search))
    }

    /// The answer of a list that is wholly there, what is searched for and nothing else: each item with a
    /// cursor that no other has. They come in the order of the cursors, or of the field that `sort` names.
    #[must_use]
    pub fn of(&self, entries: Vec<(String, Json)>) -> Json {
        let total = entries.len() as u64;
        let placed = entries.into_iter().map(|(cursor, item)| ((self.key(&item), cursor), item));
        let mut placed: Vec<(Place, Json)> = placed.collect();
        placed.sort_by(|(a, _), (b, _)| self.compare(a, b));
        let after = self.after.map(|after| self.open(after));
        let start = after.map_or(0, |after| placed.partition_point(|(place, _)| self.compare(place, &after).is_le()));
        let last = start.saturating_add(self.limit);
        let next = if last < placed.len() { placed.get(last.saturating_sub(1)) } else { None };
        let next = next.map(|(place, _)| self.close(place));
        let items = placed.into_iter().skip(start).take(self.limit).map(|(_, item)| item).collect();
        Json::page(items, next.as_deref(), Some(total))
    }

    fn compare(&self, a: &Place, b: &Place) -> Ordering {
        if self.downwards { b.cmp(a) } else { a.cmp(b) }
    }

    fn key(&self, item: &Json) -> String {
        match self.sort.and_then(|field| item.get(field)) {
            Some(Json::Number(number)) => {
                // Shifted, as negative ones come first.
                let digits = number.abs_diff(i64::MIN).to_string();
                ["0".repeat(DIGITS.saturating_sub(digits.len())), digits].concat()
            }
            Some(Json::Text(text)) => text.chars().take(KEY).flat_map(char::to_lowercase).collect(),
            Some(Json::Flag(flag)) => u8::from(*flag).to_string(),
            _ => String::new(),
        }
    }

    fn close(&self, (key, cursor): &Place) -> String {
        if self.sort.is_none() {
            return cursor.clone();
        }
        [&key.len().to_string(), ":", key, cursor].concat()
    }

    /// What is no cursor of this order is taken for one of an item without that field.
    fn open(&self, after: &str) -> Place {
        let parts = self.sort.and_then(|_| {
            let (length, rest) = after.split_once(':')?;
            rest.split_at_checked(length.parse().ok()?)
        });
        let (key, cursor) = parts.unwrap_or(("", after));
        (key.into(), cursor.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people() -> Vec<(String, Json)> {
        let person = |name: &str, age: i64| (name.into(), Json::object().with("name", name).with("age", age));
        vec![person("nurse", 40), person("Juliet", 13), person("a:b c", 40), person("romeo", -1), person("ädile", 9)]
    }

    /// All pages of two, one after the other.
    fn all(sort: Option<&str>, downwards: bool) -> Vec<String> {
        let (mut seen, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = Page { search: String::new(), after: after.as_deref(), limit: 2, sort, downwards };
            let answer = page.of(people());
            let items = answer.get("items").map(Json::items).unwrap_or_default();
            assert!(items.len() <= 2);
            assert_eq!(answer.get("total").and_then(Json::as_number), Some(5));
            seen.extend(items.iter().filter_map(|item| item.get("name")?.as_text()).map(str::to_owned));
            match answer.get("next").and_then(Json::as_text) {
                Some(next) => after = Some(next.into()),
                None => return seen,
            }
        }
    }

    #[test]
    fn pages_meet_and_miss_nothing_in_every_order() {
        assert_eq!(all(None, false), ["Juliet", "a:b c", "nurse", "romeo", "ädile"]);
        assert_eq!(all(None, true), ["ädile", "romeo", "nurse", "a:b c", "Juliet"]);
        assert_eq!(all(Some("name"), false), ["a:b c", "Juliet", "nurse", "romeo", "ädile"]);
        assert_eq!(all(Some("age"), false), ["romeo", "ädile", "Juliet", "a:b c", "nurse"]);
        assert_eq!(all(Some("age"), true), ["nurse", "a:b c", "Juliet", "ädile", "romeo"]);
    }

    #[test]
    fn any_text_may_come_as_a_cursor() {
        for after in ["", ":", "9:x", "1:ä", "99999999999999999999999:x"] {
            let page =
                Page { search: String::new(), after: Some(after), limit: 2, sort: Some("name"), downwards: false };
            assert!(page.of(people()).get("items").is_some(), "{after}");
        }
    }
}
