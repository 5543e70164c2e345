//! The account with the authority: a key in a file that only the server may read. It is made with the first
//! order and used by all that follow.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use instant_acme::{Account, AccountCredentials, Error, ExternalAccountKey, NewAccount};
use rustls::pki_types::PrivatePkcs8KeyDer;
use sha2::{Digest as _, Sha256};

use crate::error::AcmeError;
use crate::https::Https;
use crate::{Authority, ExternalAccount};

/// The problem of an account that the authority does not know any more (RFC 8555 §6.7).
const UNKNOWN: &str = "urn:ietf:params:acme:error:accountDoesNotExist";

/// Opens the account; makes one where there is none.
pub(crate) async fn open(authority: &Authority) -> Result<Account, AcmeError> {
    if !authority.terms_agreed {
        return Err(AcmeError::Terms(authority.directory.clone()));
    }
    let path = file(authority);
    match fs::read(&path) {
        Ok(text) => restored(authority, &path, &text).await,
        Err(error) if error.kind() == io::ErrorKind::NotFound => made(authority, &path).await,
        Err(source) => Err(AcmeError::File { path, source }),
    }
}

/// Puts the account aside if it is that which the authority does not know; then the next [`open`] makes another.
pub(crate) fn forget_unknown(authority: &Authority, error: &Error) -> bool {
    let unknown = matches!(error, Error::Api(problem) if problem.r#type.as_deref() == Some(UNKNOWN));
    let path = file(authority);
    unknown && fs::rename(&path, path.with_extension("unknown")).is_ok()
}

/// One for each authority: whoever tries a staging one first keeps both.
fn file(authority: &Authority) -> PathBuf {
    let hash = Sha256::digest(authority.directory.as_bytes());
    let short: String = hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    authority.folder.join(format!("account-{short}.json"))
}

async fn restored(authority: &Authority, path: &Path, text: &[u8]) -> Result<Account, AcmeError> {
    let content = |problem: String| AcmeError::Content { path: path.to_owned(), problem };
    let credentials: AccountCredentials = serde_json::from_slice(text)
        .map_err(|error| content(format!("this is no account ({error}); move it away, and another is made")))?;
    let id = serde_json::to_value(&credentials).ok();
    let id = id.as_ref().and_then(|it| it.get("id")).and_then(|id| id.as_str()).unwrap_or_default().to_owned();
    // Its directory is what the configuration says, whatever it was called when the account was made.
    let key = PrivatePkcs8KeyDer::from(credentials.private_key().secret_pkcs8_der().to_vec());
    let builder = Account::builder_with_http(Box::new(Https::new(authority.roots.as_deref())?));
    let account = builder.from_parts(id, key, authority.directory.clone()).await;
    account.map_err(|error| AcmeError::of(&authority.directory, error))
}

async fn made(authority: &Authority, path: &Path) -> Result<Account, AcmeError> {
    let contact = authority.contact.as_ref().map(|address| format!("mailto:{address}"));
    let contact: Vec<&str> = contact.as_deref().into_iter().collect();
    let wanted = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
    let external = authority.external.as_ref().map(external).transpose()?;
    let builder = Account::builder_with_http(Box::new(Https::new(authority.roots.as_deref())?));
    let made = builder.create(&wanted, authority.directory.clone(), external.as_ref()).await;
    let (account, credentials) = made.map_err(|error| AcmeError::of(&authority.directory, error))?;
    let text = serde_json::to_vec(&credentials).map_err(|error| AcmeError::Request(error.to_string()))?;
    write(path, &text).map_err(|source| AcmeError::File { path: path.to_owned(), source })?;
    tracing::info!(directory = authority.directory, "an account with the certificate authority is made");
    Ok(account)
}

fn external(account: &ExternalAccount) -> Result<ExternalAccountKey, AcmeError> {
    let path = &account.key;
    let text = fs::read_to_string(path).map_err(|source| AcmeError::File { path: path.clone(), source })?;
    // RFC 8555 §7.3.4 has base64url; authorities are seen to give either alphabet, with and without its end.
    let text = text.trim().trim_end_matches('=').replace('+', "-").replace('/', "_");
    let key = base64(&text).ok_or_else(|| {
        let problem = "no key in it (expected base64url, as the authority gave it)".to_owned();
        AcmeError::Content { path: path.clone(), problem }
    })?;
    Ok(ExternalAccountKey::new(account.id.clone(), &key))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}

/// For the server's own user and nobody else, whole or not at all.
fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let temporary = path.with_extension("new");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
    file.write_all(text).and_then(|()| file.sync_all())?;
    fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn authority(folder: &Path) -> Authority {
        Authority {
            directory: "https://127.0.0.1:1/directory".to_owned(),
            roots: None,
            terms_agreed: true,
            contact: None,
            external: None,
            folder: folder.to_owned(),
        }
    }

    #[tokio::test]
    async fn without_agreement_nobody_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let disagreed = Authority { terms_agreed: false, ..authority(folder.path()) };
        assert!(matches!(open(&disagreed).await, Err(AcmeError::Terms(_))));
    }

    #[tokio::test]
    async fn a_file_that_is_no_account_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let authority = authority(folder.path());
        fs::write(file(&authority), "{}").unwrap();
        let error = open(&authority).await.err().unwrap().to_string();
        assert!(error.contains("account-") && error.contains("move it away"), "{error}");
    }

    #[test]
    fn files_are_for_the_server_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("acme/account-1.json");
        write(&path, b"x").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn keys_are_read_in_both_alphabets() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        for (text, fits) in [("AP-_AA", true), ("AP+/AA==\n", true), ("", false), ("no key", false)] {
            fs::write(&key, text).unwrap();
            assert_eq!(external(&ExternalAccount { id: "k".into(), key: key.clone() }).is_ok(), fits, "{text:?}");
        }
    }
}
