//! A SCRAM client after RFC 5802, and the stream it talks on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha512};
use xylem_sasl::{
    Addressing, ChannelBindings, DecoyKey, Exchange, Failure, Hash, Lookup, Mechanism, Offer, SaslCondition, Secrets,
    Standing, Step,
};

pub(crate) const EXPORTER: [u8; 32] = [0xe7; 32];
pub(crate) const END_POINT: [u8; 32] = [0x5e; 32];

/// Addresses of one domain, folded to lower case.
pub(crate) struct Verona;

impl Addressing for Verona {
    fn account(&self, username: &str) -> Option<String> {
        let name = username.to_lowercase();
        (!name.is_empty() && !name.contains('@')).then(|| format!("{name}@verona.example"))
    }

    fn authzid(&self, authzid: &str) -> Option<String> {
        let bare = authzid.contains('@') && !authzid.contains('/');
        bare.then(|| authzid.to_lowercase())
    }
}

pub(crate) fn offer() -> Offer {
    Offer {
        enabled: Arc::new(Mechanism::ALL),
        encrypted: true,
        bindings: ChannelBindings { tls_exporter: Some(EXPORTER), tls_server_end_point: Some(END_POINT.to_vec()) },
        certificate: vec![],
        decoy: DecoyKey::new([9; 32]),
        addressing: Arc::new(Verona),
    }
}

/// Without TLS.
pub(crate) fn plaintext() -> Offer {
    Offer { encrypted: false, bindings: ChannelBindings::default(), ..offer() }
}

/// The secrets of "pencil", derived once for all tests.
pub(crate) fn secrets() -> Secrets {
    static PENCIL: OnceLock<Secrets> = OnceLock::new();
    PENCIL.get_or_init(|| Secrets::derive("pencil", 4096, |salt| salt.fill(0x5a)).unwrap()).clone()
}

pub(crate) fn found(standing: Standing) -> Lookup {
    Lookup::Found { secrets: secrets(), standing }
}

pub(crate) fn begin(mechanism: &str, offer: Offer) -> Exchange {
    Exchange::new(mechanism, Arc::new(offer), nonce()).expect("mechanism offered")
}

/// Another one each time.
fn nonce() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:016}", COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn refusal(mechanism: &str, offer: Offer) -> SaslCondition {
    match Exchange::new(mechanism, Arc::new(offer), nonce()) {
        Ok(_) => panic!("{mechanism} was accepted"),
        Err(failure) => failure.condition,
    }
}

#[track_caller]
pub(crate) fn failure(step: Step) -> Failure {
    match step {
        Step::Failure(failure) => failure,
        other => panic!("expected a failure, got {other:?}"),
    }
}

#[track_caller]
pub(crate) fn condition(step: Step) -> SaslCondition {
    failure(step).condition
}

pub(crate) struct Client {
    pub hash: Hash,
    pub gs2: String,
    pub binding: Vec<u8>,
    pub username: String,
    pub password: String,
    pub nonce: String,
}

impl Client {
    pub(crate) fn new(hash: Hash, username: &str, password: &str) -> Self {
        Self {
            hash,
            gs2: "n,,".into(),
            binding: vec![],
            username: username.into(),
            password: password.into(),
            nonce: "fyko+d2lbbFgONRv9qkxdawL".into(),
        }
    }

    pub(crate) fn bound(self, name: &str, data: &[u8]) -> Self {
        Self { gs2: format!("p={name},,"), binding: data.to_vec(), ..self }
    }

    fn bare(&self) -> String {
        format!("n={},r={}", self.username, self.nonce)
    }

    pub(crate) fn first(&self) -> String {
        format!("{}{}", self.gs2, self.bare())
    }

    /// The last message, and what the server must prove in return.
    pub(crate) fn last(&self, challenge: &[u8]) -> (String, Vec<u8>) {
        let server_first = std::str::from_utf8(challenge).unwrap();
        let (nonce, salt, iterations) = parse(server_first);
        assert!(nonce.starts_with(&self.nonce) && nonce.len() >= self.nonce.len() + 16);
        let salted = pbkdf2(self.hash, self.password.as_bytes(), &salt, iterations);
        let client_key = mac(self.hash, &salted, b"Client Key");
        let mut input = self.gs2.clone().into_bytes();
        input.extend_from_slice(&self.binding);
        let without_proof = format!("c={},r={nonce}", STANDARD.encode(input));
        let signed = format!("{},{server_first},{without_proof}", self.bare());
        let signature = mac(self.hash, &digest(self.hash, &client_key), signed.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        let server_key = mac(self.hash, &salted, b"Server Key");
        let verifier = mac(self.hash, &server_key, signed.as_bytes());
        let last = format!("{without_proof},p={}", STANDARD.encode(proof));
        (last, format!("v={}", STANDARD.encode(verifier)).into_bytes())
    }

    /// Runs the exchange to its end and checks the server's signature.
    pub(crate) fn run(&self, exchange: &mut Exchange, lookup: Lookup) -> Step {
        let step = match exchange.initial(Some(self.first().as_bytes())) {
            Step::NeedSecrets { .. } => exchange.provide(lookup),
            other => return other,
        };
        let Step::Challenge(challenge) = step else { return step };
        let (last, verifier) = self.last(&challenge);
        let step = exchange.respond(last.as_bytes());
        if let Step::Success { additional, .. } = &step {
            assert_eq!(additional.as_ref(), Some(&verifier), "the server's signature");
        }
        step
    }
}

pub(crate) fn parse(server_first: &str) -> (String, Vec<u8>, u32) {
    let parts: Vec<&str> = server_first.split(',').collect();
    let [nonce, salt, iterations, lists] = parts[..] else { panic!("{server_first}") };
    assert!(lists.starts_with("h="), "{server_first}");
    (
        nonce.strip_prefix("r=").unwrap().to_owned(),
        STANDARD.decode(salt.strip_prefix("s=").unwrap()).unwrap(),
        iterations.strip_prefix("i=").unwrap().parse().unwrap(),
    )
}

fn digest(hash: Hash, data: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(data).to_vec(),
        Hash::Sha256 => Sha256::digest(data).to_vec(),
        Hash::Sha512 => Sha512::digest(data).to_vec(),
    }
}

fn mac(hash: Hash, key: &[u8], data: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Hmac::<Sha1>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec(),
        Hash::Sha256 => {
            Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
        }
        Hash::Sha512 => {
            Hmac::<Sha512>::new_from_slice(key).unwrap().chain_update(data).finalize().into_bytes().to_vec()
        }
    }
}

fn pbkdf2(hash: Hash, password: &[u8], salt: &[u8], iterations: u32) -> Vec<u8> {
    let mut block = mac(hash, password, &[salt, &[0, 0, 0, 1]].concat());
    let mut out = block.clone();
    for _ in 1..iterations {
        block = mac(hash, password, &block);
        out.iter_mut().zip(&block).for_each(|(a, b)| *a ^= b);
    }
    out
}
