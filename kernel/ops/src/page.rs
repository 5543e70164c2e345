//! Lists, a page at a time.

use std::cmp::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::argument::{Argument, Kind};
use crate::error::OpError;

/// What comes back of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// What to give as `after` for those that follow; null at the end.
    pub next: Option<String>,
    /// How many there are in all, where that is known.
    pub total: Option<u64>,
}

/// Which page of a list; every operation that lists takes these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
}

/// Smallest first, or largest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    #[default]
    Asc,
    Desc,
}

/// What a list is sorted by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    Number(i64),
    Text(String),
}

impl Paging {
    /// How many there are on a page unless the caller says otherwise.
    pub const LIMIT: usize = 50;
    /// How many there can be.
    pub const MOST: usize = 1000;

    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(Self::LIMIT).clamp(1, Self::MOST)
    }

    /// Whether one of these texts has what is searched for in it, large and small letters being the same.
    #[must_use]
    pub fn finds(&self, texts: &[&str]) -> bool {
        let Some(search) = &self.search else { return true };
        let search = search.to_lowercase();
        texts.iter().any(|text| text.to_lowercase().contains(&search))
    }

    /// The arguments of every operation that lists.
    #[must_use]
    pub fn arguments(sorts: &'static [&'static str]) -> Vec<Argument> {
        let number = Kind::Number { min: 1, max: Self::MOST as u64 };
        let mut arguments = vec![
            Argument::optional("limit", number, "at most so many; 50 unless given"),
            Argument::optional("after", Kind::Cursor, "go on where the page before ended: its `next`"),
            Argument::optional("search", Kind::Text { max: 256 }, "only those in which this occurs"),
        ];
        if !sorts.is_empty() {
            arguments.push(Argument::optional("sort", Kind::choice(sorts), "by what; the first unless given"));
            arguments.push(Argument::optional("order", Kind::choice(&["asc", "desc"]), "upwards or downwards"));
        }
        arguments
    }

    /// One page of a list that is in memory. `key` says what an item is sorted by and what tells
    /// it from others of the same key.
    ///
    /// # Errors
    /// [`OpError::Invalid`] if `after` is not what a page gave as `next`.
    pub fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> (Key, String)) -> Result<Page<T>, OpError> {
        let total = items.len() as u64;
        let compare = |a: &(Key, String), b: &(Key, String)| match self.order.unwrap_or_default() {
            Order::Asc => a.cmp(b),
            Order::Desc => b.cmp(a),
        };
        items.sort_by_cached_key(|item| Placed(key(item), self.order.unwrap_or_default()));
        if let Some(after) = &self.after {
            let after = open(after)?;
            items.retain(|item| compare(&key(item), &after) == Ordering::Greater);
        }
        let more = items.len() > self.limit();
        items.truncate(self.limit());
        let next = items.last().filter(|_| more).map(|last| close(&key(last)));
        Ok(Page { items, next, total: Some(total) })
    }
}

#[derive(PartialEq, Eq)]
struct Placed((Key, String), Order);

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        match self.1 {
            Order::Asc => self.0.cmp(&other.0),
            Order::Desc => other.0.cmp(&self.0),
        }
    }
}

fn close(key: &(Key, String)) -> String {
    BASE64.encode(serde_json::to_vec(key).unwrap_or_default())
}

fn open(cursor: &str) -> Result<(Key, String), OpError> {
    let bytes = BASE64.decode(cursor).ok();
    let key = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    key.ok_or_else(|| OpError::Invalid("after must be what a page gave as next".into()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn all(paging: &Paging) -> Vec<u32> {
        let mut paging = paging.clone();
        let mut seen = Vec::new();
        loop {
            let items = vec![3, 1, 2, 12, 11];
            let page = paging.page(items, |n| (Key::Number(i64::from(n % 10)), n.to_string())).unwrap();
            assert_eq!(page.total, Some(5));
            assert!(page.items.len() <= 2);
            seen.extend(page.items);
            match page.next {
                None => return seen,
                next => paging.after = next,
            }
        }
    }

    #[test]
    fn pages_meet_and_miss_nothing() {
        let paging = Paging { limit: Some(2), ..Paging::default() };
        assert_eq!(all(&paging), [1, 11, 12, 2, 3]);
        assert_eq!(all(&Paging { order: Some(Order::Desc), ..paging }), [3, 2, 12, 11, 1]);
    }

    #[test]
    fn a_cursor_of_somebody_else_is_refused() {
        let paging = Paging { after: Some("x".into()), ..Paging::default() };
        assert!(paging.page(vec![1], |_| (Key::Number(0), String::new())).is_err());
    }
}
