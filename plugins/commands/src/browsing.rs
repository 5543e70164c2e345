//! Which commands there are (XEP-0050 §2.2, §2.3): to each what he may execute.

use xylem_sdk::outbox::send;
use xylem_sdk::prelude::*;

use crate::Config;
use crate::ns::{COMMANDS, FORM, INFO, ITEMS};
use crate::profile;
use crate::running::{Known, known};
use crate::table::Table;

pub(crate) fn browse(cx: &Cx, iq: &Stanza<'_>) -> Result<Verdict, Failure> {
    let (Some(actor), Some(query), Some(id)) = (cx.actor(), iq.payload(), iq.id()) else { return Ok(Verdict::Pass) };
    let domain = cx.domain();
    let Some(node) = query.attr("node").filter(|_| iq.to() == Some(domain.as_str())) else {
        return Ok(Verdict::Pass);
    };
    let items = query.is(ITEMS, "query");
    let is_command = profile::find(node).is_some() || !node.contains(['#', ':', '/']) && node.contains('.');
    if node != COMMANDS && !is_command {
        return Ok(Verdict::Pass);
    }
    let table = Table::load()?;
    let answer = match (items, node == COMMANDS) {
        (true, true) => commands(&domain, &table),
        (true, false) => Xml::with_ns("query", ITEMS).attr("node", node),
        (false, true) => described(node, "command-list", "Commands"),
        (false, false) => match known(&table, node)? {
            Known::Profile(profile) => described(node, "command-node", profile.title),
            Known::Operation(spec) => described(node, "command-node", spec.title()),
        },
    };
    send(Xml::iq("result", id).attr("from", &domain).attr("to", &actor).child(answer))?;
    Ok(Verdict::Stop)
}

fn commands(domain: &str, table: &Table) -> Xml {
    let item = |node: &str, name: &str| Xml::new("item").attr("jid", domain).attr("node", node).attr("name", name);
    let profiles = profile::offered(table).map(|profile| item(&profile.node(), profile.title));
    let answer = Xml::with_ns("query", ITEMS).attr("node", COMMANDS).children(profiles);
    if !Config::load().generic {
        return answer;
    }
    answer.children(table.offered().map(|spec| item(&spec.name, spec.title())))
}

fn described(node: &str, kind: &str, name: &str) -> Xml {
    let identity = Xml::new("identity").attr("category", "automation").attr("type", kind).attr("name", name);
    let features = [COMMANDS, FORM].into_iter().map(|feature| Xml::new("feature").attr("var", feature));
    Xml::with_ns("query", INFO).attr("node", node).child(identity).children(features)
}
