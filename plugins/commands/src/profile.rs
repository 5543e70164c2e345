//! XEP-0133: commands with forms of their own, each made of operations.

mod accounts;
mod admins;
mod counts;
mod notices;
mod shown;

use xylem_sdk::prelude::*;

use crate::form::{Field, Filled, form};
use crate::ns::ADMIN;
use crate::session::Session;
use crate::table::Table;

/// A command of XEP-0133.
pub(crate) struct Profile {
    /// The node, behind `http://jabber.org/protocol/admin#`.
    node: &'static str,
    pub(crate) title: &'static str,
    /// It is offered to those who may call all of these.
    needs: &'static [&'static str],
    fields: &'static [Ask],
    /// What the form is filled with, if with anything.
    prepares: Option<Prepare>,
    pub(crate) work: Work,
    show: Show,
}

/// Kind, name and label of a field that has to be filled in.
struct Ask(&'static str, &'static str, &'static str);

/// An operation on the domain whose answer fills a form's only field.
struct Prepare {
    operation: &'static str,
    /// What else it is asked beside the domain.
    of: fn(Json) -> Json,
    fill: fn(&Cx, &Json) -> Vec<String>,
}

/// One operation to be called.
pub(crate) struct Call {
    /// About whom or what, for people.
    pub(crate) about: String,
    pub(crate) operation: &'static str,
    pub(crate) arguments: Json,
    /// How many of a list are enough; none: all.
    pub(crate) enough: Option<usize>,
}

impl Call {
    fn new(about: impl Into<String>, operation: &'static str, arguments: Json) -> Self {
        Self { about: about.into(), operation, arguments, enough: None }
    }
}

/// Operations to be called, or what is wrong with the form.
type Calls = Result<Vec<Call>, String>;

/// What a filled form leads to.
#[derive(Clone, Copy)]
pub(crate) enum Work {
    /// This operation for each of `accountjids`.
    Each(&'static str),
    Calls(fn(&Cx, Filled<'_>) -> Calls),
    /// What differs from what the form was filled with.
    Differences(fn(&Cx, Filled<'_>, before: &[String]) -> Calls),
}

/// What the answers lead to.
#[derive(Clone, Copy)]
enum Show {
    /// Nothing is to be said but that it was done.
    Done,
    Form(fn(&Session, Xml) -> Xml),
}

/// How many items may be asked for, and how many seconds waited (XEP-0133 §4.18, §4.30).
const COUNTS: [&str; 6] = ["25", "50", "100", "200", "500", "none"];
const DELAYS: [&str; 7] = ["30", "60", "90", "120", "180", "240", "300"];

/// Most accounts of one command.
const MOST: usize = 50;

const ACCOUNT: Ask = Ask("jid-single", "accountjid", "The account");
const ACCOUNTS: Ask = Ask("jid-multi", "accountjids", "The accounts");
const MOST_ITEMS: Ask = Ask("list-single", "max_items", "Most items to show");

/// Fields that may be left empty.
const OPTIONAL: [&str; 3] = [MOST_ITEMS.1, "adminjids", "delay"];

const PROFILES: [Profile; 28] = [
    accounts::ADD,
    accounts::DELETE,
    accounts::DISABLE,
    accounts::ENABLE,
    accounts::END_SESSION,
    accounts::PASSWORD,
    accounts::ROSTER,
    accounts::LAST_LOGIN,
    accounts::STATISTICS,
    counts::REGISTERED,
    counts::DISABLED,
    counts::ONLINE,
    counts::ACTIVE,
    counts::IDLE,
    counts::REGISTERED_LIST,
    counts::DISABLED_LIST,
    counts::ONLINE_LIST,
    counts::ACTIVE_LIST,
    counts::IDLE_LIST,
    notices::ANNOUNCE,
    notices::SET_MOTD,
    notices::EDIT_MOTD,
    notices::DELETE_MOTD,
    notices::SET_WELCOME,
    notices::DELETE_WELCOME,
    admins::EDIT,
    notices::RESTART,
    notices::SHUT_DOWN,
];

/// The command of this node.
pub(crate) fn find(node: &str) -> Option<&'static Profile> {
    let node = node.strip_prefix(ADMIN)?.strip_prefix('#')?;
    PROFILES.iter().find(|profile| profile.node == node)
}

/// Those that the caller may execute.
pub(crate) fn offered(table: &Table) -> impl Iterator<Item = &'static Profile> {
    PROFILES.iter().filter(|profile| profile.is_for(table))
}

impl Profile {
    /// The whole node.
    pub(crate) fn node(&self) -> String {
        [ADMIN, "#", self.node].concat()
    }

    pub(crate) fn is_for(&self, table: &Table) -> bool {
        table.has(self.needs)
    }

    /// Whether it is done at once.
    pub(crate) fn asks_nothing(&self) -> bool {
        self.fields.is_empty()
    }

    /// What is to be called before the form can be shown.
    pub(crate) fn prepared_by(&self, cx: &Cx) -> Option<Call> {
        let Prepare { operation, of, .. } = self.prepares.as_ref()?;
        Some(Call::new("", operation, of(Json::object().with("domain", cx.domain()))))
    }

    /// Where something is to be told it cannot be left out; where the server ends it can.
    fn may_lack(&self, var: &str) -> bool {
        OPTIONAL.contains(&var) || (var == "announcement" && self.fields.len() > 1)
    }

    /// What an operation said about what the form is to be filled with.
    pub(crate) fn filling(&self, cx: &Cx, answer: &Json) -> Vec<String> {
        self.prepares.as_ref().map(|prepare| (prepare.fill)(cx, answer)).unwrap_or_default()
    }

    /// The form, filled with this.
    pub(crate) fn form(&self, before: &[String]) -> Xml {
        let mut asked = form("form", self.title, Some(ADMIN));
        for Ask(kind, var, label) in self.fields {
            let mut field = Field::new(kind, var, label);
            field.required = !self.may_lack(var);
            if *kind == "list-single" {
                let choices: &[&str] = if *var == MOST_ITEMS.1 { &COUNTS } else { &DELAYS };
                field.options = choices.iter().map(|choice| ((*choice).to_owned(), (*choice).to_owned())).collect();
            }
            field.values = before.to_vec();
            asked = asked.child(field.xml());
        }
        asked
    }

    /// The calls that a filled form leads to; what is wrong with it, if something is.
    pub(crate) fn calls(&self, cx: &Cx, form: Filled<'_>, before: &[String]) -> Result<Vec<Call>, String> {
        let missing = self.fields.iter().find(|ask| !self.may_lack(ask.1) && form.values(ask.1).is_empty());
        if let Some(missing) = missing {
            return Err([missing.1, " is missing"].concat());
        }
        match self.work {
            Work::Calls(calls) => calls(cx, form),
            Work::Differences(calls) => calls(cx, form, before),
            Work::Each(operation) => {
                let call = |account: String| {
                    let arguments = Json::object().with("account", &account);
                    Call::new(account, operation, arguments)
                };
                Ok(accounts::named(form)?.into_iter().map(call).collect())
            }
        }
    }

    /// What is shown in the end, if anything is.
    pub(crate) fn shown(&self, session: &Session) -> Option<Xml> {
        match self.show {
            Show::Done => None,
            Show::Form(show) => Some(show(session, form("result", self.title, Some(ADMIN)))),
        }
    }
}
