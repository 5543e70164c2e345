//! The grammar of RFC 5802 §7, checked before rsasl sees a message.
//!
//! rsasl 2.3 slices attributes without looking at their length, so a hostile
//! message could make it panic, and it leaves optional extensions out of the
//! text it signs. Whatever passes here it handles correctly.

use crate::condition::SaslCondition;
use crate::exchange::Failure;
use crate::offer::Offer;

/// No client message of an honest client comes near this many bytes.
pub(crate) const MAX_MESSAGE: usize = 4096;

/// What the server must know of `client-first-message`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFirst {
    pub username: String,
    pub authzid: Option<String>,
}

/// How the client stands to channel binding: `gs2-cbind-flag`.
#[derive(Debug, PartialEq, Eq)]
enum BindingFlag<'a> {
    /// `n`: the client cannot.
    Unsupported,
    /// `y`: the client can, but believes that the server cannot.
    NotOffered,
    /// `p`: the client uses this type.
    Used(&'a str),
}

/// Parses `client-first-message` and holds its channel-binding flag against
/// what the stream offered (RFC 5802 §6).
pub(crate) fn client_first(message: &[u8], plus: bool, offer: &Offer) -> Result<ClientFirst, Failure> {
    let malformed = Failure::malformed;
    if message.len() > MAX_MESSAGE {
        return Err(malformed("SCRAM message is too long"));
    }
    let text = std::str::from_utf8(message).map_err(|_| malformed("SCRAM message is not UTF-8"))?;
    if text.contains('\0') {
        return Err(malformed("SCRAM message contains NUL"));
    }
    let mut parts = text.split(',');
    let flag = flag(parts.next()).ok_or_else(|| malformed("bad gs2-cbind-flag"))?;
    check_binding(&flag, plus, offer)?;
    let authzid = match parts.next() {
        Some("") => None,
        Some(part) => Some(name(part, "a=").ok_or_else(|| malformed("bad authzid"))?),
        None => return Err(malformed("no gs2-header")),
    };
    let part = parts.next().ok_or_else(|| malformed("no username"))?;
    if part.starts_with("m=") {
        return Err(malformed("mandatory SCRAM extension"));
    }
    let username = name(part, "n=").ok_or_else(|| malformed("bad username"))?;
    let nonce = parts.next().and_then(|part| part.strip_prefix("r="));
    if !nonce.is_some_and(printable) {
        return Err(malformed("bad client nonce"));
    }
    if parts.next().is_some() {
        return Err(malformed("SCRAM extensions are not supported"));
    }
    Ok(ClientFirst { username, authzid })
}

/// Checks the form of `client-final-message`.
pub(crate) fn check_client_final(message: &[u8]) -> Result<(), Failure> {
    let malformed = Failure::malformed;
    if message.len() > MAX_MESSAGE {
        return Err(malformed("SCRAM message is too long"));
    }
    let text = std::str::from_utf8(message).map_err(|_| malformed("SCRAM message is not UTF-8"))?;
    let mut parts = text.split(',');
    for prefix in ["c=", "r=", "p="] {
        let value = parts.next().and_then(|part| part.strip_prefix(prefix));
        if !value.is_some_and(printable) {
            return Err(malformed("bad client-final-message"));
        }
    }
    if parts.next().is_some() {
        return Err(malformed("SCRAM extensions are not supported"));
    }
    Ok(())
}

fn check_binding(flag: &BindingFlag<'_>, plus: bool, offer: &Offer) -> Result<(), Failure> {
    match (flag, plus) {
        (BindingFlag::Used(name), true) if offer.bindings.get(name).is_some() => Ok(()),
        (BindingFlag::Used(_), true) => Err(Failure::malformed("channel-binding type was not offered")),
        (BindingFlag::Used(_), false) => Err(Failure::malformed("channel binding without -PLUS")),
        (_, true) => Err(Failure::malformed("-PLUS without channel binding")),
        (BindingFlag::NotOffered, false) if offer.announces_plus() => Err(Failure::new(
            SaslCondition::NotAuthorized,
            "downgrade: the client did not see the -PLUS mechanisms that were offered",
        )),
        _ => Ok(()),
    }
}

fn flag(part: Option<&str>) -> Option<BindingFlag<'_>> {
    match part? {
        "n" => Some(BindingFlag::Unsupported),
        "y" => Some(BindingFlag::NotOffered),
        other => {
            let name = other.strip_prefix("p=")?;
            let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
            (!name.is_empty() && name.bytes().all(legal)).then_some(BindingFlag::Used(name))
        }
    }
}

/// `saslname`: a comma is written `=2C`, an equals sign `=3D`, and an equals
/// sign means nothing else.
fn name(part: &str, prefix: &str) -> Option<String> {
    let mut rest = part.strip_prefix(prefix).filter(|name| !name.is_empty())?;
    let mut out = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('=') {
        out.push_str(before);
        rest = if let Some(after) = after.strip_prefix("2C") {
            out.push(',');
            after
        } else {
            out.push('=');
            after.strip_prefix("3D")?
        };
    }
    out.push_str(rest);
    Some(out)
}

fn printable(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|b| (0x21..=0x7e).contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_names() {
        assert_eq!(name("n=a=2Cb=3D", "n="), Some("a,b=".to_owned()));
        assert_eq!(name("n==2C", "n="), Some(",".to_owned()));
        for bad in ["n=", "n", "", "n==", "n=a=2", "n=a=2c", "n=a=zz", "a=x"] {
            assert_eq!(name(bad, "n="), None, "{bad:?}");
        }
    }

    #[test]
    fn flags() {
        assert_eq!(flag(Some("p=tls-exporter")), Some(BindingFlag::Used("tls-exporter")));
        for bad in ["", "p", "p=", "p=a b", "x", "nn", "p=ä"] {
            assert_eq!(flag(Some(bad)), None, "{bad:?}");
        }
    }
}
