//! An operation as a command: its arguments are the form.

use xylem_sdk::prelude::*;
use xylem_sdk::time;

use crate::form::{Field, Filled, form};
use crate::table::{Argument, Spec};

/// For flags that may be left alone: most clients send an untouched boolean as false.
const LEAVE: &str = "leave";
/// Texts longer than this have more than one line.
const LINE: i64 = 1023;
/// Before the field in which a dangerous operation's argument is typed once more.
const AGAIN: &str = "confirm";

/// The form; the domain and the caller's own account are filled in.
pub(crate) fn asked(cx: &Cx, spec: &Spec) -> Xml {
    let mut asked = form("form", spec.title(), None);
    if let Some(danger) = &spec.danger {
        asked = asked.leaf("instructions", danger);
    }
    for argument in &spec.arguments {
        asked = asked.child(field(cx, argument).xml());
    }
    asked.child_opt(spec.confirm.as_ref().map(|confirm| {
        let label = ["Type ", confirm, " once more"].concat();
        Xml::new("field")
            .attr("type", "text-single")
            .attr("var", AGAIN)
            .attr("label", &label)
            .child(Xml::new("required"))
    }))
}

fn field<'a>(cx: &Cx, argument: &'a Argument) -> Field<'a> {
    let mut field = Field::new(kind(argument), &argument.name, &argument.help);
    field.required = argument.required;
    match argument.kind.as_str() {
        "domain" if argument.required => field.values.push(cx.domain()),
        "account" if argument.required && argument.name == "account" => field.values.push(cx.key()),
        "flag" if !argument.required => {
            let option = |value: &str, label: &str| (value.to_owned(), label.to_owned());
            field.values.push(LEAVE.to_owned());
            field.options = vec![option(LEAVE, "Leave it as it is"), option("true", "Yes"), option("false", "No")];
        }
        "choice" => field.options = argument.values.iter().map(|value| (value.clone(), value.clone())).collect(),
        _ => {}
    }
    field
}

fn kind(argument: &Argument) -> &'static str {
    match argument.kind.as_str() {
        "secret" => "text-private",
        "flag" if argument.required => "boolean",
        "flag" | "choice" => "list-single",
        "account" | "address" => "jid-single",
        "list" | "json" => "text-multi",
        "text" if argument.max.is_some_and(|max| max > LINE) => "text-multi",
        _ => "text-single",
    }
}

/// What was filled in, as the operation's arguments. The table checks them.
pub(crate) fn filled(spec: &Spec, form: Filled<'_>) -> Result<Json, String> {
    let mut arguments = Json::object();
    for argument in &spec.arguments {
        let values = form.values(&argument.name);
        let Some(first) = values.first().copied() else {
            if argument.required {
                return Err([&argument.name, " is missing"].concat());
            }
            continue;
        };
        let wrong = || [&argument.name, " cannot be ", first].concat();
        let value = match argument.kind.as_str() {
            "number" => Json::Number(first.trim().parse().map_err(|_| wrong())?),
            "time" => Json::from(moment(first).ok_or_else(wrong)?),
            "flag" if first == LEAVE => continue,
            "flag" => Json::Flag(flag(first).ok_or_else(wrong)?),
            "list" => Json::List(values.iter().map(|value| Json::from(*value)).collect()),
            "json" => Json::parse(&values.join("\n")).ok_or_else(wrong)?,
            "text" => Json::from(values.join("\n")),
            _ => Json::from(first),
        };
        arguments = arguments.with(&argument.name, value);
    }
    if let Some(confirm) = &spec.confirm
        && form.value(AGAIN) != form.value(confirm)
    {
        return Err(["this cannot be undone: type ", confirm, " once more"].concat());
    }
    Ok(arguments)
}

fn flag(text: &str) -> Option<bool> {
    match text {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

/// Seconds since 1970, or a time of XEP-0082.
fn moment(text: &str) -> Option<u64> {
    text.trim().parse().ok().or_else(|| Some(time::parse(text.trim())? / 1000))
}
