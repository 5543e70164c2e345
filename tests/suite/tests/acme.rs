//! Certificates by ACME from a real authority: Debian's `pebble`, on loopback. Where it is not installed this says so
//! and tests nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use xylem_suite::server::{Server, Target};
use xylem_suite::session::{Login, Session, Via};
use xylem_suite::wire::{Arrival, Wire};

const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "verona.example";
const PING: &str = "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>";

/// An authority, the names that lead to this machine, and the ports where it looks.
struct Authority {
    folder: tempfile::TempDir,
    children: Vec<Child>,
    directory: String,
    management: SocketAddr,
    /// Port of `http-01` and of `tls-alpn-01`.
    http: u16,
    tls: u16,
}

impl Authority {
    /// `more` goes into pebble's configuration. None if there is no pebble here.
    fn start(more: Value) -> Option<Self> {
        if !["pebble", "pebble-challtestsrv"].iter().all(|program| is_installed(program)) {
            eprintln!("pebble is not installed: certificates by ACME are not tested");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let [api, management, dns, names, http, tls] = free_ports();
        own_certificate(folder.path());
        let at = |port: u16| format!("127.0.0.1:{port}");
        let mut config = json!({
            "listenAddress": at(api), "managementListenAddress": at(management),
            "certificate": folder.path().join("own.pem"), "privateKey": folder.path().join("own.key"),
            "httpPort": http, "tlsPort": tls,
        });
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let path = folder.path().join("pebble.json");
        std::fs::write(&path, json!({ "pebble": config }).to_string()).unwrap();
        let mut resolver = Command::new("pebble-challtestsrv");
        resolver.args(["-dns01", &at(dns), "-management", &at(names), "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]);
        resolver.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
        let mut pebble = Command::new("pebble");
        pebble.arg("-config").arg(path).args(["-dnsserver", &at(dns)]).env("PEBBLE_VA_NOSLEEP", "1");
        let children = [resolver, pebble].map(|mut it| it.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let this = Self {
            folder,
            children: children.into(),
            directory: format!("https://localhost:{api}/dir"),
            management: at(management).parse().unwrap(),
            http,
            tls,
        };
        let ready =
            || std::net::TcpStream::connect(at(api)).is_ok() && std::net::TcpStream::connect(at(management)).is_ok();
        wait_for("pebble", || ready().then_some(()));
        Some(this)
    }

    /// For the server: whom it asks.
    fn settings(&self, domain: &str, more: &[(&str, String)]) -> Vec<(String, String)> {
        let roots = self.folder.path().join("root.pem").display().to_string();
        let mut settings = vec![
            (format!("XYLEM__DOMAINS__{domain}__ACME"), "true".to_owned()),
            ("XYLEM__ACME__DIRECTORY".to_owned(), self.directory.clone()),
            ("XYLEM__ACME__ROOTS".to_owned(), roots),
            ("XYLEM__ACME__TERMS_AGREED".to_owned(), "true".to_owned()),
            ("XYLEM__ACME__HTTP".to_owned(), format!("[\"127.0.0.1:{}\"]", self.http)),
        ];
        settings.extend(more.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
        settings
    }

    /// What a client trusts that trusts this authority and nobody else.
    fn trust(&self) -> Arc<ClientConfig> {
        let mut wire = Wire::connect(self.management, PATIENCE).unwrap();
        wire.start_tls(&trusting(&[self.folder.path().join("root.pem")]), "localhost", PATIENCE).unwrap();
        wire.send(b"GET /roots/0 HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
        let (mut answer, mut buffer) = (Vec::new(), vec![0; 16 << 10]);
        while let Arrival::Bytes(read) = wire.read(&mut buffer, Instant::now() + PATIENCE).unwrap() {
            answer.extend_from_slice(&buffer[..read]);
        }
        let path = self.folder.path().join("issuer.pem");
        std::fs::write(&path, answer).unwrap();
        trusting(&[path])
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        for child in &mut self.children {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn free_ports<const N: usize>() -> [u16; N] {
    let held = std::array::from_fn::<_, N, _>(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    held.map(|listener| listener.local_addr().unwrap().port())
}

/// What the authority itself shows, and who vouches for it.
fn own_certificate(folder: &Path) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    std::fs::write(folder.join("root.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let own = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(folder.join("own.pem"), own.pem()).unwrap();
    std::fs::write(folder.join("own.key"), key.serialize_pem()).unwrap();
}

fn trusting(files: &[PathBuf]) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in files.iter().flat_map(|file| CertificateDer::pem_file_iter(file).unwrap()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn ask(target: &Target, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = ["--json"].iter().chain(arguments).copied().collect();
    serde_json::from_str(&target.administer(&arguments).unwrap()).unwrap()
}

/// The row of a domain in `certificate.list`.
fn row(target: &Target, domain: &str) -> Value {
    let listed = ask(target, &["op", "certificate.list", &format!("search={domain}")]);
    listed["items"][0].clone()
}

fn issued(target: &Target, domain: &str) -> Value {
    wait_for("the certificate", || {
        let row = row(target, domain);
        assert_eq!(row["error"], Value::Null, "{row}");
        (row["self_signed"] == false && !row["renews"].is_null()).then_some(row)
    })
}

/// What the audit log has of orders of a domain's certificate, the newest first, as made through this face.
fn ordered(target: &Target, domain: &str, face: &str) -> Vec<Value> {
    let log = ask(target, &["op", "audit.list", "operation=certificate.renew", &format!("face={face}")]);
    let rows = log["items"].as_array().unwrap().iter();
    rows.filter(|row| row["arguments"]["domain"] == domain).cloned().collect()
}

/// What the overview has to say of certificates that could not be had.
fn alerts(target: &Target, domain: &str) -> Vec<Value> {
    let overview = ask(target, &["op", "overview"]);
    let begin = format!("No new certificate for {domain}: ");
    let all = overview["problems"].as_array().unwrap().iter();
    all.filter(|it| it["area"] == "certificates" && it["text"].as_str().unwrap().starts_with(&begin)).cloned().collect()
}

/// The server as a client sees it that trusts the authority and nobody else.
fn trusted(server: &Server, authority: &Authority, domain: &str) -> Arc<Target> {
    let mut target = (*server.target).clone();
    target.tls = authority.trust();
    target.tls_direct = Arc::clone(&target.tls);
    domain.clone_into(&mut target.domain);
    Arc::new(target)
}

fn connect(target: &Arc<Target>) -> Session {
    let login = Login {
        domain: target.domain.clone(),
        local: Some("romeo".to_owned()),
        password: "secret".to_owned(),
        resource: None,
        mechanism: Some("SCRAM-SHA-256-PLUS".to_owned()),
        sasl2: false,
        via: Via::StartTls,
    };
    let mut session = Session::open(target, Via::StartTls, &target.domain).unwrap();
    session.login(&login).unwrap();
    session
}

#[test]
fn a_certificate_is_issued_used_and_renewed_under_open_sessions() {
    let Some(authority) = Authority::start(json!({})) else { return };
    let names = ("XYLEM__DOMAINS__verona.example__ACME_NAMES", format!("[\"conference.{NAME}\"]"));
    let server = Server::start_with(&[], &authority.settings(NAME, &[names])).unwrap();
    let first = issued(&server.target, NAME);
    assert_eq!((&first["source"], &first["names"]), (&json!("acme"), &json!([NAME, format!("conference.{NAME}")])));
    let number = |row: &Value, name: &str| row[name].as_u64().unwrap();
    let life = number(&first, "valid_until") - number(&first, "valid_from");
    let third = number(&first, "valid_until") - number(&first, "renews");
    assert!((third * 3).abs_diff(life) <= 3, "renewed after two thirds: {first}");
    let file = PathBuf::from(first["chain_file"].as_str().unwrap());
    let accounts = file.parent().unwrap().parent().unwrap().join("acme");
    let account = std::fs::read_dir(accounts).unwrap().next().unwrap().unwrap().path();
    for secret in [&file, &account] {
        assert_eq!(std::fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600, "{}", secret.display());
    }

    server.target.administer(&["user", "add", &format!("romeo@{NAME}"), "--password", "secret"]).unwrap();
    let target = trusted(&server, &authority, NAME);
    let mut session = connect(&target);
    let (again, second) =
        (ask(&server.target, &["op", "certificate.renew", &format!("domain={NAME}")]), row(&server.target, NAME));
    assert_ne!(first["serial"], second["serial"]);
    assert_eq!(again["serial"], second["serial"]);
    assert_eq!(session.query("ping", PING).unwrap().attribute("type"), Some("result"), "the session goes on");
    // By channel binding to the certificate that is shown now.
    connect(&target).query("ping", PING).unwrap();
    let asked = ordered(&server.target, NAME, "command-line");
    assert_eq!((asked.len(), &asked[0]["error"]), (1, &Value::Null), "{asked:?}");
    let other = server.target.administer(&["op", "certificate.renew", "domain=localhost"]).unwrap_err().to_string();
    assert!(other.contains("does not come by ACME"), "{other}");
    server.stop().unwrap();
}

#[test]
fn port_443_and_an_account_that_is_known_already_do_as_well() {
    let key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W";
    let more = json!({ "externalAccountBindingRequired": true, "externalAccountMACKeys": { "kid-1": key } });
    let Some(authority) = Authority::start(more) else { return };
    let file = authority.folder.path().join("external.key");
    std::fs::write(&file, format!("{key}\n")).unwrap();
    let settings = [
        ("XYLEM__ACME__HTTP", "[]".to_owned()),
        ("XYLEM__ACME__TLS", format!("[\"127.0.0.1:{}\"]", authority.tls)),
        ("XYLEM__ACME__EXTERNAL_ID", "kid-1".to_owned()),
        ("XYLEM__ACME__EXTERNAL_KEY", file.display().to_string()),
    ];
    let server = Server::start_with(&[], &authority.settings(NAME, &settings)).unwrap();
    issued(&server.target, NAME);
    server.target.administer(&["user", "add", &format!("romeo@{NAME}"), "--password", "secret"]).unwrap();
    connect(&trusted(&server, &authority, NAME)).query("ping", PING).unwrap();
    server.stop().unwrap();
}

#[test]
fn a_refused_order_is_said_and_the_server_goes_on() {
    let Some(authority) = Authority::start(json!({ "domainBlocklist": ["blocked.example"] })) else { return };
    let [elsewhere] = free_ports();
    for (domain, http, why) in [
        ("blocked.example", authority.http, "blocked.example"),
        // The authority asks, and nobody is there.
        (NAME, elsewhere, NAME),
    ] {
        let http = ("XYLEM__ACME__HTTP", format!("[\"127.0.0.1:{http}\"]"));
        let server = Server::start_with(&[], &authority.settings(domain, &[http])).unwrap();
        let refused =
            wait_for("the refusal", || Some(row(&server.target, domain)).filter(|row| !row["error"].is_null()));
        let error = refused["error"].as_str().unwrap();
        assert!(error.contains("refuses") && error.contains(why), "{error}");
        assert_eq!((&refused["self_signed"], &refused["renews"]), (&json!(true), &Value::Null), "{refused}");
        assert!(refused["tried"].as_u64() > Some(0));
        let overview = ask(&server.target, &["op", "overview"]);
        let problem = overview["problems"].as_array().unwrap().iter().find(|it| it["area"] == "certificates");
        assert!(problem.unwrap()["text"].as_str().unwrap().contains(error), "{overview}");
        let logged = wait_for("the line", || {
            Some(ordered(&server.target, domain, "schedule")).filter(|logged| !logged.is_empty())
        });
        assert_eq!((logged.len(), &logged[0]["error"]), (1, &refused["error"]), "a line for the try: {logged:?}");
        let again = server.target.administer(&["op", "certificate.renew", &format!("domain={domain}")]).unwrap_err();
        assert!(again.to_string().contains("refuses"), "{again}");
        server.stop().unwrap();
    }
}

#[test]
fn orders_that_nobody_asked_for_are_logged_and_what_failed_is_said_until_one_succeeds() {
    let Some(authority) = Authority::start(json!({})) else { return };
    // Somebody else answers where the authority would ask.
    let occupied = TcpListener::bind(("127.0.0.1", authority.http)).unwrap();
    let server = Server::start_with(&[], &authority.settings(NAME, &[])).unwrap();
    let target = &server.target;
    let failed = wait_for("the failure", || ordered(target, NAME, "schedule").pop());
    let error = failed["error"].as_str().unwrap();
    assert!(error.contains("cannot listen"), "{failed}");
    let by = |row: &Value| ["who", "from", "face", "what"].map(|name| row[name].as_str().unwrap().to_owned());
    let server_itself = ["server", "server", "schedule", "order a certificate for verona.example"];
    assert_eq!(by(&failed), server_itself);
    assert_eq!((&failed["after"], &failed["arguments"]), (&Value::Null, &json!({ "domain": NAME })));
    let alert = wait_for("the alert", || alerts(target, NAME).pop());
    assert_eq!(alert["level"], "error", "what is shown meanwhile is trusted by nobody: {alert}");
    assert!(alert["text"].as_str().unwrap().contains(error), "{alert}");

    drop(occupied);
    // The next try is in a quarter of an hour, or when the configuration is read again.
    ask(target, &["op", "config.reload"]);
    let row = issued_at_last(target);
    let log = wait_for("the line", || Some(ordered(target, NAME, "schedule")).filter(|log| log.len() > 1));
    assert_eq!(log.len(), 2, "one line for each try: {log:?}");
    assert_eq!((by(&log[0]), &log[0]["error"]), (server_itself.map(str::to_owned), &Value::Null));
    assert_eq!(log[0]["after"]["serial"], row["serial"]);
    assert_ne!(log[0]["after"]["serial"], log[0]["before"]["serial"]);
    assert_eq!(alerts(target, NAME), Vec::<Value>::new());
    server.stop().unwrap();
}

/// As [`issued`], after a failure.
fn issued_at_last(target: &Target) -> Value {
    wait_for("the certificate", || Some(row(target, NAME)).filter(|row| row["self_signed"] == false))
}

#[test]
fn nothing_is_asked_without_agreement() {
    let settings = [("XYLEM__DOMAINS__verona.example__ACME".to_owned(), "true".to_owned())];
    let error = Server::start_with(&[], &settings).err().unwrap().to_string();
    assert!(error.contains("terms of service") && error.contains("acme.terms_agreed"), "{error}");
}
