//! `[[client-state]]`: what a client that nobody looks at may wait for (XEP-0352).

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;
use xylem_stanza::Kind;

use super::refusal::ManifestError;
use super::{Match, Test, When};
use crate::filter::{TypeName, Types};

/// What becomes of a stanza for a client that said it is inactive. Where several rules
/// fit a stanza the first of these in the order `urgent`, `hold`, `last`, `drop` decides;
/// where none does it is urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Treat {
    /// Nobody will miss it.
    Drop,
    /// It waits, and replaces what waits of the same kind from the same full address.
    Last,
    /// It waits until something urgent comes or the client is active again.
    Hold,
    /// It is sent at once, behind all that waits.
    Urgent,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientStateRule {
    pub line: usize,
    pub on: Kind,
    pub types: Types,
    pub when: When,
    /// If given, the stanza has no children but those that one of these bits means.
    pub only: Option<u64>,
    pub treat: Treat,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawClientState {
    on: StanzaName,
    #[serde(rename = "type")]
    types: Option<Spanned<Vec<TypeName>>>,
    when: Option<Spanned<String>>,
    only: Option<Spanned<Vec<String>>>,
    treat: Treat,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum StanzaName {
    Message,
    Presence,
    Iq,
}

impl RawClientState {
    /// The rule; `text` is the file, to find lines in.
    pub(super) fn check(self, text: &str, line: usize, matches: &[Match]) -> Result<ClientStateRule, ManifestError> {
        self.rule(line, matches).map_err(|(span, problem)| ManifestError::at(text, Some(span), problem))
    }

    /// The rule, or what is wrong with it and where.
    fn rule(self, line: usize, matches: &[Match]) -> Result<ClientStateRule, (Range<usize>, String)> {
        let (on, name) = match self.on {
            StanzaName::Message => (Kind::Message, "message"),
            StanzaName::Presence => (Kind::Presence, "presence"),
            StanzaName::Iq => (Kind::Iq, "iq"),
        };
        let types = match self.types {
            None => Types::ALL,
            Some(types) => {
                let set: Types = types.get_ref().iter().map(|name| name.0).collect();
                if set == Types::NONE || !set.within(Types::of_kind(on)) {
                    return Err((types.span(), format!("{name} has not all of these types")));
                }
                set
            }
        };
        let bit = |name: &str| {
            let at = matches.iter().position(|known| known.name == name && is_child(known))?;
            u8::try_from(at).ok()
        };
        let when = match self.when {
            None => When::Always,
            Some(when) => When::parse(when.get_ref(), &bit)
                .map_err(|problem| (when.span(), format!("{problem}; client-state looks at children only")))?,
        };
        let only = match self.only {
            None => None,
            Some(names) => {
                let bits = names.get_ref().iter().try_fold(0, |bits, name| Some(bits | 1_u64 << bit(name)?));
                Some(bits.ok_or_else(|| (names.span(), "not all of these are children in [match]".to_owned()))?)
            }
        };
        Ok(ClientStateRule { line, on, types, when, only, treat: self.treat })
    }
}

const fn is_child(found: &Match) -> bool {
    matches!(found.test, Test::Child { .. })
}
