//! `[[domain]]`: address spaces of plugins.

use serde::Deserialize;
use toml::Spanned;

use super::ConfigSchema;
use super::refusal::ManifestError;

/// `[[domain]]`: an address space that the plugin answers for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainClaim {
    pub line: usize,
    /// With `{domain}` standing for the hosted domain.
    pub claim: String,
    /// The option of type list whose values are claimed instead.
    pub option: Option<String>,
}

impl DomainClaim {
    /// The domain claimed beside this hosted domain, unless the configuration says otherwise.
    #[must_use]
    pub fn at(&self, domain: &str) -> String {
        self.claim.replace("{domain}", domain)
    }

    /// What is claimed under a configuration, with `{domain}` in it.
    #[must_use]
    pub fn under<'a>(&'a self, config: &'a serde_json::Value) -> Vec<&'a str> {
        let set = self.option.as_ref().and_then(|option| config.get(option)).and_then(serde_json::Value::as_array);
        set.map_or_else(|| vec![self.claim.as_str()], |set| set.iter().filter_map(serde_json::Value::as_str).collect())
    }

    /// Whether the text can be a claim: a domain in lower case, other than the hosted one.
    #[must_use]
    pub fn is_formed(text: &str) -> bool {
        let plain = text.replace("{domain}", "domain.example");
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        !plain.is_empty() && plain.bytes().all(letters) && text != "{domain}"
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDomain {
    pub(super) claim: Spanned<String>,
    pub(super) option: Option<Spanned<String>>,
}

impl RawDomain {
    /// The claim; `text` is the file, to find lines in.
    pub(super) fn check(self, text: &str, line: usize, config: &ConfigSchema) -> Result<DomainClaim, ManifestError> {
        let Self { claim, option } = self;
        if !DomainClaim::is_formed(claim.get_ref()) {
            let problem = "write a domain beside the hosted one, such as `conference.{domain}`";
            return Err(ManifestError::at(text, Some(claim.span()), problem));
        }
        if let Some(option) = option.as_ref().filter(|option| !config.has_list(option.get_ref())) {
            let problem = "write the name of an option of type list under [config]";
            return Err(ManifestError::at(text, Some(option.span()), problem));
        }
        Ok(DomainClaim { line, claim: claim.into_inner(), option: option.map(Spanned::into_inner) })
    }
}
