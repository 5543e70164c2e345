//! The SOCKS protocol, version 5 (RFC 1928), as far as it leads to a label.
//!
//! Read are exactly the bytes of the handshake and none after them, so that what
//! follows belongs to the relay.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::counts::Refusal;

const VERSION: u8 = 5;
/// §3: no authentication required, and no acceptable method.
const NO_AUTHENTICATION: u8 = 0;
const NO_METHOD: u8 = 0xFF;
/// §4.
const CONNECT: u8 = 1;
const DOMAIN: u8 = 3;
/// Characters of a label: a SHA-1 digest in hexadecimal.
pub(super) const LABEL: usize = 40;
/// §6.
const SUCCEEDED: u8 = 0;
const NOT_ALLOWED: u8 = 2;
const COMMAND_NOT_SUPPORTED: u8 = 7;
const ADDRESS_TYPE_NOT_SUPPORTED: u8 = 8;

/// Reads the greeting (§3) and the request (§4); the answer to the latter is for
/// [`accepted`] or [`refused`], once it is known whether the label has room.
///
/// # Errors
/// Why it is none. Where the protocol has an answer for that, it was written.
pub(super) async fn handshake(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<String, Refusal> {
    greeting(stream).await?;
    request(stream).await
}

async fn greeting(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<(), Refusal> {
    let mut head = [0; 2];
    read(stream, &mut head).await?;
    let [version, count] = head;
    if version != VERSION || count == 0 {
        return Err(Refusal::Garbage);
    }
    let mut methods = vec![0; usize::from(count)];
    read(stream, &mut methods).await?;
    if !methods.contains(&NO_AUTHENTICATION) {
        write(stream, &[VERSION, NO_METHOD]).await?;
        return Err(Refusal::Method);
    }
    write(stream, &[VERSION, NO_AUTHENTICATION]).await
}

async fn request(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Result<String, Refusal> {
    let mut head = [0; 4];
    read(stream, &mut head).await?;
    let [version, command, reserved, kind] = head;
    if version != VERSION || reserved != 0 {
        return Err(Refusal::Garbage);
    }
    let problem = match (command, kind) {
        (CONNECT, DOMAIN) => None,
        (CONNECT, _) => Some(ADDRESS_TYPE_NOT_SUPPORTED),
        _ => Some(COMMAND_NOT_SUPPORTED),
    };
    if let Some(reply) = problem {
        write(stream, &error(reply)).await?;
        return Err(Refusal::Request);
    }
    let mut length = [0; 1];
    read(stream, &mut length).await?;
    if length != [LABEL as u8] {
        write(stream, &error(NOT_ALLOWED)).await?;
        return Err(Refusal::Request);
    }
    let mut rest = [0; LABEL + 2];
    read(stream, &mut rest).await?;
    let (name, port) = rest.split_at(LABEL);
    let digits = name.iter().all(u8::is_ascii_hexdigit);
    match String::from_utf8(name.to_ascii_lowercase()) {
        Ok(label) if digits && port == [0, 0] => Ok(label),
        _ => {
            write(stream, &error(NOT_ALLOWED)).await?;
            Err(Refusal::Request)
        }
    }
}

/// The answer to a request that was taken: bound to what was asked for (§6).
pub(super) fn accepted(label: &str) -> Vec<u8> {
    let length = u8::try_from(label.len()).unwrap_or(u8::MAX);
    [&[VERSION, SUCCEEDED, 0, DOMAIN, length], label.as_bytes(), &[0, 0]].concat()
}

/// The answer to a request whose label has no room.
pub(super) fn refused() -> [u8; 10] {
    error(NOT_ALLOWED)
}

/// §6, bound to no address.
fn error(reply: u8) -> [u8; 10] {
    [VERSION, reply, 0, 1, 0, 0, 0, 0, 0, 0]
}

async fn read(stream: &mut (impl AsyncRead + Unpin), bytes: &mut [u8]) -> Result<(), Refusal> {
    stream.read_exact(bytes).await.map(|_| ()).map_err(aborted)
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), Refusal> {
    stream.write_all(bytes).await.map_err(aborted)
}

fn aborted(_: io::Error) -> Refusal {
    Refusal::Aborted
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    const HASH: &[u8; LABEL] = b"972b7bf47291ca609517f67f86b5081086052dad";

    fn whole(label: &[u8], port: u8) -> Vec<u8> {
        let length = u8::try_from(label.len()).unwrap();
        [&[5, 1, 0, 5, 1, 0, 3, length], label, &[0, port]].concat()
    }

    /// What the handshake made of the bytes, what it answered, and what it left unread.
    async fn shake(bytes: &[u8]) -> (Result<String, Refusal>, Vec<u8>, Vec<u8>) {
        let (mut client, mut server) = duplex(4096);
        client.write_all(bytes).await.unwrap();
        client.shutdown().await.unwrap();
        let outcome = handshake(&mut server).await;
        let mut left = Vec::new();
        server.read_to_end(&mut left).await.unwrap();
        drop(server);
        let mut answered = Vec::new();
        client.read_to_end(&mut answered).await.unwrap();
        (outcome, answered, left)
    }

    #[tokio::test]
    async fn the_label_and_nothing_after_it() {
        let bytes = [whole(HASH, 0), b"early".to_vec()].concat();
        let (outcome, answered, left) = shake(&bytes).await;
        assert_eq!(outcome.unwrap().as_bytes(), HASH);
        assert_eq!((answered, left), (vec![5, 0], b"early".to_vec()));
        let upper = HASH.to_ascii_uppercase();
        assert_eq!(shake(&whole(&upper, 0)).await.0.unwrap().as_bytes(), HASH);
    }

    #[tokio::test]
    async fn every_prefix_is_an_aborted_handshake() {
        let bytes = whole(HASH, 0);
        for length in 0..bytes.len() {
            assert_eq!(shake(&bytes[..length]).await.0, Err(Refusal::Aborted), "{length}");
        }
    }

    #[tokio::test]
    async fn what_is_something_else_is_refused_as_the_protocol_says() {
        let no_method: &[u8] = &[5, 0xFF];
        let not_allowed = [&[5, 0][..], &error(NOT_ALLOWED)].concat();
        let no_command = [&[5, 0][..], &error(COMMAND_NOT_SUPPORTED)].concat();
        let no_type = [&[5, 0][..], &error(ADDRESS_TYPE_NOT_SUPPORTED)].concat();
        let mut letters = *HASH;
        letters[7] = b'g';
        for (bytes, why, answer) in [
            (b"GET / HTTP/1.1\r\n\r\n".to_vec(), Refusal::Garbage, &[][..]),
            (vec![4, 1, 0, 80, 127, 0, 0, 1, 0], Refusal::Garbage, &[]),
            (vec![5, 0], Refusal::Garbage, &[]),
            (vec![5, 2, 1, 2], Refusal::Method, no_method),
            ([&[5, 255], &[2; 255][..]].concat(), Refusal::Method, no_method),
            (vec![5, 1, 0, 4, 1, 0, 3], Refusal::Garbage, &[5, 0]),
            (vec![5, 1, 0, 5, 2, 0, 3], Refusal::Request, &no_command),
            (vec![5, 1, 0, 5, 3, 0, 3], Refusal::Request, &no_command),
            (vec![5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, 0, 80], Refusal::Request, &no_type),
            (whole(&HASH[1..], 0), Refusal::Request, &not_allowed),
            (whole(&[b'a'; 255], 0), Refusal::Request, &not_allowed),
            (whole(&letters, 0), Refusal::Request, &not_allowed),
            (whole(HASH, 80), Refusal::Request, &not_allowed),
        ] {
            let (outcome, answered, _) = shake(&bytes).await;
            assert_eq!(outcome, Err(why), "{bytes:?}");
            assert_eq!(answered, answer, "{bytes:?}");
        }
    }
}
