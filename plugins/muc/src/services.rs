//! The domains at which rooms are, one or several beside a hosted domain.

use xylem_sdk::contributions::publish;
use xylem_sdk::prelude::*;

use crate::Config;

/// The name without a setting, and the one whose rooms were always there.
const FIRST: &str = "conference.";

/// The server's own items have the services (XEP-0045 §6.1).
pub(crate) fn announce(cx: &Cx, _event: &Event<'_>) -> Result<(), Failure> {
    let domain = cx.domain();
    let all: Vec<String> = Config::load().services.iter().map(|service| service.replace("{domain}", &domain)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Ok(publish("disco.items.server", &all)?)
}

/// The service by that name.
pub(crate) fn first() -> String {
    [FIRST, &Cx::new(0).domain()].concat()
}

/// Whether its rooms stand in the first part of the directory. What concerns the hosted domain
/// itself is about this service.
pub(crate) fn is_first(service: &str) -> bool {
    let hosted = Cx::new(0).domain();
    service == hosted || service.strip_prefix(FIRST) == Some(&hosted)
}
