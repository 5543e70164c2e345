//! What the server does by itself at a hook, so that the plugin need not be called.

use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use super::{Match, Shape, StoreSpec, Test, When};
use crate::point::{HookPoint, Phase};

/// Done in place of a call, or instead of most of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Native {
    /// Children of this name that claim to be made by the hook's key (attribute `by`) are taken out.
    Strip(Arc<ElementName>),
    /// The stanza is appended to an archive; where that cannot be done so simply, the handler is called.
    Record(Record),
}

/// `[hook.record]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Place of the archive among the plugin's stores.
    pub store: usize,
    /// Only where this holds; elsewhere the handler is called.
    pub when: When,
    /// Name of an empty child that tells where the stanza is: `by` is the hook's key, `id` the row.
    pub stamp: Option<Arc<ElementName>>,
    /// The handler is called for the first stanza of a key, and once in so many.
    pub every: u64,
}

/// A name as `[match]` writes it: `{namespace}name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementName {
    pub ns: String,
    pub name: String,
}

impl ElementName {
    /// Reads it; `None` if it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ns, name) = text.strip_prefix('{')?.split_once('}')?;
        let bad = |c: char| c.is_whitespace() || "<>&/{}\"'=*:".contains(c);
        let formed = !ns.is_empty() && !name.is_empty() && !name.contains(bad) && !ns.contains(['<', '&', '\'']);
        formed.then(|| Self { ns: ns.to_owned(), name: name.to_owned() })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRecord {
    store: Spanned<String>,
    when: Option<Spanned<String>>,
    stamp: Option<Spanned<String>>,
    every: Option<Spanned<u64>>,
}

const EVERY: u64 = 1 << 20;
type Refusal = (Range<usize>, String);

pub(super) fn strip(text: &Spanned<String>, on: HookPoint, phase: Phase) -> Result<Native, Refusal> {
    editable(phase).map_err(|problem| (text.span(), problem))?;
    if on == HookPoint::MessageFallback {
        return Err((text.span(), "nothing is sent on from here; take it out".to_owned()));
    }
    let name = ElementName::parse(text.get_ref()).ok_or_else(|| (text.span(), unnamed(text.get_ref())))?;
    Ok(Native::Strip(Arc::new(name)))
}

pub(super) fn record(
    raw: Spanned<RawRecord>,
    phase: Phase,
    matches: &[Match],
    stores: &[StoreSpec],
) -> Result<Native, Refusal> {
    let RawRecord { store, when, stamp, every } = raw.into_inner();
    let known = stores.iter().position(|spec| spec.name == *store.get_ref() && spec.shape == Shape::Archive);
    let at = known.ok_or_else(|| {
        (store.span(), format!("there is no archive `{}`; add a [[store]] of that name and shape", store.get_ref()))
    })?;
    let bit = |name: &str| u8::try_from(matches.iter().position(|known| known.name == name)?).ok();
    let parsed = |when: Spanned<String>| When::parse(when.get_ref(), &bit).map_err(|problem| (when.span(), problem));
    let named = |stamp: Spanned<String>| {
        editable(phase).map_err(|problem| (stamp.span(), problem))?;
        let name = ElementName::parse(stamp.get_ref()).ok_or_else(|| (stamp.span(), unnamed(stamp.get_ref())))?;
        Ok::<_, Refusal>(Arc::new(name))
    };
    let often = |every: &Spanned<u64>| match *every.get_ref() {
        times @ 2..=EVERY => Ok(times),
        _ => Err((every.span(), format!("write 2 to {EVERY}"))),
    };
    Ok(Native::Record(Record {
        store: at,
        when: when.map(parsed).transpose()?.unwrap_or_default(),
        stamp: stamp.map(named).transpose()?,
        every: every.as_ref().map(often).transpose()?.unwrap_or(u64::MAX),
    }))
}

/// Bits of a row's marks that a manifest names; one more says whether the key itself sent it.
const MARKS: usize = 7;

pub(super) fn marks(marks: Vec<Spanned<String>>, shape: Shape, matches: &[Match]) -> Result<Vec<When>, Refusal> {
    if let Some(mark) = marks.first().filter(|_| shape != Shape::Archive) {
        return Err((mark.span(), "only a store of shape `archive` has marks; take them out".to_owned()));
    }
    if let Some(mark) = marks.get(MARKS) {
        return Err((mark.span(), format!("more than {MARKS} marks")));
    }
    let bit = |name: &str| {
        let child = |known: &&Match| known.name == name && matches!(known.test, Test::Child { .. });
        u8::try_from(matches.iter().position(|known| child(&known))?).ok()
    };
    let one = |mark: Spanned<String>| {
        When::parse(mark.get_ref(), &bit)
            .map_err(|problem| (mark.span(), format!("{problem}; marks look at children only")))
    };
    marks.into_iter().map(one).collect()
}

fn editable(phase: Phase) -> Result<(), String> {
    if phase == Phase::Observe { Err("phase `observe` edits nothing; choose another".to_owned()) } else { Ok(()) }
}

fn unnamed(text: &str) -> String {
    format!("`{text}` is no element name; write {{namespace}}name")
}
