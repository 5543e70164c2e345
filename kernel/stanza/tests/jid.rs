//! Addresses (RFC 7622 §3.5 has the first table).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use xylem_stanza::{BareJid, Domain, FullJid, Jid, JidError, Part};

#[test]
fn addresses_of_the_rfc() {
    let good = [
        "juliet@example.com",
        "juliet@example.com/foo",
        "juliet@example.com/foo bar",
        "juliet@example.com/foo@bar",
        "foo\\20bar@example.com",
        "fussball@example.com",
        "fu\u{DF}ball@example.com",
        "\u{3C0}@example.com",
        "\u{3C3}@example.com/foo",
        "\u{3C3}@example.com",
        "\u{3C2}@example.com",
        "king@example.com/\u{265A}",
        "example.com",
        "example.com/foobar",
        "a.example.com/b@example.net",
    ];
    for raw in good {
        let jid = Jid::parse(raw).unwrap_or_else(|e| panic!("{raw}: {e}"));
        assert_eq!(jid.as_str(), raw);
    }
    assert_eq!(Jid::parse("\u{3A3}@example.com/foo").unwrap(), "\u{3C3}@example.com/foo");
    let bad = [
        ("\"juliet\"@example.com", Part::Local),
        ("foo bar@example.com", Part::Local),
        ("@example.com/", Part::Local),
        ("henry\u{2163}@example.com", Part::Local),
        ("\u{265A}@example.com", Part::Local),
        ("juliet@", Part::Domain),
        ("/foobar", Part::Domain),
        ("juliet@example.com/ foo\u{7}", Part::Resource),
    ];
    for (raw, part) in bad {
        let error = Jid::parse(raw).unwrap_err();
        let named = match error {
            JidError::Empty(p) | JidError::TooLong(p) | JidError::Forbidden(p) => p,
            other => panic!("{raw}: {other}"),
        };
        assert_eq!(named, part, "{raw}");
    }
}

#[test]
fn parts() {
    let jid = Jid::parse("Juliet@EXAMPLE.com./Balcony/@x").unwrap();
    assert_eq!(jid, "juliet@example.com/Balcony/@x");
    assert_eq!(jid.local(), Some("juliet"));
    assert_eq!(jid.domain(), "example.com");
    assert_eq!(jid.resource(), Some("Balcony/@x"));
    assert_eq!(jid.bare(), "juliet@example.com");
    assert_eq!(jid.bare().local(), Some("juliet"));
    assert_eq!(jid.bare().with_resource("r").unwrap(), "juliet@example.com/r");
    assert_eq!(jid.full().unwrap().resource(), "Balcony/@x");
    assert!(Jid::from(jid.bare()).is_bare());
    assert!(Jid::from(jid.bare()).full().is_none());
    let domain = Jid::parse("example.com").unwrap();
    assert!(domain.is_domain());
    assert_eq!((domain.local(), domain.resource()), (None, None));
    assert_eq!(Jid::from(&domain.to_domain()), domain);
}

#[test]
fn types_refuse_what_they_are_not() {
    assert_eq!(BareJid::parse("a@b/c"), Err(JidError::NotBare));
    assert_eq!(FullJid::parse("a@b"), Err(JidError::NotFull));
    assert_eq!(Jid::parse("a@b/"), Err(JidError::Empty(Part::Resource)));
    assert_eq!(Jid::parse(""), Err(JidError::Empty(Part::Domain)));
    assert_eq!(Jid::parse("."), Err(JidError::Forbidden(Part::Domain)));
}

#[test]
fn domains() {
    let prepared = [
        ("Example.COM", "example.com"),
        ("example.com.", "example.com"),
        ("localhost", "localhost"),
        ("xn--mnchen-3ya.example", "m\u{FC}nchen.example"),
        ("M\u{DC}NCHEN.example", "m\u{FC}nchen.example"),
        ("fa\u{DF}.example", "fa\u{DF}.example"),
        ("a\u{3002}b", "a.b"),
        ("192.0.2.1", "192.0.2.1"),
        ("[2001:DB8:0:0::1]", "[2001:db8::1]"),
        ("1and1.example", "1and1.example"),
        ("ab0-x.example", "ab0-x.example"),
    ];
    for (raw, is) in prepared {
        assert_eq!(Domain::parse(raw).unwrap().as_str(), is, "{raw}");
    }
    let bad = [
        "",
        ".",
        "..",
        "a..b",
        ".a",
        "a..",
        "-a.b",
        "a-.b",
        "a_b.c",
        "a b",
        "a@b",
        "a<b",
        "[::1",
        "[1.2.3.4]",
        "[::1]x",
        "xn--a",
        "ab--c",
        "\u{2603}\u{0}",
        "a\u{200B}.\u{E000}",
    ];
    for raw in bad {
        assert!(Domain::parse(raw).is_err(), "{raw}");
    }
    let long = "a".repeat(63);
    assert!(Domain::parse(&format!("{long}.b")).is_ok());
    assert!(Domain::parse(&format!("{long}a.b")).is_err());
    assert_eq!(Domain::parse("M\u{DC}.b").unwrap().to_ascii(), "xn--m-eha.b");
}

#[test]
fn lengths() {
    let of = |l: usize, r: usize| {
        let text = format!("{}@b/{}", "a".repeat(l), "c".repeat(r));
        Jid::parse(&text)
    };
    assert!(of(1023, 1023).is_ok());
    assert_eq!(of(1024, 1), Err(JidError::TooLong(Part::Local)));
    assert_eq!(of(1, 1024), Err(JidError::TooLong(Part::Resource)));
    assert_eq!(of(1, 5_000_000), Err(JidError::TooLong(Part::Resource)));
    let wide = "\u{E9}".repeat(512);
    assert_eq!(Jid::parse(&format!("a@b/{wide}")), Err(JidError::TooLong(Part::Resource)));
    let domain = format!("{}a", "aaaaaaa.".repeat(128));
    assert_eq!(Domain::parse(&domain), Err(JidError::TooLong(Part::Domain)));
}

#[test]
fn preparation_cannot_smuggle_separators() {
    // Fullwidth forms become the ASCII characters that RFC 7622 §3.3.1 forbids.
    for wide in ["\u{FF20}", "\u{FF0F}", "\u{FF1C}", "\u{FF06}", "\u{FF02}"] {
        assert!(Jid::parse(&format!("a{wide}b@c")).is_err(), "{wide}");
        assert!(Jid::parse(&format!("a{wide}b")).is_err(), "{wide}");
    }
    assert_eq!(Jid::parse("\u{FF21}b@c").unwrap(), "ab@c");
}

#[test]
fn maps_can_be_asked_with_text() {
    let jid = Jid::parse("a@b/c").unwrap();
    let map = std::collections::HashMap::from([(jid.bare(), 1), (BareJid::parse("x@y").unwrap(), 2)]);
    assert_eq!(map.get("a@b"), Some(&1));
    assert_eq!(map.get(&BareJid::parse("x@y").unwrap()), Some(&2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn preparing_twice_changes_nothing(raw in "\\PC{1,24}") {
        if let Ok(jid) = Jid::parse(&raw) {
            let again = Jid::parse(jid.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), jid.as_str());
            prop_assert_eq!(again.local(), jid.local());
            prop_assert_eq!(again.domain(), jid.domain());
            prop_assert_eq!(again.resource(), jid.resource());
        }
    }

    #[test]
    fn fast_and_slow_path_agree(
        local in "[!-~]{1,12}", domain in "[a-zA-Z0-9.-]{1,16}", resource in "[ -~]{1,12}",
    ) {
        use precis_core::profile::PrecisFastInvocation;
        let forbidden = local.contains(|c| "\"&'/:<>@".contains(c));
        let by_profile = precis_profiles::UsernameCaseMapped::enforce(local.as_str()).ok();
        let ours = BareJid::new(&local, &Domain::parse("b").unwrap()).ok();
        prop_assert_eq!(
            ours.as_ref().and_then(|j| j.local()),
            by_profile.as_deref().filter(|_| !forbidden)
        );
        let by_profile = precis_profiles::OpaqueString::enforce(resource.as_str()).ok();
        let ours = Jid::parse("b").unwrap().with_resource(&resource).ok();
        prop_assert_eq!(ours.as_ref().map(|j| j.resource()), by_profile.as_deref());
        if let Ok(ours) = Domain::parse(&domain) {
            let name = domain.strip_suffix('.').unwrap_or(&domain);
            let by_uts46 = idna::domain_to_unicode(name);
            prop_assert!(by_uts46.1.is_ok());
            prop_assert_eq!(ours.as_str(), by_uts46.0);
        }
    }

    #[test]
    fn parts_put_together_are_the_address(local in "[a-z]{1,8}", domain in "[a-z]{1,8}", resource in "[ -~é☃]{1,8}") {
        let jid = Jid::parse(&format!("{local}@{domain}/{resource}")).unwrap();
        let again = BareJid::new(&local, &Domain::parse(&domain).unwrap()).unwrap();
        prop_assert_eq!(jid.bare(), again.clone());
        let again = again.with_resource(&resource).unwrap();
        prop_assert_eq!(jid.as_str(), again.as_str());
    }
}
