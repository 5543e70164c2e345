use std::borrow::Cow;
use std::fmt;

/// Where an operation is in the REST API, below `/api/v1`.
///
/// Arguments that the path names in braces come from there; the others come from the query for
/// GET and DELETE, else from the body, a JSON object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub method: Method,
    /// `/users/{account}`
    pub path: Cow<'static, str>,
}

/// What HTTP does with it (RFC 9110 §9.3, RFC 5789).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// Whether arguments come in a body.
    #[must_use]
    pub const fn has_body(self) -> bool {
        !matches!(self, Self::Get | Self::Delete)
    }
}

impl Route {
    /// What every path of the REST API begins with.
    pub const BASE: &'static str = "/api/v1";

    #[must_use]
    pub const fn get(path: &'static str) -> Self {
        Self { method: Method::Get, path: Cow::Borrowed(path) }
    }

    #[must_use]
    pub const fn post(path: &'static str) -> Self {
        Self { method: Method::Post, path: Cow::Borrowed(path) }
    }

    #[must_use]
    pub const fn put(path: &'static str) -> Self {
        Self { method: Method::Put, path: Cow::Borrowed(path) }
    }

    #[must_use]
    pub const fn patch(path: &'static str) -> Self {
        Self { method: Method::Patch, path: Cow::Borrowed(path) }
    }

    #[must_use]
    pub const fn delete(path: &'static str) -> Self {
        Self { method: Method::Delete, path: Cow::Borrowed(path) }
    }

    /// Where a plugin's operation is: `noun.verb` at `/x/noun/verb`. GET if it changes nothing.
    #[must_use]
    pub fn of_plugin(name: &str, changes: bool) -> Self {
        let method = if changes { Method::Post } else { Method::Get };
        Self { method, path: format!("/x/{}", name.replace('.', "/")).into() }
    }

    /// The arguments that the path names.
    pub fn in_path(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method.name(), self.path)
    }
}
