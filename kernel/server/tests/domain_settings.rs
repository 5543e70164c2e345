//! Plugins set for one domain by itself: checked, applied by a reload, shown.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

#[test]
fn what_a_domain_sets_goes_over_what_all_have() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let write = |more: &str| {
        let data = folder.path().join("data").display().to_string();
        let text = format!(
            "[server]\ndata = {data:?}\n[listen]\nstarttls = [\"127.0.0.1:0\"]\ndirect_tls = []\n[http]\nlisten = []\n[console]\nlisten = []\n\
             [store]\nbackend = \"memory\"\n[plugins.\"xylem.offline\"]\nmax_messages = 7\n\
             [domains.\"a.example\"]\n[domains.\"b.example\"]\n{more}"
        );
        std::fs::write(&file, text).unwrap();
    };
    let ask = |arguments: &[&str]| {
        let output = xylem().args(arguments).args(["--json", "--config"]).arg(&file).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    };
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&ask(arguments).unwrap()).unwrap() };

    write("[domains.\"b.example\".settings.\"xylem.offline\"]\nmax_messages = 3\n");
    let mut server = Run::start(&file);
    let info = json(&["plugin", "info", "xylem.offline"]);
    assert_eq!(info["config"]["max_messages"], 7);
    assert_eq!(info["config_by_domain"], serde_json::json!({ "b.example": { "max_messages": 3 } }));

    write("[domains.\"a.example\".settings.\"xylem.offline\"]\nmax_messages = 4\n");
    let report = json(&["reload"]);
    assert!(report["applied"].to_string().contains("configuration of plugins"), "{report}");
    let info = json(&["plugin", "info", "xylem.offline"]);
    assert_eq!(info["config_by_domain"], serde_json::json!({ "a.example": { "max_messages": 4 } }));

    let section = "[domains.\"b.example\".settings.\"xylem.offline\"]\n";
    for (line, why) in [
        ("max_messages = -1", "a whole number, 0 to 10000"),
        ("max_message = 1", "no such option; known: max_messages"),
    ] {
        write(&format!("{section}{line}\n"));
        let refused = ask(&["reload"]).unwrap_err();
        assert!(refused.contains("x.toml:17:") && refused.contains(why), "{refused}");
        assert!(refused.contains("domains.\"b.example\".settings.\"xylem.offline\".max_message"), "{refused}");
    }
    let info = json(&["plugin", "info", "xylem.offline"]);
    assert_eq!(info["config_by_domain"], serde_json::json!({ "a.example": { "max_messages": 4 } }), "as it was");
    server.stop();
    let start = xylem().args(["run", "--config"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&start.stderr);
    assert!(!start.status.success() && said.contains("x.toml:17:"), "{said}");
}

struct Run(Child);

impl Run {
    fn start(file: &std::path::Path) -> Self {
        let mut child = xylem().args(["run", "--config"]).arg(file).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains("user add you@") {
            assert!(log.read_line(&mut seen).unwrap() > 0, "{seen}");
        }
        std::thread::spawn(move || drop(std::io::copy(&mut log, &mut std::io::sink())));
        Self(child)
    }

    fn stop(&mut self) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn xylem() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xylem"));
    command.env_remove("XYLEM_SOCKET").env_remove("XYLEM_CONFIG");
    command
}
