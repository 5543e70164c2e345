//! Greets whoever asks.

use xylem_sdk::prelude::*;

xylem_sdk::plugin!();

/// `<hello xmlns='urn:example:hello'/>` is answered with a greeting; strangers get an error.
fn hello(cx: &Cx, _iq: &Stanza) -> Result<Xml, Failure> {
    let actor = cx.actor().ok_or(Condition::NotAuthorized)?;
    let name = Jid::new(&actor).local().unwrap_or("you");
    Ok(Xml::with_ns("hello", "urn:example:hello").text(&greeting(name)))
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
