//! Greets whoever asks.

use xylem_sdk::outbox;
use xylem_sdk::prelude::*;

xylem_sdk::plugin!();

/// `<hello xmlns='{{ns}}'/>` is answered with a greeting; strangers get an error.
fn hello(cx: &Cx, _iq: &Stanza) -> Result<Xml, Failure> {
    let actor = cx.actor().ok_or(Condition::NotAuthorized)?;
    let name = Jid::new(&actor).local().unwrap_or("you");
    Ok(Xml::with_ns("hello", "{{ns}}").text(&greeting(name)))
}

/// For administrators: greets somebody unasked.
fn greet(cx: &Cx, call: &Operation) -> Result<Json, Refusal> {
    let account = cx.key();
    let usual = || greeting(Jid::new(&account).local().unwrap_or("you"));
    let words = call.text("words").map_or_else(usual, str::to_owned);
    outbox::send(Xml::message("chat").attr("from", &cx.domain()).attr("to", &account).leaf("body", &words))?;
    Ok(Json::object().with("said", words))
}

fn greeting(name: &str) -> String {
    ["Hello, ", name, "!"].concat()
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets_by_name() {
        assert_eq!(super::greeting("juliet"), "Hello, juliet!");
    }
}
