//! Many answers made one.

use wasmtime::component::Val;
use wasmtime::component::types::{ComponentFunc, Type};

use crate::supervisor::Fault;

/// Most bytes of text in an answer.
const BYTES: usize = 256 << 10;
/// Most entries of lists together.
const ENTRIES: usize = 1000;

/// What a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Nothing,
    /// Answers are put together.
    List,
    /// A variant `pass`, `edit` with a payload, `reject` with a failure. The first
    /// `reject` is the answer; an `edit` takes the place of the last parameter for those
    /// who come after it.
    Verdict,
}

impl Kind {
    /// `None` for what cannot be folded.
    pub(super) fn of(ty: &ComponentFunc) -> Option<Self> {
        match ty.results().next() {
            None => Some(Self::Nothing),
            Some(Type::List(_)) => Some(Self::List),
            Some(Type::Variant(variant)) => {
                let mut cases = variant.cases();
                let passes = cases.next().is_some_and(|case| case.name == "pass" && case.ty.is_none());
                let known = cases.all(|case| matches!(case.name, "edit" | "reject") && case.ty.is_some());
                (passes && known).then_some(Self::Verdict)
            }
            Some(_) => None,
        }
    }
}

/// An answer in the making.
pub(super) struct Folded {
    kind: Kind,
    params: Vec<Val>,
    entries: Vec<Val>,
    edited: bool,
    rejected: Option<Val>,
}

impl Folded {
    pub(super) fn new(kind: Kind, params: &[Val]) -> Self {
        Self { kind, params: params.to_vec(), entries: Vec::new(), edited: false, rejected: None }
    }

    /// What the next one is asked with.
    pub(super) fn params(&self) -> &[Val] {
        &self.params
    }

    /// How many values a call gives.
    pub(super) fn results(&self) -> usize {
        usize::from(self.kind != Kind::Nothing)
    }

    /// Whether an answer may be passed on; who gave it is to blame otherwise.
    pub(super) fn sound(&self, values: Option<&[Val]>) -> Result<(), Fault> {
        let Some(value) = values.and_then(<[Val]>::first) else { return Ok(()) };
        let bad = |what: &str| Err(Fault::Crash(format!("its answer to another plugin {what}")));
        if weight(value) > BYTES {
            return bad("is too long");
        }
        if let Val::Variant(case, Some(edit)) = value
            && case == "edit"
            && let Val::String(xml) = &**edit
            && xylem_xml::Element::parse(xml).is_err()
        {
            return bad("is not one well-formed element");
        }
        Ok(())
    }

    /// One more answer; `None` from a plugin that does not know the question.
    pub(super) fn add(&mut self, values: Option<Vec<Val>>) {
        match values.and_then(|values| values.into_iter().next()) {
            Some(Val::List(entries)) => {
                let room = ENTRIES.saturating_sub(self.entries.len());
                self.entries.extend(entries.into_iter().take(room));
            }
            Some(Val::Variant(case, Some(payload))) if case == "edit" => {
                if let Some(last) = self.params.last_mut() {
                    *last = *payload;
                    self.edited = true;
                }
            }
            Some(rejection @ Val::Variant(_, Some(_))) => self.rejected = Some(rejection),
            _ => {}
        }
    }

    /// Somebody whose word is needed cannot give it.
    pub(super) fn refuse(&mut self) {
        if self.kind == Kind::Verdict {
            let field = |name: &str, value: Val| (name.to_owned(), value);
            let some = |text: &str| Val::Option(Some(Box::new(Val::String(text.to_owned()))));
            let failure = Val::Record(vec![
                field("condition", Val::String("internal-server-error".to_owned())),
                field("kind", some("wait")),
                field("text", Val::Option(None)),
                field("app", Val::Option(None)),
            ]);
            self.rejected = Some(Val::Variant("reject".to_owned(), Some(Box::new(failure))));
        }
    }

    pub(super) fn is_decided(&self) -> bool {
        self.rejected.is_some()
    }

    pub(super) fn end(mut self) -> Option<Val> {
        match self.kind {
            Kind::Nothing => None,
            Kind::List => Some(Val::List(self.entries)),
            Kind::Verdict => Some(match (self.rejected, self.edited) {
                (Some(rejection), _) => rejection,
                (None, true) => Val::Variant("edit".to_owned(), self.params.pop().map(Box::new)),
                (None, false) => Val::Variant("pass".to_owned(), None),
            }),
        }
    }
}

/// Bytes of text, about.
fn weight(value: &Val) -> usize {
    match value {
        Val::String(text) => text.len(),
        Val::List(values) | Val::Tuple(values) => values.iter().map(|value| weight(value) + 16).sum(),
        Val::Record(fields) => fields.iter().map(|(_, value)| weight(value) + 16).sum(),
        Val::Variant(_, Some(value)) | Val::Option(Some(value)) => weight(value),
        Val::Result(Ok(Some(value)) | Err(Some(value))) => weight(value),
        _ => 16,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn text(text: &str) -> Val {
        Val::String(text.to_owned())
    }

    fn case(name: &str, payload: Val) -> Option<Vec<Val>> {
        Some(vec![Val::Variant(name.to_owned(), Some(Box::new(payload)))])
    }

    #[test]
    fn edits_go_on_and_the_first_rejection_decides() {
        let mut folded = Folded::new(Kind::Verdict, &[text("room"), text("<a/>")]);
        folded.add(Some(vec![Val::Variant("pass".to_owned(), None)]));
        folded.add(None);
        folded.add(case("edit", text("<b/>")));
        assert_eq!(folded.params(), [text("room"), text("<b/>")]);
        folded.add(case("edit", text("<c/>")));
        assert!(!folded.is_decided());
        assert_eq!(folded.end(), case("edit", text("<c/>")).unwrap().pop());
        let mut folded = Folded::new(Kind::Verdict, &[text("<a/>")]);
        folded.refuse();
        assert!(folded.is_decided());
        assert!(matches!(folded.end(), Some(Val::Variant(name, Some(_))) if name == "reject"));
    }

    #[test]
    fn lists_are_put_together_within_limits() {
        let mut folded = Folded::new(Kind::List, &[]);
        folded.add(Some(vec![Val::List(vec![text("a")])]));
        folded.refuse();
        folded.add(Some(vec![Val::List(vec![text("b"); 2000])]));
        let Some(Val::List(entries)) = folded.end() else { unreachable!() };
        assert_eq!(entries.len(), ENTRIES);
    }

    #[test]
    fn an_answer_that_would_harm_the_owner_is_a_fault() {
        let folded = Folded::new(Kind::Verdict, &[]);
        assert!(folded.sound(case("edit", text("<a>")).as_deref()).is_err());
        assert!(folded.sound(case("edit", text(&"x".repeat(BYTES + 1))).as_deref()).is_err());
        assert!(folded.sound(case("edit", text("<a xmlns='b'/>")).as_deref()).is_ok());
    }
}
