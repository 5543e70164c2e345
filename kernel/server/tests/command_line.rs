//! The program as people and scripts use it: started, asked over its socket, stopped.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

/// A throw-away server; ends when its standard input is closed.
struct Dev {
    child: Child,
    line: Value,
}

impl Dev {
    fn start(arguments: &[&str]) -> Self {
        let mut child =
            xylem().arg("dev").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line:?}"));
        Self { child, line }
    }

    fn path(&self, key: &str) -> PathBuf {
        PathBuf::from(self.line[key].as_str().unwrap())
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = xylem()
            .args(arguments)
            .env("XYLEM_SOCKET", self.path("admin_socket"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that does not read may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn json(&self, arguments: &[&str], input: &str) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat(), input);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn fails(&self, arguments: &[&str], code: i32) -> String {
        let output = self.run(arguments, "");
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        error
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.line["http"].as_str().unwrap()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self) {
        drop(self.child.stdin.take());
        ended(&mut self.child);
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn accounts_are_managed_over_the_socket() {
    let dev = Dev::start(&["--backend", "memory"]);
    let made = dev.json(&["user", "add", "Juliet@localhost", "--password-stdin"], "pencil\n");
    assert_eq!(made["account"], "juliet@localhost");
    dev.json(&["user", "add", "nurse@localhost", "--password", "crayon"], "");
    let listed = dev.json(&["user", "list"], "");
    let names: Vec<_> = listed["items"].as_array().unwrap().iter().map(|a| a["account"].as_str().unwrap()).collect();
    assert_eq!(names, ["juliet@localhost", "nurse@localhost"]);
    dev.json(&["user", "password", "nurse@localhost", "--password-stdin"], "chalk\n");
    assert_eq!(dev.json(&["user", "show", "nurse@localhost"], "")["disabled"], false);
    dev.json(&["user", "delete", "nurse@localhost", "--yes"], "");

    assert!(dev.fails(&["user", "show", "nurse@localhost"], 5).contains("no account nurse@localhost"));
    assert!(dev.fails(&["user", "add", "juliet@localhost", "--password", "x"], 6).contains("exists already"));
    assert!(dev.fails(&["user", "add", "a@elsewhere.example", "--password", "x"], 8).contains("elsewhere.example"));
    assert!(dev.fails(&["user", "add", "nobody", "--password", "x"], 8).contains("name@domain"));
    assert!(dev.fails(&["user", "add", "a@localhost"], 1).contains("--password-stdin"));
    assert!(dev.fails(&["user", "delete", "juliet@localhost"], 1).contains("--yes"));

    let audit = std::fs::read_to_string(dev.path("data").join("audit.log")).unwrap();
    let lines: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["what"].as_str().unwrap().contains("juliet@localhost") && lines[0]["who"].is_string());
    assert!(lines.iter().any(|line| line["operation"] == "user.delete" && line["error"].is_null()));
    assert!(lines.iter().any(|line| line["error"].is_string()));
    assert!(!audit.contains("pencil") && !audit.contains("crayon"));
    dev.stop();
}

#[test]
fn a_throw_away_server_tells_how_it_does_and_leaves_nothing_behind() {
    let dev = Dev::start(&["--admin", "admin@localhost"]);
    assert_eq!(dev.line["domain"], "localhost");
    assert_eq!(dev.line["domains"], serde_json::json!(["anon.localhost", "localhost"]));
    assert_eq!(dev.line["admin"], "admin@localhost");
    assert_eq!(dev.line["pid"], dev.child.id());
    assert!(std::fs::read_to_string(dev.path("certificate")).unwrap().matches("BEGIN CERTIFICATE").count() == 2);
    for key in ["c2s", "c2s_tls"] {
        TcpStream::connect(dev.line[key].as_str().unwrap()).unwrap();
    }
    let status = dev.json(&["status"], "");
    assert_eq!((&status["backend"], &status["problems"]), (&"fjall".into(), &serde_json::json!([])));
    assert!(dev.json(&["user", "list"], "")["items"][0]["account"] == "admin@localhost");
    assert!(dev.get("/health").starts_with("HTTP/1.1 200"));
    let metrics = dev.get("/metrics");
    for name in
        ["xylem_sessions 0", "xylem_stanzas_to_clients_total{kind=\"iq\"} 0", "xylem_store_commit_seconds_count"]
    {
        assert!(metrics.contains(name), "{name} is missing in {metrics}");
    }
    let mode = std::fs::metadata(dev.path("admin_socket")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let data = dev.path("data");
    dev.stop();
    assert!(!data.exists());
}

#[test]
fn data_is_kept_where_asked_and_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("kept").display().to_string();
    for backend in ["sled", "fjall"] {
        let data = format!("{data}-{backend}");
        let mut dev = Dev::start(&["--data", &data, "--backend", backend]);
        dev.json(&["user", "add", "juliet@localhost", "--password-stdin"], "pencil\n");
        dev.child.kill().unwrap();
        dev.child.wait().unwrap();
        let dev = Dev::start(&["--data", &data, "--backend", backend]);
        assert_eq!(dev.json(&["user", "list"], "")["items"].as_array().unwrap().len(), 1);
        dev.stop();
        assert!(Path::new(&data).join("store").is_dir());
    }
}

#[test]
fn everything_can_be_exported_and_imported_while_running() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.xylem-export").display().to_string();
    let dev = Dev::start(&[]);
    dev.json(&["user", "add", "juliet@localhost", "--password-stdin"], "pencil\n");
    dev.json(&["export", &file], "");
    assert!(dev.fails(&["export", &file], 6).contains("exists already"));
    dev.stop();
    let other = Dev::start(&["--backend", "sled"]);
    other.json(&["import", &file], "");
    assert_eq!(other.json(&["user", "list"], "")["items"][0]["account"], "juliet@localhost");
    other.stop();
}

#[test]
fn requests_are_bounded_and_checked() {
    let dev = Dev::start(&["--backend", "memory"]);
    let ask = |request: &[u8]| {
        let mut stream = std::os::unix::net::UnixStream::connect(dev.path("admin_socket")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(request).unwrap();
        let mut line = String::new();
        let _ = BufReader::new(stream).read_line(&mut line);
        line
    };
    assert!(ask(b"{\"operation\":\"nonsense\"}\n").contains("unknown-operation"));
    assert!(ask(b"{\"operation\":\"user.add\",\"arguments\":{\"acount\":1}}\n").contains("unknown argument acount"));
    assert!(ask(b"nonsense\n").contains("not a request"));
    assert!(ask(&vec![b'x'; 2 << 20]).contains("2097152 bytes at most"));
    dev.stop();
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    let dev = Dev::start(&["--data", &data]);
    let output = xylem().args(["dev", "--data", &data]).stdin(Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("another server is running"));
    dev.stop();
}

#[test]
fn mistakes_in_the_configuration_stop_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    std::fs::write(&file, "[limits]\ndepht = 3\n").unwrap();
    for command in ["run", "check"] {
        let output = xylem().args([command, "--config"]).arg(&file).output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{error}");
        assert!(error.contains("x.toml:2:1: in [limits]: unknown key depht; did you mean depth?"), "{error}");
    }
}

#[test]
fn a_check_tells_everything_at_once_and_starts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap();
    let data = folder.path().join("data");
    let text = format!(
        "[server]\ndata = {:?}\n[domains.localhost]\n[domains.\"a.localhost\"]\ncertificate = \"/none.pem\"\n\
         key = \"/none.key\"\n[listen]\nstarttls = [\"{busy}\"]\ndirect_tls = []\n[http]\nlisten = []\n[console]\nlisten = []\n",
        data.display().to_string()
    );
    std::fs::write(&file, text).unwrap();
    let output = xylem().args(["check", "--json", "--config"]).arg(&file).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(found["errors"].to_string().contains("/none.pem"), "{found}");
    assert!(found["errors"].to_string().contains(&format!("cannot listen on {busy}")), "{found}");
    assert!(found["warnings"].to_string().contains("localhost has no certificate yet"), "{found}");
    assert!(!data.exists());
}

#[test]
fn a_check_knows_certificates_by_acme() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let busy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = busy.local_addr().unwrap();
    let check = |agreed: bool| {
        let text = format!(
            "[server]\ndata = {:?}\n[domains.\"a.localhost\"]\nacme = true\n[acme]\nterms_agreed = {agreed}\n\
             roots = \"/none.pem\"\nhttp = [\"{busy}\"]\n[listen]\nstarttls = []\ndirect_tls = []\n[http]\nlisten = []\n\
             [console]\nlisten = []\n",
            folder.path().join("data").display().to_string()
        );
        std::fs::write(&file, text).unwrap();
        xylem().args(["check", "--json", "--config"]).arg(&file).output().unwrap()
    };
    let disagreed = String::from_utf8_lossy(&check(false).stderr).into_owned();
    assert!(disagreed.contains("x.toml:4:") && disagreed.contains("acme.terms_agreed = true"), "{disagreed}");
    let found: Value = serde_json::from_slice(&check(true).stdout).unwrap();
    assert!(found["well"].to_string().contains("by ACME for a.localhost, from https://acme-v02"), "{found}");
    assert!(found["errors"].to_string().contains("acme.roots: /none.pem"), "{found}");
    let warnings = found["warnings"].to_string();
    for warning in ["the first start orders one by ACME", "no name on the internet", &format!("answered on {busy}")] {
        assert!(warnings.contains(warning), "{warning}: {found}");
    }
}

#[test]
fn a_reload_says_what_it_did_and_a_signal_ends_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("x.toml");
    let write = |depth: u32, threads: u32, more: &str| {
        let data = folder.path().join("data").display().to_string();
        let text = format!(
            "[server]\ndata = {data:?}\nthreads = {threads}\n[listen]\nstarttls = [\"127.0.0.1:0\"]\ndirect_tls = []\n\
             [http]\nlisten = []\n[console]\nlisten = []\n[limits]\ndepth = {depth}\n[store]\nbackend = \"memory\"\n[domains.localhost]\n{more}"
        );
        std::fs::write(&file, text).unwrap();
    };
    write(64, 1, "");
    let mut server = xylem().args(["run", "--config"]).arg(&file).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(server.stderr.take().unwrap());
    let mut seen = String::new();
    while !seen.contains("user add you@localhost") {
        assert!(log.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    let reload = || xylem().args(["reload", "--json", "--config"]).arg(&file).output().unwrap();
    write(99, 2, "[domains.\"new.localhost\"]\n");
    let report: Value = serde_json::from_slice(&reload().stdout).unwrap();
    assert!(report["applied"].to_string().contains("limits"), "{report}");
    assert!(report["applied"].to_string().contains("domains"), "{report}");
    assert_eq!(report["restart"], serde_json::json!(["server.threads"]));
    let arguments = ["user", "add", "a@new.localhost", "--password", "x", "--config"];
    assert!(xylem().args(arguments).arg(&file).status().unwrap().success());
    std::fs::write(&file, "[limits]\ndepth = 1\n").unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
    while !seen.contains("nothing was reloaded") {
        assert!(log.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    assert!(seen.contains("limits.depth must be 8 to 256, not 1"), "{seen}");
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(ended(&mut server).success());
}

#[test]
fn a_throw_away_server_ends_with_its_parent() {
    let script = "\"$XYLEM\" dev --backend memory </dev/null & read end";
    let mut parent = Command::new("sh")
        .args(["-c", script])
        .env("XYLEM", env!("CARGO_BIN_EXE_xylem"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(parent.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let line: Value = serde_json::from_str(&line).unwrap();
    drop(parent.stdin.take());
    parent.wait().unwrap();
    // Its end closes the pipe.
    output.read_to_string(&mut String::new()).unwrap();
    let since = Instant::now();
    while Path::new(line["data"].as_str().unwrap()).exists() {
        assert!(since.elapsed() < PATIENCE, "it left its folder behind");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn completions_are_made_for_shells() {
    let output = xylem().args(["completion", "bash"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("session"));
}

fn xylem() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xylem"));
    command.env_remove("XYLEM_SOCKET").env_remove("XYLEM_CONFIG").env_remove("XYLEM_DATA");
    command
}

fn ended(child: &mut Child) -> std::process::ExitStatus {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(since.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
}
