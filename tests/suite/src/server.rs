//! The server under test: started by `xylem dev`, or one that is already there.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use crate::certificates::Identity;

/// How long a server may take to answer after its start.
const START: Duration = Duration::from_secs(120);
/// How long it may take to end.
const END: Duration = Duration::from_secs(20);

/// Where the server is and how to trust it.
#[derive(Debug, Clone)]
pub struct Target {
    /// `xylem`, or what `XYLEM_TEST_SERVER` says (for `skip-on`).
    pub name: String,
    pub c2s: SocketAddr,
    pub c2s_tls: Option<SocketAddr>,
    /// Health and metrics, where the server is ours.
    pub http: Option<SocketAddr>,
    /// The console and REST, a URL without a path, where the server is ours.
    pub console: Option<String>,
    /// For `xylem user` and its like, where the server is ours.
    pub admin_socket: Option<PathBuf>,
    pub domain: String,
    pub anonymous: String,
    pub certificate: PathBuf,
    roots: Arc<RootCertStore>,
    /// For STARTTLS.
    pub tls: Arc<ClientConfig>,
    /// With ALPN `xmpp-client` (XEP-0368).
    pub tls_direct: Arc<ClientConfig>,
    /// How long any one answer may take.
    pub timeout: Duration,
}

impl Target {
    /// The same for a client that shows this certificate.
    ///
    /// # Errors
    /// When key and certificate do not fit.
    pub fn showing(&self, identity: Identity) -> Result<Self> {
        let (tls, tls_direct) = client_configs(&self.roots, Some(identity))?;
        Ok(Self { tls, tls_direct, ..self.clone() })
    }

    /// Does what the administrator does by `xylem`, and returns what it prints.
    ///
    /// # Errors
    /// With what it says when that fails.
    pub fn administer(&self, arguments: &[&str]) -> Result<String> {
        let socket = self.admin_socket.as_ref().context("the server has no administrator here")?;
        let done = Command::new(program()?).arg("--socket").arg(socket).args(arguments).output()?;
        anyhow::ensure!(done.status.success(), "xylem {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }
}

/// A server and the process that it is, if it was started here.
pub struct Server {
    pub target: Arc<Target>,
    child: Option<Child>,
}

impl Server {
    /// Takes the server that `XYLEM_TEST_SERVER` names, or starts one of our own.
    ///
    /// # Errors
    /// When there is no server program or it does not answer.
    pub fn find() -> Result<Self> {
        match std::env::var("XYLEM_TEST_SERVER") {
            Ok(text) => Ok(Self { target: Arc::new(external(&text)?), child: None }),
            Err(_) => Self::start(&[]),
        }
    }

    /// Whether it was started here.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        self.child.is_some()
    }

    /// The process, if it was started here.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Starts `xylem dev` with further arguments.
    ///
    /// # Errors
    /// When there is no program or it does not print its line.
    pub fn start(arguments: &[&str]) -> Result<Self> {
        Self::start_with(arguments, &[])
    }

    /// The same with settings in its environment: `("XYLEM__TIMEOUTS__LOGIN", "1s")`.
    ///
    /// # Errors
    /// When there is no program or it does not print its line.
    pub fn start_with(arguments: &[&str], settings: &[(String, String)]) -> Result<Self> {
        let mut command = Command::new(program()?);
        command.arg("dev").args(arguments).envs(settings.iter().map(|(key, value)| (key, value)));
        Self::run(&mut command)
    }

    /// Runs a command that becomes `xylem dev`.
    ///
    /// # Errors
    /// When it does not print its line.
    pub fn run(command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", command.get_program().display()))?;
        match first_line(&mut child).and_then(|line| from_line(&line)) {
            Ok(target) => Ok(Self { target: Arc::new(target), child: Some(child) }),
            Err(e) => {
                drop(child.kill());
                drop(child.wait());
                Err(e)
            }
        }
    }

    /// Ends the server as an administrator would, by SIGTERM.
    ///
    /// # Errors
    /// When it does not end in time (it is then killed), or ends with an error.
    pub fn stop(mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let pid = pid.context("the server has no pid")?;
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            if let Some(status) = child.try_wait()? {
                anyhow::ensure!(status.success(), "the server ended with {status}");
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        child.kill()?;
        child.wait()?;
        bail!("the server did not end within {END:?} of SIGTERM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// The server program: `XYLEM_BIN`, or the one beside the test's own target folder.
///
/// # Errors
/// When there is none.
pub fn program() -> Result<PathBuf> {
    if let Ok(path) = std::env::var("XYLEM_BIN") {
        return Ok(PathBuf::from(path));
    }
    let own = std::env::current_exe()?;
    let profile = own.parent().and_then(Path::parent).context("the test has no target folder")?;
    let path = profile.join(format!("xylem{}", std::env::consts::EXE_SUFFIX));
    if !path.is_file() {
        bail!("{} is not built: run `cargo xtask test`, or set XYLEM_BIN", path.display());
    }
    Ok(path)
}

/// The line that `xylem dev` prints once it answers. Its log is passed on when
/// `XYLEM_TEST_LOG` is set, else shown only when it does not start.
fn first_line(child: &mut Child) -> Result<String> {
    let mut errors = BufReader::new(child.stderr.take().context("no stderr")?);
    let mut output = BufReader::new(child.stdout.take().context("no stdout")?);
    let (told, log) = mpsc::channel();
    let pass_on = std::env::var_os("XYLEM_TEST_LOG").is_some();
    std::thread::spawn(move || {
        let mut line = String::new();
        while matches!(errors.read_line(&mut line), Ok(n) if n > 0) {
            if pass_on {
                eprint!("{line}");
            }
            drop(told.send(std::mem::take(&mut line)));
        }
    });
    let (answered, answer) = mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = output.read_line(&mut line).map(|_| line);
        drop(answered.send(read));
        // Keep the pipe open and empty for as long as the server lives.
        drop(output.read_to_end(&mut Vec::new()));
    });
    let line = match answer.recv_timeout(START) {
        Ok(line) => line?,
        Err(_) => bail!("`xylem dev` printed nothing in {START:?}"),
    };
    if line.trim().is_empty() {
        let log: String = log.iter().take(200).collect();
        bail!("`xylem dev` ended without a word on stdout; its log:\n{log}");
    }
    Ok(line)
}

fn from_line(line: &str) -> Result<Target> {
    let json: serde_json::Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
    let field = |name: &str| json.get(name).and_then(serde_json::Value::as_str);
    let domain = field("domain").unwrap_or("localhost").to_owned();
    target(Settings {
        name: "xylem".to_owned(),
        c2s: field("c2s").context("no c2s in the line")?.to_owned(),
        c2s_tls: field("c2s_tls").map(str::to_owned),
        http: field("http").map(str::to_owned),
        console: field("console").map(|url| url.trim_end_matches('/').to_owned()),
        admin_socket: field("admin_socket").map(PathBuf::from),
        anonymous: format!("anon.{domain}"),
        domain,
        certificate: field("certificate").context("no certificate in the line")?.into(),
    })
}

/// `host:port,domain[,tls=host:port][,anon=domain][,ca=file][,name=word]`
fn external(text: &str) -> Result<Target> {
    let mut parts = text.split(',');
    let c2s = parts.next().unwrap_or_default().to_owned();
    let domain = parts.next().unwrap_or("localhost").to_owned();
    let mut settings = Settings {
        name: "other".to_owned(),
        c2s,
        c2s_tls: None,
        http: None,
        console: None,
        admin_socket: None,
        anonymous: format!("anon.{domain}"),
        domain,
        certificate: PathBuf::new(),
    };
    for part in parts {
        match part.split_once('=') {
            Some(("tls", v)) => settings.c2s_tls = Some(v.to_owned()),
            Some(("anon", v)) => v.clone_into(&mut settings.anonymous),
            Some(("ca", v)) => settings.certificate = v.into(),
            Some(("name", v)) => v.clone_into(&mut settings.name),
            _ => bail!("XYLEM_TEST_SERVER: what is {part:?}?"),
        }
    }
    target(settings)
}

struct Settings {
    name: String,
    c2s: String,
    c2s_tls: Option<String>,
    http: Option<String>,
    console: Option<String>,
    admin_socket: Option<PathBuf>,
    domain: String,
    anonymous: String,
    certificate: PathBuf,
}

fn target(settings: Settings) -> Result<Target> {
    let mut roots = RootCertStore::empty();
    let path = &settings.certificate;
    for certificate in CertificateDer::pem_file_iter(path).with_context(|| format!("reading {}", path.display()))? {
        roots.add(certificate?)?;
    }
    let roots = Arc::new(roots);
    let (tls, tls_direct) = client_configs(&roots, None)?;
    let seconds = std::env::var("XYLEM_TEST_TIMEOUT").ok().and_then(|s| s.parse().ok()).unwrap_or(10);
    Ok(Target {
        name: settings.name,
        c2s: address(&settings.c2s)?,
        c2s_tls: settings.c2s_tls.as_deref().map(address).transpose()?,
        http: settings.http.as_deref().map(address).transpose()?,
        console: settings.console,
        admin_socket: settings.admin_socket,
        domain: settings.domain,
        anonymous: settings.anonymous,
        certificate: settings.certificate,
        roots,
        tls,
        tls_direct,
        timeout: Duration::from_secs(seconds),
    })
}

/// For STARTTLS and for direct TLS.
fn client_configs(
    roots: &Arc<RootCertStore>,
    identity: Option<Identity>,
) -> Result<(Arc<ClientConfig>, Arc<ClientConfig>)> {
    let builder = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots.clone());
    let config = match identity {
        Some((chain, key)) => builder.with_client_auth_cert(chain, key)?,
        None => builder.with_no_client_auth(),
    };
    let mut direct = config.clone();
    direct.alpn_protocols = vec![b"xmpp-client".to_vec()];
    Ok((Arc::new(config), Arc::new(direct)))
}

fn address(text: &str) -> Result<SocketAddr> {
    let found = text.to_socket_addrs().with_context(|| format!("address {text:?}"))?.next();
    found.with_context(|| format!("no address for {text:?}"))
}
