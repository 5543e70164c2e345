//! No input panics, and none but an anonymous or certified client gets in
//! without a password.

use proptest::collection::vec;
use proptest::prelude::*;
use xylem_sasl::{Mechanism, Secrets, decode_payload, hostile};

/// Bytes that look enough like SCRAM to get behind the first check.
fn fragments() -> impl Strategy<Value = Vec<u8>> {
    let fragment = prop_oneof![
        Just(b"n,,".to_vec()),
        Just(b"y,,".to_vec()),
        Just(b"p=tls-exporter,,".to_vec()),
        Just(b"n=".to_vec()),
        Just(b"r=".to_vec()),
        Just(b"c=biws".to_vec()),
        Just(b"p=".to_vec()),
        Just(b"a=".to_vec()),
        Just(b"m=".to_vec()),
        Just(b",".to_vec()),
        Just(b"=".to_vec()),
        Just(b"=2C".to_vec()),
        Just(b"user".to_vec()),
        Just(vec![0xff]),
        Just(vec![0]),
        vec(any::<u8>(), 0..4),
    ];
    vec(fragment, 0..16).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in vec(any::<u8>(), 0..200)) {
        hostile::exchange(&bytes);
        let _ = Secrets::from_bytes(&bytes);
        let _ = decode_payload(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn scram_look_alikes_never_panic_and_never_get_in(choice in any::<u8>(), bytes in fragments()) {
        let message = [&[choice][..], &bytes].concat();
        let mechanism = Mechanism::ALL.get(usize::from(choice & 0x0f));
        let free = matches!(mechanism, Some(Mechanism::Anonymous | Mechanism::External));
        prop_assert!(!hostile::exchange(&message) || free);
    }
}
