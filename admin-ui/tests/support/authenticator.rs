//! An authenticator in software, with its browser: what `navigator.credentials` would answer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) const PRESENT: u8 = 1;
pub(crate) const VERIFIED: u8 = 1 << 2;
const CREDENTIAL: u8 = 1 << 6;

enum Pair {
    Es256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// One key pair, and everything about it that a test may want to be wrong.
pub(crate) struct Authenticator {
    pair: Pair,
    pub(crate) id: Vec<u8>,
    pub(crate) flags: u8,
    counter: u32,
    /// How much it counts up with each signature.
    pub(crate) step: u32,
    pub(crate) origin: String,
    /// The site it believes to be at; else what the options say.
    pub(crate) site: Option<String>,
    user: String,
}

impl Authenticator {
    pub(crate) fn es256(origin: &str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.as_ref(), &random).unwrap();
        Self::new(Pair::Es256(pair), origin)
    }

    #[allow(dead_code, reason = "not every test wants one")]
    pub(crate) fn ed25519(origin: &str) -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::new(Pair::Ed25519(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap()), origin)
    }

    fn new(pair: Pair, origin: &str) -> Self {
        let mut id = vec![0; 32];
        getrandom::fill(&mut id).unwrap();
        let (flags, origin) = (PRESENT | VERIFIED, origin.to_owned());
        Self { pair, id, flags, counter: 0, step: 1, origin, site: None, user: String::new() }
    }

    /// `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.user = options["user"]["id"].as_str().unwrap().to_owned();
        let site = self.site.clone().unwrap_or_else(|| options["rp"]["id"].as_str().unwrap().to_owned());
        let client_data = self.client_data("webauthn.create", options);
        let mut data = self.data(&site, self.flags | CREDENTIAL);
        data.extend([0; 16]);
        data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
        data.extend(&self.id);
        data.extend(self.cose());
        // { "fmt": "none", "attStmt": {}, "authData": bytes }
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        attestation.extend(length);
        attestation.extend(data);
        json!({
            "id": BASE64.encode(&self.id), "rawId": BASE64.encode(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": BASE64.encode(client_data), "attestationObject": BASE64.encode(attestation),
                "transports": ["internal"],
            },
            "clientExtensionResults": {},
        })
    }

    /// `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &Value) -> Value {
        let site = self.site.clone().unwrap_or_else(|| options["rpId"].as_str().unwrap().to_owned());
        self.counter += self.step;
        let client_data = self.client_data("webauthn.get", options);
        let data = self.data(&site, self.flags);
        let message = [data.as_slice(), Sha256::digest(&client_data).as_slice()].concat();
        let signature = match &self.pair {
            Pair::Es256(pair) => pair.sign(&SystemRandom::new(), &message).unwrap().as_ref().to_vec(),
            Pair::Ed25519(pair) => pair.sign(&message).as_ref().to_vec(),
        };
        json!({
            "id": BASE64.encode(&self.id), "rawId": BASE64.encode(&self.id), "type": "public-key",
            "response": {
                "clientDataJSON": BASE64.encode(client_data), "authenticatorData": BASE64.encode(data),
                "signature": BASE64.encode(signature), "userHandle": self.user,
            },
            "clientExtensionResults": {},
        })
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data =
            json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false });
        data.to_string().into_bytes()
    }

    fn data(&self, site: &str, flags: u8) -> Vec<u8> {
        [Sha256::digest(site).as_slice(), &[flags], &self.counter.to_be_bytes()].concat()
    }

    /// RFC 9053 §7.1, §7.2, as CBOR.
    fn cose(&self) -> Vec<u8> {
        match &self.pair {
            Pair::Es256(pair) => {
                let point = pair.public_key().as_ref();
                // { 1: 2, 3: -7, -1: 1, -2: x, -3: y }
                let (x, y) = (&point[1..33], &point[33..]);
                [b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20", x, b"\x22\x58\x20", y].concat()
            }
            // { 1: 1, 3: -8, -1: 6, -2: key }
            Pair::Ed25519(pair) => [b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20", pair.public_key().as_ref()].concat(),
        }
    }
}
