//! Two tokio-xmpp clients: login, roster, presence, chat, offline, blocking, password.
//!
//! `../steps.py` says what the environment holds; besides, `SSL_CERT_FILE` names the
//! certificate, because that is where this client looks for roots.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use futures::StreamExt as _;
use tokio::time::timeout;
use tokio_xmpp::connect::DnsConfig;
use tokio_xmpp::xmlstream::Timeouts;
use tokio_xmpp::{Client, Event, IqRequest, IqResponse, Stanza};
use xmpp_parsers::blocking::{Block, BlocklistRequest, BlocklistResult, Unblock};
use xmpp_parsers::delay::Delay;
use xmpp_parsers::ibr::LegacyQuery;
use xmpp_parsers::jid::{BareJid, Jid};
use xmpp_parsers::message::{Lang, Message, MessageType};
use xmpp_parsers::minidom::Element;
use xmpp_parsers::ping::Ping;
use xmpp_parsers::presence::{Presence, Type};
use xmpp_parsers::roster::{Ask, Group, Item, Roster, Subscription};
use xmpp_parsers::stanza_error::{DefinedCondition, StanzaError};

/// How long one step may take.
const STEP: Duration = Duration::from_secs(15);

/// This client tries a refused login again for ever; only its log says that it was refused.
struct Log;

static REFUSED: AtomicBool = AtomicBool::new(false);

impl log::Log for Log {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let text = record.args().to_string();
            if text.contains("NotAuthorized") {
                REFUSED.store(true, Ordering::SeqCst);
            }
            eprintln!("{} {}: {text}", record.level(), record.target());
        }
    }

    fn flush(&self) {}
}

struct Person {
    client: Client,
    bare: BareJid,
    waiting: VecDeque<Stanza>,
}

fn setting(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| format!("{name} is not set"))
}

impl Person {
    async fn connect(bare: &str, resource: &str, password: &str) -> Result<Self> {
        let addr = format!("{}:{}", setting("XYLEM_HOST")?, setting("XYLEM_PORT")?);
        let jid: Jid = format!("{bare}/{resource}").parse()?;
        let dns = DnsConfig::Addr { addr };
        let mut client = Client::new_starttls(jid.clone(), password, dns, Timeouts::default());
        loop {
            match timeout(STEP, client.next()).await.context("not online")?.context("the stream ended")? {
                Event::Online { bound_jid, .. } => {
                    ensure!(bound_jid == jid, "bound as {bound_jid}");
                    break;
                }
                Event::Disconnected(e) => return Err(e).context("logging in"),
                Event::Stanza(_) => {}
            }
        }
        Ok(Self { client, bare: jid.to_bare(), waiting: VecDeque::new() })
    }

    async fn online(bare: &str, resource: &str, password: &str) -> Result<Self> {
        let mut person = Self::connect(bare, resource, password).await?;
        person.get(Roster { ver: None, items: Vec::new() }.into(), None).await?;
        person.send(Presence::available().into()).await?;
        Ok(person)
    }

    async fn send(&mut self, stanza: Stanza) -> Result<()> {
        timeout(STEP, self.client.send_stanza(stanza)).await.context("not sent")??;
        Ok(())
    }

    async fn say(&mut self, to: impl Into<Jid>, text: &str) -> Result<()> {
        let message = Message::chat(to.into()).with_body(Lang::new(), text.to_owned());
        self.send(message.into()).await
    }

    async fn ask(&mut self, request: IqRequest, to: Option<Jid>) -> Result<Option<Element>> {
        let token = self.client.send_iq(to, request).await;
        match timeout(STEP, token).await.context("no answer")?? {
            IqResponse::Result(payload) => Ok(payload),
            IqResponse::Error(e) => bail!("refused: {e:?}"),
        }
    }

    async fn get(&mut self, payload: Element, to: Option<Jid>) -> Result<Option<Element>> {
        self.ask(IqRequest::Get(payload), to).await
    }

    async fn set(&mut self, payload: Element, to: Option<Jid>) -> Result<Option<Element>> {
        self.ask(IqRequest::Set(payload), to).await
    }

    /// Waits for what `wanted` picks out; what else comes waits in turn.
    async fn wait<T>(&mut self, what: &str, wanted: impl Fn(&Stanza) -> Option<T>) -> Result<T> {
        for at in 0..self.waiting.len() {
            if let Some(found) = self.waiting.get(at).and_then(&wanted) {
                self.waiting.remove(at);
                return Ok(found);
            }
        }
        loop {
            let event = timeout(STEP, self.client.next()).await.with_context(|| format!("waiting for {what}"))?;
            match event.context("the stream ended")? {
                Event::Stanza(stanza) => match wanted(&stanza) {
                    Some(found) => return Ok(found),
                    None => self.waiting.push_back(stanza),
                },
                Event::Disconnected(e) => return Err(e).context("disconnected"),
                Event::Online { .. } => {}
            }
        }
    }

    async fn presence(&mut self, from: &BareJid, type_: Type) -> Result<()> {
        self.wait(&format!("{type_:?} of {from}"), |stanza| match stanza {
            Stanza::Presence(p) if p.type_ == type_ && p.from.as_ref().is_some_and(|f| f.to_bare() == *from) => {
                Some(())
            }
            _ => None,
        })
        .await
    }

    async fn body(&mut self, from: &BareJid, text: &str) -> Result<Message> {
        self.wait(&format!("{text:?}"), |stanza| match stanza {
            Stanza::Message(m)
                if m.type_ == MessageType::Chat
                    && m.from.as_ref().is_some_and(|f| f.to_bare() == *from)
                    && m.bodies.values().any(|b| b == text) =>
            {
                Some(m.clone())
            }
            _ => None,
        })
        .await
    }

    async fn subscription(&mut self, to: &BareJid) -> Result<Item> {
        let roster = self.get(Roster { ver: None, items: Vec::new() }.into(), None).await?;
        let roster = Roster::try_from(roster.context("no roster")?)?;
        roster.items.into_iter().find(|i| i.jid == *to).with_context(|| format!("{to} is not in the roster"))
    }

    async fn blocked(&mut self) -> Result<Vec<Jid>> {
        let list = self.get(BlocklistRequest.into(), None).await?.context("no list")?;
        Ok(BlocklistResult::try_from(list)?.items)
    }

    async fn leave(self) -> Result<()> {
        timeout(STEP, self.client.send_end()).await?.context("leaving")
    }
}

async fn subscribe(asker: &mut Person, answerer: &mut Person) -> Result<()> {
    asker.send(Presence::subscribe().with_to(answerer.bare.clone()).into()).await?;
    answerer.presence(&asker.bare, Type::Subscribe).await?;
    answerer.send(Presence::subscribed().with_to(asker.bare.clone()).into()).await?;
    asker.presence(&answerer.bare, Type::Subscribed).await
}

async fn make_friends(romeo: &mut Person, juliet: &mut Person) -> Result<()> {
    let item = Item {
        jid: juliet.bare.clone(),
        name: Some("Juliet".to_owned()),
        subscription: Subscription::None,
        ask: Ask::None,
        groups: vec![Group("Lovers".to_owned())],
        approved: None,
    };
    romeo.set(Roster { ver: None, items: vec![item] }.into(), None).await?;
    subscribe(romeo, juliet).await?;
    subscribe(juliet, romeo).await?;
    romeo.presence(&juliet.bare, Type::None).await?;
    juliet.presence(&romeo.bare, Type::None).await?;
    let item = romeo.subscription(&juliet.bare).await?;
    ensure!(item.subscription == Subscription::Both && item.name.as_deref() == Some("Juliet"), "{item:?}");
    let item = juliet.subscription(&romeo.bare).await?;
    ensure!(item.subscription == Subscription::Both, "{item:?}");
    Ok(())
}

async fn chat(romeo: &mut Person, juliet: &mut Person) -> Result<()> {
    romeo.say(juliet.bare.clone(), "She speaks!").await?;
    let message = juliet.body(&romeo.bare, "She speaks!").await?;
    let back = message.from.context("no sender")?;
    juliet.say(back, "Ay me & <you>").await?;
    romeo.body(&juliet.bare, "Ay me & <you>").await.map(drop)
}

async fn offline(romeo: &mut Person, juliet: Person, password: &str) -> Result<Person> {
    let bare = juliet.bare.clone();
    juliet.leave().await?;
    romeo.presence(&bare, Type::Unavailable).await?;
    romeo.say(bare.clone(), "Are you asleep?").await?;
    let server = Jid::from(romeo.bare.domain().to_owned());
    romeo.get(Ping.into(), Some(server)).await?;
    let mut juliet = Person::online(bare.as_str(), "again", password).await?;
    let message = juliet.body(&romeo.bare, "Are you asleep?").await?;
    let delayed = message.payloads.into_iter().any(|p| Delay::try_from(p).is_ok());
    ensure!(delayed, "the message does not say that it waited");
    romeo.presence(&bare, Type::None).await?;
    Ok(juliet)
}

async fn block(romeo: &mut Person, juliet: &mut Person) -> Result<()> {
    let him = Jid::from(romeo.bare.clone());
    ensure!(juliet.blocked().await?.is_empty(), "somebody is blocked already");
    juliet.set(Block { items: vec![him.clone()] }.into(), None).await?;
    ensure!(juliet.blocked().await? == [him.clone()], "he is not blocked");
    romeo.presence(&juliet.bare, Type::Unavailable).await?;
    romeo.say(juliet.bare.clone(), "Hear me!").await?;
    romeo
        .wait("an error", |stanza| match stanza {
            Stanza::Message(m) if m.type_ == MessageType::Error => {
                let error = m.payloads.iter().find_map(|p| StanzaError::try_from(p.clone()).ok())?;
                (error.defined_condition == DefinedCondition::ServiceUnavailable).then_some(())
            }
            _ => None,
        })
        .await?;
    juliet.set(Unblock { items: vec![him] }.into(), None).await?;
    romeo.presence(&juliet.bare, Type::None).await?;
    romeo.say(juliet.bare.clone(), "At last").await?;
    juliet.body(&romeo.bare, "At last").await.map(drop)
}

async fn change_password(juliet: &mut Person, old: &str) -> Result<()> {
    let new = format!("{old}-new");
    let name = juliet.bare.node().context("no user name")?.to_string();
    let query = LegacyQuery { username: Some(name), password: Some(new.clone()), ..LegacyQuery::default() };
    let server = Jid::from(juliet.bare.domain().to_owned());
    juliet.set(query.into(), Some(server)).await?;
    Person::online(juliet.bare.as_str(), "renewed", &new).await?.leave().await?;
    let refused = async {
        while !REFUSED.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = Person::connect(juliet.bare.as_str(), "old", old) => bail!("the old password still holds"),
        waited = timeout(STEP, refused) => waited.context("the old password was not refused")?,
    }
    Ok(())
}

// One thread: with several, tokio-xmpp 6.0's receiver gives up without a waker when it finds
// its lock taken, and then sleeps on what it has received.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    log::set_logger(&Log).map_err(|e| anyhow::anyhow!("{e}"))?;
    let all = std::env::var_os("XYLEM_TEST_LOG").is_some();
    log::set_max_level(if all { log::LevelFilter::Trace } else { log::LevelFilter::Warn });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (romeo, juliet, password) = (setting("XYLEM_ROMEO")?, setting("XYLEM_JULIET")?, setting("XYLEM_PASSWORD")?);
    let mut romeo = Person::online(&romeo, "orchard", &password).await?;
    let mut juliet = Person::online(&juliet, "balcony", &password).await?;
    println!("done: log in over TLS with SCRAM");
    make_friends(&mut romeo, &mut juliet).await.context("roster and presence")?;
    println!("done: roster, subscriptions, presence");
    chat(&mut romeo, &mut juliet).await.context("chat")?;
    println!("done: chat both ways");
    let mut juliet = offline(&mut romeo, juliet, &password).await.context("offline message")?;
    println!("done: offline message");
    block(&mut romeo, &mut juliet).await.context("blocking")?;
    println!("done: block and unblock");
    change_password(&mut juliet, &password).await.context("password")?;
    println!("done: change the password");
    romeo.leave().await?;
    juliet.leave().await?;
    println!("all steps done");
    Ok(())
}
