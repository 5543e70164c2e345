//! Any bytes as a client: what the fuzz target and the property test run.

use std::sync::Arc;

use crate::decoy::DecoyKey;
use crate::exchange::{Exchange, Lookup, Standing, Step};
use crate::mechanism::Mechanism;
use crate::offer::{Addressing, ChannelBindings, Offer};
use crate::payload::decode_payload;
use crate::secrets::Secrets;

struct Plainly;

impl Addressing for Plainly {
    fn account(&self, username: &str) -> Option<String> {
        (!username.contains('@')).then(|| format!("{username}@example.org"))
    }

    fn authzid(&self, authzid: &str) -> Option<String> {
        Some(authzid.to_owned())
    }
}

/// Runs an exchange in which the client's messages are cut from `bytes`: the
/// first byte picks the mechanism and the lookup's answer, 0xff ends a message.
/// Returns whether the client got in, which only an anonymous or a certified
/// one can.
pub fn exchange(bytes: &[u8]) -> bool {
    let Some((&choice, rest)) = bytes.split_first() else { return false };
    let key = DecoyKey::new([1; 32]);
    let offer = Arc::new(Offer {
        enabled: Arc::new(Mechanism::ALL),
        encrypted: choice & 0x80 == 0,
        bindings: ChannelBindings { tls_exporter: Some([2; 32]), tls_server_end_point: Some(vec![3; 32]) },
        certificate: vec!["romeo@example.org".to_owned()],
        decoy: key.clone(),
        addressing: Arc::new(Plainly),
    });
    let Some(mechanism) = Mechanism::ALL.get(usize::from(choice & 0x0f)) else { return false };
    let Ok(mut exchange) = Exchange::new(mechanism.name(), offer, "hostile-nonce".to_owned()) else { return false };
    let mut messages = rest.split(|b| *b == 0xff);
    let mut step = exchange.initial(messages.next());
    loop {
        step = match step {
            Step::Success { .. } => return true,
            Step::Failure(_) => return false,
            Step::NeedSecrets { account } => exchange.provide(match choice & 0x30 {
                _ if exchange.is_costly() => Lookup::Unavailable,
                0x00 => Lookup::Unknown,
                _ => Lookup::Found { secrets: Secrets::decoy(&account, &key), standing: Standing::Active },
            }),
            Step::Challenge(_) => match messages.next() {
                Some(message) => exchange.respond(message),
                None => return false,
            },
        };
        // The text form of the same bytes, for the payload decoder.
        let _ = std::str::from_utf8(rest).map(decode_payload);
    }
}
