//! From text to the shape of the file; [`check`](super::check) makes sense of it.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::config::RawOption;
use super::domain::RawDomain;
use super::grants::{AccountGrants, OutboxGrant, SessionGrants, View};
use super::held::RawClientState;
use super::limit::RawLimit;
use super::native::RawRecord;
use super::operation::RawOperation;
use super::refusal::ManifestError;
use super::units::{ByteSize, MatchName, Period, PluginId};
use super::{About, AtBinding, Class, Framing, KeyKind, Manifest, OnFault, RunModel, Scope, Shape, Xep, check};
use crate::filter::{AddressForm, TypeName};
use crate::point::{EntityClass, EventPoint, HookPoint, Phase};

pub(super) fn parse(text: &str) -> Result<Manifest, ManifestError> {
    if text.len() > Manifest::MAX_BYTES {
        let problem = format!("{} bytes; {} at most", text.len(), Manifest::MAX_BYTES);
        return Err(ManifestError::at("", None, problem));
    }
    let raw: Raw =
        toml::from_str(text).map_err(|error| ManifestError::at(text, error.span(), error.message().trim_end()))?;
    check::check(text, raw)
}

/// Keys with their places, so that order and line survive.
pub(super) type Table<T> = BTreeMap<Spanned<String>, T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    pub(super) plugin: Spanned<About>,
    #[serde(default)]
    pub(super) xep: Vec<Xep>,
    #[serde(default)]
    pub(super) run: RawRun,
    #[serde(default, rename = "match")]
    pub(super) matches: BTreeMap<Spanned<MatchName>, Spanned<String>>,
    #[serde(default)]
    pub(super) hook: Vec<Spanned<RawHook>>,
    #[serde(default)]
    pub(super) iq: Vec<Spanned<RawIq>>,
    #[serde(default)]
    pub(super) event: Vec<Spanned<RawEvent>>,
    #[serde(default, rename = "client-state")]
    pub(super) client_state: Vec<Spanned<RawClientState>>,
    #[serde(default)]
    pub(super) replies: RawReplies,
    #[serde(default)]
    pub(super) lifecycle: RawLifecycle,
    #[serde(default)]
    pub(super) store: Vec<Spanned<RawStore>>,
    #[serde(default)]
    pub(super) limit: Vec<Spanned<RawLimit>>,
    #[serde(default)]
    pub(super) listener: Vec<Spanned<RawListener>>,
    #[serde(default)]
    pub(super) domain: Vec<Spanned<RawDomain>>,
    #[serde(default)]
    pub(super) operation: Vec<Spanned<RawOperation>>,
    pub(super) extension: Option<RawExtension>,
    #[serde(default)]
    pub(super) extend: Vec<Spanned<RawExtend>>,
    #[serde(default)]
    pub(super) adds: Table<Spanned<Vec<String>>>,
    #[serde(default)]
    pub(super) needs: RawNeeds,
    #[serde(default)]
    pub(super) config: Table<Spanned<RawOption>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct RawRun {
    pub(super) model: RunModel,
    pub(super) key: KeyKind,
    pub(super) shards: Option<Spanned<u16>>,
    pub(super) memory: Option<Spanned<ByteSize>>,
    pub(super) deadline: Option<Spanned<Period>>,
    pub(super) wall: Option<Spanned<Period>>,
    pub(super) outbox: Option<Spanned<RawOutbox>>,
    pub(super) log_rate: Option<Spanned<u32>>,
    pub(super) on_fault: Option<OnFault>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawOutbox {
    pub(super) count: Option<u64>,
    pub(super) bytes: Option<ByteSize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHook {
    pub(super) on: HookPoint,
    pub(super) phase: Phase,
    pub(super) handler: Option<Spanned<String>>,
    pub(super) strip: Option<Spanned<String>>,
    pub(super) record: Option<Spanned<RawRecord>>,
    #[serde(rename = "type")]
    pub(super) types: Option<Spanned<Vec<TypeName>>>,
    pub(super) to: Option<Spanned<Vec<AddressForm>>>,
    pub(super) when: Option<Spanned<String>>,
    pub(super) claimed: Option<Spanned<bool>>,
    #[serde(default)]
    pub(super) before: Vec<PluginId>,
    #[serde(default)]
    pub(super) after: Vec<PluginId>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawIq {
    pub(super) ns: Spanned<String>,
    pub(super) names: Spanned<Vec<String>>,
    #[serde(rename = "type")]
    pub(super) types: Spanned<Vec<TypeName>>,
    pub(super) to: EntityClass,
    pub(super) own: Option<Spanned<bool>>,
    pub(super) before_auth: Option<Spanned<bool>>,
    pub(super) bind: Option<Spanned<AtBinding>>,
    pub(super) handler: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEvent {
    pub(super) on: EventPoint,
    pub(super) handler: Spanned<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReplies {
    pub(super) answer: Option<Spanned<String>>,
    pub(super) wake: Option<Spanned<String>>,
    pub(super) page: Option<Spanned<String>>,
    pub(super) operation: Option<Spanned<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLifecycle {
    pub(super) start: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    pub(super) name: MatchName,
    pub(super) shape: Shape,
    #[serde(default)]
    pub(super) class: Class,
    #[serde(default)]
    pub(super) view: bool,
    #[serde(default)]
    pub(super) early: bool,
    #[serde(default)]
    pub(super) scope: Scope,
    #[serde(default)]
    pub(super) marks: Vec<Spanned<String>>,
    pub(super) quota: Option<RawQuota>,
    pub(super) text: Option<super::text::RawText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawQuota {
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<ByteSize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct RawListener {
    pub(super) name: MatchName,
    pub(super) framing: Framing,
    pub(super) addresses: Spanned<String>,
    pub(super) handshake: Option<Spanned<Period>>,
    pub(super) waiting: Option<Spanned<Period>>,
    pub(super) per_label: Option<Spanned<u16>>,
    pub(super) ended: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtension {
    pub(super) interface: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExtend {
    pub(super) interface: Spanned<String>,
    pub(super) phase: Option<Spanned<Phase>>,
    #[serde(default)]
    pub(super) before: Vec<PluginId>,
    #[serde(default)]
    pub(super) after: Vec<PluginId>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawNeeds {
    pub(super) edit: bool,
    pub(super) outbox: Option<OutboxGrant>,
    pub(super) views: Vec<Spanned<View>>,
    pub(super) sessions: SessionGrants,
    pub(super) groups: bool,
    pub(super) accounts: AccountGrants,
    pub(super) contributions: Vec<String>,
    pub(super) ask: Option<Spanned<bool>>,
    pub(super) wake: Option<Spanned<bool>>,
    pub(super) wires: bool,
    pub(super) operations: bool,
}
