//! Connecting two wires of one hash.

use std::time::Duration;

use sha1::{Digest, Sha1};
use xylem_sdk::prelude::*;
use xylem_sdk::runtime;
use xylem_sdk::wires::{Bounds, Ended};

use crate::{Config, NS, access, limits, listeners};

/// `<activate/>` (XEP-0065 §6.3.5). Only the requester's address makes the hash that both
/// parties connected with, so for everybody else there is nothing: `item-not-found`. A
/// proxy that is told hashes alone cannot tell a wrong one from a stream that is not there.
pub(crate) fn activate(cx: &Cx, iq: &Stanza) -> Result<Reply, Failure> {
    let config = Config::load();
    let requester = iq.from().ok_or(Condition::BadRequest)?;
    access::check(cx, &config, requester)?;
    let user = Jid::new(requester).bare();
    if !limits::ACTIVATIONS.take(user) {
        return Err(Failure::new(Condition::PolicyViolation).kind("wait"));
    }
    let query = iq.payload().ok_or(Condition::BadRequest)?;
    let sid = query.attr("sid").filter(|sid| !sid.is_empty()).ok_or(Condition::BadRequest)?;
    let target = query.child(NS, "activate").ok_or(Condition::BadRequest)?;
    let target = Jid::normalise(target.text().trim()).ok_or(Condition::JidMalformed)?;
    let wires = listeners::BYTESTREAMS.waiting(&hash(sid, requester, &target))?;
    let (one, other) = match wires.as_slice() {
        [] => return Err(Condition::ItemNotFound.into()),
        [_] => return Err(Condition::NotAllowed.into()),
        [one, other, ..] => (one, other),
    };
    match one.splice(*other, &bounds(&config, user), requester) {
        Ok(()) => Ok(Reply::empty()),
        Err(Fault::Missing) => Err(Condition::ItemNotFound.into()),
        Err(Fault::Quota) => Err(Failure::new(Condition::ResourceConstraint).kind("wait")),
        Err(fault) => Err(fault.into()),
    }
}

/// A stream is over: one line for administrators who want to know.
pub(crate) fn ended(_cx: &Cx, ended: &Ended) {
    let bytes = ended.forth.saturating_add(ended.back).to_string();
    let seconds = ended.lasted.as_secs().to_string();
    runtime::debug(&[ended.token, ": ", &bytes, " bytes in ", &seconds, " s"].concat());
}

fn bounds(config: &Config, user: &str) -> Bounds {
    let count = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    Bounds {
        user: user.to_owned(),
        per_user: count(config.streams_per_user),
        total: count(config.streams),
        rate: config.rate,
        bytes: config.max_size,
        idle: Duration::from_millis(config.idle),
    }
}

/// DST.ADDR: SHA-1 of stream id, requester and target, in hexadecimal (§5.3.2).
fn hash(sid: &str, requester: &str, target: &str) -> String {
    let digest = Sha1::new().chain_update(sid).chain_update(requester).chain_update(target).finalize();
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::hash;

    /// Computed with `printf … | sha1sum`.
    #[test]
    fn the_hash_of_stream_id_requester_and_target() {
        let hash = hash("vxf9n471bn46", "requester@example.com/foo", "target@example.org/bar");
        assert_eq!(hash, "98b8d688d0f5d895fd41c5e7309a2e9e33ba32ff");
    }
}
