//! What clients that nobody looks at are sent, by the rules of all plugins (XEP-0352).

use std::sync::Arc;

use xylem_stanza::Stanza;

use super::ManifestEntry;
use crate::manifest::{ClientStateRule, Manifest, Test, Treat};

/// The rules of a domain.
#[derive(Debug, Default)]
pub struct ClientStates {
    plugins: Vec<Arc<Manifest>>,
}

impl ClientStates {
    pub(super) fn compile(entries: &[ManifestEntry]) -> Self {
        let with_rules = entries.iter().filter(|entry| !entry.manifest.client_states.is_empty());
        Self { plugins: with_rules.map(|entry| Arc::clone(&entry.manifest)).collect() }
    }

    /// What becomes of a stanza for a client that is inactive.
    #[must_use]
    pub fn treat(&self, stanza: &Stanza) -> Treat {
        let by_plugin = self.plugins.iter().filter_map(|manifest| treat(manifest, stanza));
        by_plugin.max().unwrap_or(Treat::Urgent)
    }
}

fn treat(manifest: &Manifest, stanza: &Stanza) -> Option<Treat> {
    let of_kind = |rule: &&ClientStateRule| rule.on == stanza.kind() && rule.types.contains(stanza.type_());
    let mut rules = manifest.client_states.iter().filter(of_kind).peekable();
    rules.peek()?;
    // The bits of each child, and of all together.
    let (mut children, mut all) = (Vec::new(), 0_u64);
    for child in stanza.root().children() {
        let mut bits = 0_u64;
        for (bit, found) in (0_u8..64).zip(&manifest.matches) {
            if let Test::Child { ns, name } = &found.test
                && ns == child.ns()
                && name.as_ref().is_none_or(|name| name == child.name())
            {
                bits |= 1 << bit;
            }
        }
        children.push(bits);
        all |= bits;
    }
    let fits = |rule: &&ClientStateRule| {
        rule.when.holds(all) && rule.only.is_none_or(|only| children.iter().all(|bits| bits & only != 0))
    };
    rules.filter(fits).map(|rule| rule.treat).max()
}
