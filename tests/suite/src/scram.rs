//! The client's side of SCRAM (RFC 5802, RFC 7677), with or without channel binding.

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::digest::{Digest, KeyInit};
use hmac::{Mac, SimpleHmac};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

/// The hash function a mechanism names.
#[derive(Debug, Clone, Copy)]
pub enum Hash {
    Sha1,
    Sha256,
    Sha512,
}

/// One exchange.
pub struct Scram {
    hash: Hash,
    gs2: String,
    binding: Vec<u8>,
    first_bare: String,
    nonce: String,
    server_signature: Vec<u8>,
    /// What the server announced, as XEP-0474 §5.1 writes it.
    listed: Option<String>,
}

impl Scram {
    /// Starts an exchange; `binding` is the channel-binding type and its data where the
    /// mechanism ends in `-PLUS`.
    ///
    /// # Errors
    /// When the mechanism is none of SCRAM's or there is no randomness to be had.
    pub fn new(mechanism: &str, user: &str, binding: Option<(&str, Vec<u8>)>) -> Result<Self> {
        let hash = match mechanism.trim_end_matches("-PLUS") {
            "SCRAM-SHA-1" => Hash::Sha1,
            "SCRAM-SHA-256" => Hash::Sha256,
            "SCRAM-SHA-512" => Hash::Sha512,
            other => bail!("not a SCRAM mechanism: {other}"),
        };
        let mut random = [0; 18];
        getrandom::fill(&mut random).map_err(|e| anyhow!("no randomness: {e}"))?;
        let nonce = BASE64.encode(random);
        let user = user.replace('=', "=3D").replace(',', "=2C");
        let (gs2, binding) = match binding {
            Some((kind, data)) => (format!("p={kind},,"), data),
            None => ("n,,".to_owned(), Vec::new()),
        };
        let first_bare = format!("n={user},r={nonce}");
        Ok(Self { hash, gs2, binding, first_bare, nonce, server_signature: Vec::new(), listed: None })
    }

    /// Remembers what the server announced: mechanisms, and channel-binding types if there were any.
    pub fn saw(&mut self, mechanisms: &[String], bindings: &[String]) {
        let joined = |names: &[String]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            names.join("\x1e")
        };
        let bindings = if bindings.is_empty() { String::new() } else { format!("\x1f{}", joined(bindings)) };
        self.listed = Some(joined(mechanisms) + &bindings);
    }

    /// Whether the server saw itself announce the same (XEP-0474 §5.2). Other servers than ours are
    /// believed if they do not say.
    fn check_lists(&self, server_first: &str) -> Result<()> {
        let Some(listed) = &self.listed else { return Ok(()) };
        let theirs = match field(server_first, 'h') {
            Err(_) if std::env::var_os("XYLEM_TEST_SERVER").is_some() => return Ok(()),
            other => other?,
        };
        let ours = BASE64.encode(match self.hash {
            Hash::Sha1 => Sha1::digest(listed).to_vec(),
            Hash::Sha256 => Sha256::digest(listed).to_vec(),
            Hash::Sha512 => Sha512::digest(listed).to_vec(),
        });
        ensure!(ours == theirs, "downgrade: somebody has changed what the server announced, {listed:?} was seen");
        Ok(())
    }

    /// The first message, not yet in base64.
    #[must_use]
    pub fn first(&self) -> String {
        format!("{}{}", self.gs2, self.first_bare)
    }

    /// The answer to the server's first message.
    ///
    /// # Errors
    /// When that message breaks RFC 5802 §7.
    pub fn respond(&mut self, server_first: &str, password: &str) -> Result<String> {
        let nonce = field(server_first, 'r')?;
        ensure!(
            nonce.starts_with(&self.nonce) && nonce.len() > self.nonce.len(),
            "the server's nonce does not extend the client's"
        );
        self.check_lists(server_first)?;
        let salt = BASE64.decode(field(server_first, 's')?).context("salt")?;
        let iterations: u32 = field(server_first, 'i')?.parse().context("iteration count")?;
        let mut bound = self.gs2.clone().into_bytes();
        bound.extend_from_slice(&self.binding);
        let without_proof = format!("c={},r={nonce}", BASE64.encode(bound));
        let signed = format!("{},{server_first},{without_proof}", self.first_bare);
        let (proof, signature) = match self.hash {
            Hash::Sha1 => prove::<Sha1>(password, &salt, iterations, &signed)?,
            Hash::Sha256 => prove::<Sha256>(password, &salt, iterations, &signed)?,
            Hash::Sha512 => prove::<Sha512>(password, &salt, iterations, &signed)?,
        };
        self.server_signature = signature;
        Ok(format!("{without_proof},p={}", BASE64.encode(proof)))
    }

    /// Checks that the server knew the password as well.
    ///
    /// # Errors
    /// When its signature is not the one due.
    pub fn verify(&self, server_final: &str) -> Result<()> {
        let signature = BASE64.decode(field(server_final, 'v')?).context("signature")?;
        ensure!(signature == self.server_signature, "the server's signature is wrong");
        Ok(())
    }
}

fn field(message: &str, key: char) -> Result<&str> {
    message
        .split(',')
        .find_map(|part| part.strip_prefix(key)?.strip_prefix('='))
        .with_context(|| format!("no {key}= in SCRAM message {message:?}"))
}

fn prove<D>(password: &str, salt: &[u8], iterations: u32, signed: &str) -> Result<(Vec<u8>, Vec<u8>)>
where
    D: Digest + hmac::digest::core_api::BlockSizeUser + Clone + Sync,
{
    let mut salted = vec![0; <D as Digest>::output_size()];
    pbkdf2::pbkdf2::<SimpleHmac<D>>(password.as_bytes(), salt, iterations, &mut salted)
        .context("salting the password")?;
    let client_key = sign::<D>(&salted, b"Client Key")?;
    let stored_key = D::digest(&client_key);
    let client_signature = sign::<D>(&stored_key, signed.as_bytes())?;
    let proof = client_key.iter().zip(&client_signature).map(|(a, b)| a ^ b).collect();
    let server_key = sign::<D>(&salted, b"Server Key")?;
    Ok((proof, sign::<D>(&server_key, signed.as_bytes())?))
}

fn sign<D>(key: &[u8], data: &[u8]) -> Result<Vec<u8>>
where
    D: Digest + hmac::digest::core_api::BlockSizeUser + Clone,
{
    let mut mac = <SimpleHmac<D> as KeyInit>::new_from_slice(key).context("key")?;
    mac.update(data);
    Ok(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn exchange(mechanism: &str, nonce: &str, server_first: &str) -> (Scram, String) {
        let mut scram = Scram::new(mechanism, "user", None).unwrap();
        scram.nonce = nonce.to_owned();
        scram.first_bare = format!("n=user,r={nonce}");
        let answer = scram.respond(server_first, "pencil").unwrap();
        (scram, answer)
    }

    /// RFC 5802 §5.
    #[test]
    fn sha_1_as_in_the_rfc() {
        let (scram, answer) = exchange(
            "SCRAM-SHA-1",
            "fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        );
        assert!(answer.ends_with("p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="), "{answer}");
        scram.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKQ=").unwrap();
        assert!(scram.verify("v=rmF9pqV8S7suAoZWja4dJRkFsKY=").is_err());
    }

    /// XEP-0474 §5.3.
    #[test]
    fn changed_lists_are_noticed() {
        let challenge = "r=12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6a09117a6-ac50-4f2f-93f1-93799c2bddf6,\
                         s=QSXCR+Q6sek8bf92,i=4096,h=G6k/rBLDqgOhRRaCuuatSDFkJ08=";
        let mut scram = Scram::new("SCRAM-SHA-1", "user", None).unwrap();
        scram.nonce = "12C4CD5C-E38E-4A98-8F6D-15C38F51CCC6".to_owned();
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let mechanisms = names(&["SCRAM-SHA-1-PLUS", "SCRAM-SHA-1"]);
        scram.saw(&mechanisms, &names(&["tls-server-end-point", "tls-exporter"]));
        scram.respond(challenge, "pencil").unwrap();
        scram.saw(&mechanisms, &names(&["tls-server-end-point"]));
        assert!(scram.respond(challenge, "pencil").is_err());
        scram.saw(&mechanisms[1..], &[]);
        assert!(scram.respond(challenge, "pencil").is_err());
    }

    /// RFC 7677 §3.
    #[test]
    fn sha_256_as_in_the_rfc() {
        let (scram, answer) = exchange(
            "SCRAM-SHA-256",
            "rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        );
        assert!(answer.ends_with("p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="), "{answer}");
        scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
    }
}
