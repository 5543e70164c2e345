#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;

use super::*;

#[path = "../../../tests/support/authenticator.rs"]
mod authenticator;
use authenticator::{Authenticator, PRESENT, VERIFIED};

const ORIGIN: &str = "https://console.example:5443";
const USER: &[u8] = b"some user";

fn site() -> Site {
    Site::new("console.example:5443").unwrap()
}

fn registered(authenticator: &mut Authenticator, verification: Verification) -> Result<Passkey, PasskeyError> {
    let challenge = Challenge([1; 32]);
    let options = creation_options(&site(), "juliet@a.example", USER, &challenge, &[], verification);
    let answer = serde_json::from_value(authenticator.create(&options)).unwrap();
    register(&answer, &challenge, &site(), verification, "phone".into(), 1000)
}

fn signed(authenticator: &mut Authenticator, passkey: &Passkey) -> Value {
    let options = request_options(&site(), &Challenge([2; 32]), std::slice::from_ref(passkey), Verification::Preferred);
    authenticator.get(&options)
}

fn verified(answer: Value, passkey: &mut Passkey) -> Result<(), PasskeyError> {
    let answer = serde_json::from_value(answer).unwrap();
    verify(&answer, passkey, USER, &Challenge([2; 32]), &site(), Verification::Preferred, 2000)
}

#[test]
fn what_was_registered_signs_in() {
    for mut authenticator in [Authenticator::es256(ORIGIN), Authenticator::ed25519(ORIGIN)] {
        let passkey = registered(&mut authenticator, Verification::Required).unwrap();
        // As it comes back from the store.
        let mut passkey: Passkey = serde_json::from_str(&serde_json::to_string(&passkey).unwrap()).unwrap();
        let first = signed(&mut authenticator, &passkey);
        verified(first.clone(), &mut passkey).unwrap();
        assert_eq!((passkey.counter, passkey.used), (1, Some(2000)));
        assert!(verified(first, &mut passkey).is_err(), "the counter stands still");
        let second = signed(&mut authenticator, &passkey);
        verified(second, &mut passkey).unwrap();
    }
}

#[test]
fn an_authenticator_that_counts_nothing_is_good() {
    let mut authenticator = Authenticator::es256(ORIGIN);
    authenticator.step = 0;
    let mut passkey = registered(&mut authenticator, Verification::Preferred).unwrap();
    for _ in 0..2 {
        let answer = signed(&mut authenticator, &passkey);
        verified(answer, &mut passkey).unwrap();
    }
}

#[test]
fn another_site_origin_key_user_or_nobody_is_refused() {
    let mut authenticator = Authenticator::es256(ORIGIN);
    let passkey = registered(&mut authenticator, Verification::Preferred).unwrap();
    let refused = |change: &dyn Fn(&mut Authenticator), why: &str| {
        let mut passkey = passkey.clone();
        let mut authenticator = Authenticator::es256(ORIGIN);
        let registered = registered(&mut authenticator, Verification::Preferred).unwrap();
        passkey.id.clone_from(&registered.id);
        passkey.key = registered.key;
        change(&mut authenticator);
        let answer = signed(&mut authenticator, &passkey);
        let outcome = verified(answer, &mut passkey);
        assert!(outcome.is_err_and(|error| error.to_string().contains(why)), "{why}");
        assert_eq!(passkey.used, None);
    };
    refused(&|it| it.origin = "https://evil.example".into(), "another site");
    refused(&|it| it.site = Some("evil.example".into()), "another site");
    refused(&|it| it.flags = VERIFIED, "touched");
    refused(&|it| it.flags = PRESENT | 1 << 3, "no longer");
    refused(&|it| it.flags = PRESENT | 1 << 4, "authenticator data");
    let mut stranger = Authenticator::es256(ORIGIN);
    stranger.id.clone_from(&authenticator.id);
    let answer = signed(&mut stranger, &passkey);
    assert!(verified(answer, &mut passkey.clone()).is_err_and(|error| error.to_string().contains("signature")));
    let mut answer = signed(&mut authenticator, &passkey);
    answer["response"]["userHandle"] = BASE64.encode("somebody else").into();
    assert!(verified(answer, &mut passkey.clone()).is_err());
}

#[test]
fn every_cut_and_every_wrong_bit_of_a_registration_is_refused_or_harmless() {
    let mut authenticator = Authenticator::es256(ORIGIN);
    let challenge = Challenge([1; 32]);
    let options = creation_options(&site(), "j", USER, &challenge, &[], Verification::Required);
    let answer = authenticator.create(&options);
    let object = decode(answer["response"]["attestationObject"].as_str().unwrap()).unwrap();
    let outcome = |object: &[u8]| {
        let mut answer = answer.clone();
        answer["response"]["attestationObject"] = BASE64.encode(object).into();
        let answer = serde_json::from_value(answer).unwrap();
        register(&answer, &challenge, &site(), Verification::Required, String::new(), 0)
    };
    let right = outcome(&object).unwrap();
    for cut in 0..object.len() {
        assert!(outcome(&object[..cut]).is_err(), "{cut}");
    }
    assert!(outcome(&[object.as_slice(), &[0]].concat()).is_err(), "a surplus");
    // §6.5.4: how the maker attests, in front of the 31 bytes up to the authenticator data; there, behind the
    // site, flags and counter, the authenticator's make. Neither is asked for nor kept.
    let ignored = |at| at < 31 || (31 + 37..31 + 37 + 16).contains(&at);
    for at in 0..object.len() {
        let mut broken = object.clone();
        broken[at] ^= 0x40;
        // Whatever is read then is another key, id or counter, and not a panic.
        assert!(outcome(&broken).map_or(true, |passkey| passkey != right || ignored(at)), "{at}");
    }
    let deep = [vec![0x81; 4000], vec![0]].concat();
    assert!(outcome(&deep).is_err());
    let long = [0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
    assert!(outcome(&long).is_err());
    assert!(outcome(&[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).is_err());
}

#[test]
fn who_uses_it_can_be_demanded() {
    let mut authenticator = Authenticator::es256(ORIGIN);
    authenticator.flags = PRESENT;
    assert!(registered(&mut authenticator, Verification::Required).is_err());
    assert!(registered(&mut authenticator, Verification::Preferred).is_ok());
}

#[test]
fn a_site_has_a_name() {
    assert_eq!(Site::new("A.example").unwrap().origin, "https://a.example");
    assert_eq!(Site::new("a.example:443").unwrap().origin, "https://a.example");
    assert_eq!(site().origin, ORIGIN);
    assert_eq!(Site::new("localhost:5443").unwrap().id, "localhost");
    for wrong in ["127.0.0.1:5443", "[::1]:5443", "a.example:x", "", "a@b", "a/b", ":1"] {
        assert_eq!(Site::new(wrong), None, "{wrong}");
    }
}
