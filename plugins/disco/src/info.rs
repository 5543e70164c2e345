//! What a `disco#info` answer says, apart from how it is written.

use xylem_sdk::contributions;
use xylem_sdk::prelude::*;

pub(crate) const NS: &str = "http://jabber.org/protocol/disco#info";
pub(crate) const ITEMS: &str = "http://jabber.org/protocol/disco#items";

/// Identities, features and extensions of one entity.
pub(crate) struct Info {
    pub(crate) identities: Vec<Identity>,
    pub(crate) features: Vec<String>,
    pub(crate) forms: Vec<Form>,
}

/// XEP-0030 §3.1. Plugins contribute it as `category/type` or `category/type/name`.
#[derive(PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) category: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

/// XEP-0128: a form that only informs.
pub(crate) struct Form {
    pub(crate) kind: &'static str,
    pub(crate) fields: Vec<(&'static str, Vec<String>)>,
}

impl Info {
    /// Own identity first, then what plugins contribute to these slots.
    pub(crate) fn collect(own: Identity, identities: &str, features: &str) -> Result<Self, Fault> {
        let mut all = vec![own];
        for text in contributions::all(identities)? {
            all.extend(Identity::parse(&text).filter(|identity| !all.contains(identity)));
        }
        Ok(Self { identities: all, features: contributions::all(features)?, forms: Vec::new() })
    }

    pub(crate) fn to_xml(&self, node: Option<&str>) -> Xml {
        let identity = |identity: &Identity| {
            Xml::new("identity")
                .attr("category", &identity.category)
                .attr("type", &identity.kind)
                .attr_opt("name", Some(identity.name.as_str()).filter(|name| !name.is_empty()))
        };
        Xml::with_ns("query", NS)
            .attr_opt("node", node)
            .children(self.identities.iter().map(identity))
            .children(self.features.iter().map(|feature| Xml::new("feature").attr("var", feature)))
            .children(self.forms.iter().map(Form::to_xml))
    }
}

impl Identity {
    pub(crate) fn new(category: &str, kind: &str, name: &str) -> Self {
        Self { category: category.into(), kind: kind.into(), name: name.into() }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        Some(Self::new(parts.next()?, parts.next()?, parts.next().unwrap_or_default()))
    }
}

impl Form {
    fn to_xml(&self) -> Xml {
        let values = |values: &[String]| -> Vec<Xml> { values.iter().map(|v| Xml::new("value").text(v)).collect() };
        let kind = Xml::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").leaf("value", self.kind);
        Xml::with_ns("x", "jabber:x:data").attr("type", "result").child(kind).children(
            self.fields.iter().map(|(var, list)| {
                Xml::new("field").attr("var", var).attr("type", "list-multi").children(values(list))
            }),
        )
    }
}
