//! Requests that go with a binding (XEP-0386).

use xylem_stanza::Type;

use crate::filter::Types;
use crate::point::EntityClass;

/// `bind` of an `[[iq]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AtBinding {
    /// A client may send the payload along with its binding; its namespace is announced.
    Asked,
    /// The server asks, with an empty payload, at every binding that is part of a login; the
    /// answer goes to the client. Only for `type = ["get"]` and one name.
    Always,
}

impl AtBinding {
    /// What is wrong about an entry with it.
    pub(super) fn problem(self, to: EntityClass, types: Types, names: usize) -> Option<&'static str> {
        match self {
            _ if to != EntityClass::Account => Some("only for `to = \"account\"`; take it out"),
            Self::Asked if !types.contains(Type::Set) => {
                Some("clients ask with `type = [\"set\"]`; add that, or take it out")
            }
            Self::Always if !types.contains(Type::Get) || names != 1 => {
                Some("the server asks with `type = [\"get\"]` and one name; write these, or take it out")
            }
            _ => None,
        }
    }
}
