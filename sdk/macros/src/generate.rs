//! From the manifest to the code that the server calls.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;

use crate::manifest::{ConfigKind, ConfigOption, Entry, Manifest, Shape};

pub(crate) fn plugin(manifest: &Manifest) -> Result<TokenStream, String> {
    let stores = stores(manifest)?;
    let views = views(manifest)?;
    let limits = limits(manifest)?;
    let listeners = listeners(manifest)?;
    let matches = matches(manifest)?;
    let config = config(manifest)?;
    let exports = exports(manifest)?;
    Ok(quote! {
        const _: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/plugin.toml"));
        #stores
        #views
        #limits
        #listeners
        #matches
        #config
        #exports
    })
}

fn exports(manifest: &Manifest) -> Result<TokenStream, String> {
    let hooks = arms(
        manifest.hook.iter().map(|hook| hook.handler.as_deref()),
        |number, handler| quote!(#number => dispatch::hook(crate::#handler, &cx, &stanza)),
    )?;
    let claims =
        arms(handlers(&manifest.iq), |number, handler| quote!(#number => dispatch::iq(crate::#handler, &cx, &stanza)))?;
    let events = arms(
        handlers(&manifest.event),
        |number, handler| quote!(#number => dispatch::event(crate::#handler, &cx, &event)),
    )?;
    let answer = optional(
        manifest.replies.answer.as_deref(),
        |handler| quote!(dispatch::answer(crate::#handler, &token, answer)),
    )?;
    let wake =
        optional(manifest.replies.wake.as_deref(), |handler| quote!(dispatch::wake(crate::#handler, &name, &token)))?;
    let page =
        optional(manifest.replies.page.as_deref(), |handler| quote!(dispatch::page(crate::#handler, &token, sent)))?;
    let operations = arms(
        handlers(&manifest.operation),
        |number, handler| quote!(#number => dispatch::operation(crate::#handler, &call)),
    )?;
    let operated = optional(
        manifest.replies.operation.as_deref(),
        |handler| quote!(dispatch::operated(crate::#handler, &token, answer)),
    )?;
    let ended = ended(manifest)?;
    let start = match manifest.lifecycle.start.as_deref() {
        Some(handler) => {
            let handler = ident(handler)?;
            quote!(dispatch::start(crate::#handler))
        }
        None => quote!(Ok(())),
    };
    Ok(quote! {
        #[allow(
            unsafe_code, unreachable_pub, unused_variables, unreachable_code, clippy::all,
            clippy::allow_attributes_without_reason, reason = "generated code"
        )]
        const _: () = {
            use ::xylem_sdk::wit::exports::xylem::plugin::{events, hooks, iq, lifecycle, operations, replies, wire_events};
            use ::xylem_sdk::wit::xylem::admin::types::Refusal;
            use ::xylem_sdk::wit::xylem::stanza::types;
            use ::xylem_sdk::{Cx, Event, Reply, Stanza, Verdict, dispatch};

            struct Plugin;

            impl hooks::Guest for Plugin {
                fn on_stanza(hook: u32, bits: u64, text: String, index: Vec<u32>) -> types::Verdict {
                    let cx = Cx::new(bits);
                    let stanza = Stanza::new(&text, &index);
                    dispatch::verdict(match hook { #hooks _ => Verdict::Pass })
                }
            }

            impl iq::Guest for Plugin {
                fn on_iq(claim: u32, text: String, index: Vec<u32>) -> iq::Outcome {
                    let cx = Cx::new(0);
                    let stanza = Stanza::new(&text, &index);
                    dispatch::outcome(match claim { #claims _ => Reply::Unhandled })
                }
            }

            impl events::Guest for Plugin {
                fn on_event(event: u32, subject: String, detail: String) {
                    let cx = Cx::new(0);
                    let number = event;
                    let event = Event { subject: &subject, detail: &detail };
                    match number { #events _ => () }
                }
            }

            impl operations::Guest for Plugin {
                fn run(operation: u32, arguments: String, caller: operations::Caller) -> Result<String, Refusal> {
                    let call = ::xylem_sdk::operations::Operation::new(&arguments, caller.who, caller.role);
                    match operation { #operations _ => Err(Refusal::Unknown) }
                }
            }

            impl replies::Guest for Plugin {
                fn on_answer(token: String, answer: Result<(String, Vec<u32>), types::Fault>) {
                    #answer
                }

                fn on_wake(name: String, token: String) {
                    #wake
                }

                fn on_page(token: String, sent: Result<replies::Page, types::Fault>) {
                    #page
                }

                fn on_operation(token: String, answer: Result<String, Refusal>) {
                    #operated
                }
            }

            impl wire_events::Guest for Plugin {
                fn on_ended(listener: u32, token: String, ended: wire_events::Ended) {
                    match listener { #ended _ => () }
                }
            }

            impl lifecycle::Guest for Plugin {
                fn start() -> Result<(), String> {
                    #start
                }
            }

            // Natively there is nobody to export to; a crate's unit tests still check the handlers.
            #[cfg(not(target_family = "wasm"))]
            const _: fn() = {
                fn whole<P>()
                where
                    P: hooks::Guest
                        + iq::Guest
                        + events::Guest
                        + operations::Guest
                        + replies::Guest
                        + wire_events::Guest
                        + lifecycle::Guest,
                {
                }
                whole::<Plugin>
            };

            #[cfg(target_family = "wasm")]
            ::xylem_sdk::wit::export!(Plugin with_types_in ::xylem_sdk::wit);
        };
    })
}

fn handlers(entries: &[Entry]) -> impl Iterator<Item = Option<&str>> {
    entries.iter().map(|entry| Some(entry.handler.as_str()))
}

/// One for each entry that is called, by its place among all.
fn arms<'a>(
    entries: impl Iterator<Item = Option<&'a str>>,
    arm: impl Fn(Literal, Ident) -> TokenStream,
) -> Result<TokenStream, String> {
    let mut arms = TokenStream::new();
    for (number, handler) in entries.enumerate().filter_map(|(number, handler)| Some((number, handler?))) {
        let number =
            Literal::u32_suffixed(u32::try_from(number).map_err(|_| "plugin.toml: too many entries".to_owned())?);
        let arm = arm(number, ident(handler)?);
        arms.extend(quote!(#arm,));
    }
    Ok(arms)
}

/// Relays of listeners that want to hear of their end.
fn ended(manifest: &Manifest) -> Result<TokenStream, String> {
    let mut arms = TokenStream::new();
    for (number, listener) in (0_u32..).zip(&manifest.listener) {
        let Some(handler) = &listener.ended else { continue };
        let (number, handler) = (Literal::u32_suffixed(number), ident(handler)?);
        arms.extend(quote!(#number => dispatch::ended(crate::#handler, &token, ended),));
    }
    Ok(arms)
}

fn optional(handler: Option<&str>, call: impl Fn(Ident) -> TokenStream) -> Result<TokenStream, String> {
    handler.map_or_else(|| Ok(TokenStream::new()), |handler| ident(handler).map(call))
}

fn stores(manifest: &Manifest) -> Result<TokenStream, String> {
    let mut constants = TokenStream::new();
    for (number, store) in (0_u32..).zip(&manifest.store) {
        let name = constant(&store.name)?;
        let doc = format!("`{}` of the manifest's `[[store]]` entries.", store.name);
        let kind = match store.shape {
            Shape::Kv => quote!(::xylem_sdk::kv::Kv),
            Shape::Archive => quote!(::xylem_sdk::archive::Archive),
        };
        constants.extend(quote!(#[doc = #doc] pub(crate) const #name: #kind = <#kind>::from_manifest(#number);));
    }
    Ok(module("stores", "The plugin's stores.", &constants))
}

fn views(manifest: &Manifest) -> Result<TokenStream, String> {
    let mut constants = TokenStream::new();
    let first = u32::try_from(manifest.store.len()).unwrap_or(u32::MAX);
    for (number, view) in (first..).zip(&manifest.needs.views) {
        let Some((plugin, store)) = view.split_once('/') else {
            return Err(format!("plugin.toml: view `{view}` should be plugin/store, such as `xylem.roster/contacts`"));
        };
        let last = plugin.rsplit('.').next().unwrap_or(plugin);
        let name = constant(&format!("{last}_{store}"))?;
        let doc = format!("`{view}`.");
        constants.extend(quote! {
            #[doc = #doc]
            pub(crate) const #name: ::xylem_sdk::kv::View = ::xylem_sdk::kv::View::from_manifest(#number);
        });
    }
    Ok(module("views", "Stores of other plugins that this one may read.", &constants))
}

fn limits(manifest: &Manifest) -> Result<TokenStream, String> {
    let mut constants = TokenStream::new();
    for limit in &manifest.limit {
        let (name, text) = (constant(&limit.name)?, &limit.name);
        constants.extend(quote! {
            pub(crate) const #name: ::xylem_sdk::limits::Limit = ::xylem_sdk::limits::Limit::from_manifest(#text);
        });
    }
    Ok(module("limits", "Token buckets.", &constants))
}

fn listeners(manifest: &Manifest) -> Result<TokenStream, String> {
    let mut constants = TokenStream::new();
    for (number, listener) in (0_u32..).zip(&manifest.listener) {
        let name = constant(&listener.name)?;
        constants.extend(quote! {
            pub(crate) const #name: ::xylem_sdk::wires::Listener = ::xylem_sdk::wires::Listener::from_manifest(#number);
        });
    }
    Ok(module("listeners", "What the server listens to for this plugin.", &constants))
}

fn matches(manifest: &Manifest) -> Result<TokenStream, String> {
    let mut constants = TokenStream::new();
    for (bit, test) in (0_u8..).zip(manifest.matches()) {
        let name = constant(test)?;
        constants.extend(quote! {
            pub(crate) const #name: ::xylem_sdk::Match = ::xylem_sdk::Match::from_manifest(#bit);
        });
    }
    Ok(module("matches", "Tests that the server made before the call.", &constants))
}

fn module(name: &str, doc: &str, constants: &TokenStream) -> TokenStream {
    if constants.is_empty() {
        return TokenStream::new();
    }
    let name = Ident::new(name, Span::call_site());
    quote! {
        #[doc = #doc]
        #[allow(dead_code, reason = "a plugin need not use all it declares")]
        pub(crate) mod #name { #constants }
    }
}

fn config(manifest: &Manifest) -> Result<TokenStream, String> {
    if manifest.config.is_empty() {
        return Ok(TokenStream::new());
    }
    let (mut fields, mut values) = (TokenStream::new(), TokenStream::new());
    for (option, schema) in &manifest.config {
        let name = ident(&option.replace('-', "_"))?;
        let (kind, value) = field(option, schema)
            .ok_or_else(|| format!("plugin.toml: the default of [config.{option}] does not fit its type"))?;
        let help = &schema.help;
        fields.extend(quote!(#[doc = #help] pub(crate) #name: #kind,));
        values.extend(quote!(#name: #value,));
    }
    Ok(quote! {
        /// The plugin's configuration.
        #[allow(dead_code, reason = "a plugin need not use all it declares")]
        pub(crate) struct Config { #fields }

        #[allow(dead_code, reason = "a plugin need not use all it declares")]
        impl Config {
            /// For the domain of this call.
            pub(crate) fn load() -> Self {
                let options = ::xylem_sdk::config::Options::load();
                Self { #values }
            }
        }
    })
}

/// The field's type and how it is read.
fn field(option: &str, schema: &ConfigOption) -> Option<(TokenStream, TokenStream)> {
    let default = &schema.default;
    Some(match schema.kind {
        ConfigKind::Boolean => {
            let default = default.as_bool()?;
            (quote!(bool), quote!(options.boolean(#option, #default)))
        }
        ConfigKind::Integer => {
            let default = default.as_integer()?;
            (quote!(i64), quote!(options.number(#option, #default)))
        }
        // The server always fills in sizes and durations; only it knows their units.
        ConfigKind::Duration | ConfigKind::Size => (quote!(u64), quote!(options.number(#option, 0).unsigned_abs())),
        ConfigKind::String | ConfigKind::Enum => {
            let default = default.as_str()?;
            (quote!(String), quote!(options.string(#option, #default)))
        }
        ConfigKind::List => {
            let items: Option<Vec<&str>> = default.as_array()?.iter().map(toml::Value::as_str).collect();
            let items = items?;
            (quote!(Vec<String>), quote!(options.list(#option, &[#(#items),*])))
        }
    })
}

fn constant(name: &str) -> Result<Ident, String> {
    ident(&name.to_uppercase().replace(['-', '.'], "_"))
}

fn ident(name: &str) -> Result<Ident, String> {
    syn::parse_str::<Ident>(name)
        .map(|mut ident| {
            ident.set_span(Span::call_site());
            ident
        })
        .map_err(|_| format!("plugin.toml: `{name}` cannot be a Rust name"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::plugin;
    use crate::manifest::Manifest;

    fn generated(toml: &str) -> String {
        plugin(&Manifest::parse(toml).unwrap()).unwrap_or_else(|problem| panic!("{problem}")).to_string()
    }

    fn refused(toml: &str) -> String {
        plugin(&Manifest::parse(toml).unwrap()).err().unwrap()
    }

    #[test]
    fn views_count_after_stores() {
        let code = generated(
            "store = [{ name = 'a-b', shape = 'kv' }, { name = 'c', shape = 'archive' }]\nneeds = { views = ['xylem.roster/contacts'] }",
        );
        for part in
            ["A_B", "archive :: Archive > :: from_manifest (1u32)", "ROSTER_CONTACTS", "View :: from_manifest (2u32)"]
        {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn entries_are_called_by_their_place() {
        let code = generated(
            "hook = [{ handler = 'one' }, { strip = '{a}b' }, { handler = 'two' }]\nreplies = { wake = 'due' }",
        );
        for part in ["0u32 => dispatch :: hook (crate :: one", "2u32 => dispatch :: hook (crate :: two", "crate :: due"]
        {
            assert!(code.contains(part), "{part} in {code}");
        }
    }

    #[test]
    fn what_cannot_be_generated_is_refused() {
        assert!(refused("hook = [{ handler = 'two words' }]").contains("two words"));
        assert!(refused("needs = { views = ['contacts'] }").contains("plugin/store"));
        assert!(refused("[config.x]\ntype = 'boolean'\ndefault = 3").contains("config.x"));
    }
}
