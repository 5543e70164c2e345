//! Address ranges, as trusted proxies and exemptions are written.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::error::NetError;

/// `192.0.2.0/24`, `2001:db8::/32`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    address: IpAddr,
    bits: u8,
}

impl Range {
    /// Whether the address is in it. IPv4 addresses mapped into IPv6 count as IPv4.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same(own.to_bits().into(), other.to_bits().into(), 32 - self.bits.min(32))
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => same(own.to_bits(), other.to_bits(), 128 - self.bits.min(128)),
            _ => false,
        }
    }
}

fn same(one: u128, other: u128, ignored: u8) -> bool {
    (one ^ other).checked_shr(ignored.into()).unwrap_or(0) == 0
}

impl FromStr for Range {
    type Err = NetError;

    fn from_str(text: &str) -> Result<Self, NetError> {
        let wrong = || NetError::Range(text.to_owned());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) => bits.parse().map_err(|_| wrong())?,
            None => most,
        };
        if bits > most {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn bounds() {
        let check = |range: &str, address: &str| range.parse::<Range>().unwrap().contains(address.parse().unwrap());
        assert!(check("192.0.2.0/24", "192.0.2.255"));
        assert!(!check("192.0.2.0/24", "192.0.3.0"));
        assert!(check("192.0.2.0/24", "::ffff:192.0.2.1"));
        assert!(check("0.0.0.0/0", "203.0.113.9"));
        assert!(!check("0.0.0.0/0", "2001:db8::1"));
        assert!(check("::/0", "2001:db8::1"));
        assert!(check("2001:db8::/32", "2001:db8:ffff::1"));
        assert!(!check("127.0.0.1", "127.0.0.2"));
        for wrong in ["", "192.0.2.0/33", "192.0.2/24", "::/129", "1.2.3.4/"] {
            assert!(wrong.parse::<Range>().is_err(), "{wrong}");
        }
    }
}
