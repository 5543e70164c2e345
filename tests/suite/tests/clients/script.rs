//! Clients that come as a program of their own under `tests/clients`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::environment::{Missing, Play, on_path, sources, target_folder};

/// The last line of a script that got to its end.
const END: &str = "all steps done";
/// How long a whole script may take.
const WHOLE: Duration = Duration::from_secs(120);

pub(crate) fn slixmpp(play: &Play) -> Result<()> {
    python(play, "slixmpp_client.py")
}

pub(crate) fn aioxmpp(play: &Play) -> Result<()> {
    python(play, "aioxmpp_client.py")
}

pub(crate) fn slixmpp_rooms(play: &Play) -> Result<()> {
    python(play, "slixmpp_rooms.py")
}

pub(crate) fn slixmpp_devices(play: &Play) -> Result<()> {
    python(play, "slixmpp_devices.py")
}

pub(crate) fn slixmpp_bytestream(play: &Play) -> Result<()> {
    python(play, "slixmpp_bytestream.py")
}

pub(crate) fn aioxmpp_rooms(play: &Play) -> Result<()> {
    python(play, "aioxmpp_rooms.py")
}

pub(crate) fn tokio_xmpp(play: &Play) -> Result<()> {
    let program = target_folder()?.join("clients-tokio-xmpp/debug/tokio-xmpp-client");
    present(&program, "tokio-xmpp")?;
    run(play, play.command(&program))
}

/// Needs Node, and what `tests/clients/setup` fetches with it.
pub(crate) fn xmpp_js(play: &Play) -> Result<()> {
    let node = on_path("node", "nodejs")?;
    let folder = target_folder()?.join("clients-xmppjs");
    present(&folder.join("node_modules/@xmpp/client/index.js"), "xmpp.js")?;
    let mut command = play.command(&node);
    command.env("XYLEM_XMPPJS", folder).env("NODE_EXTRA_CA_CERTS", &play.target.certificate);
    command.arg(sources().join("xmppjs_client.mjs"));
    run(play, command)
}

/// Its library comes with Debian, for Debian's own Python.
pub(crate) fn nbxmpp_rooms(play: &Play) -> Result<()> {
    nbxmpp(play, "nbxmpp_rooms.py")
}

pub(crate) fn nbxmpp_devices(play: &Play) -> Result<()> {
    nbxmpp(play, "nbxmpp_devices.py")
}

fn nbxmpp(play: &Play, script: &str) -> Result<()> {
    let program = Path::new("/usr/bin/python3");
    let found = Command::new(program).args(["-c", "import nbxmpp"]).stderr(Stdio::null()).status();
    if !found.is_ok_and(|status| status.success()) {
        bail!(Missing("nbxmpp is not installed (Debian package python3-nbxmpp)".to_owned()));
    }
    let mut command = play.command(program);
    command.arg("-B").arg(sources().join(script));
    run(play, command)
}

fn python(play: &Play, script: &str) -> Result<()> {
    let environment = match std::env::var_os("XYLEM_TEST_VENV") {
        Some(folder) => PathBuf::from(folder),
        None => target_folder()?.join("clients-venv"),
    };
    let program = environment.join("bin/python");
    present(&program, "Python clients")?;
    let mut command = play.command(&program);
    command.arg("-B").arg(sources().join(script));
    run(play, command)
}

fn present(program: &Path, what: &str) -> Result<()> {
    if program.exists() {
        return Ok(());
    }
    bail!(Missing(format!("{what}: not set up, run tests/clients/setup ({})", program.display())))
}

fn run(play: &Play, mut command: Command) -> Result<()> {
    let path = play.home.path().join("output");
    let file = std::fs::File::create(&path)?;
    let mut child = command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file).spawn()?;
    let deadline = Instant::now() + WHOLE;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break Some(status);
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            break None;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    let output = std::fs::read_to_string(&path)?;
    let Some(status) = status else { bail!("not done in {WHOLE:?}:\n{output}") };
    ensure!(status.success(), "{status}:\n{output}");
    ensure!(output.lines().any(|line| line == END), "it stopped early:\n{output}");
    Ok(())
}
