//! The verification string of entity capabilities (XEP-0115 §5.1).

use crate::info::Info;
use crate::{base64, sha1};

/// The `ver` attribute for the hash `sha-1`.
pub(crate) fn verification(info: &Info) -> String {
    base64::encode(&sha1::digest(source(info).as_bytes()))
}

/// What is hashed: everything sorted, each piece followed by `<`.
fn source(info: &Info) -> String {
    let mut out = String::new();
    let mut identities: Vec<_> = info.identities.iter().collect();
    identities.sort();
    for identity in identities {
        for part in [&identity.category, "/", &identity.kind, "//", &identity.name, "<"] {
            out.push_str(part);
        }
    }
    append_sorted(&mut out, &info.features);
    let mut forms: Vec<_> = info.forms.iter().collect();
    forms.sort_by_key(|form| form.kind);
    for form in forms {
        append(&mut out, form.kind);
        let mut fields: Vec<_> = form.fields.iter().collect();
        fields.sort();
        for (var, values) in fields {
            append(&mut out, var);
            append_sorted(&mut out, values);
        }
    }
    out
}

fn append_sorted(out: &mut String, values: &[String]) {
    let mut values: Vec<&String> = values.iter().collect();
    values.sort();
    for value in values {
        append(out, value);
    }
}

fn append(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('<');
}

#[cfg(test)]
mod tests {
    use super::verification;
    use crate::info::{Form, Identity, Info};

    fn info() -> Info {
        Info {
            identities: vec![Identity::new("client", "pc", "Exodus 0.9.1")],
            features: [
                "http://jabber.org/protocol/muc",
                "http://jabber.org/protocol/caps",
                "http://jabber.org/protocol/disco#items",
                "http://jabber.org/protocol/disco#info",
            ]
            .map(String::from)
            .to_vec(),
            forms: Vec::new(),
        }
    }

    /// XEP-0115 §5.2.
    #[test]
    fn the_example_of_the_specification() {
        assert_eq!(verification(&info()), "QgayPKawpkPSDYmwT/WM94uAlu0=");
    }

    #[test]
    fn forms_count_and_order_does_not() {
        let form = |values: [&str; 2]| Form { kind: "f", fields: vec![("v", values.map(String::from).to_vec())] };
        let with = |form| Info { forms: vec![form], ..info() };
        let (one, other) = (verification(&with(form(["a", "b"]))), verification(&with(form(["b", "a"]))));
        assert_eq!(one, other);
        assert_ne!(one, verification(&info()));
    }
}
