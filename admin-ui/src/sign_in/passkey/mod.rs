//! Passkeys (W3C Web Authentication Level 2): the two ceremonies, as a relying party sees them.
//!
//! No attestation is asked for, and none that comes is believed: who signs in may use what
//! authenticator he likes. Signatures are checked by ring, which TLS brings along.

mod authenticator_data;
mod cbor;
mod client_data;
mod key;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use authenticator_data::AuthenticatorData;
use cbor::Value;
use client_data::Ceremony;
use key::{ALGORITHMS, Key};

/// How long a browser lets somebody look for the authenticator, in milliseconds.
const PATIENCE: u32 = 120_000;
/// Names of transports that are kept: those of the specification are seven.
const TRANSPORTS: usize = 8;

/// Why a ceremony did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasskeyError {
    /// The browser's or the authenticator's fault: it sent what is none.
    #[error("the {0} cannot be read")]
    Malformed(&'static str),
    /// It may be an attack, or the wrong authenticator.
    #[error("the passkey was refused: {0}")]
    Refused(&'static str),
}

/// 32 random bytes that are signed; good for one ceremony.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Challenge([u8; 32]);

impl Challenge {
    /// A new one; none on a system without randomness.
    pub(super) fn new() -> Option<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self(bytes))
    }
}

/// The site that passkeys are for, as the browser sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// `https://host:port`.
    origin: String,
    /// The host (§5.1.2, relying party identifier).
    id: String,
}

impl Site {
    /// From what a request calls its authority. None where passkeys cannot be used: browsers want a
    /// name, not an address (§5.1.3 step 7).
    pub(super) fn new(authority: &str) -> Option<Self> {
        let authority = authority.to_ascii_lowercase();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse::<u16>().ok()?),
            None => (authority.as_str(), 443),
        };
        let is_name = !host.is_empty()
            && host.parse::<std::net::IpAddr>().is_err()
            && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte));
        let origin = if port == 443 { format!("https://{host}") } else { format!("https://{host}:{port}") };
        is_name.then(|| Self { origin, id: host.to_owned() })
    }
}

/// Whether the authenticator must have asked for a fingerprint, a PIN or the like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    Required,
    /// A password was asked for already, so a touch is enough.
    #[default]
    Preferred,
}

impl Verification {
    const fn word(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Preferred => "preferred",
        }
    }
}

/// One that an account may sign in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Passkey {
    /// The credential's, base64url.
    pub(super) id: String,
    key: Key,
    /// The id of the site it was made for.
    site: String,
    counter: u32,
    backup_eligible: bool,
    transports: Vec<String>,
    /// What its owner calls it.
    pub(super) name: String,
    /// Seconds since 1970 UTC, as the next.
    pub(super) added: u64,
    pub(super) used: Option<u64>,
}

impl Passkey {
    pub(super) fn is_for(&self, site: &Site) -> bool {
        self.site == site.id
    }
}

/// `RegistrationResponseJSON` of Level 3 §5.1.8.1, as far as it is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Registration {
    response: Attested,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attested {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    attestation_object: String,
    #[serde(default)]
    transports: Vec<String>,
}

/// `AuthenticationResponseJSON` of Level 3 §5.1.8.2, as far as it is needed.
#[derive(Debug, Deserialize)]
pub(super) struct Assertion {
    pub(super) id: String,
    response: Asserted,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Asserted {
    #[serde(rename = "clientDataJSON")]
    client_data: String,
    authenticator_data: String,
    signature: String,
    #[serde(default)]
    user_handle: Option<String>,
}

/// For `navigator.credentials.create`, in its JSON form (§5.4).
pub(super) fn creation_options(
    site: &Site,
    account: &str,
    user: &[u8],
    challenge: &Challenge,
    have: &[Passkey],
    verification: Verification,
) -> serde_json::Value {
    let algorithms: Vec<_> = ALGORITHMS.iter().map(|alg| json!({ "type": "public-key", "alg": alg })).collect();
    json!({
        "rp": { "id": site.id, "name": site.id },
        "user": { "id": BASE64.encode(user), "name": account, "displayName": account },
        "challenge": BASE64.encode(challenge.0),
        "pubKeyCredParams": algorithms,
        "timeout": PATIENCE,
        "excludeCredentials": descriptors(have, site),
        "authenticatorSelection": { "residentKey": "preferred", "userVerification": verification.word() },
        "attestation": "none",
    })
}

/// For `navigator.credentials.get`, in its JSON form (§5.5).
pub(super) fn request_options(
    site: &Site,
    challenge: &Challenge,
    have: &[Passkey],
    verification: Verification,
) -> serde_json::Value {
    json!({
        "rpId": site.id,
        "challenge": BASE64.encode(challenge.0),
        "timeout": PATIENCE,
        "allowCredentials": descriptors(have, site),
        "userVerification": verification.word(),
    })
}

fn descriptors(passkeys: &[Passkey], site: &Site) -> Vec<serde_json::Value> {
    let of_site = passkeys.iter().filter(|passkey| passkey.site == site.id);
    of_site.map(|one| json!({ "type": "public-key", "id": one.id, "transports": one.transports })).collect()
}

/// §7.1: what was made for this challenge on this site, under a name that its owner gave it.
pub(super) fn register(
    registration: &Registration,
    challenge: &Challenge,
    site: &Site,
    verification: Verification,
    name: String,
    now: u64,
) -> Result<Passkey, PasskeyError> {
    let response = &registration.response;
    client_data::check(&decode(&response.client_data)?, Ceremony::Create, challenge, site)?;
    let object = decode(&response.attestation_object)?;
    let mut rest = object.as_slice();
    let object = Value::read(&mut rest)?;
    let data = object.entry(&Value::Text("authData")).and_then(Value::bytes).filter(|_| rest.is_empty());
    let data = AuthenticatorData::read(data.ok_or(PasskeyError::Malformed("attestation"))?)?;
    check(&data, site, verification)?;
    let backup_eligible = data.is_backup_eligible();
    let credential = data.credential.ok_or(PasskeyError::Malformed("attestation"))?;
    let transports = response.transports.iter().filter(|t| t.len() <= 16).take(TRANSPORTS).cloned().collect();
    let (id, key) = (BASE64.encode(credential.id), credential.key);
    let (site, counter) = (site.id.clone(), data.counter);
    Ok(Passkey { id, key, site, counter, backup_eligible, transports, name, added: now, used: None })
}

/// §7.2: somebody has this passkey here and now. Its counter and time of use are brought up to date.
pub(super) fn verify(
    assertion: &Assertion,
    passkey: &mut Passkey,
    user: &[u8],
    challenge: &Challenge,
    site: &Site,
    verification: Verification,
    now: u64,
) -> Result<(), PasskeyError> {
    let response = &assertion.response;
    if assertion.id != passkey.id || passkey.site != site.id {
        return Err(PasskeyError::Refused("it is another passkey"));
    }
    let handle = response.user_handle.as_deref().filter(|handle| !handle.is_empty());
    if let Some(handle) = handle
        && decode(handle)? != user
    {
        return Err(PasskeyError::Refused("it is somebody else's"));
    }
    let client_data = decode(&response.client_data)?;
    client_data::check(&client_data, Ceremony::Get, challenge, site)?;
    let bytes = decode(&response.authenticator_data)?;
    let data = AuthenticatorData::read(&bytes)?;
    check(&data, site, verification)?;
    if data.is_backup_eligible() != passkey.backup_eligible {
        return Err(PasskeyError::Refused("it is no longer what it was"));
    }
    let message = [bytes.as_slice(), Sha256::digest(&client_data).as_slice()].concat();
    if !passkey.key.verify(&message, &decode(&response.signature)?) {
        return Err(PasskeyError::Refused("the signature is not its own"));
    }
    // Step 22: a counter that stands still is another copy of the key, or no counter.
    if (data.counter, passkey.counter) != (0, 0) && data.counter <= passkey.counter {
        return Err(PasskeyError::Refused("it was used more often than is known here: there may be a copy of it"));
    }
    passkey.counter = data.counter;
    passkey.used = Some(now);
    Ok(())
}

fn check(data: &AuthenticatorData, site: &Site, verification: Verification) -> Result<(), PasskeyError> {
    if data.site != <[u8; 32]>::from(Sha256::digest(&site.id)) {
        return Err(PasskeyError::Refused("it is for another site"));
    }
    if !data.is_user_present() {
        return Err(PasskeyError::Refused("nobody touched it"));
    }
    if verification == Verification::Required && !data.is_user_verified() {
        return Err(PasskeyError::Refused("it did not ask who is using it"));
    }
    Ok(())
}

/// Browsers leave out padding; some libraries do not.
fn decode(text: &str) -> Result<Vec<u8>, PasskeyError> {
    BASE64.decode(text.trim_end_matches('=')).map_err(|_| PasskeyError::Malformed("base64url"))
}

#[cfg(test)]
mod tests;
