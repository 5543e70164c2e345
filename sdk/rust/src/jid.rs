use crate::wit::xylem::runtime::runtime as wit;

/// A view of an address (RFC 7622) in its canonical form: cheap to make, nothing is checked.
///
/// Addresses in a stanza's `from` and `to` and those that the server hands over
/// are canonical already. One that stands in a payload goes through [`Jid::normalise`] first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jid<'a>(&'a str);

impl<'a> Jid<'a> {
    /// A view of a canonical address.
    #[must_use]
    pub fn new(address: &'a str) -> Self {
        Self(address)
    }

    /// The canonical form of an address from a payload; none when it is not one.
    #[must_use]
    pub fn normalise(address: &str) -> Option<String> {
        wit::normalise(address)
    }

    /// The whole address.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The address without resource.
    #[must_use]
    pub fn bare(self) -> &'a str {
        self.0.split_once('/').map_or(self.0, |(bare, _)| bare)
    }

    /// The part after the first `/`.
    #[must_use]
    pub fn resource(self) -> Option<&'a str> {
        self.0.split_once('/').map(|(_, resource)| resource)
    }

    /// The part before the `@`.
    #[must_use]
    pub fn local(self) -> Option<&'a str> {
        self.bare().split_once('@').map(|(local, _)| local)
    }

    /// The domain.
    #[must_use]
    pub fn domain(self) -> &'a str {
        let bare = self.bare();
        bare.split_once('@').map_or(bare, |(_, domain)| domain)
    }

    /// Whether it has no resource.
    #[must_use]
    pub fn is_bare(self) -> bool {
        !self.0.contains('/')
    }
}

#[cfg(test)]
mod tests {
    use super::Jid;

    #[test]
    fn parts() {
        for (text, local, domain, resource) in [
            ("a@b.example/c@d/e", Some("a"), "b.example", Some("c@d/e")),
            ("b.example/x@y", None, "b.example", Some("x@y")),
            ("a@b.example", Some("a"), "b.example", None),
        ] {
            let jid = Jid::new(text);
            assert_eq!((jid.local(), jid.domain(), jid.resource()), (local, domain, resource));
        }
    }
}
