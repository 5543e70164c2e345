use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::argument::Argument;
use crate::backend::{Answer, Backend};
use crate::caller::Permission;

/// What is known of an operation without running it.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// `noun.verb`, or one word.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    pub arguments: &'static [Argument],
    /// The JSON that comes back, in words.
    pub result: &'static str,
    pub permission: Permission,
    /// Whether it changes something; if so it is written to the audit log.
    pub changes: bool,
}

/// One operation: the type holds its arguments.
pub trait Operation: DeserializeOwned + Serialize + Send + 'static {
    const SPEC: Spec;
    type Output: Serialize + DeserializeOwned + Send;

    /// For the audit log: what is done, without secrets.
    /// Operations that change nothing are not asked.
    fn audit(&self) -> String {
        Self::SPEC.name.to_owned()
    }

    fn run(self, backend: &Backend) -> Answer<'_, Self::Output>;
}

/// Writes one operation down: its arguments as a type, what is known of it, what the audit
/// log says (exactly those that change something say something), and what it calls.
macro_rules! operation {
    (
        $(#[$about:meta])*
        $operation:ident { $($(#[$how:meta])* $field:ident: $type:ty),* } -> $output:ty,
        name: $name:literal,
        help: $help:literal,
        arguments: [$($argument:expr),* $(,)?],
        result: $result:literal,
        permission: $permission:ident,
        $(audit: |$audited:ident| $audit:expr,)?
        run: |$it:ident, $backend:ident| $run:expr,
    ) => {
        $(#[$about])*
        #[derive(Debug, ::serde::Serialize, ::serde::Deserialize)]
        pub struct $operation {
            $($(#[$how])* pub $field: $type,)*
        }

        impl $crate::operation::Operation for $operation {
            const SPEC: $crate::operation::Spec = $crate::operation::Spec {
                name: $name,
                help: $help,
                arguments: &[$($argument),*],
                result: $result,
                permission: $crate::caller::Permission::$permission,
                changes: $crate::operation::operation!(@changes $($audited)?),
            };
            type Output = $output;

            $(fn audit(&self) -> String {
                let $audited = self;
                $audit
            })?

            fn run(self, $backend: &$crate::backend::Backend) -> $crate::backend::Answer<'_, $output> {
                let $it = self;
                $run
            }
        }
    };
    (@changes) => { false };
    (@changes $audited:ident) => { true };
}

pub(crate) use operation;
