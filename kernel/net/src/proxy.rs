//! The PROXY protocol: a trusted proxy says whom it speaks for.
//!
//! Specification: haproxy's `doc/proxy-protocol.txt`, versions 1 (§2.1) and 2 (§2.2).
//! The header is only looked for on listeners that are configured so, and only
//! from addresses that are trusted; there it is required.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its end.
const LINE: usize = 107;
/// Version 2 allows 64 KiB of extensions; nobody needs them.
const LONGEST: usize = 2048;

/// Reads the header and nothing after it. `None`: the proxy speaks for itself
/// (`LOCAL`, `UNKNOWN`), as for health checks.
///
/// # Errors
/// `InvalidData` if it is no such header, or the read's own error.
pub(crate) async fn read_header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut start = [0; 12];
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        version2(stream).await
    } else if start.starts_with(b"PROXY ") {
        version1(stream, &start).await
    } else {
        Err(invalid("no PROXY header"))
    }
}

async fn version1(stream: &mut (impl AsyncRead + Unpin), start: &[u8]) -> io::Result<Option<SocketAddr>> {
    // What follows the line is not ours to read, so it comes byte by byte.
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() >= LINE {
            return Err(invalid("PROXY line too long"));
        }
        line.push(stream.read_u8().await?);
    }
    parse_line(&line)
}

fn parse_line(line: &[u8]) -> io::Result<Option<SocketAddr>> {
    let line = std::str::from_utf8(line).map_err(|_| invalid("PROXY line is not text"))?;
    let mut words = line.trim_end_matches("\r\n").split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return Ok(None);
    }
    let (Some(family), Some(source), Some(_), Some(port), Some(_), None) =
        (family, words.next(), words.next(), words.next(), words.next(), words.next())
    else {
        return Err(invalid("PROXY line has not six words"));
    };
    let address: IpAddr = source.parse().map_err(|_| invalid("PROXY line: bad address"))?;
    let port = port.parse().map_err(|_| invalid("PROXY line: bad port"))?;
    match (family, address) {
        ("TCP4", IpAddr::V4(_)) | ("TCP6", IpAddr::V6(_)) => Ok(Some(SocketAddr::new(address, port))),
        _ => Err(invalid("PROXY line: family and address differ")),
    }
}

async fn version2(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    let [version_command, family, high, low] = head;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > LONGEST {
        return Err(invalid("PROXY header too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    match version_command {
        0x20 => Ok(None),
        0x21 => parse_addresses(family, &body),
        _ => Err(invalid("PROXY header: unknown version or command")),
    }
}

fn parse_addresses(family: u8, body: &[u8]) -> io::Result<Option<SocketAddr>> {
    let short = || invalid("PROXY header: addresses cut short");
    match family >> 4 {
        1 => {
            let source: [u8; 4] = *body.first_chunk().ok_or_else(short)?;
            let port = port_at(body, 8).ok_or_else(short)?;
            Ok(Some(SocketAddr::new(Ipv4Addr::from(source).into(), port)))
        }
        2 => {
            let source: [u8; 16] = *body.first_chunk().ok_or_else(short)?;
            let port = port_at(body, 32).ok_or_else(short)?;
            Ok(Some(SocketAddr::new(Ipv6Addr::from(source).to_canonical(), port)))
        }
        // Unspecified, or Unix sockets: no network address to learn.
        _ => Ok(None),
    }
}

fn port_at(body: &[u8], at: usize) -> Option<u16> {
    body.get(at..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    async fn parse(bytes: &[u8]) -> io::Result<(Option<SocketAddr>, Vec<u8>)> {
        let mut input = bytes;
        let header = read_header(&mut input).await?;
        Ok((header, input.to_vec()))
    }

    fn version2(command: u8, family: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, body].concat()
    }

    #[tokio::test]
    async fn both_versions_leave_the_rest() {
        let (header, rest) = parse(b"PROXY TCP4 192.0.2.1 192.0.2.2 5000 5222\r\n<stream").await.unwrap();
        assert_eq!(header, Some("192.0.2.1:5000".parse().unwrap()));
        assert_eq!(rest, b"<stream");

        let body = [192, 0, 2, 1, 192, 0, 2, 2, 0x13, 0x88, 0x14, 0x66, 4, 0, 1, 0];
        let bytes = [version2(0x21, 0x11, &body), b"<".to_vec()].concat();
        let (header, rest) = parse(&bytes).await.unwrap();
        assert_eq!(header, Some("192.0.2.1:5000".parse().unwrap()));
        assert_eq!(rest, b"<");

        let mut body = [0; 36];
        body[..16].copy_from_slice(&"2001:db8::1".parse::<Ipv6Addr>().unwrap().octets());
        body[33] = 7;
        let (header, _) = parse(&version2(0x21, 0x21, &body)).await.unwrap();
        assert_eq!(header, Some("[2001:db8::1]:7".parse().unwrap()));
    }

    #[tokio::test]
    async fn the_proxy_itself() {
        assert_eq!(parse(b"PROXY UNKNOWN\r\n").await.unwrap().0, None);
        assert_eq!(parse(&version2(0x20, 0, &[])).await.unwrap().0, None);
    }

    #[tokio::test]
    async fn what_is_no_header_is_refused() {
        let long = [b"PROXY TCP4 ".to_vec(), vec![b'1'; 200]].concat();
        for bytes in [
            b"<?xml version='1.0'?>".to_vec(),
            b"PROXY TCP4 ::1 ::1 1 2\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.1\r\n".to_vec(),
            long,
            version2(0x21, 0x11, &[1, 2, 3]),
            version2(0x31, 0x11, &[0; 12]),
            b"PROXY".to_vec(),
        ] {
            assert!(parse(&bytes).await.is_err(), "{bytes:?}");
        }
    }
}
