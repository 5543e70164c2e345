//! The grammar of RFC 5802 §7. Optional extensions are passed over, and signed like the rest;
//! a mandatory one ends the attempt, for there is none that is known here (§5.1).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

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
    /// `gs2-header`.
    pub header: String,
    /// The type of channel binding that it uses.
    pub binding: Option<String>,
    /// `client-first-message-bare`.
    pub bare: String,
    pub nonce: String,
}

/// What the server must know of `client-final-message`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ClientFinal<'a> {
    /// `cbind-input`, decoded.
    pub binding: Vec<u8>,
    pub nonce: &'a str,
    /// `client-final-message-without-proof`.
    pub signed: &'a str,
    pub proof: Vec<u8>,
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
    let nonce = parts.next().and_then(|part| part.strip_prefix("r=")).filter(|nonce| printable(nonce));
    let nonce = nonce.ok_or_else(|| malformed("bad client nonce"))?.to_owned();
    if !parts.all(extension) {
        return Err(malformed("bad SCRAM extension"));
    }
    let binding = if let BindingFlag::Used(name) = flag { Some(name.to_owned()) } else { None };
    // Behind the second comma.
    let bare = text.splitn(3, ',').nth(2).unwrap_or_default().to_owned();
    let header = text.strip_suffix(&*bare).unwrap_or_default().to_owned();
    Ok(ClientFirst { username, authzid, header, binding, bare, nonce })
}

/// Parses `client-final-message`.
pub(crate) fn client_final(message: &[u8]) -> Result<ClientFinal<'_>, Failure> {
    let malformed = || Failure::malformed("bad client-final-message");
    if message.len() > MAX_MESSAGE {
        return Err(Failure::malformed("SCRAM message is too long"));
    }
    let text = std::str::from_utf8(message).map_err(|_| Failure::malformed("SCRAM message is not UTF-8"))?;
    let (signed, proof) = text.rsplit_once(",p=").ok_or_else(malformed)?;
    let mut parts = signed.split(',');
    let mut value = |prefix| parts.next().and_then(|part| part.strip_prefix(prefix)).filter(|value| printable(value));
    let (binding, nonce) = (value("c=").ok_or_else(malformed)?, value("r=").ok_or_else(malformed)?);
    if !parts.all(extension) {
        return Err(malformed());
    }
    let decode = |text: &str| STANDARD.decode(text).map_err(|_| malformed());
    Ok(ClientFinal { binding: decode(binding)?, nonce, signed, proof: decode(proof)? })
}

/// `attr-val` of an extension that may be passed over.
fn extension(part: &str) -> bool {
    let mut letters = part.chars();
    let name = letters.next().is_some_and(|letter| letter.is_ascii_alphabetic() && letter != 'm');
    name && letters.next() == Some('=') && letters.as_str().chars().next().is_some()
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
    fn extensions() {
        for good in ["x=1", "h=a=b", "A=ä"] {
            assert!(extension(good), "{good:?}");
        }
        for bad in ["", "x", "x=", "xy=1", "=1", "1=1", "m=1", "é=1"] {
            assert!(!extension(bad), "{bad:?}");
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
