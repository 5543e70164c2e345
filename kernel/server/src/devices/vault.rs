//! What tokens are, and what becomes of them when they are used (XEP-0484 §3, §5.1).
//!
//! A token is computed from what is kept of it, the account, its present credentials and a
//! key that is not in the store: who reads the store, or a backup of it, has no token, and
//! with another password there are none. Nothing here asks the clock or rolls dice.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use xylem_sasl::{DecoyKey, Failure, SaslCondition, TokenMechanism, token_answer};
use xylem_stream::{TokenClaim, UserAgent};

use super::record::{Device, Kept, MOST, SEEN_STEP};
use crate::accounts::Record;

/// One account at one moment.
pub(super) struct Vault<'a> {
    pub(super) key: &'a DecoyKey,
    /// Bare JID.
    pub(super) account: &'a str,
    /// As made by [`credentials`].
    pub(super) credentials: String,
    /// Seconds since 1970 UTC.
    pub(super) now: u64,
    pub(super) terms: Terms,
}

/// How long tokens live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Seconds; 0 means that there are none.
    pub lifetime: u64,
    /// Seconds after which a token that is used is replaced.
    pub rotation: u64,
}

/// A secret, and when it expires.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Minted {
    pub(super) secret: String,
    pub(super) expires: u64,
}

/// A login by token that succeeded.
#[derive(Debug)]
pub(super) struct Redeemed {
    pub(super) answer: [u8; 32],
    pub(super) renewed: Option<Minted>,
    /// Whether there is something to be written.
    pub(super) changed: bool,
}

/// What changes when the password does, and when an account of the same name is made anew.
pub(super) fn credentials(key: &DecoyKey, record: &Record) -> String {
    let created = record.created.to_be_bytes();
    let keys = record.secrets.iter().next();
    let (salt, stored) = keys.as_ref().map(|(_, keys)| (&*keys.salt, &*keys.stored_key)).unwrap_or_default();
    hex(&key.derive("credentials of an account", &[&created, salt, stored])[..8])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Vault<'_> {
    /// Takes out what came to its end some time ago; true if there was anything.
    pub(super) fn sweep(&self, devices: &mut Vec<Device>) -> bool {
        let before = devices.len();
        devices.retain(|device| {
            let alive = |kept: &Option<Kept>| kept.as_ref().is_some_and(|kept| kept.expires > self.now);
            device.credentials == self.credentials && (alive(&device.current) || alive(&device.fresh))
        });
        devices.len() != before
    }

    /// Makes a token for a device that has logged in; it waits beside the one in use.
    pub(super) fn issue(
        &self,
        devices: &mut Vec<Device>,
        agent: &UserAgent,
        mechanism: TokenMechanism,
        salt: [u8; 16],
    ) -> Minted {
        self.sweep(devices);
        let name = agent.name(self.account, self.key);
        let kept = self.kept(mechanism, salt);
        let minted = Minted { secret: self.secret(&name, &kept), expires: kept.expires };
        let at = devices.iter().position(|device| device.name == name).unwrap_or_else(|| {
            if devices.len() >= MOST {
                let oldest = devices.iter().enumerate().min_by_key(|(_, device)| device.seen).map_or(0, |(at, _)| at);
                devices.remove(oldest);
            }
            let credentials = self.credentials.clone();
            devices.push(Device { name, since: self.now, credentials, ..Device::default() });
            devices.len() - 1
        });
        if let Some(device) = devices.get_mut(at) {
            device.fresh = Some(kept);
            self.describe(device, agent);
        }
        minted
    }

    /// Holds a proof against the device's tokens. What a login changes is changed; a failure
    /// changes nothing.
    pub(super) fn redeem(
        &self,
        devices: &mut Vec<Device>,
        claim: &TokenClaim,
        salt: [u8; 16],
    ) -> Result<Redeemed, Failure> {
        let name = claim.agent.name(self.account, self.key);
        let found = devices.iter().position(|d| d.name == name && d.credentials == self.credentials);
        let Some((at, device)) = found.and_then(|at| Some((at, devices.get_mut(at)?))) else {
            // As long as for a device that is known.
            claim.message.proves("", &claim.binding);
            return Err(refused("no such device"));
        };
        let fits = |kept: &Kept| {
            kept.mechanism == claim.mechanism.name() && claim.message.proves(&self.secret(&name, kept), &claim.binding)
        };
        let is_fresh = device.fresh.as_ref().is_some_and(fits);
        let slot = if is_fresh { &device.fresh } else { &device.current };
        let used = slot.clone().filter(|kept| is_fresh || fits(kept)).ok_or(refused("not a token of this device"))?;
        if used.expires <= self.now {
            return Err(Failure { condition: SaslCondition::CredentialsExpired, reason: "the token has expired" });
        }
        if claim.count.is_some_and(|count| used.count.is_some_and(|last| count <= last)) {
            return Err(refused("the token was used with this count or a later one: a replay"));
        }
        let answer = token_answer(&self.secret(&name, &used), &claim.binding);
        let due = used.issued.saturating_add(self.terms.rotation) <= self.now;
        let mechanism = claim.request.or_else(|| (due && !claim.invalidate).then_some(claim.mechanism));
        let mut changed = is_fresh || claim.count.is_some() || claim.invalidate;
        // §3.5: whatever is older ends with the use of a newer one.
        let next = Kept { count: claim.count.or(used.count), ..used };
        device.current = Some(next).filter(|_| !claim.invalidate);
        if is_fresh || claim.invalidate {
            device.fresh = None;
        }
        changed |= self.describe(device, &claim.agent);
        if claim.invalidate && mechanism.is_none() {
            devices.remove(at);
        }
        let renewed = mechanism.filter(|_| self.terms.lifetime > 0).map(|mechanism| {
            changed = true;
            self.renew(devices, at, &name, mechanism, salt)
        });
        Ok(Redeemed { answer, renewed, changed })
    }

    fn renew(
        &self,
        devices: &mut [Device],
        at: usize,
        name: &str,
        mechanism: TokenMechanism,
        salt: [u8; 16],
    ) -> Minted {
        let kept = self.kept(mechanism, salt);
        let minted = Minted { secret: self.secret(name, &kept), expires: kept.expires };
        if let Some(device) = devices.get_mut(at) {
            device.fresh = Some(kept);
        }
        minted
    }

    fn kept(&self, mechanism: TokenMechanism, salt: [u8; 16]) -> Kept {
        Kept {
            mechanism: mechanism.name().to_owned(),
            salt: hex(&salt),
            issued: self.now,
            expires: self.now.saturating_add(self.terms.lifetime),
            count: None,
        }
    }

    fn secret(&self, name: &str, kept: &Kept) -> String {
        let parts = [self.account, name, &self.credentials, &kept.mechanism, &kept.salt].map(str::as_bytes);
        BASE64.encode(self.key.derive("token of a client", &parts))
    }

    /// Notes what the device says of itself and that it was here; true if that is news.
    fn describe(&self, device: &mut Device, agent: &UserAgent) -> bool {
        let said = (&agent.software, &agent.device);
        let news = said != (&device.software, &device.device) && said != (&None, &None);
        if news {
            (device.software, device.device) = (agent.software.clone(), agent.device.clone());
        }
        let late = device.seen + SEEN_STEP <= self.now;
        if late || news {
            device.seen = self.now;
        }
        late || news
    }
}

const fn refused(reason: &'static str) -> Failure {
    Failure { condition: SaslCondition::NotAuthorized, reason }
}

#[cfg(test)]
#[path = "vault_tests.rs"]
mod tests;
