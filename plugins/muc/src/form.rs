//! Data forms (XEP-0004).

use xylem_sdk::{Element, Xml};

use crate::ns::FORM;

/// The form in a request, and its `type`.
pub(crate) fn within(element: Element<'_>) -> Option<Form<'_>> {
    element.child(FORM, "x").map(Form)
}

/// A form that somebody sent.
#[derive(Clone, Copy)]
pub(crate) struct Form<'a>(Element<'a>);

impl<'a> Form<'a> {
    pub(crate) fn is(self, kind: &str) -> bool {
        self.0.attr("type") == Some(kind)
    }

    /// Whether nothing is filled in (XEP-0045 §10.1.2).
    pub(crate) fn is_empty(self) -> bool {
        self.0.children().next().is_none()
    }

    pub(crate) fn fields(self) -> impl Iterator<Item = (&'a str, Field<'a>)> {
        let fields = self.0.children().filter(|field| field.is(FORM, "field"));
        fields.filter_map(|field| Some((field.attr("var")?, Field(field))))
    }

    pub(crate) fn value(self, var: &str) -> Option<&'a str> {
        self.fields().find(|(name, _)| *name == var).map(|(_, field)| field.value())
    }

    /// The `FORM_TYPE` (XEP-0068).
    pub(crate) fn kind(self) -> Option<&'a str> {
        self.value("FORM_TYPE")
    }
}

/// One field of it.
#[derive(Clone, Copy)]
pub(crate) struct Field<'a>(Element<'a>);

impl<'a> Field<'a> {
    pub(crate) fn values(self) -> impl Iterator<Item = &'a str> {
        self.0.children().filter(|value| value.is(FORM, "value")).map(|value| value.text())
    }

    pub(crate) fn value(self) -> &'a str {
        self.values().next().unwrap_or_default()
    }

    /// XEP-0004 §3.3; none for what is no boolean.
    pub(crate) fn flag(self) -> Option<bool> {
        match self.value() {
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => None,
        }
    }
}

/// An empty form of this type.
pub(crate) fn form(kind: &str, form_type: &str) -> Xml {
    let hidden = Xml::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").leaf("value", form_type);
    Xml::with_ns("x", FORM).attr("type", kind).child(hidden)
}

/// A field with its label and values.
pub(crate) fn field(kind: &str, var: &str, label: &str, values: &[&str]) -> Xml {
    let field = Xml::new("field").attr("type", kind).attr("var", var).attr("label", label);
    values.iter().fold(field, |field, value| field.leaf("value", value))
}

/// A field that is on or off.
pub(crate) fn flag(var: &str, label: &str, on: bool) -> Xml {
    field("boolean", var, label, &[if on { "1" } else { "0" }])
}

/// A choice: value and label of each.
pub(crate) fn choice(kind: &str, var: &str, label: &str, chosen: &[&str], options: &[(&str, &str)]) -> Xml {
    let option = |(value, label): &(&str, &str)| Xml::new("option").attr("label", label).leaf("value", value);
    field(kind, var, label, chosen).children(options.iter().map(option))
}
