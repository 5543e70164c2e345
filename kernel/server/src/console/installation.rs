//! What the first-run wizard does, by the operations that everybody else uses: so it is in the audit log.

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use xylem_admin::setup::{Certificate, Choice, Installation, Installed, Plan, Proposal, Registration, Wrong};
use xylem_admin::sign_in::{Answer, Checked, People, Unavailable};
use xylem_net::tls;
use xylem_ops::config::{ConfigReport, ConfigText, Preview, Saved};
use xylem_ops::{Caller, Face, OpError, Ops};
use xylem_stanza::{BareJid, Domain};

use crate::acme;
use crate::config;
use crate::instance::Instance;
use crate::settings;

/// The plugin that lets people make accounts, and its switch.
const REGISTER: (&str, &str) = ("xylem.register", "open");

/// This server, as it is set up.
pub struct Site {
    instance: Arc<Instance>,
    ops: Arc<Ops>,
    people: Arc<dyn People>,
}

impl Site {
    pub fn new(instance: &Arc<Instance>, ops: &Arc<Ops>, people: &Arc<dyn People>) -> Self {
        Self { instance: Arc::clone(instance), ops: Arc::clone(ops), people: Arc::clone(people) }
    }

    async fn ask<T: DeserializeOwned>(&self, operation: &str, arguments: Value) -> Result<T, OpError> {
        let mut caller = Caller::local("first-run wizard");
        "console".clone_into(&mut caller.from);
        caller.face = Face::Console;
        let answer = self.ops.call(&caller, operation, arguments).await?;
        serde_json::from_value(answer).map_err(|error| OpError::Failed(error.to_string()))
    }

    fn propose(&self, file: Option<String>) -> Proposal {
        let config = self.instance.config.load();
        // Where strangers log in nobody has an account.
        let (open, own): (Vec<_>, Vec<_>) = config.domains.iter().partition(|domain| domain.anonymous);
        let domains: Vec<_> = own.into_iter().chain(open).collect();
        let first = domains.first().copied();
        let certificate = match first.map(|domain| &domain.certificate) {
            Some(config::Certificate::Files { chain, key }) => {
                Certificate::Files { chain: chain.display().to_string(), key: key.display().to_string() }
            }
            Some(config::Certificate::Acme { .. }) => Certificate::Acme {
                contact: config.acme.contact.clone().unwrap_or_default(),
                terms_agreed: config.acme.terms_agreed,
                directory: Some(config.acme.directory.clone()),
            },
            _ => Certificate::SelfSigned,
        };
        let (plugin, key) = REGISTER;
        let open = config.plugins.tables.get(plugin).and_then(|table| table.values.get(key));
        let registration = match open.and_then(Value::as_bool) {
            Some(true) => Registration::Open,
            _ => Registration::Closed,
        };
        let enabled = |id: &str| first.is_none_or(|domain| domain.enables(id));
        let plugins = self.instance.plugins.info().into_iter();
        let plugins = plugins.map(|it| Choice { enabled: enabled(&it.id), id: it.id, summary: it.summary }).collect();
        let domains = domains.iter().map(|domain| domain.name.clone()).collect();
        let authority = config.acme.directory.clone();
        Proposal { domains, certificate, registration, plugins, authority, file }
    }

    /// What the server can say of a plan without trying it.
    fn look(&self, plan: &Plan) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let mut say = |field, message: String| wrong.push(Wrong { field, message });
        match Domain::parse(&plan.domain) {
            Err(_) => say("domain", format!("{:?} is not a domain name (RFC 7622 §3.2)", plan.domain)),
            Ok(domain) => {
                if BareJid::new(&plan.owner.name, &domain).is_err() {
                    say("owner.name", "this cannot be the local part of an address (RFC 7622 §3.3)".to_owned());
                }
                let ascii = domain.to_ascii();
                match &plan.certificate {
                    Certificate::Files { chain, key } => {
                        certificate(&ascii, chain, key).into_iter().for_each(|it| say("certificate", it));
                    }
                    Certificate::Acme { directory, .. }
                        if acme::never(&ascii) && self.is_public(directory.as_deref()) =>
                    {
                        let message = format!("{domain} is no name on the internet: public authorities give it none");
                        say("certificate", message);
                    }
                    _ => {}
                }
            }
        }
        let installed = self.instance.plugins.info();
        let unknown = plan.plugins.iter().filter(|id| *id != "*" && installed.iter().all(|it| it.id != **id));
        for id in unknown {
            say("plugins", format!("there is no plugin {id}"));
        }
        wrong
    }

    /// Whether the authority gives certificates to everybody, and so to names on the internet only.
    fn is_public(&self, directory: Option<&str>) -> bool {
        let config = self.instance.config.load();
        directory.unwrap_or(&config.acme.directory) == config::Acme::DIRECTORY
    }

    /// Writes what was chosen; none where there is no file to write.
    async fn configure(&self, plan: &Plan) -> Result<Option<Saved>, OpError> {
        let report: ConfigReport = self.ask("config.show", json!({})).await?;
        if !report.writable {
            return Ok(None);
        }
        let old: ConfigText = self.ask("config.text", json!({})).await?;
        let text = edited(&old.text, plan).map_err(OpError::Invalid)?;
        let preview: Preview = self.ask("config.check", json!({ "text": text })).await?;
        if let Some(problem) = preview.problems.first() {
            return Err(OpError::Invalid(format!("{}: {}", problem.place, problem.message)));
        }
        self.ask("config.save", json!({ "text": text, "mark": old.mark })).await.map(Some)
    }

    /// Makes the owner, out of nothing or out of an account whose password is known.
    async fn make_owner(&self, plan: &Plan) -> Result<Result<String, Wrong>, Unavailable> {
        let wrong = |field, error: &OpError| Wrong { field, message: error.to_string() };
        let account = format!("{}@{}", plan.owner.name, plan.domain);
        let added = self.ask::<Value>("user.add", json!({ "account": account, "password": plan.owner.password })).await;
        match added {
            Ok(_) => {}
            Err(OpError::Conflict(_)) => {
                let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
                let checked = self.people.check(account.clone(), plan.owner.password.clone(), here).await?;
                if !matches!(checked, Checked::Right(_)) {
                    let message = format!("there is an account {account} already, with another password");
                    return Ok(Err(Wrong { field: "owner.name", message }));
                }
            }
            Err(error) => return Ok(Err(wrong("owner.name", &error))),
        }
        let made = self.ask::<Value>("user.role", json!({ "account": account, "role": "owner" })).await;
        let address = self.instance.accounts.address(&account).map(|jid| jid.to_string());
        Ok(match made {
            Ok(_) => Ok(address.unwrap_or(account)),
            Err(error) => Err(wrong("owner.name", &error)),
        })
    }
}

impl Installation for Site {
    fn proposal(&self) -> Answer<'_, Proposal> {
        Box::pin(async move {
            let report: ConfigReport = self.ask("config.show", json!({})).await.map_err(|e| unavailable(&e))?;
            Ok(self.propose(report.file.filter(|_| report.writable)))
        })
    }

    fn check<'a>(&'a self, plan: &'a Plan) -> Answer<'a, Vec<Wrong>> {
        Box::pin(async move { Ok(tokio::task::block_in_place(|| self.look(plan))) })
    }

    fn install(&self, plan: Plan) -> Answer<'_, Result<Installed, Vec<Wrong>>> {
        Box::pin(async move {
            let saved = match self.configure(&plan).await {
                Ok(saved) => saved,
                Err(error) => return Ok(Err(vec![Wrong { field: "", message: error.to_string() }])),
            };
            Ok(match self.make_owner(&plan).await? {
                Err(wrong) => Err(vec![wrong]),
                Ok(owner) => {
                    let report = saved.map(|saved| saved.report).unwrap_or_default();
                    Ok(Installed { owner, applied: report.applied, restart: report.restart })
                }
            })
        })
    }
}

fn unavailable(error: &OpError) -> Unavailable {
    Unavailable(error.to_string())
}

/// What is wrong with certificate files.
fn certificate(domain: &str, chain: &str, key: &str) -> Vec<String> {
    match tls::Certificate::load(Path::new(chain), Path::new(key)) {
        Err(error) => vec![error.to_string()],
        Ok(certificate) => {
            let soon = |finding: &tls::Finding| matches!(finding, tls::Finding::ExpiresSoon { .. });
            let findings = certificate.findings(domain).into_iter().filter(|finding| !soon(finding));
            findings.map(|finding| finding.to_string()).collect()
        }
    }
}

/// The file with what was chosen; all else and every comment stays.
fn edited(text: &str, plan: &Plan) -> Result<String, String> {
    let written = |value: &str| Value::from(value).to_string();
    let (chain, key) = match &plan.certificate {
        Certificate::Files { chain, key } => (Some(written(chain)), Some(written(key))),
        _ => (None, None),
    };
    let domain = format!("domains.{}", written(&plan.domain));
    let plugins = Value::from(plan.plugins.clone()).to_string();
    let mut text = settings::set(text, &domain, "plugins", Some(&plugins))?;
    text = settings::set(&text, &domain, "certificate", chain.as_deref())?;
    text = settings::set(&text, &domain, "key", key.as_deref())?;
    text = match &plan.certificate {
        Certificate::Acme { contact, terms_agreed, directory } => {
            let contact = Some(contact).filter(|contact| !contact.is_empty()).map(|contact| written(contact));
            let directory = directory.as_ref().filter(|it| *it != config::Acme::DIRECTORY).map(|it| written(it));
            let text = settings::set(&text, &domain, "acme", Some("true"))?;
            let text = settings::set(&text, "acme", "terms_agreed", Some(&terms_agreed.to_string()))?;
            let text = settings::set(&text, "acme", "contact", contact.as_deref())?;
            settings::set(&text, "acme", "directory", directory.as_deref())?
        }
        _ => settings::set(&text, &domain, "acme", None)?,
    };
    let (plugin, switch) = REGISTER;
    let open = (plan.registration == Registration::Open).to_string();
    settings::set(&text, &format!("plugins.{}", written(plugin)), switch, Some(&open))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn what_was_chosen_is_written_and_nothing_else() {
        let plan = |certificate: Value| -> Plan {
            serde_json::from_value(json!({
                "domain": "a.example", "certificate": certificate, "registration": "open", "plugins": ["xylem.ping"],
                "owner": { "name": "juliet", "password": "x" },
            }))
            .unwrap()
        };
        let text = "# Ours.\n[domains.\"a.example\"]\ncertificate = \"/old.pem\"\nkey = \"/old.key\" # secret\nanonymous = true\n";
        let own = edited(text, &plan(json!({ "kind": "self-signed" }))).unwrap();
        assert!(own.starts_with("# Ours.\n") && own.contains("anonymous = true") && !own.contains("old"), "{own}");
        assert!(
            own.contains("plugins = [\"xylem.ping\"]") && own.contains("[plugins.\"xylem.register\"]\nopen = true")
        );
        let acme = json!({ "kind": "acme", "contact": "a@b.example", "terms_agreed": true });
        let acme = edited(text, &plan(acme)).unwrap();
        assert!(acme.contains("acme = true") && !acme.contains("old"), "{acme}");
        assert!(acme.contains("[acme]\n") && acme.contains("terms_agreed = true"), "{acme}");
        assert!(acme.contains("contact = \"a@b.example\"") && !acme.contains("directory"), "{acme}");
        let back = edited(&acme, &plan(json!({ "kind": "self-signed" }))).unwrap();
        assert!(!back.contains("acme = true"), "{back}");
        let files = json!({ "kind": "files", "chain": "/a \"b\".pem", "key": "/k" });
        let files = edited("", &plan(files)).unwrap();
        let parsed: toml::Table = files.parse().unwrap();
        let domain = parsed.get("domains").and_then(|it| it.get("a.example")).unwrap();
        assert_eq!(domain.get("certificate").and_then(toml::Value::as_str), Some("/a \"b\".pem"));
    }

    #[test]
    fn files_that_are_no_certificate_are_told_of() {
        assert_eq!(certificate("a.example", "/none.pem", "/none.key").len(), 1);
    }
}
