//! The first byte picks the mechanism and what the lookup finds, 0xff ends a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use xylem_sasl::{Mechanism, Secrets, hostile};

fuzz_target!(|data: &[u8]| {
    let _ = Secrets::from_bytes(data);
    let Some(&choice) = data.first() else {
        return;
    };
    let mechanism = Mechanism::ALL.get(usize::from(choice & 0x0f));
    let free = matches!(mechanism, Some(Mechanism::Anonymous | Mechanism::External));
    assert!(!hostile::exchange(data) || free, "in without a password");
});
