//! What waits for a client that has lost its connection, in memory and in no archive, is on disk before its sender hears
//! that it is handled (XEP-0198 §4). After a kill it comes as if the session had ended: once, unless the client had
//! acknowledged it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use xylem_suite::server::{Server, Target};
use xylem_suite::session::Session;

use crate::client::{self, SM, connect, connect_as, enable, log_in, next, read};
use crate::round::{MARK, acknowledge, fetch};

const SENDER: &str = "ada";
/// Archives nothing (XEP-0313 §6.1).
const WAITS: &str = "waits";
/// Archives everything.
const ARCHIVES: &str = "archives";

/// A server that is killed and started again with the same data.
struct World {
    data: tempfile::TempDir,
    server: Server,
}

impl World {
    fn create() -> Result<Self> {
        let data = tempfile::Builder::new().prefix("xylem-waiting-").tempdir()?;
        let server = start(&data)?;
        for name in [SENDER, WAITS, ARCHIVES, MARK] {
            client::register(&server.target, name)?;
        }
        let never =
            "<iq type='set' id='never'><prefs xmlns='urn:xmpp:mam:2' default='never'><always/><never/></prefs></iq>";
        let answer = connect(&server.target, WAITS)?.query("never", never)?;
        ensure!(answer.attribute("type") == Some("result"), "{answer}");
        Ok(Self { data, server })
    }

    fn target(&self) -> &Arc<Target> {
        &self.server.target
    }

    /// By SIGKILL.
    fn kill(self) -> Result<Self> {
        drop(self.server);
        Ok(Self { server: start(&self.data)?, data: self.data })
    }

    fn stop(self) -> Result<Self> {
        self.server.stop()?;
        Ok(Self { server: start(&self.data)?, data: self.data })
    }

    /// The numbers that wait for somebody who comes online, once and not again.
    fn waits_for(&self, name: &str) -> Result<Vec<u64>> {
        let came = fetch(self.target(), name)?.remove(SENDER).unwrap_or_default();
        let again = fetch(self.target(), name)?;
        ensure!(again.is_empty(), "{again:?} came again");
        Ok(came)
    }
}

fn start(data: &tempfile::TempDir) -> Result<Server> {
    let data = data.path().to_str().context("a path that is no text")?;
    Server::start(&["--data", data, "--backend", "fjall"])
}

/// A session that loses its connection; the id of its stream.
fn lose(target: &Arc<Target>, name: &str, resource: &str, waiting: usize) -> Result<String> {
    let mut session = connect_as(target, name, resource)?;
    let id = enable(&mut session)?;
    session.send("<presence/>")?;
    online(&mut session)?;
    session.cut();
    until_waiting(target, waiting)?;
    Ok(id)
}

/// Until the server has worked off what was sent to it.
fn online(session: &mut Session) -> Result<()> {
    session.send(&format!("<r xmlns='{SM}'/>"))?;
    while let Some(tree) = next(session)? {
        if tree.name == "a" {
            return Ok(());
        }
    }
    bail!("the connection is over")
}

/// Until so many sessions wait for their clients.
fn until_waiting(target: &Target, sessions: usize) -> Result<()> {
    let address = target.http.context("no metrics")?;
    let wanted = format!("xylem_sessions_hibernated {sessions}\n");
    let begun = Instant::now();
    while begun.elapsed() < target.timeout {
        let mut http = TcpStream::connect(address)?;
        http.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
        let mut page = String::new();
        http.read_to_string(&mut page)?;
        if page.contains(&wanted) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
    bail!("there are never {sessions} sessions that wait")
}

/// Sends numbers, each in a message with this beside, until all are acknowledged.
fn send(target: &Arc<Target>, to: &str, numbers: std::ops::Range<u64>, beside: &str) -> Result<()> {
    let mut session = connect(target, SENDER)?;
    enable(&mut session)?;
    let count = numbers.end - numbers.start;
    for number in numbers {
        let to = format!("{to}@{}", target.domain);
        session.send(&format!("<message type='chat' to='{to}'><body>{number}</body>{beside}</message>"))?;
    }
    session.send(&format!("<r xmlns='{SM}'/>"))?;
    let answer = next(&mut session)?.context("no acknowledgement")?;
    ensure!(answer.attribute("h") == Some(&count.to_string()), "{answer}");
    session.send("</stream:stream>")?;
    Ok(())
}

/// Resumes, and takes and acknowledges the first messages that come.
fn resume(target: &Arc<Target>, name: &str, id: &str, messages: u64, acknowledged: u32) -> Result<Session> {
    let mut session = log_in(target, name)?;
    session.send(&format!("<resume xmlns='{SM}' previd='{id}' h='0'/>"))?;
    let resumed = next(&mut session)?.context("no answer to <resume/>")?;
    ensure!(resumed.name == "resumed", "{resumed}");
    let (mut came, mut before) = (0, 0);
    while came < messages {
        let tree = next(&mut session)?.context("the connection is over")?;
        match read(&tree) {
            Some((_, number)) => {
                ensure!(number == came, "{number} instead of {came}");
                came += 1;
            }
            // Its own presence.
            None => before += u32::from(came == 0 && client::is_stanza(&tree)),
        }
    }
    session.send(&acknowledge(before + acknowledged))?;
    // What is answered now is on disk, and so is what came before it.
    online(&mut session)?;
    Ok(session)
}

#[test]
fn what_waits_for_a_client_comes_once_after_a_kill() -> Result<()> {
    let world = World::create()?;
    lose(world.target(), WAITS, "r", 1)?;
    send(world.target(), WAITS, 0..5, "")?;
    // Not to be kept anywhere, says who wrote it (XEP-0334 §4.2).
    send(world.target(), WAITS, 5..6, "<no-store xmlns='urn:xmpp:hints'/>")?;
    let world = world.kill()?.kill()?;
    ensure!(world.waits_for(WAITS)? == [0, 1, 2, 3, 4]);
    let world = world.kill()?;
    ensure!(world.waits_for(WAITS)?.is_empty());
    Ok(())
}

#[test]
fn what_a_resumed_client_has_acknowledged_does_not_come_again() -> Result<()> {
    let world = World::create()?;
    let id = lose(world.target(), WAITS, "r", 1)?;
    send(world.target(), WAITS, 0..5, "")?;
    let all = resume(world.target(), WAITS, &id, 5, 5)?;
    let world = world.kill()?;
    drop(all);
    ensure!(world.waits_for(WAITS)?.is_empty());
    let id = lose(world.target(), WAITS, "r", 1)?;
    send(world.target(), WAITS, 0..5, "")?;
    let some = resume(world.target(), WAITS, &id, 5, 2)?;
    let world = world.kill()?;
    drop(some);
    ensure!(world.waits_for(WAITS)? == [2, 3, 4], "what it has not acknowledged comes again");
    Ok(())
}

#[test]
fn what_was_on_its_way_when_the_connection_broke_is_safe_too() -> Result<()> {
    let world = World::create()?;
    let mut session = connect(world.target(), WAITS)?;
    enable(&mut session)?;
    session.send("<presence/>")?;
    online(&mut session)?;
    send(world.target(), WAITS, 0..3, "")?;
    session.cut();
    until_waiting(world.target(), 1)?;
    send(world.target(), WAITS, 3..5, "")?;
    let world = world.kill()?;
    ensure!(world.waits_for(WAITS)? == [0, 1, 2, 3, 4]);
    Ok(())
}

#[test]
fn of_two_waiting_devices_one_is_enough() -> Result<()> {
    let world = World::create()?;
    lose(world.target(), WAITS, "r", 1)?;
    lose(world.target(), WAITS, "s", 2)?;
    send(world.target(), WAITS, 0..5, "")?;
    let world = world.kill()?;
    ensure!(world.waits_for(WAITS)? == [0, 1, 2, 3, 4], "once, not once for each device");
    let id = lose(world.target(), WAITS, "r", 1)?;
    lose(world.target(), WAITS, "s", 2)?;
    send(world.target(), WAITS, 0..5, "")?;
    let one = resume(world.target(), WAITS, &id, 5, 5)?;
    let world = world.kill()?;
    drop(one);
    ensure!(world.waits_for(WAITS)?.is_empty(), "another device has it");
    Ok(())
}

#[test]
fn a_server_that_is_stopped_keeps_it_once() -> Result<()> {
    let world = World::create()?;
    lose(world.target(), WAITS, "r", 1)?;
    lose(world.target(), WAITS, "s", 2)?;
    send(world.target(), WAITS, 0..5, "")?;
    let world = world.stop()?.kill()?;
    ensure!(world.waits_for(WAITS)? == [0, 1, 2, 3, 4]);
    Ok(())
}

#[test]
fn what_an_archive_holds_is_there_and_nowhere_else() -> Result<()> {
    let world = World::create()?;
    lose(world.target(), ARCHIVES, "r", 1)?;
    send(world.target(), ARCHIVES, 0..5, "")?;
    let world = world.kill()?;
    ensure!(world.waits_for(ARCHIVES)?.is_empty());
    let (archived, _) = client::archive(&mut connect(world.target(), ARCHIVES)?, None)?;
    let numbers: Vec<u64> = archived.iter().filter(|(from, _)| from == SENDER).map(|(_, number)| *number).collect();
    ensure!(numbers == [0, 1, 2, 3, 4], "{numbers:?}");
    Ok(())
}
