//! Data forms (XEP-0004).

use xylem_sdk::Element;
use xylem_sdk::prelude::*;

use crate::ns::FORM;

/// A form or result of this type, with a title.
pub(crate) fn form(kind: &str, title: &str, form_type: Option<&str>) -> Xml {
    let hidden = form_type
        .map(|form_type| Xml::new("field").attr("var", "FORM_TYPE").attr("type", "hidden").leaf("value", form_type));
    Xml::with_ns("x", FORM).attr("type", kind).leaf("title", title).child_opt(hidden)
}

/// A field to be filled in.
pub(crate) struct Field<'a> {
    /// `text-single` and so on (§3.3).
    pub(crate) kind: &'a str,
    pub(crate) var: &'a str,
    pub(crate) label: &'a str,
    pub(crate) required: bool,
    pub(crate) values: Vec<String>,
    /// Value and label.
    pub(crate) options: Vec<(String, String)>,
}

impl<'a> Field<'a> {
    pub(crate) fn new(kind: &'a str, var: &'a str, label: &'a str) -> Self {
        Self { kind, var, label, required: false, values: Vec::new(), options: Vec::new() }
    }

    pub(crate) fn xml(&self) -> Xml {
        let option = |(value, label): &(String, String)| Xml::new("option").attr("label", label).leaf("value", value);
        let values = self.values.iter().map(|value| Xml::new("value").text(value));
        Xml::new("field")
            .attr("type", self.kind)
            .attr("var", self.var)
            .attr("label", self.label)
            .child_opt(self.required.then(|| Xml::new("required")))
            .children(values)
            .children(self.options.iter().map(option))
    }
}

/// What somebody filled in.
#[derive(Clone, Copy)]
pub(crate) struct Filled<'a>(Option<Element<'a>>);

impl<'a> Filled<'a> {
    /// The form within a command, if there is one.
    pub(crate) fn within(command: Element<'a>) -> Self {
        Self(command.child(FORM, "x"))
    }

    /// No form at all.
    pub(crate) fn nothing() -> Self {
        Self(None)
    }

    /// All values of a field, without empty ones.
    pub(crate) fn values(self, var: &str) -> Vec<&'a str> {
        let Some(form) = self.0 else { return Vec::new() };
        let field = form.children().find(|field| field.is(FORM, "field") && field.attr("var") == Some(var));
        let values = field.into_iter().flat_map(|field| field.children().filter(|value| value.is(FORM, "value")));
        values.map(|value| value.text()).filter(|text| !text.is_empty()).collect()
    }

    /// The first of them.
    pub(crate) fn value(self, var: &str) -> Option<&'a str> {
        self.values(var).first().copied()
    }
}
