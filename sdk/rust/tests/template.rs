//! The template with its placeholders filled in is the example.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

#[test]
fn template_makes_the_example() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for file in ["Cargo.toml", "plugin.toml", "src/lib.rs", "tests/stories.rs"] {
        let template = std::fs::read_to_string(sdk.join("template").join(file)).unwrap();
        let example = std::fs::read_to_string(sdk.join("examples/hello").join(file)).unwrap();
        let filled = template
            .replace("{{name}}", "hello")
            .replace("\"{{sdk}}\"", "{ path = \"../../rust\" }")
            .replace("\"{{testing}}\"", "{ path = \"../../testing\" }")
            .replace("{{id}}", "example.hello")
            .replace("{{ns}}", "urn:example:hello");
        assert_eq!(filled, example, "{file}");
        assert!(!filled.contains("{{"), "{file}");
    }
}
