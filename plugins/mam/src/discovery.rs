//! What an account's archive can do.

use xylem_sdk::contributions;
use xylem_sdk::prelude::*;

use crate::Config;

/// Always; in the manifest as well, for the time before this plugin was called.
const FEATURES: [&str; 6] = [
    "urn:xmpp:mam:2",
    "urn:xmpp:mam:2#extended",
    "urn:xmpp:mam:2#groupchat-field",
    "urn:xmpp:sid:0",
    "urn:xmpp:message-retract:1",
    "urn:xmpp:message-retract:1#tombstone",
];
/// XEP-0431 §2.1.
const FULL_TEXT: &str = "urn:xmpp:fulltext:0";

/// Searching is a feature where it is switched on.
pub(crate) fn announce(_cx: &Cx, _event: &Event<'_>) -> Result<(), Failure> {
    let mut features = FEATURES.to_vec();
    features.extend(Config::load().full_text.then_some(FULL_TEXT));
    Ok(contributions::publish("disco.account", &features)?)
}
