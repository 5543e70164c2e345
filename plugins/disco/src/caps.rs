//! The verification string of entity capabilities (XEP-0115 §5.1).

use crate::info::{Form, Identity, Info};
use crate::{base64, sha1};

/// The `ver` attribute for the hash `sha-1`.
pub(crate) fn verification(info: &Info) -> String {
    base64::encode(&sha1::digest(source(info).as_bytes()))
}

/// What is hashed: everything sorted, each piece followed by `<`. While pieces are sorted their
/// ends are marked by characters below all others, so that a name sorts before those it begins.
fn source(info: &Info) -> String {
    let identities = info.identities.iter().map(|identity| {
        let Identity { category, kind, name } = identity;
        [category, SLASH, kind, SLASH, SLASH, name, END].concat()
    });
    let mut out = sorted(identities);
    out.push_str(&sorted(info.features.iter().map(|feature| [feature, END].concat())));
    out.push_str(&sorted(info.forms.iter().map(form)));
    out.replace(END, "<").replace(SLASH, "/")
}

const END: &str = "\0";
const SLASH: &str = "\u{1}";

fn form(form: &Form) -> String {
    let fields = form.fields.iter().map(|(var, values)| {
        let values = sorted(values.iter().map(|value| [value, END].concat()));
        [*var, END, &values].concat()
    });
    [form.kind, END, &sorted(fields)].concat()
}

fn sorted(pieces: impl Iterator<Item = String>) -> String {
    let mut pieces: Vec<String> = pieces.collect();
    pieces.sort_unstable();
    pieces.concat()
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

    #[test]
    fn a_name_sorts_before_those_it_begins() {
        let mut info = info();
        info.identities = vec![Identity::new("a-b", "x", ""), Identity::new("a", "x", "N")];
        info.features = vec!["f-g".into(), "f".into()];
        assert_eq!(super::source(&info), "a/x//N<a-b/x//<f<f-g<");
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
