//! What outlives a stop of the server and a change of its settings, as clients see it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha512};
use xylem_suite::scram::Scram;
use xylem_suite::server::{Server, Target};
use xylem_suite::session::{Login, LoginError, Session, Via};
use xylem_suite::xml::{CLIENT, Event, Tree};

const SASL2: &str = "urn:xmpp:sasl:2";
const FAST: &str = "urn:xmpp:fast:0";
const UPGRADE: &str = "urn:xmpp:scram-upgrade:0";
const SM: &str = "urn:xmpp:sm:3";
const AGENT: &str = "<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>Awesome</software></user-agent>";
const PASSWORD: &str = "secret";

fn start(data: &Path, iterations: u32) -> Result<Server> {
    let data = data.to_str().context("a path that is no text")?;
    let settings = [("XYLEM__SASL__ITERATIONS".to_owned(), iterations.to_string())];
    Server::start_with(&["--data", data, "--backend", "fjall"], &settings)
}

fn register(target: &Arc<Target>, local: &str) -> Result<()> {
    Session::open(target, Via::StartTls, &target.domain)?.register(&target.domain, local, PASSWORD)
}

fn connect(target: &Arc<Target>, local: &str) -> Result<Session> {
    let login = Login {
        domain: target.domain.clone(),
        local: Some(local.to_owned()),
        password: PASSWORD.to_owned(),
        resource: Some("r".to_owned()),
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    };
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.login(&login).map_err(|error| match error {
        LoginError::Refused(condition) => anyhow!("login refused: {condition}"),
        LoginError::Broken(error) => error,
    })?;
    Ok(session)
}

/// The next element that is not presence.
fn next(session: &mut Session) -> Result<Tree> {
    loop {
        match session.receive()? {
            Some(Event::Element(tree)) if tree.name != "presence" => return Ok(tree),
            Some(_) => {}
            None => bail!("nothing came"),
        }
    }
}

/// A client is away and will come back; what it is sent meanwhile is in the memory of the server and, because nobody
/// wants an archive here, nowhere else. A stop hands it on, and it comes once.
#[test]
fn what_waits_for_a_client_that_is_away_outlives_a_stop() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = start(data.path(), 4096)?;
    for local in ["romeo", "juliet"] {
        register(&server.target, local)?;
        let mut session = connect(&server.target, local)?;
        let never =
            "<iq type='set' id='p'><prefs xmlns='urn:xmpp:mam:2' default='never'><always/><never/></prefs></iq>";
        ensure!(session.query("p", never)?.attribute("type") == Some("result"));
    }
    let mut romeo = connect(&server.target, "romeo")?;
    romeo.send(&format!("<presence/><enable xmlns='{SM}' resume='true'/>"))?;
    ensure!(next(&mut romeo)?.name == "enabled");
    romeo.cut();
    let mut juliet = connect(&server.target, "juliet")?;
    for n in 1..=3 {
        let to = format!("romeo@{}/r", server.target.domain);
        juliet.send(&format!("<message to='{to}' id='{n}' type='chat'><body>{n}</body></message>"))?;
    }
    juliet.query("ping", "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>")?;
    server.stop()?;
    let server = start(data.path(), 4096)?;
    let mut romeo = connect(&server.target, "romeo")?;
    romeo.send("<presence/>")?;
    for n in 1..=3 {
        let message = next(&mut romeo)?;
        ensure!(message.child(CLIENT, "body").map(Tree::text) == Some(n.to_string()), "{n} was due: {message}");
    }
    romeo.query("ping", "<iq type='get' id='ping'><ping xmlns='urn:xmpp:ping'/></iq>")?;
    let doubled = romeo.inbox.iter().any(|event| matches!(event, Event::Element(tree) if tree.name == "message"));
    ensure!(!doubled, "something came twice: {:?}", romeo.inbox);
    server.stop()
}

/// The administrator raises the rounds; a client computes its keys anew (XEP-0480), logs in with them, and its
/// token (XEP-0484) is as good as before.
#[test]
fn keys_are_upgraded_by_a_client_and_tokens_go_on() -> Result<()> {
    let data = tempfile::tempdir()?;
    let server = start(data.path(), 4096)?;
    register(&server.target, "romeo")?;
    let request = format!("<request-token xmlns='{FAST}' mechanism='HT-SHA-256-NONE'/>");
    let (success, _) = authenticate(&server.target, "SCRAM-SHA-256", &request)?;
    let token = success.child(FAST, "token").and_then(|token| token.attribute("token")).context("no token")?.to_owned();
    server.stop()?;
    let server = start(data.path(), 5000)?;
    let upgrades: String = ["256", "512"]
        .map(|bits| format!("<upgrade xmlns='urn:xmpp:sasl:upgrade:0'>UPGR-SCRAM-SHA-{bits}</upgrade>"))
        .concat();
    let (_, first) = authenticate(&server.target, "SCRAM-SHA-256", &upgrades)?;
    ensure!(first.upgraded == ["UPGR-SCRAM-SHA-512", "UPGR-SCRAM-SHA-256"], "{:?}", first.upgraded);
    ensure!(first.challenge.contains(",i=4096,"), "{}", first.challenge);
    for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
        let (_, again) = authenticate(&server.target, mechanism, &upgrades)?;
        ensure!(again.upgraded.is_empty() && again.challenge.contains(",i=5000,"), "{}", again.challenge);
    }
    let mut session = Session::open(&server.target, Via::StartTls, &server.target.domain)?;
    session.secure_stream(&server.target.domain)?;
    let proof = Hmac::<Sha256>::new_from_slice(token.as_bytes())?.chain_update(b"Initiator").finalize().into_bytes();
    let message = BASE64.encode([b"romeo\0".as_slice(), &proof].concat());
    session.send(&format!(
        "<authenticate xmlns='{SASL2}' mechanism='HT-SHA-256-NONE'><initial-response>{message}</initial-response>\
         {AGENT}<fast xmlns='{FAST}'/></authenticate>"
    ))?;
    let answer = next(&mut session)?;
    ensure!(answer.name == "success", "{answer}");
    server.stop()
}

/// What happened on the way to success.
struct Way {
    challenge: String,
    upgraded: Vec<String>,
}

fn authenticate(target: &Arc<Target>, mechanism: &str, wishes: &str) -> Result<(Tree, Way)> {
    let mut session = Session::open(target, Via::StartTls, &target.domain)?;
    session.secure_stream(&target.domain)?;
    let mut scram = Scram::new(mechanism, "romeo", None)?;
    let first = BASE64.encode(scram.first());
    session.send(&format!(
        "<authenticate xmlns='{SASL2}' mechanism='{mechanism}'><initial-response>{first}</initial-response>\
         {AGENT}{wishes}</authenticate>"
    ))?;
    let challenge = decoded(&next(&mut session)?)?;
    let last = BASE64.encode(scram.respond(&challenge, PASSWORD)?);
    session.send(&format!("<response xmlns='{SASL2}'>{last}</response>"))?;
    let mut way = Way { challenge, upgraded: Vec::new() };
    loop {
        let answer = next(&mut session)?;
        // The server's signature comes with whatever ends the exchange.
        if way.upgraded.is_empty() {
            scram.verify(&decoded(answer.child(SASL2, "additional-data").context("no signature")?)?)?;
        }
        match answer.name.as_str() {
            "success" => return Ok((answer, way)),
            "continue" => way.upgraded.push(upgrade(&mut session, &answer)?),
            _ => bail!("{answer}"),
        }
    }
}

/// Does the task that the server asks for.
fn upgrade(session: &mut Session, asked: &Tree) -> Result<String> {
    let task = asked.child(SASL2, "tasks").and_then(|tasks| tasks.child(SASL2, "task")).context("no task")?.text();
    session.send(&format!("<next xmlns='{SASL2}' task='{task}'/>"))?;
    let data = next(session)?;
    let salt = data.child(UPGRADE, "salt").context("no salt")?;
    let rounds: u32 = salt.attribute("iterations").context("no rounds")?.parse()?;
    let salt = BASE64.decode(salt.text())?;
    let salted = match task.as_str() {
        "UPGR-SCRAM-SHA-256" => salted::<Hmac<Sha256>>(&salt, rounds, 32)?,
        "UPGR-SCRAM-SHA-512" => salted::<Hmac<Sha512>>(&salt, rounds, 64)?,
        other => bail!("{other} was not asked for"),
    };
    let hash = BASE64.encode(salted);
    session.send(&format!("<task-data xmlns='{SASL2}'><hash xmlns='{UPGRADE}'>{hash}</hash></task-data>"))?;
    Ok(task)
}

fn salted<P: hmac::digest::KeyInit + hmac::digest::Update + hmac::digest::FixedOutput + Clone + Sync>(
    salt: &[u8],
    rounds: u32,
    length: usize,
) -> Result<Vec<u8>> {
    let mut salted = vec![0; length];
    pbkdf2::pbkdf2::<P>(PASSWORD.as_bytes(), salt, rounds, &mut salted).context("salting the password")?;
    Ok(salted)
}

fn decoded(tree: &Tree) -> Result<String> {
    Ok(String::from_utf8(BASE64.decode(tree.text())?)?)
}
