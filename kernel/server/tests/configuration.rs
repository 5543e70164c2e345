//! The configuration of a running server: shown, tried, changed, and put back.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const COMMENT: &str = "# What we decided in spring.";

#[test]
fn the_configuration_is_changed_without_losing_anything() {
    let server = Run::start("");
    let setting = |section: &str, key: &str| {
        let shown = server.call(&["config.show"]).unwrap();
        let all = shown["settings"].as_array().unwrap().clone();
        all.into_iter()
            .find(|it| it["section"] == section && it["key"] == key)
            .unwrap_or_else(|| panic!("{section}.{key}"))
    };
    let depth = setting("limits", "depth");
    assert_eq!((depth["value"].as_str(), depth["origin"]["from"].as_str()), (Some("20"), Some("file")), "{depth}");
    assert!(depth["origin"]["place"].as_str().unwrap().contains("x.toml:"), "{depth}");
    assert_eq!(setting("log", "level")["origin"]["from"], "default");
    assert_eq!(setting("log", "format")["origin"]["place"], "XYLEM__LOG__FORMAT");

    let tried = server.call(&["config.try", "section=limits", "key=depth", "value=30"]).unwrap();
    let change = &tried["changes"][0];
    assert_eq!((change["before"].as_str(), change["after"].as_str()), (Some("20"), Some("30")), "{tried}");
    assert_eq!(setting("limits", "depth")["value"], "20", "only tried");
    let wrong = server.call(&["config.try", "section=limits", "key=depth", "value=7"]).unwrap();
    assert!(wrong["problems"][0]["message"].as_str().unwrap().contains("8 to 256"), "{wrong}");

    let saved = server.call(&["config.set", "section=limits", "key=depth", "value=30"]).unwrap();
    assert!(saved["applied"].to_string().contains("limits"), "{saved}");
    assert_eq!(setting("limits", "depth")["value"], "30");
    let text = std::fs::read_to_string(server.file()).unwrap();
    assert!(text.contains(COMMENT) && text.contains("depth = 30 # enough"), "{text}");

    let saved = server.call(&["config.set", "section=http", "key=listen", "value=[\"127.0.0.1:0\"]"]).unwrap();
    assert!(saved["restart"].to_string().contains("http"), "{saved}");
    let pending = server.call(&["config.show"]).unwrap()["pending"].to_string();
    assert!(pending.contains("127.0.0.1:0"), "{pending}");

    let history = server.call(&["config.history"]).unwrap();
    assert_eq!(history.as_array().unwrap().len(), 2);
    let oldest = format!("id={}", history[1]["id"]);
    let preview = server.call(&["config.version", &oldest]).unwrap();
    assert_eq!(preview["changes"].as_array().unwrap().len(), 2, "{preview}");
    server.call(&["config.rollback", &oldest]).unwrap();
    assert_eq!(setting("limits", "depth")["value"], "20");
    assert_eq!(server.call(&["config.history"]).unwrap().as_array().unwrap().len(), 3);
}

#[test]
fn what_is_wrong_or_old_is_not_saved() {
    let server = Run::start("");
    let before = std::fs::read_to_string(server.file()).unwrap();
    let refused = server.call(&["config.save", "text=[limits]\ndepth = 1\n"]).unwrap_err();
    assert!(refused.contains("8 to 256"), "{refused}");
    // Read well, but it cannot come into force: there is no such certificate.
    let missing =
        format!("{before}[domains.\"a.example\"]\ncertificate = \"/nowhere/c.pem\"\nkey = \"/nowhere/k.pem\"\n");
    let refused = server.call(&["config.save", &format!("text={missing}")]).unwrap_err();
    assert!(refused.contains("nothing was changed") && refused.contains("/nowhere/c.pem"), "{refused}");
    assert_eq!(std::fs::read_to_string(server.file()).unwrap(), before);

    let mark = server.call(&["config.text"]).unwrap()["mark"].as_str().unwrap().to_owned();
    std::fs::write(server.file(), format!("{before}# somebody else\n")).unwrap();
    let stale = server.call(&["config.save", &format!("text={before}"), &format!("mark={mark}")]).unwrap_err();
    assert!(stale.contains("somebody else"), "{stale}");
}

/// A server with a file of its own.
struct Run {
    child: Child,
    folder: tempfile::TempDir,
}

impl Run {
    fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let file = folder.path().join("x.toml");
        let text = format!(
            "{COMMENT}\n[server]\ndata = {data:?}\n[listen]\nstarttls = [\"127.0.0.1:0\"]\ndirect_tls = []\n\
             [http]\nlisten = []\n[console]\nenabled = false\n[store]\nbackend = \"memory\"\n\
             [limits]\ndepth = 20 # enough\n{more}"
        );
        std::fs::write(&file, text).unwrap();
        let mut child = xylem(&file).arg("run").stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains("user add you@") {
            assert!(log.read_line(&mut seen).unwrap() > 0, "{seen}");
        }
        std::thread::spawn(move || drop(std::io::copy(&mut log, &mut std::io::sink())));
        Self { child, folder }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("x.toml")
    }

    fn call(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = xylem(&self.file()).args(["op", "--json"]).args(arguments).output().unwrap();
        if output.status.success() {
            return Ok(serde_json::from_slice(&output.stdout).unwrap());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn xylem(file: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xylem"));
    command.env_remove("XYLEM_SOCKET").env_remove("XYLEM_DATA").env("XYLEM__LOG__FORMAT", "human");
    command.env("XYLEM_CONFIG", file);
    command
}
