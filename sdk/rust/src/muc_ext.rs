//! `xylem:muc-ext`: what other plugins may say about rooms.
//!
//! A plugin takes part with `[[extend]] interface = "xylem:muc-ext@0.1"` in its manifest, an
//! implementation of [`Extension`] and [`muc_extension!`](crate::muc_extension). The plugin that runs
//! the rooms has `[extension] interface = "xylem:muc-ext@0.1"` and asks with [`ask_join`],
//! [`ask_message`], [`fields`], [`configure`] and [`features`]: the server then asks everybody who
//! takes part, in order, and gives back one answer. Nobody who takes part: `Pass`, and empty lists.
//!
//! ```ignore
//! struct Rooms;
//!
//! impl xylem_sdk::muc_ext::Extension for Rooms {
//!     fn message(_cx: &Cx, _room: &str, _who: &Occupant, stanza: &str) -> Judgement {
//!         if stanza.contains("zounds") { Condition::PolicyViolation.into() } else { Judgement::Pass }
//!     }
//! }
//!
//! xylem_sdk::muc_extension!(Rooms);
//! ```

use crate::wit::xylem::muc_ext::extension as asked;
use crate::{Condition, Cx, Failure};

/// Somebody in a room, or at its door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occupant {
    /// The address of the session.
    pub jid: String,
    /// The nickname.
    pub nick: String,
    /// `none`, `visitor`, `participant` or `moderator`.
    pub role: String,
    /// `outcast`, `none`, `member`, `admin` or `owner`.
    pub affiliation: String,
}

/// A field of a submitted form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its `var`.
    pub name: String,
    /// What was filled in.
    pub values: Vec<String>,
}

/// Whether something may happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As far as this plugin is concerned.
    Pass,
    /// Whoever asked gets this error.
    Reject(Failure),
}

/// What becomes of a stanza.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It stays as it is.
    Pass,
    /// Go on with this XML instead; plugins further on see it, too.
    Edit(String),
    /// The sender gets this error, and nobody else anything.
    Reject(Failure),
}

/// What a plugin that takes part says. All of it is optional.
pub trait Extension {
    /// Before somebody enters; `who` is what he would be.
    fn join(_cx: &Cx, _room: &str, _who: &Occupant) -> Verdict {
        Verdict::Pass
    }

    /// Before a message of type groupchat is reflected and kept. `stanza` is XML that stands alone.
    fn message(_cx: &Cx, _room: &str, _who: &Occupant, _stanza: &str) -> Judgement {
        Judgement::Pass
    }

    /// Fields for the room's configuration form, each a `<field xmlns='jabber:x:data'/>` with its
    /// present value. Names begin with `{plugin id}#`, so that plugins do not clash.
    fn fields(_cx: &Cx, _room: &str) -> Vec<String> {
        Vec::new()
    }

    /// An owner submitted the form; all its fields are shown. After a rejection nothing of it is taken over.
    fn configure(_cx: &Cx, _room: &str, _fields: &[Field]) -> Verdict {
        Verdict::Pass
    }

    /// Features that the room announces beside its own.
    fn features(_cx: &Cx, _room: &str) -> Vec<String> {
        Vec::new()
    }
}

/// Whether somebody may enter, by everybody who takes part.
///
/// # Errors
/// The first rejection.
pub fn ask_join(room: &str, who: &Occupant) -> Result<(), Failure> {
    match asked::join(room, &who.as_asked()) {
        asked::Verdict::Pass => Ok(()),
        asked::Verdict::Reject(failure) => Err(rejected(failure)),
    }
}

/// What becomes of a message, by everybody who takes part: the new XML if it was edited.
///
/// # Errors
/// The first rejection.
pub fn ask_message(room: &str, who: &Occupant, stanza: &str) -> Result<Option<String>, Failure> {
    match asked::message(room, &who.as_asked(), stanza) {
        asked::Judgement::Pass => Ok(None),
        asked::Judgement::Edit(stanza) => Ok(Some(stanza)),
        asked::Judgement::Reject(failure) => Err(rejected(failure)),
    }
}

/// Fields of everybody who takes part, as XML, for the room's configuration form.
#[must_use]
pub fn fields(room: &str) -> Vec<String> {
    asked::fields(room)
}

/// Shows a submitted form to everybody who takes part.
///
/// # Errors
/// The first rejection.
pub fn configure(room: &str, fields: &[Field]) -> Result<(), Failure> {
    let fields: Vec<asked::Field> =
        fields.iter().map(|field| asked::Field { name: field.name.clone(), values: field.values.clone() }).collect();
    match asked::configure(room, &fields) {
        asked::Verdict::Pass => Ok(()),
        asked::Verdict::Reject(failure) => Err(rejected(failure)),
    }
}

/// Features of everybody who takes part.
#[must_use]
pub fn features(room: &str) -> Vec<String> {
    asked::features(room)
}

impl Occupant {
    fn as_asked(&self) -> asked::Occupant {
        let Self { jid, nick, role, affiliation } = self.clone();
        asked::Occupant { jid, nick, role, affiliation }
    }
}

impl<F: Into<Failure>> From<F> for Judgement {
    fn from(failure: F) -> Self {
        Self::Reject(failure.into())
    }
}

impl<F: Into<Failure>> From<F> for Verdict {
    fn from(failure: F) -> Self {
        Self::Reject(failure.into())
    }
}

fn rejected(failure: crate::wit::xylem::stanza::types::Failure) -> Failure {
    let condition = Condition::parse(&failure.condition).unwrap_or(Condition::UndefinedCondition);
    Failure::from_wit(condition, failure)
}

/// Exports an [`Extension`]. Stands once, beside `plugin!()`.
#[macro_export]
macro_rules! muc_extension {
    ($extension:ty) => {
        #[allow(
            unsafe_code,
            unreachable_pub,
            clippy::all,
            clippy::allow_attributes_without_reason,
            reason = "generated code"
        )]
        const _: () = {
            struct Exported;

            impl $crate::muc_ext::wit::exports::xylem::muc_ext::extension::Guest for Exported {
                $crate::muc_ext_functions!($extension);
            }

            // Natively there is nobody to export to; unit tests still check the functions.
            #[cfg(not(target_family = "wasm"))]
            const _: fn() = {
                fn whole<E: $crate::muc_ext::wit::exports::xylem::muc_ext::extension::Guest>() {}
                whole::<Exported>
            };

            #[cfg(target_family = "wasm")]
    $crate::muc_ext::wit::export!(Exported with_types_in $crate::muc_ext::wit);
        };
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! muc_ext_functions {
    ($extension:ty) => {
        fn join(room: String, who: $crate::muc_ext::exported::Occupant) -> $crate::muc_ext::exported::Verdict {
            $crate::muc_ext::dispatch::join::<$extension>(&room, who)
        }

        fn message(
            room: String,
            who: $crate::muc_ext::exported::Occupant,
            stanza: String,
        ) -> $crate::muc_ext::exported::Judgement {
            $crate::muc_ext::dispatch::message::<$extension>(&room, who, &stanza)
        }

        fn fields(room: String) -> Vec<String> {
            $crate::muc_ext::dispatch::fields::<$extension>(&room)
        }

        fn configure(
            room: String,
            fields: Vec<$crate::muc_ext::exported::Field>,
        ) -> $crate::muc_ext::exported::Verdict {
            $crate::muc_ext::dispatch::configure::<$extension>(&room, fields)
        }

        fn features(room: String) -> Vec<String> {
            $crate::muc_ext::dispatch::features::<$extension>(&room)
        }
    };
}

#[doc(hidden)]
pub use wit::exports::xylem::muc_ext::extension as exported;

/// What [`muc_extension!`](crate::muc_extension) generates calls to.
#[doc(hidden)]
#[allow(missing_docs, reason = "for the macro alone")]
pub mod dispatch {
    use super::{Extension, Field, Judgement, Occupant, Verdict, exported};
    use crate::Cx;

    pub fn join<E: Extension>(room: &str, who: exported::Occupant) -> exported::Verdict {
        verdict(E::join(&Cx::new(0), room, &occupant(who)))
    }

    pub fn message<E: Extension>(room: &str, who: exported::Occupant, stanza: &str) -> exported::Judgement {
        match E::message(&Cx::new(0), room, &occupant(who), stanza) {
            Judgement::Pass => exported::Judgement::Pass,
            Judgement::Edit(stanza) => exported::Judgement::Edit(stanza),
            Judgement::Reject(failure) => exported::Judgement::Reject(failure.into_wit()),
        }
    }

    #[must_use]
    pub fn fields<E: Extension>(room: &str) -> Vec<String> {
        E::fields(&Cx::new(0), room)
    }

    pub fn configure<E: Extension>(room: &str, fields: Vec<exported::Field>) -> exported::Verdict {
        let field = |field: exported::Field| Field { name: field.name, values: field.values };
        let fields: Vec<Field> = fields.into_iter().map(field).collect();
        verdict(E::configure(&Cx::new(0), room, &fields))
    }

    #[must_use]
    pub fn features<E: Extension>(room: &str) -> Vec<String> {
        E::features(&Cx::new(0), room)
    }

    fn occupant(who: exported::Occupant) -> Occupant {
        Occupant { jid: who.jid, nick: who.nick, role: who.role, affiliation: who.affiliation }
    }

    fn verdict(verdict: Verdict) -> exported::Verdict {
        match verdict {
            Verdict::Pass => exported::Verdict::Pass,
            Verdict::Reject(failure) => exported::Verdict::Reject(failure.into_wit()),
        }
    }
}

/// Generated from `sdk/wit`; for the macro alone.
#[doc(hidden)]
#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    clippy::all,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
pub mod wit {
    wit_bindgen::generate!({
        path: "../wit",
        world: "muc-extension",
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "xylem_sdk::muc_ext::wit",
        with: { "xylem:stanza/types@0.1.0": crate::wit::xylem::stanza::types },
    });
}
