//! `xylem_sdk::plugin!()`: reads `plugin.toml` at compile time and connects its
//! entries to the functions they name.

mod generate;
mod manifest;

use proc_macro::TokenStream;
use proc_macro2::Span;

/// Makes a plugin of this crate.
///
/// Stands once in the crate's root. Reads `plugin.toml` beside `Cargo.toml` and makes
/// - the component's exports, which call `crate::<handler>` for each entry,
/// - `stores`, `views`, `limits` and `matches`: a constant for each entry,
/// - `Config`: a field for each option, and `Config::load()`.
///
/// A handler that is missing or has another signature is a compile error.
#[proc_macro]
pub fn plugin(input: TokenStream) -> TokenStream {
    let result = if input.is_empty() {
        read()
    } else {
        Err("`plugin!()` takes nothing; everything is in plugin.toml".to_owned())
    };
    match result {
        Ok(tokens) => tokens.into(),
        Err(problem) => syn::Error::new(Span::call_site(), problem).to_compile_error().into(),
    }
}

fn read() -> Result<proc_macro2::TokenStream, String> {
    let folder = std::env::var("CARGO_MANIFEST_DIR").map_err(|_| "CARGO_MANIFEST_DIR is not set".to_owned())?;
    let path = std::path::Path::new(&folder).join("plugin.toml");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("plugin.toml beside Cargo.toml: {error}"))?;
    let manifest = manifest::Manifest::parse(&text)?;
    generate::plugin(&manifest)
}
