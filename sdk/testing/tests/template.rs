//! What `xylem plugin new` makes: it builds and does what its own test says.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use xylem_testing::Kit;

const FILES: [&str; 4] = ["Cargo.toml", "plugin.toml", "src/lib.rs", "tests/stories.rs"];

#[test]
fn the_template_builds_and_greets() {
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // Not a new folder for each run, so that it is built only when it changed.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("greeter");
    for file in FILES {
        let text = std::fs::read_to_string(sdk.join("template").join(file)).unwrap();
        let crate_at = |name: &str| format!("{{ path = {:?} }}", sdk.join(name));
        let mut text = text
            .replace("\"{{sdk}}\"", &crate_at("rust"))
            .replace("\"{{testing}}\"", &crate_at("testing"))
            .replace("{{name}}", "greeter")
            .replace("{{id}}", "example.greeter")
            .replace("{{ns}}", "urn:example:greeter");
        assert!(!text.contains("{{"), "{file}: {text}");
        if file == "Cargo.toml" {
            text.push_str("\n[workspace]\n");
        }
        put(&folder.join(file), &text);
    }
    // The versions that the workspace was tested with.
    put(&folder.join("Cargo.lock"), &std::fs::read_to_string(sdk.parent().unwrap().join("Cargo.lock")).unwrap());

    let server = Kit::new().source(&folder).start();
    server.account("juliet");
    let mut juliet = server.client("juliet@localhost/balcony");
    juliet.send("<iq type='get' to='localhost' id='1'><hello xmlns='urn:example:greeter'/></iq>");
    juliet.receives(
        "<iq type='result' from='localhost' id='1'><hello xmlns='urn:example:greeter'>Hello, juliet!</hello></iq>",
    );
    juliet.receives_nothing();
    server.no_faults();
}

fn put(path: &Path, text: &str) {
    if std::fs::read_to_string(path).is_ok_and(|old| old == text) {
        return;
    }
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
