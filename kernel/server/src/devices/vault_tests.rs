#![allow(clippy::unwrap_used, reason = "tests")]

use hmac::{Hmac, Mac};
use sha2::Sha256;
use xylem_sasl::{Secrets, TokenMessage};
use xylem_stanza::BareJid;

use super::*;

const DAY: u64 = 86_400;
const BINDING: &[u8] = &[0xe7; 32];

struct Desk {
    key: DecoyKey,
    record: Record,
    now: u64,
    devices: Vec<Device>,
}

impl Desk {
    fn new() -> Self {
        let secrets = Secrets::derive("pencil", 4096, |salt| salt.fill(7)).unwrap();
        let record = Record { created: 1_700_000_000, disabled: false, role: xylem_ops::Role::default(), secrets };
        Self { key: DecoyKey::new([4; 32]), record, now: 1_800_000_000, devices: Vec::new() }
    }

    fn vault(&self) -> Vault<'_> {
        let terms = Terms { lifetime: 21 * DAY, rotation: DAY };
        let credentials = credentials(&self.key, &self.record);
        Vault { key: &self.key, account: "juliet@verona.example", credentials, now: self.now, terms }
    }

    fn issue(&mut self, id: &str) -> Minted {
        let mut devices = std::mem::take(&mut self.devices);
        let salt = u128::from(self.now).to_be_bytes();
        let minted = self.vault().issue(&mut devices, &agent(id), TokenMechanism::Exporter, salt);
        self.devices = devices;
        minted
    }

    fn redeem(&mut self, claim: &TokenClaim) -> Result<Redeemed, SaslCondition> {
        let mut devices = std::mem::take(&mut self.devices);
        let salt = u128::from(self.now).to_be_bytes();
        let redeemed = self.vault().redeem(&mut devices, claim, salt);
        self.devices = devices;
        redeemed.map_err(|failure| failure.condition)
    }
}

fn agent(id: &str) -> UserAgent {
    UserAgent { id: id.to_owned(), software: Some("Awesome".to_owned()), device: None }
}

fn claim(id: &str, token: &Minted) -> TokenClaim {
    let mac = Hmac::<Sha256>::new_from_slice(token.secret.as_bytes()).unwrap();
    let proof = mac.chain_update(b"Initiator").chain_update(BINDING).finalize().into_bytes();
    TokenClaim {
        account: BareJid::parse("juliet@verona.example").unwrap(),
        agent: agent(id),
        mechanism: TokenMechanism::Exporter,
        message: TokenMessage { username: "juliet".to_owned(), proof: proof.into() },
        binding: BINDING.to_vec(),
        count: None,
        invalidate: false,
        request: None,
    }
}

#[test]
fn a_token_logs_in_again_and_again_and_costs_one_write() {
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    assert_eq!(token.secret.len(), 43);
    let redeemed = desk.redeem(&claim("phone", &token)).unwrap();
    assert!(redeemed.changed && redeemed.renewed.is_none(), "it is in use now");
    let redeemed = desk.redeem(&claim("phone", &token)).unwrap();
    assert!(!redeemed.changed);
    assert_eq!(redeemed.answer, token_answer(&token.secret, BINDING));
}

#[test]
fn nobody_else_can_use_it() {
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    desk.issue("laptop");
    let good = claim("phone", &token);
    for bad in [
        TokenClaim { agent: agent("laptop"), ..good.clone() },
        TokenClaim { agent: agent("tablet"), ..good.clone() },
        TokenClaim { binding: vec![1; 32], ..good.clone() },
        TokenClaim { mechanism: TokenMechanism::EndPoint, ..good.clone() },
        TokenClaim { mechanism: TokenMechanism::Unbound, binding: Vec::new(), ..good.clone() },
    ] {
        assert_eq!(desk.redeem(&bad).unwrap_err(), SaslCondition::NotAuthorized);
    }
    let mut elsewhere = Desk { key: DecoyKey::new([5; 32]), ..Desk::new() };
    elsewhere.devices.clone_from(&desk.devices);
    assert_eq!(elsewhere.redeem(&good).unwrap_err(), SaslCondition::NotAuthorized, "the store alone is no help");
    assert!(desk.redeem(&good).is_ok());
}

#[test]
fn it_ends_with_the_password_and_with_the_account() {
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    let before = desk.record.clone();
    desk.record.secrets = Secrets::derive("pencil", 4096, |salt| salt.fill(8)).unwrap();
    assert_eq!(desk.redeem(&claim("phone", &token)).unwrap_err(), SaslCondition::NotAuthorized);
    desk.record = Record { created: before.created + 1, ..before };
    assert_eq!(desk.redeem(&claim("phone", &token)).unwrap_err(), SaslCondition::NotAuthorized);
    let mut devices = desk.devices.clone();
    assert!(desk.vault().sweep(&mut devices) && devices.is_empty());
}

#[test]
fn it_expires() {
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    desk.now = token.expires - 1;
    assert!(desk.redeem(&claim("phone", &token)).is_ok());
    desk.now = token.expires;
    assert_eq!(desk.redeem(&claim("phone", &token)).unwrap_err(), SaslCondition::CredentialsExpired);
}

/// §3.5, §5.1: the old one is good until the new one was used.
#[test]
fn rotation_survives_a_lost_answer() {
    let mut desk = Desk::new();
    let first = desk.issue("phone");
    desk.now += DAY;
    let lost = desk.redeem(&claim("phone", &first)).unwrap().renewed.unwrap();
    desk.now += 1;
    let second = desk.redeem(&claim("phone", &first)).unwrap().renewed.unwrap();
    assert_eq!(desk.redeem(&claim("phone", &lost)).unwrap_err(), SaslCondition::NotAuthorized, "never used, replaced");
    assert!(desk.redeem(&claim("phone", &second)).unwrap().renewed.is_none());
    assert_eq!(desk.redeem(&claim("phone", &first)).unwrap_err(), SaslCondition::NotAuthorized);
}

#[test]
fn a_count_is_good_once() {
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    let counted = |count| TokenClaim { count: Some(count), ..claim("phone", &token) };
    assert!(desk.redeem(&counted(3)).unwrap().changed);
    for old in [3, 2, 0] {
        assert_eq!(desk.redeem(&counted(old)).unwrap_err(), SaslCondition::NotAuthorized);
    }
    assert!(desk.redeem(&claim("phone", &token)).is_ok(), "needed for early data alone, which is refused");
    assert_eq!(desk.redeem(&counted(3)).unwrap_err(), SaslCondition::NotAuthorized, "not forgotten");
    assert!(desk.redeem(&counted(4)).is_ok());
}

/// §3.6
#[test]
fn it_can_be_given_back() {
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    desk.now += DAY;
    let back = TokenClaim { invalidate: true, ..claim("phone", &token) };
    let exchanged = TokenClaim { request: Some(TokenMechanism::Unbound), ..back.clone() };
    let redeemed = desk.redeem(&exchanged).unwrap();
    let unbound = redeemed.renewed.unwrap();
    assert_eq!(desk.redeem(&back).unwrap_err(), SaslCondition::NotAuthorized);
    assert!(desk.devices.first().unwrap().current.is_none());
    assert_ne!(unbound.secret, token.secret);
    let mut desk = Desk::new();
    let token = desk.issue("phone");
    desk.now += DAY;
    let redeemed = desk.redeem(&TokenClaim { invalidate: true, ..claim("phone", &token) }).unwrap();
    assert!(redeemed.renewed.is_none() && redeemed.changed && desk.devices.is_empty());
}

#[test]
fn devices_are_bounded() {
    let mut desk = Desk::new();
    for n in 0..MOST + 3 {
        desk.now += 1;
        desk.issue(&format!("device {n}"));
    }
    assert_eq!(desk.devices.len(), MOST);
    assert!(desk.devices.iter().all(|device| device.since > 1_800_000_003));
}
