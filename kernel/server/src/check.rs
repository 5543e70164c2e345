//! `xylem check`: what a start would stumble over, without starting.

mod dns;

use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;

use serde::Serialize;
use xylem_net::tls::TlsStore;

use crate::config::{Certificate, Config};
use crate::{acme, folder, plugins};

/// What was found.
#[derive(Default, Serialize)]
pub struct Findings {
    /// The server would not start.
    errors: Vec<String>,
    /// It would, but somebody will be unhappy.
    warnings: Vec<String>,
    /// What was looked at and is well.
    well: Vec<String>,
}

/// Checks everything; the configuration itself was checked by reading it. Exit code 3 on errors.
pub fn run(config: &Config, json: bool) -> ExitCode {
    let mut findings = Findings::default();
    match &config.file {
        Some(file) => findings.well.push(format!("configuration {}", file.display())),
        None => findings.well.push("configuration: built-in defaults, there is no file".to_owned()),
    }
    certificates(config, &mut findings);
    acme(config, &mut findings);
    ports(config, &mut findings);
    plugins::check(config, &mut findings.errors, &mut findings.well);
    names(config, &mut findings);
    if json {
        println!("{}", serde_json::to_string_pretty(&findings).unwrap_or_default());
    } else {
        let lines = [("ok", &findings.well), ("warning", &findings.warnings), ("ERROR", &findings.errors)];
        for (kind, lines) in lines {
            for line in lines {
                println!("{kind:>7}  {line}");
            }
        }
    }
    if findings.errors.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(3) }
}

fn certificates(config: &Config, findings: &mut Findings) {
    let mut settings = folder::tls_settings(config);
    let mut domains = config.domains.iter();
    settings.domains.retain(|files| {
        let domain = domains.next();
        let fresh = domain.filter(|d| folder::is_unmade(d, files));
        if let Some(domain) = fresh {
            let name = &domain.name;
            findings.warnings.push(match domain.certificate {
                Certificate::Acme { .. } => {
                    format!("{name} has no certificate yet: the first start orders one by ACME")
                }
                _ => format!("{name} has no certificate yet: the first start makes a self-signed one"),
            });
        }
        fresh.is_none()
    });
    if settings.domains.is_empty() {
        return;
    }
    match TlsStore::new(&settings) {
        Err(error) => findings.errors.push(error.to_string()),
        Ok(store) => {
            findings.warnings.extend(store.findings().iter().map(ToString::to_string));
            let names: Vec<_> = store.certificates().into_iter().map(|(name, _)| name).collect();
            findings.well.push(format!("certificates of {}", names.join(", ")));
        }
    }
}

/// What orders of certificates would stumble over; the authority is not asked.
fn acme(config: &Config, findings: &mut Findings) {
    let wanted = config.domains.iter().filter(|it| matches!(it.certificate, Certificate::Acme { .. }));
    let names: Vec<_> = wanted.map(|domain| domain.name.as_str()).collect();
    if names.is_empty() {
        return;
    }
    findings.well.push(format!("certificates by ACME for {}, from {}", names.join(", "), config.acme.directory));
    for name in names.iter().filter(|name| acme::never(name)) {
        findings.warnings.push(format!("{name} is no name on the internet: public authorities give it no certificate"));
    }
    if let Some(file) = config.acme.roots.as_ref().filter(|file| std::fs::File::open(file).is_err()) {
        findings.errors.push(format!("acme.roots: {} cannot be read", file.display()));
    }
    let asked = config.acme.listeners.http.iter().chain(&config.acme.listeners.tls);
    for address in asked {
        match TcpListener::bind(address) {
            Ok(_) => findings.well.push(format!("port {address} is free for the authority's questions")),
            Err(error) => {
                findings.warnings.push(format!("the authority cannot be answered on {address} at present: {error}"));
            }
        }
    }
}

fn ports(config: &Config, findings: &mut Findings) {
    let running = std::os::unix::net::UnixStream::connect(config.in_data(&config.admin.socket)).is_ok();
    if running {
        findings.well.push("ports: not tried, the server is running".to_owned());
        return;
    }
    let listeners = config.listen.starttls.iter().chain(&config.listen.direct_tls).chain(&config.http.listen);
    let console = config.console.listen.iter().filter(|_| config.console.enabled);
    let listeners = listeners.chain(console);
    let mut seen: Vec<SocketAddr> = Vec::new();
    for address in listeners {
        if seen.contains(address) && address.port() != 0 {
            findings.errors.push(format!("{address} is configured twice"));
        }
        seen.push(*address);
        match TcpListener::bind(address) {
            Ok(_) => findings.well.push(format!("port {address} is free")),
            Err(error) => findings.errors.push(format!("cannot listen on {address}: {error}")),
        }
    }
}

fn names(config: &Config, findings: &mut Findings) {
    let local =
        |name: &str| name == "localhost" || name.ends_with(".localhost") || name.parse::<std::net::IpAddr>().is_ok();
    let names: Vec<_> = config.domains.iter().map(|d| d.name.as_str()).filter(|name| !local(name)).collect();
    for finding in dns::check(&names) {
        findings.warnings.push(finding);
    }
}
