use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::access::{About, Danger, Roles};
use crate::argument::Argument;
use crate::backend::{Answer, Backend};
use crate::caller::Caller;
use crate::error::OpError;
use crate::route::Route;

/// What is known of an operation without running it.
#[derive(Clone, Debug)]
pub struct Spec {
    /// `noun.verb`, or one word.
    pub name: Cow<'static, str>,
    /// One sentence.
    pub help: Cow<'static, str>,
    /// Where it is in the REST API.
    pub route: Route,
    pub arguments: Vec<Argument>,
    /// The JSON that comes back, in words.
    pub result: Cow<'static, str>,
    pub output: Output,
    pub roles: Roles,
    pub about: About,
    /// Whether it changes something; if so it is written to the audit log.
    pub changes: bool,
    pub danger: Danger,
}

/// The JSON Schema of what comes back.
#[derive(Clone, Debug)]
pub enum Output {
    /// That of a type.
    Of(fn(&mut SchemaGenerator) -> Schema),
    /// As a plugin's manifest has it.
    Given(Value),
}

impl Output {
    /// The schema of a type.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        Self::Of(SchemaGenerator::subschema_for::<T>)
    }
}

impl Spec {
    #[must_use]
    pub fn argument(&self, name: &str) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.name == name)
    }
}

/// One operation: the type holds its arguments.
pub trait Operation: DeserializeOwned + Serialize + Send + 'static {
    const NAME: &'static str;
    type Output: Serialize + DeserializeOwned + JsonSchema + Send;

    fn spec() -> Spec;

    /// For the audit log: what is done, without secrets.
    /// Operations that change nothing are not asked.
    fn audit(&self) -> String {
        Self::NAME.to_owned()
    }

    /// Refuses what role and arguments together forbid and [`Spec`] cannot say.
    fn allow(&self, caller: &Caller) -> Result<(), OpError> {
        let _ = caller;
        Ok(())
    }

    /// For the audit log: what is changed, as it is now, without secrets. Asked before and after;
    /// none if there is nothing to tell.
    fn state<'a>(&self, backend: &'a Backend) -> Option<Answer<'a, Value>> {
        let _ = backend;
        None
    }

    fn run<'a>(self, backend: &'a Backend, caller: &'a Caller) -> Answer<'a, Self::Output>;
}

/// Writes one operation down: its arguments as a type, what is known of it, what the audit
/// log says (exactly those that change something say something), and what it calls.
///
/// `pages: [..]` adds the arguments of lists with what they are sorted by; then a field
/// `#[serde(flatten)] paging: Paging` takes them. `danger`, `allow` and `state` may be left out.
macro_rules! operation {
    (
        $(#[$about:meta])*
        $operation:ident { $($(#[$how:meta])* $field:ident: $type:ty),* $(,)? } -> $output:ty,
        name: $name:literal,
        help: $help:literal,
        route: $method:ident $path:literal,
        arguments: [$($argument:expr),* $(,)?],
        $(pages: [$($sort:literal),* $(,)?],)?
        result: $result:literal,
        roles: $roles:expr,
        about: $of:expr,
        $(danger: $danger:expr,)?
        $(audit: |$audited:ident| $audit:expr,)?
        $(allow: |$allowed:ident, $asking:ident| $allow:expr,)?
        $(state: |$kept:ident, $keeper:ident| $state:expr,)?
        run: |$it:ident, $backend:ident $(, $caller:ident)?| $run:expr,
    ) => {
        $(#[$about])*
        #[derive(Debug, ::serde::Serialize, ::serde::Deserialize)]
        pub struct $operation {
            $($(#[$how])* pub $field: $type,)*
        }

        impl $crate::operation::Operation for $operation {
            const NAME: &'static str = $name;
            type Output = $output;

            fn spec() -> $crate::operation::Spec {
                #[allow(unused_mut, reason = "few operations are lists")]
                let mut arguments = ::std::vec![$($argument),*];
                $(arguments.extend($crate::page::Paging::arguments(&[$($sort),*]));)?
                $crate::operation::Spec {
                    name: $name.into(),
                    help: $help.into(),
                    route: $crate::route::Route::$method($path),
                    arguments,
                    result: $result.into(),
                    output: $crate::operation::Output::of::<$output>(),
                    roles: $roles,
                    about: $of,
                    changes: $crate::operation::operation!(@changes $($audited)?),
                    danger: $crate::operation::operation!(@danger $($danger)?),
                }
            }

            $(fn audit(&self) -> String {
                let $audited = self;
                $audit
            })?

            $(fn allow(&self, $asking: &$crate::caller::Caller) -> Result<(), $crate::error::OpError> {
                let $allowed = self;
                $allow
            })?

            $(fn state<'a>(
                &self,
                $keeper: &'a $crate::backend::Backend,
            ) -> Option<$crate::backend::Answer<'a, ::serde_json::Value>> {
                let $kept = self;
                $crate::operation::told($state)
            })?

            fn run<'a>(
                self,
                $backend: &'a $crate::backend::Backend,
                #[allow(unused_variables, reason = "few operations ask who calls")] caller: &'a $crate::caller::Caller,
            ) -> $crate::backend::Answer<'a, $output> {
                let $it = self;
                $(let $caller = caller;)?
                $run
            }
        }
    };
    (@changes) => { false };
    (@changes $audited:ident) => { true };
    (@danger) => { $crate::access::Danger::None };
    (@danger $danger:expr) => { $danger };
}

pub(crate) use operation;

/// What an operation changes, as the audit log takes it.
pub(crate) fn told<'a, T: Serialize + Send + 'a>(answer: Answer<'a, T>) -> Option<Answer<'a, Value>> {
    Some(Box::pin(async move {
        let state = answer.await?;
        serde_json::to_value(state).map_err(|e| OpError::Failed(e.to_string()))
    }))
}
