//! A whole login by SCRAM with channel binding, through the stream.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use xylem_stream::{Event, Phase};

use crate::stage::{Stage, host, pencil, tls, verona};

fn mac(key: &[u8], data: &str) -> Vec<u8> {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.chain_update(data).finalize().into_bytes().to_vec()
}

fn text_of(said: &str, element: &str) -> String {
    let open = format!("S: <{element} xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>");
    let inner = said.strip_prefix(&open).and_then(|rest| rest.strip_suffix(&format!("</{element}>")));
    let inner = inner.unwrap_or_else(|| panic!("{element} expected, got {said}"));
    String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap()
}

#[test]
fn scram_with_channel_binding() {
    let mut stage = Stage::new(verona(host()), Some(tls()), usize::MAX);
    stage.client(b"<stream:stream to='verona.example' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>");
    stage.said.clear();
    assert_eq!(stage.stream.phase(), Phase::Negotiating);

    let bare = "n=juliet,r=0123456789abcdef";
    let first = STANDARD.encode(format!("p=tls-exporter,,{bare}"));
    stage.client(
        format!("<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='SCRAM-SHA-256-PLUS'>{first}</auth>")
            .as_bytes(),
    );
    assert_eq!(stage.said.pop_front().unwrap(), "A: look up juliet@verona.example");
    assert!(!stage.stream.wants_frames());
    stage.happen(Event::Secrets(pencil()));
    assert_eq!(stage.stream.phase(), Phase::Authenticating);

    let challenge = text_of(&stage.said.pop_front().unwrap(), "challenge");
    let nonce = challenge.split(',').next().unwrap().to_owned();
    let mut salted = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha256>(b"pencil", &[7; 16], 4096, &mut salted);
    let client_key = mac(&salted, "Client Key");
    let binding = STANDARD.encode([b"p=tls-exporter,,".as_slice(), &[0xe7; 32]].concat());
    let signed = format!("{bare},{challenge},c={binding},{nonce}");
    let signature = mac(&Sha256::digest(&client_key), &signed);
    let proof: Vec<u8> = client_key.iter().zip(signature).map(|(a, b)| a ^ b).collect();
    let last = STANDARD.encode(format!("c={binding},{nonce},p={}", STANDARD.encode(proof)));
    stage.client(format!("<response xmlns='urn:ietf:params:xml:ns:xmpp-sasl'>{last}</response>").as_bytes());

    let success = text_of(&stage.said.pop_front().unwrap(), "success");
    let verifier = mac(&mac(&salted, "Server Key"), &signed);
    assert_eq!(success, format!("v={}", STANDARD.encode(verifier)));
    assert_eq!(stage.said.pop_front().unwrap(), "A: logged in juliet@verona.example by SCRAM-SHA-256-PLUS");
    assert_eq!(stage.stream.phase(), Phase::Header);
}
