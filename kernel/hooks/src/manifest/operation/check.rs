//! From an `[[operation]]` as written to one that makes sense.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::{ArgumentKind, FieldKind, LeastRole, OperationArgument, OperationField, OperationSpec};
use crate::manifest::refusal::ManifestError;
use crate::manifest::units::Text;

/// Arguments and fields of one operation.
const MOST: usize = 32;
/// Longest text that an argument takes, in bytes.
const LONGEST: usize = 64 << 10;
/// Most entries of a list that is an argument.
const ENTRIES: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::manifest) struct RawOperation {
    pub(in crate::manifest) name: Spanned<String>,
    help: Text,
    #[serde(default)]
    arguments: Vec<Spanned<RawArgument>>,
    key: Spanned<String>,
    result: Text,
    #[serde(default)]
    fields: Vec<Spanned<RawField>>,
    #[serde(default)]
    list: bool,
    #[serde(default)]
    least: LeastRole,
    changes: Spanned<bool>,
    danger: Option<Spanned<Text>>,
    confirm: Option<Spanned<String>>,
    pub(in crate::manifest) state: Option<Spanned<String>>,
    handler: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawArgument {
    name: Spanned<String>,
    #[serde(rename = "type")]
    kind: RawKind,
    help: Text,
    #[serde(default)]
    optional: bool,
    min: Option<u64>,
    max: Option<u64>,
    values: Option<Vec<Text>>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum RawKind {
    Text,
    Secret,
    Number,
    Flag,
    Account,
    Domain,
    Address,
    Choice,
    List,
    Time,
    Role,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawField {
    name: Spanned<String>,
    #[serde(rename = "type")]
    kind: FieldKind,
    help: Text,
}

type Wrong = (Range<usize>, String);

impl RawOperation {
    /// The operation; `text` is the file, to find lines in.
    pub(in crate::manifest) fn check(
        self,
        text: &str,
        line: usize,
        handler: impl FnOnce(Spanned<String>) -> Result<String, ManifestError>,
    ) -> Result<OperationSpec, ManifestError> {
        let function = handler(self.handler.clone())?;
        self.operation(line, function).map_err(|(span, problem)| ManifestError::at(text, Some(span), problem))
    }

    fn operation(self, line: usize, handler: String) -> Result<OperationSpec, Wrong> {
        let name = name(self.name)?;
        let mut arguments = each(self.arguments, RawArgument::check, |argument| &argument.name)?;
        let fields = each(self.fields, RawField::check, |field| &field.name)?;
        if self.list {
            arguments.extend(paging(&arguments, self.key.span())?);
        }
        let at = |name: &str| arguments.iter().position(|argument| argument.name == name);
        let key = at(self.key.get_ref()).filter(|at| {
            arguments.get(*at).is_some_and(|argument| {
                argument.required
                    && matches!(argument.kind, ArgumentKind::Account | ArgumentKind::Domain | ArgumentKind::Address)
            })
        });
        let Some(key) = key else {
            let problem = "write the name of an argument that is not optional and of type account, domain or address";
            return Err((self.key.span(), problem.to_owned()));
        };
        let confirm = match self.confirm {
            None => None,
            Some(confirm) if self.danger.is_none() => {
                return Err((confirm.span(), "what is to be confirmed? Add `danger = \"…\"`".to_owned()));
            }
            Some(confirm) => match at(confirm.get_ref()) {
                Some(place) => Some(place),
                None => return Err((confirm.span(), format!("there is no argument `{}`", confirm.get_ref()))),
            },
        };
        let changes = *self.changes.get_ref();
        if let Some(danger) = self.danger.as_ref().filter(|_| !changes) {
            return Err((danger.span(), "it changes nothing; take it out, or write `changes = true`".to_owned()));
        }
        if changes && matches!(self.least, LeastRole::Auditor | LeastRole::Operator) {
            let problem = "auditors and operators change nothing; write `least = \"administrator\"`";
            return Err((self.changes.span(), problem.to_owned()));
        }
        let of_account = arguments.get(key).is_some_and(|argument| argument.kind == ArgumentKind::Account);
        if self.least == LeastRole::User && !of_account {
            let problem = "users have to do with their own account; let `key` name an argument of type account";
            return Err((self.key.span(), problem.to_owned()));
        }
        if let Some(state) = self.state.as_ref().filter(|_| !changes) {
            return Err((state.span(), "it changes nothing; take it out".to_owned()));
        }
        Ok(OperationSpec {
            line,
            name,
            help: self.help.to_string(),
            arguments,
            key,
            result: self.result.to_string(),
            fields,
            list: self.list,
            least: self.least,
            changes,
            danger: self.danger.map(|danger| danger.get_ref().to_string()),
            confirm,
            state: self.state.map(Spanned::into_inner),
            handler,
        })
    }
}

impl RawArgument {
    fn check(self, span: Range<usize>) -> Result<OperationArgument, Wrong> {
        let wrong = |problem: &str| Err((span.clone(), problem.to_owned()));
        let bounds = self.min.is_some() || self.max.is_some();
        if self.values.is_some() != (self.kind == RawKind::Choice) {
            return wrong("`values` and type choice belong together");
        }
        if self.min.is_some() && self.kind != RawKind::Number {
            return wrong("only numbers have a `min`");
        }
        if bounds && !matches!(self.kind, RawKind::Number | RawKind::Text | RawKind::List) {
            return wrong("only numbers, texts and lists have a `max`");
        }
        let bounded = |default: usize, most: usize| {
            let max = self.max.map_or(Some(default), |max| usize::try_from(max).ok());
            max.filter(|max| (1..=most).contains(max))
                .ok_or_else(|| (span.clone(), format!("`max` is out of range; write 1 to {most}")))
        };
        let kind = match self.kind {
            RawKind::Text => ArgumentKind::Text { max: bounded(1023, LONGEST)? },
            RawKind::List => ArgumentKind::List { max: bounded(1000, ENTRIES)? },
            RawKind::Secret => ArgumentKind::Secret,
            RawKind::Flag => ArgumentKind::Flag,
            RawKind::Account => ArgumentKind::Account,
            RawKind::Domain => ArgumentKind::Domain,
            RawKind::Address => ArgumentKind::Address,
            RawKind::Time => ArgumentKind::Time,
            RawKind::Role => ArgumentKind::Role,
            RawKind::Number => match (self.min.unwrap_or(0), self.max.unwrap_or(u64::MAX >> 11)) {
                (min, max) if min <= max => ArgumentKind::Number { min, max },
                _ => return wrong("`min` is above `max`"),
            },
            RawKind::Choice => match self.values.unwrap_or_default() {
                values if values.is_empty() => return wrong("`values` is empty"),
                values => ArgumentKind::Choice(values.iter().map(ToString::to_string).collect()),
            },
        };
        Ok(OperationArgument { name: word(self.name)?, help: self.help.to_string(), kind, required: !self.optional })
    }
}

impl RawField {
    fn check(self, _span: Range<usize>) -> Result<OperationField, Wrong> {
        Ok(OperationField { name: word(self.name)?, help: self.help.to_string(), kind: self.kind })
    }
}

/// What every list takes.
fn paging(own: &[OperationArgument], span: Range<usize>) -> Result<[OperationArgument; 3], Wrong> {
    let argument = |name: &str, help: &str, kind| OperationArgument {
        name: name.to_owned(),
        help: help.to_owned(),
        kind,
        required: false,
    };
    let paging = [
        argument("search", "only what has this in it", ArgumentKind::Text { max: 255 }),
        argument("after", "go on after this cursor", ArgumentKind::Text { max: 4096 }),
        argument("limit", "at most so many; 50 unless given", ArgumentKind::Number { min: 1, max: 1000 }),
    ];
    match paging.iter().find(|one| own.iter().any(|known| known.name == one.name)) {
        Some(taken) => Err((span, format!("every list has the argument `{}`; rename yours", taken.name))),
        None => Ok(paging),
    }
}

fn each<R, T>(
    entries: Vec<Spanned<R>>,
    check: impl Fn(R, Range<usize>) -> Result<T, Wrong>,
    name: impl Fn(&T) -> &str,
) -> Result<Vec<T>, Wrong> {
    let mut checked: Vec<T> = Vec::with_capacity(entries.len().min(MOST));
    for entry in entries {
        let span = entry.span();
        if checked.len() == MOST {
            return Err((span, format!("more than {MOST}")));
        }
        let one = check(entry.into_inner(), span.clone())?;
        if checked.iter().any(|known| name(known) == name(&one)) {
            return Err((span, format!("there are two of the name `{}`; rename one", name(&one))));
        }
        checked.push(one);
    }
    Ok(checked)
}

fn name(name: Spanned<String>) -> Result<String, Wrong> {
    let part = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let text = name.get_ref();
    if text.len() <= 64 && text.split_once('.').is_some_and(|(noun, verb)| part(noun) && part(verb)) {
        return Ok(name.into_inner());
    }
    let problem = format!("`{text}` is no name; write noun.verb in lowercase letters, such as `room.list`");
    Err((name.span(), problem))
}

fn word(name: Spanned<String>) -> Result<String, Wrong> {
    let text = name.get_ref();
    let formed = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if formed && text.len() <= 64 {
        return Ok(name.into_inner());
    }
    let problem = format!("`{text}` is no name; write lowercase letters, digits and _, beginning with a letter");
    Err((name.span(), problem))
}
