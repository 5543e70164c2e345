//! `xylem run`.

use std::fs::OpenOptions;
use std::io::{IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use xylem_net::Security;
use xylem_ops::server::ending::Ending;

use crate::config::Config;
use crate::ending::Program;
use crate::instance::{Instance, Reread};
use crate::logs;
use crate::reload::reload;
use crate::serve::{Serving, end, runtime};
use crate::signals::{Signals, Wish};

/// Runs in the foreground until a signal ends it.
pub fn run(config: Config) -> anyhow::Result<()> {
    let program = Program::this().context("what was started cannot be found")?;
    logs::begin(&config.log);
    let runtime = runtime(config.server.threads)?;
    let outcome: anyhow::Result<Ending> = runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let reread = Reread::File(config.file.clone());
        let serving = Serving::start(config, reread).await?;
        greet(&serving);
        let ending = until_the_end(&mut signals, &serving.instance).await;
        tracing::info!("stopping");
        serving.stop().await;
        tracing::info!("stopped");
        Ok(ending)
    });
    end(runtime);
    match outcome? {
        Ending::Stop => Ok(()),
        Ending::Restart => Err(program.start_again()).context("the server is stopped and cannot be started again"),
    }
}

/// Waits for a signal or an operation that ends it; reloads meanwhile when asked to.
async fn until_the_end(signals: &mut Signals, instance: &Arc<Instance>) -> Ending {
    loop {
        tokio::select! {
            wish = signals.next() => match wish {
                Wish::Stop => return Ending::Stop,
                Wish::Reload => match reload(instance) {
                    Ok(report) => tell(&report),
                    Err(error) => tracing::error!("nothing was reloaded: {error:#}"),
                },
            },
            planned = instance.endings.due() => {
                tracing::warn!(reason = planned.reason.as_deref(), "asked to end: {:?}", planned.ending);
                return planned.ending;
            }
        }
    }
}

/// Says where everything is and, at the first start, what to do next.
fn greet(serving: &Serving) {
    let instance = &serving.instance;
    let config = instance.config.load();
    let domains: Vec<_> = config.domains.iter().map(|d| d.name.as_str()).collect();
    for (security, address) in instance.addresses() {
        let how = if security == Security::StartTls { "STARTTLS" } else { "TLS" };
        tracing::info!(%address, "listening for clients ({how})");
    }
    for address in &serving.http {
        tracing::info!("health at http://{address}/health, metrics at http://{address}/metrics");
    }
    for address in &serving.console.addresses {
        tracing::info!(%address, "the console and the REST interface (HTTPS)");
    }
    invite(serving);
    match &config.file {
        Some(file) => tracing::info!(file = %file.display(), ?domains, "ready"),
        None => tracing::info!(?domains, "ready, with built-in settings: there is no xylem.toml"),
    }
    if serving.made.is_empty() {
        return;
    }
    let data = std::path::absolute(&config.server.data).unwrap_or_else(|_| config.server.data.clone());
    let domain = domains.first().copied().unwrap_or("localhost");
    let program = std::env::args().next().filter(|p| p.contains('/')).unwrap_or_else(|| "xylem".to_owned());
    let program = format!("{program} --data {}", data.display());
    eprintln!("\nThis is the first start. Made:");
    for made in &serving.made {
        eprintln!("  {made}");
    }
    eprintln!("\nNext, in another terminal:");
    eprintln!("  {program} user add you@{domain}");
    eprintln!("then log in as you@{domain} with any XMPP client. The certificate is self-signed: the client will ask");
    eprintln!("whether to trust it. How the server does: {program} status\n");
}

/// Says how the server gets an owner. The code is for eyes alone: it is shown on a terminal, or where there is
/// none it lies in a file that nobody else can read, and is in no log.
fn invite(serving: &Serving) {
    let file = serving.instance.config.load().in_data(Path::new("setup-code"));
    // That of an earlier start is good for nothing.
    let _ = std::fs::remove_file(&file);
    let (Some(url), false) = (serving.console.url(), serving.instance.accounts.is_owned()) else { return };
    tracing::warn!("nobody owns this server yet; until then its console answers on this machine only");
    if !std::io::stderr().is_terminal() {
        tracing::warn!("make an owner: xylem user add NAME@DOMAIN, then xylem user role NAME@DOMAIN owner");
        if let Some(code) = serving.console.setup_code() {
            match lay_down(&file, &code) {
                Ok(()) => tracing::warn!(%url, "or in a browser on this machine, with the code in {}", file.display()),
                Err(error) => {
                    tracing::error!(%error, "the code for the console cannot be written to {}", file.display())
                }
            }
        }
        return;
    }
    if let Some(code) = serving.console.setup_code() {
        eprintln!("\nSet the server up in a browser on this machine, within an hour:");
        eprintln!("  {url}");
        eprintln!("  code  {code}");
        eprintln!("From elsewhere: ssh -L {0}:localhost:{0} this-server", url.rsplit(':').next().unwrap_or("5443"));
    }
}

fn lay_down(file: &Path, code: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    file.write_all(format!("{code}\n").as_bytes())
}

fn tell(report: &xylem_ops::server::ReloadReport) {
    for what in &report.applied {
        tracing::info!("applied: {what}");
    }
    for what in &report.restart {
        tracing::warn!("needs a restart: {what}");
    }
    if report.applied.is_empty() && report.restart.is_empty() {
        tracing::info!("reloaded; nothing has changed");
    }
}
