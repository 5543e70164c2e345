//! Reading the configuration again: what can be applied at once, and what cannot.

use std::sync::Arc;

use xylem_ops::server::ReloadReport;

use crate::config::Config;
use crate::folder;
use crate::instance::{Instance, Reread, admission, c2s, session_limits, terms};

/// Reads configuration and certificates again. On an error everything stays as it was.
pub fn reload(instance: &Arc<Instance>) -> anyhow::Result<ReloadReport> {
    let old = instance.config.load_full();
    let new = match &instance.reread {
        Reread::Never => (*old).clone(),
        Reread::File(file) => {
            // Where there was none it may have been made meanwhile, in the place where a start looks for it.
            let file = file.clone().or_else(Config::find);
            let mut new = Config::load(file.as_deref())?;
            // Moving the data is for a restart; where it is may have come from the command line.
            new.server.data.clone_from(&old.server.data);
            new
        }
    };
    let mut report = ReloadReport::default();
    for (section, changed) in for_restart(&old, &new) {
        if changed {
            report.restart.push(section.to_owned());
        }
    }
    let in_force = merged(&old, &new);
    let prepared = folder::prepare(&in_force)?;
    let before = instance.tls.certificates().len();
    instance.tls.reload(&prepared.tls)?;
    report
        .applied
        .push(format!("certificates of {} domains read again", instance.tls.certificates().len().max(before)));
    apply(instance, &old, &in_force, &mut report)?;
    // Who reads it again without a change wants something to be tried again; any other change does not concern it.
    let retry = old.acme != in_force.acme || old.domains != in_force.domains || *old == in_force;
    let in_force = Arc::new(in_force);
    instance.hosts.configure(Arc::clone(&in_force));
    instance.config.store(in_force);
    if retry {
        instance.acme.configured();
    }
    Ok(report)
}

/// Whether a change of this key waits for a restart.
pub fn needs_restart(section: &str, key: &str) -> bool {
    match section {
        "store" | "http" | "log" | "admin" | "console" => true,
        "server" => matches!(key, "threads" | "data"),
        "listen" => matches!(key, "starttls" | "direct_tls" | "proxy_from"),
        "sasl" => matches!(key, "failures_per_address" | "failures_per_account" | "forgive"),
        "plugins" => matches!(key, "directory" | "cache"),
        _ => false,
    }
}

/// Sections that only a restart brings into force.
fn for_restart(old: &Config, new: &Config) -> [(&'static str, bool); 8] {
    let listeners = (&old.listen.starttls, &old.listen.direct_tls, &old.listen.proxy_from)
        != (&new.listen.starttls, &new.listen.direct_tls, &new.listen.proxy_from);
    let throttle = |c: &Config| (c.sasl.failures_per_address, c.sasl.failures_per_account, c.sasl.forgive);
    [
        ("server.threads", old.server.threads != new.server.threads),
        ("listen.starttls, direct_tls or proxy_from", listeners),
        ("sasl.failures_per_address, failures_per_account or forgive", throttle(old) != throttle(new)),
        ("store", old.store != new.store),
        (
            "plugins.directory or cache",
            (&old.plugins.directory, &old.plugins.cache) != (&new.plugins.directory, &new.plugins.cache),
        ),
        ("http", old.http != new.http),
        ("console", old.console != new.console),
        ("log or admin", (&old.log, &old.admin) != (&new.log, &new.admin)),
    ]
}

/// The new configuration, with the old where only a restart could change it.
fn merged(old: &Config, new: &Config) -> Config {
    let mut merged = new.clone();
    merged.server.threads = old.server.threads;
    merged.listen.starttls.clone_from(&old.listen.starttls);
    merged.listen.direct_tls.clone_from(&old.listen.direct_tls);
    merged.listen.proxy_from.clone_from(&old.listen.proxy_from);
    merged.sasl.failures_per_address = old.sasl.failures_per_address;
    merged.sasl.failures_per_account = old.sasl.failures_per_account;
    merged.sasl.forgive = old.sasl.forgive;
    merged.store = old.store.clone();
    merged.plugins.directory.clone_from(&old.plugins.directory);
    merged.plugins.cache.clone_from(&old.plugins.cache);
    merged.http = old.http.clone();
    merged.console = old.console.clone();
    merged.log = old.log.clone();
    merged.admin = old.admin.clone();
    merged
}

fn apply(instance: &Instance, old: &Config, new: &Config, report: &mut ReloadReport) -> anyhow::Result<()> {
    let mut tell = |changed: bool, what: &str| {
        if changed {
            report.applied.push(what.to_owned());
        }
    };
    if old.plugins.tables != new.plugins.tables || old.domains != new.domains {
        instance.plugins.configure(new)?;
        let settings = |c: &Config| c.domains.iter().map(|d| (d.name.clone(), d.settings.clone())).collect::<Vec<_>>();
        let set = old.plugins.tables != new.plugins.tables || settings(old) != settings(new);
        tell(set, "configuration of plugins");
    }
    tell(old.domains != new.domains, "domains");
    tell(old.limits != new.limits, "limits (for connections from now on)");
    tell(old.timeouts != new.timeouts, "timeouts (for connections from now on)");
    tell(old.management != new.management, "stream_management (for connections from now on)");
    tell(old.listen != new.listen, "connections at once");
    tell(old.sasl != new.sasl, "sasl");
    tell(old.server.drain != new.server.drain, "server.drain");
    tell(old.acme != new.acme, "acme");
    tell(old.audit != new.audit, "audit (within ten minutes)");
    instance.accounts.configure(new.domains.iter().map(|d| d.name.clone()).collect(), new.sasl.iterations);
    instance.devices.configure(terms(new));
    instance.sessions.set_limits(session_limits(new));
    instance.context.admission.set_limits(admission(new));
    instance.wires.set_limits(admission(new));
    instance.context.config.store(Arc::new(c2s(new)));
    Ok(())
}
