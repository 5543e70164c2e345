//! What a walk along a chain looks at beside the stanza.

use xylem_stanza::Jid;

/// Rows of stores, as native filters see them. Nothing here waits.
pub trait Views {
    /// Whether the partition has a row for the peer: full JID, bare JID, domain with
    /// resource, domain. `None`: the rows are not in memory; load them and ask again.
    fn contains(&self, table: &str, partition: &str, peer: &Jid) -> Option<bool>;

    /// Whether the partition has any row; `None` as above.
    fn any(&self, table: &str, partition: &str) -> Option<bool>;

    /// Whether the account has a session that carries this tag.
    fn tagged(&self, account: &str, tag: &str) -> bool;

    /// Whether the account has a session that waits for its client.
    fn waits(&self, account: &str) -> bool;
}

/// Between whom the stanza passes.
#[derive(Clone, Copy, Debug)]
pub struct Party<'a> {
    /// The key of the point (see [`crate::HookPoint`]).
    pub key: &'a str,
    /// The hosted domain.
    pub domain: &'a str,
    /// The other party: the sender at `in` points, the recipient at `out` points.
    pub peer: Option<&'a Jid>,
}
