use std::collections::BTreeMap;
use std::path::PathBuf;

use xylem_stanza::Jid;

use super::plugins::{PluginTable, tables};
use super::reader::Reader;
use super::section::Section;
use super::tree::{Place, Table};

/// `[domains."NAME"]`: one host that this server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Normalised (RFC 7622 §3.2).
    pub name: String,
    pub certificate: Certificate,
    /// Whether SASL ANONYMOUS is offered.
    pub anonymous: bool,
    /// Ids of the plugins that run for it; `*` stands for all that are installed.
    pub plugins: Vec<String>,
    /// `[domains."NAME".settings."ID"]`: over `[plugins."ID"]`, key by key.
    pub settings: BTreeMap<String, PluginTable>,
}

/// Where a domain's certificate comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Made at first start, kept in the data folder.
    SelfSigned,
    /// PEM files: the chain, leaf first, and the key.
    Files { chain: PathBuf, key: PathBuf },
    /// By ACME (RFC 8555), kept in the data folder; one of the server's own making until it is there.
    Acme {
        /// Further names that it is for.
        names: Vec<String>,
    },
}

impl Certificate {
    /// As operations say it.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::SelfSigned => "self-signed",
            Self::Files { .. } => "files",
            Self::Acme { .. } => "acme",
        }
    }
}

impl Domain {
    /// Whether a plugin is enabled for it.
    #[must_use]
    pub fn enables(&self, plugin: &str) -> bool {
        self.plugins.iter().any(|id| id == "*" || id == plugin)
    }
}

/// All domains, in order of name; `localhost` alone where none is configured.
pub(super) fn read(reader: &mut Reader) -> Vec<Domain> {
    let mut section = reader.section("domains");
    let mut tables = section.take_tables();
    if tables.is_empty() {
        tables.push(("localhost".to_owned(), Place::File(0), Table::new()));
    }
    let mut domains: Vec<Domain> = Vec::new();
    for (name, place, table) in tables {
        let Some(normal) = normalise(&name) else {
            section.complain(&place, format!("{name:?} is not a domain name (RFC 7622 §3.2)"));
            continue;
        };
        if domains.iter().any(|d| d.name == normal) {
            section.complain(&place, format!("the domain {normal} is there already under another spelling"));
            continue;
        }
        domains.push(read_one(&mut section, &name, normal, &place, table));
    }
    domains
}

fn read_one(domains: &mut Section<'_>, name: &str, normal: String, place: &Place, table: Table) -> Domain {
    let mut section = domains.named(name, table);
    let chain = section.optional_path("certificate");
    let key = section.optional_path("key");
    let acme = section.flag("acme", false);
    let names = section.list("acme_names", &[], "domain names", ascii);
    let certificate = match (chain, key) {
        (None, None) if acme => Certificate::Acme { names },
        (None, None) => Certificate::SelfSigned,
        (Some(_), Some(_)) if acme => {
            let message = format!("{}: the certificate comes from files or by acme, not both", section.name());
            section.complain(place, message);
            Certificate::SelfSigned
        }
        (Some(chain), Some(key)) => Certificate::Files { chain, key },
        _ => {
            let message = format!("{}: certificate and key must both be given, or neither", section.name());
            section.complain(place, message);
            Certificate::SelfSigned
        }
    };
    Domain {
        name: normal,
        certificate,
        anonymous: section.flag("anonymous", false),
        plugins: section
            .list("plugins", &["*"], "plugin ids, or \"*\" for all", |id| (!id.is_empty()).then(|| id.to_owned())),
        settings: tables(&mut section.inner("settings")),
    }
}

/// As certificates have names: A-labels, lower case. No authority vouches for all names below one by the challenges
/// that are answered here.
fn ascii(name: &str) -> Option<String> {
    let domain = xylem_stanza::Domain::parse(name).ok()?.to_ascii().to_ascii_lowercase();
    (!domain.contains('*') && domain.contains('.')).then_some(domain)
}

fn normalise(name: &str) -> Option<String> {
    let jid = Jid::parse(name).ok()?;
    (jid.local().is_none() && jid.resource().is_none()).then(|| jid.domain().to_owned())
}
