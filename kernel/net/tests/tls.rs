//! Certificates, names, resumption and channel bindings, in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, ServerConnection, SupportedProtocolVersion,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use xylem_net::NetError;
use xylem_net::tls::{self, DomainFiles, Finding, TlsSettings, TlsStore};

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes a certificate for `domain` in files called `name`.
    fn domain(&self, domain: &str, name: &str) -> DomainFiles {
        let files = DomainFiles {
            domain: domain.to_owned(),
            chain: self.path(&format!("{name}.crt")),
            key: self.path(&format!("{name}.key")),
        };
        tls::generate(domain, 2026).unwrap().write(&files.chain, &files.key).unwrap();
        files
    }
}

fn settings(domains: &[DomainFiles]) -> TlsSettings {
    TlsSettings { domains: domains.to_vec(), client_authorities: None, early_data: false }
}

fn der(path: &Path) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(path).unwrap()
}

fn client_config(trusted: &[&DomainFiles], version: &'static SupportedProtocolVersion) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    for files in trusted {
        roots.add(der(&files.chain)).unwrap();
    }
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

fn shake(
    store: &TlsStore,
    header: Option<&str>,
    client: Arc<ClientConfig>,
    name: &str,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(client, name).unwrap();
    let mut server = ServerConnection::new(store.config(header).unwrap()).unwrap();
    for _ in 0..10 {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut bytes = &wire[..];
        while !bytes.is_empty() {
            server.read_tls(&mut bytes).unwrap();
            server.process_new_packets()?;
        }
        wire.clear();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut bytes = &wire[..];
        while !bytes.is_empty() {
            client.read_tls(&mut bytes).unwrap();
            client.process_new_packets()?;
        }
    }
    assert!(!client.is_handshaking() && !server.is_handshaking());
    Ok((client, server))
}

fn shown(client: &ClientConnection) -> CertificateDer<'static> {
    client.peer_certificates().unwrap()[0].clone().into_owned()
}

#[test]
fn each_name_gets_its_certificate() {
    let folder = Folder::new();
    let domains = [folder.domain("one.example", "one"), folder.domain("two.example", "two")];
    let store = TlsStore::new(&settings(&domains)).unwrap();
    assert_eq!(store.findings(), []);
    let client = Arc::new(client_config(&[&domains[0], &domains[1]], &rustls::version::TLS13));
    for (name, files) in [("one.example", &domains[0]), ("two.example", &domains[1]), ("chat.two.example", &domains[1])]
    {
        let (client, _) = shake(&store, None, client.clone(), name).unwrap();
        assert_eq!(shown(&client), der(&files.chain), "{name}");
    }
    let mut nameless = client_config(&[&domains[0], &domains[1]], &rustls::version::TLS13);
    nameless.enable_sni = false;
    let (client, _) = shake(&store, Some("two.example"), Arc::new(nameless), "two.example").unwrap();
    assert_eq!(shown(&client), der(&domains[1].chain), "the stream header names the domain");
}

#[test]
fn reload_takes_effect_or_changes_nothing() {
    let folder = Folder::new();
    let old = folder.domain("one.example", "old");
    let new = folder.domain("one.example", "new");
    let store = TlsStore::new(&settings(std::slice::from_ref(&old))).unwrap();
    let client = || Arc::new(client_config(&[&old, &new], &rustls::version::TLS13));
    let show = |store| shown(&shake(store, None, client(), "one.example").unwrap().0);
    assert_eq!(show(&store), der(&old.chain));

    let mixed = DomainFiles { key: old.key.clone(), ..new.clone() };
    let error = store.reload(&settings(&[mixed])).unwrap_err();
    assert!(error.to_string().contains("old.key: the key is not that of the certificate"), "{error}");
    assert_eq!(show(&store), der(&old.chain));

    store.reload(&settings(std::slice::from_ref(&new))).unwrap();
    assert_eq!(show(&store), der(&new.chain));
}

#[test]
fn sessions_resume_across_a_reload() {
    let folder = Folder::new();
    let domain = folder.domain("one.example", "one");
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let store = TlsStore::new(&settings(std::slice::from_ref(&domain))).unwrap();
        let client = Arc::new(client_config(&[&domain], version));
        let (_, server) = shake(&store, None, client.clone(), "one.example").unwrap();
        assert_eq!(server.handshake_kind(), Some(HandshakeKind::Full));
        store.reload(&settings(std::slice::from_ref(&domain))).unwrap();
        let (_, server) = shake(&store, None, client, "one.example").unwrap();
        assert_eq!(server.handshake_kind(), Some(HandshakeKind::Resumed));
    }
}

#[test]
fn channel_bindings_agree() {
    let folder = Folder::new();
    let domain = folder.domain("one.example", "one");
    let store = TlsStore::new(&settings(std::slice::from_ref(&domain))).unwrap();
    let client = Arc::new(client_config(&[&domain], &rustls::version::TLS13));
    let (client, server) = shake(&store, None, client, "one.example").unwrap();
    let theirs = client.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).unwrap();
    assert_eq!(tls::exporter(&server), Some(theirs));

    let certificate = store.certificate(server.server_name(), None).unwrap();
    let expected = Sha256::digest(der(&domain.chain)).to_vec();
    assert_eq!(tls::server_end_point(&certificate), Some(expected));

    let old = Arc::new(client_config(&[&domain], &rustls::version::TLS12));
    let (_, server) = shake(&store, None, old, "one.example").unwrap();
    assert_eq!(tls::exporter(&server), None);
}

#[test]
fn client_certificates_are_optional_and_verified() {
    let folder = Folder::new();
    let domain = folder.domain("one.example", "one");
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(params, authority_key);
    fs::write(folder.path("ca.crt"), authority.pem()).unwrap();
    let settings = TlsSettings {
        domains: vec![domain.clone()],
        client_authorities: Some(folder.path("ca.crt")),
        early_data: false,
    };
    let store = TlsStore::new(&settings).unwrap();

    let anonymous = Arc::new(client_config(&[&domain], &rustls::version::TLS13));
    let (_, server) = shake(&store, None, anonymous.clone(), "one.example").unwrap();
    assert!(server.peer_certificates().is_none());

    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.subject_alt_names = ["romeo@one.example", "juliet@one.example"]
        .map(|jid| rcgen::SanType::OtherName((vec![1, 3, 6, 1, 5, 5, 7, 8, 5], jid.into())))
        .into();
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    let signed = params.signed_by(&key, &issuer).unwrap();
    let own = params.self_signed(&key).unwrap();
    let with = |certificate: &rcgen::Certificate| {
        let mut roots = RootCertStore::empty();
        roots.add(der(&domain.chain)).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_client_auth_cert(vec![certificate.der().clone()], key);
        Arc::new(config.unwrap())
    };
    let (_, server) = shake(&store, None, with(&signed), "one.example").unwrap();
    let both = ["romeo@one.example", "juliet@one.example"];
    assert_eq!(store.client_addresses(server.peer_certificates().unwrap()), both);

    // Nobody vouches for it: a certificate like any other, that speaks for nobody.
    let (_, server) = shake(&store, None, with(&own), "one.example").unwrap();
    let chain = server.peer_certificates().unwrap();
    assert_eq!(tls::addresses(&chain[0]), both);
    assert_eq!(store.client_addresses(chain), [""; 0]);
}

#[test]
fn files_are_checked_by_name() {
    let folder = Folder::new();
    let domain = folder.domain("one.example", "one");
    let mode = fs::metadata(&domain.key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = tls::generate("one.example", 2026).unwrap().write(&domain.chain, &domain.key);
    assert!(matches!(again, Err(NetError::File { path, .. }) if path == domain.key));

    let wrong = |chain: &Path, key: &Path| {
        let files = DomainFiles { chain: chain.into(), key: key.into(), domain: "one.example".into() };
        TlsStore::new(&settings(&[files])).unwrap_err().to_string()
    };
    fs::write(folder.path("empty"), "").unwrap();
    assert!(wrong(&folder.path("none"), &domain.key).contains("none: "));
    assert!(wrong(&folder.path("empty"), &domain.key).contains("BEGIN CERTIFICATE"));
    assert!(wrong(&domain.chain, &folder.path("empty")).contains("BEGIN PRIVATE KEY"));
    assert!(matches!(TlsStore::new(&TlsSettings::default()), Err(NetError::NoCertificate(_))));

    let misnamed = DomainFiles { domain: "two.example".into(), ..domain };
    let store = TlsStore::new(&settings(&[misnamed])).unwrap();
    let findings = store.findings();
    assert!(matches!(&findings[..], [Finding::WrongNames { domain, .. }] if domain == "two.example"));
}

#[test]
fn expiry_is_found() {
    let folder = Folder::new();
    let make = |year| {
        let files = DomainFiles {
            domain: "one.example".into(),
            chain: folder.path(&format!("{year}.crt")),
            key: folder.path(&format!("{year}.key")),
        };
        tls::generate("one.example", year).unwrap().write(&files.chain, &files.key).unwrap();
        TlsStore::new(&settings(&[files])).unwrap().findings()
    };
    assert!(matches!(make(2000)[..], [Finding::Expired { .. }]));
    assert!(matches!(make(2090)[..], [Finding::NotYetValid { .. }]));
}

/// A certificate that lives for days is no matter of concern while most of its life is before it.
#[test]
fn the_end_of_a_short_life_is_near_when_a_quarter_is_left() {
    let folder = Folder::new();
    let make = |before: i64, after: i64| {
        let files = DomainFiles {
            domain: "one.example".into(),
            chain: folder.path(&format!("{before}.crt")),
            key: folder.path(&format!("{before}.key")),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
        let at = |hours: i64| rcgen::date_time_ymd(1970, 1, 1) + Duration::from_secs((now + hours * 3600) as u64);
        let mut params = rcgen::CertificateParams::new(vec!["one.example".to_owned()]).unwrap();
        (params.not_before, params.not_after) = (at(-before), at(after));
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(&files.chain, params.self_signed(&key).unwrap().pem()).unwrap();
        fs::write(&files.key, key.serialize_pem()).unwrap();
        TlsStore::new(&settings(&[files])).unwrap().findings()
    };
    assert_eq!(make(4 * 24, 2 * 24 + 1), [], "of six days two are left");
    assert!(matches!(make(5 * 24, 24)[..], [Finding::ExpiresSoon { .. }]), "of six days one is left");
    assert_eq!(make(70 * 24, 20 * 24), []);
    assert!(matches!(make(80 * 24, 10 * 24)[..], [Finding::ExpiresSoon { .. }]), "of ninety days ten are left");
}
