use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use xylem_acme::{Authority, ExternalAccount, Listeners};

use super::reader::Reader;
use super::tree::Place;

/// Let's Encrypt.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";

/// `[acme]`: whom domains with `acme = true` get their certificates from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acme {
    pub directory: String,
    pub terms_agreed: bool,
    pub contact: Option<String>,
    pub roots: Option<PathBuf>,
    /// Where its questions are answered.
    pub listeners: Listeners,
    pub external: Option<ExternalAccount>,
}

impl Acme {
    /// `Let's Encrypt`, for who is asked before there is a configuration.
    pub const DIRECTORY: &str = DIRECTORY;

    pub(super) fn read(reader: &mut Reader) -> Self {
        // Who agrees does so explicitly, and before anything is asked of the authority.
        let wanted = reader.asked.iter().filter(|asked| asked.key == "acme");
        let wanted = wanted.filter_map(|asked| asked.written.clone()).find(|(value, _)| value == "true");
        let place = wanted.as_ref().map_or(Place::File(0), |(_, place)| place.clone());
        let mut section = reader.section("acme");
        let socket = |text: &str| text.parse::<SocketAddr>().ok();
        let right = "addresses with port, such as \"0.0.0.0:80\" or \"[::]:80\"";
        let acme = Self {
            directory: section.text("directory", DIRECTORY, "an address by https", |text| {
                text.strip_prefix("https://").is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
            }),
            terms_agreed: section.flag("terms_agreed", false),
            contact: section.optional_text("contact", "an e-mail address", |text| {
                text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty())
                    && !text.contains([' ', ',', '?', '<'])
            }),
            roots: section.optional_path("roots"),
            listeners: Listeners {
                http: section.list("http", &["[::]:80"], right, socket),
                tls: section.list("tls", &[], right, socket),
            },
            external: {
                let id = section.optional_text("external_id", "text", |text| !text.is_empty());
                let key = section.optional_path("external_key");
                if id.is_some() != key.is_some() {
                    section
                        .complain(&place, "acme: external_id and external_key must both be given, or neither".into());
                }
                id.zip(key).map(|(id, key)| ExternalAccount { id, key })
            },
        };
        if wanted.is_some() && !acme.terms_agreed {
            let message = format!(
                "certificates by ACME need the agreement to the terms of service of {}: read them, then set \
                 acme.terms_agreed = true",
                acme.directory
            );
            section.complain(&place, message);
        }
        if wanted.is_some() && acme.listeners == Listeners::default() {
            section.complain(&place, "acme.http and acme.tls are both empty: nobody could answer the authority".into());
        }
        acme
    }

    /// As it is asked, with its account in this folder.
    #[must_use]
    pub fn authority(&self, folder: &Path) -> Authority {
        Authority {
            directory: self.directory.clone(),
            roots: self.roots.clone(),
            terms_agreed: self.terms_agreed,
            contact: self.contact.clone(),
            external: self.external.clone(),
            folder: folder.to_owned(),
        }
    }
}
