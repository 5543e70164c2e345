//! The server's side of SCRAM (RFC 5802 §3): what it challenges the client with, and whether
//! the answer proves the password. Stored keys are enough; no PBKDF2 is run.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use crate::mechanism::Hash;
use crate::offer::Offer;
use crate::scram::{ClientFinal, ClientFirst};
use crate::secrets::{StoredKeys, digest, hmac};

/// Waits for the client's proof.
pub(crate) struct Verifier {
    hash: Hash,
    keys: StoredKeys,
    /// `cbind-input`, as it must be.
    binding: Vec<u8>,
    nonce: String,
    /// `client-first-message-bare "," server-first-message`.
    signed: String,
}

impl Verifier {
    /// With the challenge to send. `nonce` is this server's part and must be new each time.
    pub(crate) fn challenge(
        hash: Hash,
        keys: StoredKeys,
        first: &ClientFirst,
        nonce: &str,
        offer: &Offer,
    ) -> (Self, Vec<u8>) {
        let nonce = format!("{}{nonce}", first.nonce);
        let (salt, lists) = (STANDARD.encode(&keys.salt), STANDARD.encode(digest(hash, offer.listed().as_bytes())));
        // The last one tells what was offered (XEP-0474 §5.1).
        let challenge = format!("r={nonce},s={salt},i={},h={lists}", keys.iterations);
        let mut binding = first.header.clone().into_bytes();
        binding.extend(first.binding.as_deref().and_then(|name| offer.bindings.get(name)).unwrap_or_default());
        let signed = format!("{},{challenge}", first.bare);
        (Self { hash, keys, binding, nonce, signed }, challenge.into_bytes())
    }

    /// `server-final-message`, where the client has proved that it knows the password.
    pub(crate) fn verify(&self, last: &ClientFinal<'_>) -> Option<Vec<u8>> {
        let signed = format!("{},{}", self.signed, last.signed);
        let signature = hmac(self.hash, &self.keys.stored_key, signed.as_bytes());
        let client_key: Vec<u8> = last.proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let proved = digest(self.hash, &client_key).ct_eq(&self.keys.stored_key)
            & last.binding.ct_eq(&self.binding)
            & last.nonce.as_bytes().ct_eq(self.nonce.as_bytes());
        let right = bool::from(proved) && last.proof.len() == signature.len();
        let verifier = || hmac(self.hash, &self.keys.server_key, signed.as_bytes());
        right.then(|| format!("v={}", STANDARD.encode(verifier())).into_bytes())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::sync::Arc;

    use super::*;
    use crate::mechanism::Mechanism;
    use crate::{Addressing, ChannelBindings, DecoyKey, scram};

    struct Anybody;

    impl Addressing for Anybody {
        fn account(&self, username: &str) -> Option<String> {
            Some(username.to_owned())
        }

        fn authzid(&self, authzid: &str) -> Option<String> {
            Some(authzid.to_owned())
        }
    }

    fn offer(plus: &[bool]) -> Offer {
        Offer {
            enabled: plus.iter().map(|plus| Mechanism::Scram { hash: Hash::Sha1, plus: *plus }).collect(),
            encrypted: true,
            bindings: ChannelBindings { tls_exporter: Some([0; 32]), tls_server_end_point: Some(vec![0; 32]) },
            certificate: Vec::new(),
            decoy: DecoyKey::new([0; 32]),
            addressing: Arc::new(Anybody),
        }
    }

    fn pencil() -> StoredKeys {
        let salt = STANDARD.decode("QSXCR+Q6sek8bf92").unwrap();
        let mut salted = [0; 20];
        pbkdf2::pbkdf2_hmac::<sha1::Sha1>(b"pencil", &salt, 4096, &mut salted);
        StoredKeys::from_salted(Hash::Sha1, &salted, 4096, salt).unwrap()
    }

    /// XEP-0474 §5.3, to the letter: the hash of both lists, an attribute of the client's that
    /// means nothing here, proof and signature.
    #[test]
    fn the_example_of_the_specification() {
        let first = b"p=tls-exporter,,n=user,r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6";
        let offer = offer(&[true, false]);
        let first = scram::client_first(first, true, &offer).unwrap();
        let nonce = "a09117a6-ac50-4f2f-93f1-93799c2bddf6";
        let (verifier, challenge) = Verifier::challenge(Hash::Sha1, pencil(), &first, nonce, &offer);
        assert_eq!(
            String::from_utf8(challenge).unwrap(),
            "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,\
             s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08="
        );
        let verifier = Verifier { binding: b"p=tls-exporter,,THIS IS FAKE CB DATA".to_vec(), ..verifier };
        let last = "c=cD10bHMtZXhwb3J0ZXIsLFRISVMgSVMgRkFLRSBDQiBEQVRB,\
                    r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,\
                    x=19C6532F-1CF4-4A27-A18D-DC9CEA41BBB3,p=M/SIDjT+dfcxUh89jZEypRvFxB4=";
        let signature = verifier.verify(&scram::client_final(last.as_bytes()).unwrap());
        assert_eq!(signature.unwrap(), b"v=MQrMPvv7yv4x4Cq4W4Ih25EqS2c=");
        let changed = last.replace("x=19", "x=20");
        assert!(verifier.verify(&scram::client_final(changed.as_bytes()).unwrap()).is_none());
    }

    /// Who changes the lists on their way changes what both sides sign.
    #[test]
    fn other_lists_have_another_hash() {
        let lists = [offer(&[true, false]), offer(&[false]), offer(&[true])].map(|offer| offer.listed());
        assert_eq!(lists[1], "SCRAM-SHA-1", "no channel binding was announced, so there is no separator either");
        assert_eq!(lists[2], "SCRAM-SHA-1-PLUS\u{1f}tls-exporter\u{1e}tls-server-end-point");
        assert!(lists[0].starts_with("SCRAM-SHA-1\u{1e}SCRAM-SHA-1-PLUS\u{1f}"));
    }
}
