//! A server with a configuration file: it starts again by itself, serves other domains, and hands its exports out.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xylem_suite::server::program;

const PATIENCE: Duration = Duration::from_secs(90);

struct Running {
    child: Child,
    folder: tempfile::TempDir,
}

impl Running {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("xylem.toml");
        let text = "# Ours.\n[listen]\nstarttls = [\"127.0.0.1:0\"]\ndirect_tls = []\n\n[http]\nlisten = []\n\n[console]\n\
            listen = [\"127.0.0.1:0\"]\n";
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut command = Command::new(program().unwrap());
        command.arg("--config").arg(&file).arg("--data").arg(folder.path().join("data")).arg("run");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let running = Self { child, folder };
        running.status(|_| true);
        running
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    fn call(&self, arguments: &[&str]) -> Result<Value, String> {
        let done = Command::new(program().unwrap())
            .arg("--data")
            .arg(self.data())
            .args(["--json", "op"])
            .args(arguments)
            .output();
        let done = done.unwrap();
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned());
        }
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    }

    /// Waits for a status.
    fn status(&self, wanted: impl Fn(&Value) -> bool) -> Value {
        let end = Instant::now() + PATIENCE;
        loop {
            match self.call(&["status"]) {
                Ok(status) if wanted(&status) => return status,
                last => assert!(Instant::now() < end, "{last:?}\n{}", self.log()),
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("xylem.toml")).unwrap()
    }

    fn ended(&mut self) -> i32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "it goes on: {}", self.log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_starts_again_as_the_same_process_and_stops_when_told() {
    let mut server = Running::start();
    let pid = server.child.id();
    assert_eq!(server.status(|_| true)["pid"], pid);
    let planned = server.call(&["server.stop", "delay=3600", "reason=moving"]).unwrap();
    assert_eq!((&planned["ending"], &planned["reason"]), (&json!("stop"), &json!("moving")));
    assert_eq!(server.call(&["status"]).unwrap()["ending"]["ending"], "stop");
    assert_eq!(server.call(&["server.stay"]).unwrap()["called_off"]["ending"], "stop");
    assert_eq!(server.call(&["status"]).unwrap()["ending"], Value::Null);
    server.call(&["user.add", "account=juliet@localhost", "password=pencil"]).unwrap();
    server.call(&["server.restart"]).unwrap();
    let end = Instant::now() + PATIENCE;
    while server.log().matches("ready").count() < 2 {
        assert!(Instant::now() < end, "{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    let status = server.status(|status| status["uptime_seconds"].as_u64().is_some());
    assert_eq!(status["pid"], pid, "whatever watches over it sees no end");
    assert!(server.call(&["user.show", "account=juliet@localhost"]).is_ok(), "everything is there");
    let audit = server.call(&["audit.verify"]).unwrap();
    assert_eq!((&audit["intact"], &audit["breaks"]), (&json!(true), &json!([])), "{audit}");
    server.call(&["server.stop"]).unwrap();
    assert_eq!(server.ended(), 0);
}

#[test]
fn domains_come_and_go_through_the_configuration() {
    let server = Running::start();
    assert!(server.config().starts_with("# Ours."));
    let seen = server.call(&["domain.add", "domain=b.example", "preview=true"]).unwrap();
    assert!(seen["saved"].is_null() && !seen["changes"].as_array().unwrap().is_empty(), "{seen}");
    assert!(!server.config().contains("b.example"), "only looked at");
    server.call(&["domain.add", "domain=b.example", "anonymous=true"]).unwrap();
    assert_eq!(server.call(&["status"]).unwrap()["domains"], json!(["b.example", "localhost"]));
    assert!(server.config().starts_with("# Ours.") && server.config().contains("[domains.\"b.example\"]"));
    assert!(server.call(&["domain.add", "domain=b.example"]).is_err(), "it is there");
    let shown = server.call(&["domain.show", "domain=b.example"]).unwrap();
    assert_eq!((&shown["anonymous"], &shown["enabled"]), (&json!(true), &json!(["*"])), "{shown}");
    server.call(&["domain.set", "domain=b.example", "anonymous=false", "plugins=xylem.ping,xylem.version"]).unwrap();
    let shown = server.call(&["domain.show", "domain=b.example"]).unwrap();
    assert_eq!((&shown["anonymous"], &shown["plugins"]), (&json!(false), &json!(2)), "{shown}");
    assert!(server.call(&["domain.set", "domain=b.example", "source=files"]).is_err(), "which files?");
    let disagreed = server.call(&["domain.set", "domain=b.example", "source=acme"]).unwrap_err();
    assert!(disagreed.to_string().contains("acme.terms_agreed"), "{disagreed}");
    let missing = ["domain.set", "domain=b.example", "certificate=/none.pem", "key=/none.key"];
    assert!(server.call(&missing).is_err(), "there are no such files");
    assert_eq!(server.call(&["domain.show", "domain=b.example"]).unwrap()["certificate_file"], Value::Null);
    server.call(&["user.add", "account=prince@localhost", "password=pencil"]).unwrap();
    server.call(&["user.role", "account=prince@localhost", "role=owner"]).unwrap();
    assert!(server.call(&["domain.remove", "domain=localhost"]).is_err(), "all owners are of it");
    server.call(&["domain.remove", "domain=b.example"]).unwrap();
    assert!(server.call(&["domain.remove", "domain=localhost"]).is_err(), "the only one");
    assert_eq!(server.call(&["status"]).unwrap()["domains"], json!(["localhost"]));
    assert!(server.call(&["config.history"]).unwrap().as_array().unwrap().len() >= 3, "each can be gone back to");
}

#[test]
fn what_no_authority_gave_is_said_until_it_is_not_wanted_any_more() {
    let server = Running::start();
    // Nobody listens there.
    for (key, value) in [("directory", "\"https://localhost:1/dir\""), ("terms_agreed", "true")] {
        server.call(&["config.set", "section=acme", &format!("key={key}"), &format!("value={value}")]).unwrap();
    }
    server.call(&["domain.add", "domain=b.example", "source=acme"]).unwrap();
    let said = |server: &Running| {
        let overview = server.call(&["overview"]).unwrap();
        let all = overview["problems"].as_array().unwrap().iter();
        all.filter(|it| it["text"].as_str().unwrap().starts_with("No new certificate for b.example: ")).count()
    };
    let end = Instant::now() + PATIENCE;
    while said(&server) == 0 {
        assert!(Instant::now() < end, "{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    server.call(&["domain.set", "domain=b.example", "source=self-signed"]).unwrap();
    assert_eq!(said(&server), 0, "its certificate comes from elsewhere now");
    let listed = server.call(&["certificate.list", "search=b.example"]).unwrap();
    let row = &listed["items"][0];
    assert_eq!((&row["source"], &row["error"], &row["tried"]), (&json!("self-signed"), &Value::Null, &Value::Null));
}

#[test]
fn without_a_terminal_the_code_lies_in_a_file_for_the_server_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Running::start();
    let file = server.data().join("setup-code");
    let end = Instant::now() + PATIENCE;
    while !file.exists() {
        assert!(Instant::now() < end, "{}", server.log());
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let code = std::fs::read_to_string(&file).unwrap();
    assert!(code.trim().len() >= 8 && !server.log().contains(code.trim()), "it is in no log");
    assert!(Path::new(&server.data()).join("audit.log").exists());
}
