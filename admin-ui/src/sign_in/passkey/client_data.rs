//! What the browser says of a ceremony (WebAuthn Level 2 §5.8.1).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::Deserialize;
use subtle::ConstantTimeEq as _;

use super::{Challenge, PasskeyError, Site};

/// Which of the two it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ceremony {
    Create,
    Get,
}

#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default, rename = "crossOrigin")]
    cross_origin: bool,
    #[serde(default, rename = "topOrigin")]
    top_origin: Option<String>,
}

/// §7.1 steps 5–10 and §7.2 steps 9–13: it is this ceremony, for this challenge, on this site and not
/// in a frame of another one.
pub(super) fn check(json: &[u8], ceremony: Ceremony, challenge: &Challenge, site: &Site) -> Result<(), PasskeyError> {
    let data: ClientData = serde_json::from_slice(json).map_err(|_| PasskeyError::Malformed("client data"))?;
    let kind = match ceremony {
        Ceremony::Create => "webauthn.create",
        Ceremony::Get => "webauthn.get",
    };
    if data.kind != kind {
        return Err(PasskeyError::Refused("it is another ceremony"));
    }
    let given = BASE64.decode(&data.challenge).map_err(|_| PasskeyError::Malformed("challenge"))?;
    if !bool::from(given.as_slice().ct_eq(&challenge.0)) {
        return Err(PasskeyError::Refused("it answers another challenge"));
    }
    if data.origin != site.origin {
        return Err(PasskeyError::Refused("it was made on another site"));
    }
    if data.cross_origin || data.top_origin.is_some() {
        return Err(PasskeyError::Refused("it was made inside another site"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn everything_has_to_fit() {
        let challenge = Challenge([7; 32]);
        let site = Site::new("console.example:5443").unwrap();
        let right = serde_json::json!({
            "type": "webauthn.get", "challenge": BASE64.encode([7; 32]),
            "origin": "https://console.example:5443", "crossOrigin": false, "more": 1,
        });
        let check = |data: &serde_json::Value| check(data.to_string().as_bytes(), Ceremony::Get, &challenge, &site);
        check(&right).unwrap();
        for (key, wrong) in [
            ("type", "webauthn.create".into()),
            ("challenge", BASE64.encode([8; 32]).into()),
            ("challenge", "%".into()),
            ("origin", "https://console.example".into()),
            ("origin", "http://console.example:5443".into()),
            ("origin", "https://console.example:5443.evil.example".into()),
            ("crossOrigin", true.into()),
            ("topOrigin", "https://evil.example".into()),
        ] {
            let mut data = right.clone();
            let fields = data.as_object_mut().unwrap();
            fields.insert(key.to_owned(), wrong);
            assert!(check(&data).is_err(), "{data}");
        }
        assert!(check(&serde_json::json!([])).is_err());
    }
}
