//! XEP-0092: name and version of the server.

use xylem_sdk::{prelude::*, runtime};

xylem_sdk::plugin!();

/// `<name/>` and `<version/>` are required, `<os/>` is not and may tell too much (§2, §5).
fn version(_cx: &Cx, _iq: &Stanza) -> Xml {
    let server = runtime::server();
    let os = Config::load().os;
    Xml::with_ns("query", "jabber:iq:version")
        .leaf("name", &server.name)
        .leaf("version", &server.version)
        .child_opt((!os.is_empty()).then(|| Xml::new("os").text(&os)))
}
