//! Lists that are longer than one answer (XEP-0133 §4.18 to §4.22): their pages are asked for one after the other.
//!
//! An operation that follows from an answer may lead to another answer only so often, so a list ends after
//! eight pages of 1,000. Then the command says so.

use xylem_sdk::operations;
use xylem_sdk::prelude::*;

use crate::session::Session;

/// The most that one answer of a list holds.
pub(crate) const PAGE: u32 = 1000;

/// A list that a command needs the whole of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    operation: String,
    arguments: Json,
    /// So many are enough; none: all.
    enough: Option<usize>,
    /// What came so far.
    items: Vec<Json>,
    /// Whether there is more than that, and it is not asked for.
    pub(crate) cut: bool,
}

impl Listing {
    /// If this is a call for a list by whole pages.
    pub(crate) fn of(operation: &str, arguments: &Json, enough: Option<usize>) -> Option<Self> {
        let whole = arguments.get("limit").and_then(Json::as_number) == Some(i64::from(PAGE));
        let (operation, arguments) = (operation.to_owned(), arguments.clone());
        whole.then_some(Self { operation, arguments, enough, items: Vec::new(), cut: false })
    }

    pub(crate) fn read(json: &Json) -> Option<Self> {
        let enough = json.get("enough").and_then(Json::as_number);
        Some(Self {
            operation: json.get("operation")?.as_text()?.to_owned(),
            arguments: json.get("arguments")?.clone(),
            enough: enough.and_then(|enough| usize::try_from(enough).ok()),
            items: json.get("items").map(Json::items).unwrap_or_default().to_vec(),
            cut: json.get("cut").is_some_and(Json::is_true),
        })
    }

    pub(crate) fn to_json(&self) -> Json {
        Json::object()
            .with("operation", &self.operation)
            .with("arguments", self.arguments.clone())
            .with("enough", self.enough.map(|enough| enough as u64))
            .with("items", self.items.clone())
            .with("cut", self.cut)
    }
}

/// Takes in one answer of the call of this place. With the last of its pages the answer is whole and comes back;
/// nothing while another page is on its way.
pub(crate) fn taken(session: &mut Session, at: usize, answer: Json) -> Result<Option<Json>, Fault> {
    let Some(listing) = session.listings.get_mut(at).and_then(Option::as_mut) else { return Ok(Some(answer)) };
    listing.items.extend(answer.get("items").map(Json::items).unwrap_or_default().iter().map(needed));
    let total = answer.get("total").cloned().unwrap_or(Json::Null);
    let next = answer.get("next").and_then(Json::as_text);
    if let Some(next) = next.filter(|_| listing.enough.is_none_or(|enough| listing.items.len() < enough)) {
        let arguments = listing.arguments.clone().with("after", next);
        let token = [&session.id, "\n", &at.to_string()].concat();
        match operations::call(&listing.operation, &arguments, &token) {
            Ok(()) => return Ok(None),
            Err(Fault::Quota) => listing.cut = true,
            Err(fault) => return Err(fault),
        }
    }
    let items = std::mem::take(&mut listing.items);
    Ok(Some(Json::object().with("items", items).with("next", Json::Null).with("total", total)))
}

/// Of an item what commands show: thousands of them wait in a row.
fn needed(item: &Json) -> Json {
    const UNNEEDED: [&str; 3] = ["created", "sessions", "client"];
    let entries = item.entries().iter().filter(|(name, value)| {
        *value != Json::Null && *value != Json::Flag(false) && !UNNEEDED.contains(&name.as_str())
    });
    Json::Object(entries.cloned().collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn only_lists_by_whole_pages_are_followed() {
        let whole = Json::object().with("domain", "b").with("limit", PAGE);
        let mut listing = Listing::of("user.list", &whole, Some(25)).unwrap();
        assert_eq!(Listing::of("user.list", &Json::object().with("limit", 1_u32), None), None);
        listing
            .items
            .push(needed(&Json::object().with("account", "a@b").with("created", 5_u64).with("disabled", true)));
        assert_eq!(listing.items, [Json::object().with("account", "a@b").with("disabled", true)]);
        assert_eq!(Listing::read(&listing.to_json()).unwrap(), listing);
    }
}
