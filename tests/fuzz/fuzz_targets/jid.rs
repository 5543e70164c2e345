#![no_main]

use libfuzzer_sys::fuzz_target;
use xylem_stanza::{BareJid, Domain, Jid};

fuzz_target!(|raw: &str| {
    let Ok(jid) = Jid::parse(raw) else {
        return;
    };
    let again = Jid::parse(jid.as_str()).expect("a prepared address is one");
    assert_eq!(again, jid);
    let parts = (again.local(), again.domain(), again.resource());
    assert_eq!(parts, (jid.local(), jid.domain(), jid.resource()));
    for part in [jid.local(), Some(jid.domain()), jid.resource()].into_iter().flatten() {
        assert!((1..=1023).contains(&part.len()));
    }
    let domain = Domain::parse(jid.domain()).expect("a prepared domain is one");
    assert_eq!(domain, jid.to_domain());
    let bare = match jid.local() {
        Some(local) => BareJid::new(local, &domain).expect("a prepared localpart is one"),
        None => BareJid::from(&domain),
    };
    assert_eq!(bare, jid.bare());
    if let Some(resource) = jid.resource() {
        let full = bare.with_resource(resource).expect("a prepared resource is one");
        assert_eq!(Jid::from(full), jid);
    }
});
