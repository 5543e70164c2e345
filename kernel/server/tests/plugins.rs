//! Plugins written, built, installed, changed and removed by the command line. Needs the
//! WebAssembly target and a cargo that finds what the SDK depends on.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

#[test]
fn a_plugin_goes_through_its_life() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("greeter");
    let output = run(xylem().args(["plugin", "new", "--sdk"]).arg(sdk()).arg(&project));
    assert!(output.contains("greeter"), "{output}");
    let again = xylem().args(["plugin", "new"]).arg(&project).output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("not empty"));

    let checked = run(xylem().args(["plugin", "check"]).arg(&project));
    assert!(checked.contains("example.greeter 0.1.0: in order"), "{checked}");
    let package = project.join("target/plugins/example.greeter.wasm");
    let server = Dev::start(folder.path());
    assert!(!server.rows().contains(&("example.greeter".into(), "running".into())));
    assert_eq!(server.ask(&["plugin", "install", package.to_str().unwrap()])["state"], "running");
    let twice = server.command(&["plugin", "install", package.to_str().unwrap()]);
    assert_eq!(twice.status.code(), Some(6), "{}", String::from_utf8_lossy(&twice.stderr));

    let manifest = project.join("plugin.toml");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(&manifest, text.replace("version = \"0.1.0\"", "version = \"0.2.0\"")).unwrap();
    run(xylem().args(["plugin", "build"]).arg(&project));
    assert_eq!(server.ask(&["plugin", "upgrade", package.to_str().unwrap()])["version"], "0.2.0");
    let info = server.ask(&["plugin", "info", "example.greeter"]);
    assert!(info["manifest"].as_str().unwrap().contains("0.2.0"));

    let row = server.ask(&["plugin", "disable", "example.greeter", "--domain", "localhost"]);
    assert_eq!(row["domains"], serde_json::json!(["anon.localhost"]));
    server.stop();
    let server = Dev::start(folder.path());
    let info = server.ask(&["plugin", "info", "example.greeter"]);
    assert_eq!((&info["version"], &info["domains"]), (&"0.2.0".into(), &serde_json::json!(["anon.localhost"])));
    let row = server.ask(&["plugin", "enable", "example.greeter"]);
    assert_eq!(row["domains"], serde_json::json!(["anon.localhost", "localhost"]));
    server.ask(&["plugin", "remove", "example.greeter"]);
    assert_eq!(server.command(&["plugin", "info", "example.greeter"]).status.code(), Some(5));
    assert_eq!(server.command(&["chain", "message.inn"]).status.code(), Some(8));
    assert!(server.ask(&["chain", "message.in", "--domain", "localhost"])["points"][0]["steps"].is_array());
    server.stop();
}

#[test]
fn what_is_no_package_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.wasm");
    std::fs::write(&file, b"\0asm\x0d\0\x01\0").unwrap();
    let output = xylem().args(["plugin", "check"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no manifest"));
    let server = Dev::start(folder.path());
    let output = server.command(&["plugin", "install", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(8));
    assert_eq!(server.command(&["plugin", "enable", "no.such"]).status.code(), Some(5));
    server.stop();
}

/// A throw-away server that keeps its data.
struct Dev {
    child: Child,
    socket: String,
}

impl Dev {
    fn start(folder: &Path) -> Self {
        let mut child = xylem()
            .args(["dev", "--data"])
            .arg(folder.join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        Self { child, socket: line["admin_socket"].as_str().unwrap().to_owned() }
    }

    fn command(&self, arguments: &[&str]) -> Output {
        xylem().args(arguments).args(["--json", "--socket", &self.socket]).output().unwrap()
    }

    fn ask(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn rows(&self) -> Vec<(String, String)> {
        let rows = self.ask(&["plugin", "list"]);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        rows["items"].as_array().unwrap().iter().map(|row| (text(&row["id"]), text(&row["state"]))).collect()
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn sdk() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/rust")
}

fn xylem() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xylem"));
    // A plugin outside of the workspace is built apart from it, whatever the workspace is told.
    command.env_remove("CARGO_TARGET_DIR").env_remove("XYLEM_SOCKET").env_remove("XYLEM_CONFIG");
    command
}
