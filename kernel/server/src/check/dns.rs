//! Whether clients find this server by its domains' names (RFC 6120 §3.2, XEP-0368).
//! Warnings only: whoever is offline, or behind another resolver, is not held up.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::time::Duration;

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_millis(1500);
const SRV: u16 = 33;

/// What is odd about the names.
pub fn check(domains: &[&str]) -> Vec<String> {
    if domains.is_empty() {
        return Vec::new();
    }
    let Some(resolver) = resolver() else {
        return vec!["DNS: no resolver in /etc/resolv.conf; names were not looked up".to_owned()];
    };
    let mut findings = Vec::new();
    for domain in domains {
        let services = ["_xmpp-client._tcp", "_xmpps-client._tcp"];
        let counts: Option<Vec<u16>> =
            services.iter().map(|service| ask(resolver, &format!("{service}.{domain}"))).collect();
        let Some(counts) = counts else {
            findings.push("DNS: the resolver does not answer; names were not looked up".to_owned());
            return findings;
        };
        if counts.iter().all(|count| *count == 0) {
            let found = (*domain, 5222).to_socket_addrs().is_ok_and(|mut a| a.next().is_some());
            findings.push(if found {
                format!("DNS: {domain} has no SRV records; clients will connect to its own address on port 5222")
            } else {
                format!("DNS: {domain} has neither SRV records nor an address; clients will not find it")
            });
        }
    }
    findings
}

fn resolver() -> Option<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").ok()?;
    let address = text.lines().find_map(|line| line.trim().strip_prefix("nameserver"))?;
    let address: IpAddr = address.split_whitespace().next()?.parse().ok()?;
    Some(SocketAddr::new(address, 53))
}

/// How many SRV records a name has; none if nobody answers.
fn ask(resolver: SocketAddr, name: &str) -> Option<u16> {
    let any: SocketAddr = if resolver.is_ipv4() { "0.0.0.0:0".parse().ok()? } else { "[::]:0".parse().ok()? };
    let socket = UdpSocket::bind(any).ok()?;
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    socket.connect(resolver).ok()?;
    let mut id = [0; 2];
    getrandom::fill(&mut id).ok()?;
    socket.send(&question(id, name)?).ok()?;
    let mut answer = [0; 4096];
    let length = socket.recv(&mut answer).ok()?;
    count(id, answer.get(..length)?)
}

/// RFC 1035 §4.1: header, then one question.
fn question(id: [u8; 2], name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::from(id);
    out.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    let ascii = xylem_stanza::Domain::parse(name).map_or_else(|_| name.to_owned(), |d| d.to_ascii().into_owned());
    for label in ascii.split('.') {
        out.push(u8::try_from(label.len()).ok().filter(|length| (1..64).contains(length))?);
        out.extend(label.as_bytes());
    }
    out.push(0);
    out.extend(SRV.to_be_bytes());
    out.extend(1_u16.to_be_bytes());
    Some(out)
}

/// The number of answers; "no such name" is none of them, other errors are no answer.
fn count(id: [u8; 2], answer: &[u8]) -> Option<u16> {
    let [a, b, flags, code, _, _, high, low, ..] = *answer else { return None };
    let is_answer = [a, b] == id && flags & 0x80 != 0;
    match code & 0x0f {
        0 if is_answer => Some(u16::from_be_bytes([high, low])),
        3 if is_answer => Some(0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_made_as_the_rfc_says() {
        let expected = b"\x07\x09\x01\0\0\x01\0\0\0\0\0\0\x01a\x07example\0\0\x21\0\x01";
        assert_eq!(question([7, 9], "a.example").as_deref(), Some(&expected[..]));
        assert_eq!(question([7, 9], &format!("{}.example", "a".repeat(64))), None);
    }

    #[test]
    fn answers_are_counted() {
        assert_eq!(count([7, 9], b"\x07\x09\x81\x80\0\x01\0\x02\0\0\0\0"), Some(2));
        assert_eq!(count([7, 9], b"\x07\x09\x81\x83\0\x01\0\0\0\0\0\0"), Some(0));
        assert_eq!(count([7, 9], b"\x07\x09\x81\x82\0\x01\0\0\0\0\0\0"), None);
        assert_eq!(count([7, 8], b"\x07\x09\x81\x80\0\x01\0\x02\0\0\0\0"), None);
        assert_eq!(count([7, 9], b"\x07\x09"), None);
    }
}
