//! Connections that the server relays for a plugin: what is asked for happens when the
//! call has succeeded, or not at all.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use xylem_host::{ClaimedWires, WireBounds, WireEnd, WireListener, WireReason, WireRefusal, WireService};

use crate::stage::{ALL, KEY, Stage};

type Log = Arc<Mutex<Vec<String>>>;

/// Writes down what it is asked for; has wires 7 and 8.
#[derive(Clone, Default)]
struct Sockets(Log);

impl Sockets {
    fn note(&self, what: String) {
        self.0.lock().unwrap().push(what);
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl WireService for Sockets {
    fn arrange(&self, listeners: Vec<WireListener>) {
        let one = |l: &WireListener| format!("{}/{} {:?} {}", l.plugin, l.name, l.addresses, l.per_label);
        self.note(format!("arrange {}", listeners.iter().map(one).collect::<Vec<_>>().join(", ")));
    }

    fn ports(&self, _: &str, _: &str) -> Vec<u16> {
        vec![5000]
    }

    fn waiting(&self, plugin: &str, listener: &str, label: &str) -> Vec<u64> {
        if (plugin, listener, label) == ("t", "in", "l") { vec![7, 8] } else { Vec::new() }
    }

    fn claim(&self, _: &str, one: u64, other: u64, with: WireBounds) -> Result<Box<dyn ClaimedWires>, WireRefusal> {
        let bounds = (with.per_user, with.total, with.rate, with.bytes, with.idle.as_millis());
        self.note(format!("claim {one} {other} {} {bounds:?}", with.user));
        if with.idle == Duration::from_secs(9) {
            return Err(WireRefusal::Quota);
        }
        Ok(Box::new(Claimed { log: self.clone(), begun: false }))
    }

    fn close(&self, plugin: &str, wire: u64) {
        self.note(format!("close {plugin} {wire}"));
    }
}

struct Claimed {
    log: Sockets,
    begun: bool,
}

impl ClaimedWires for Claimed {
    fn listener(&self) -> Arc<str> {
        "in".into()
    }

    fn start(mut self: Box<Self>, ended: Box<dyn FnOnce(WireEnd) + Send>) {
        self.begun = true;
        self.log.note("start".to_owned());
        ended(WireEnd { reason: WireReason::Idle, forth: 5, back: 6, lasted: Duration::from_millis(70) });
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        if !self.begun {
            self.log.note("let go".to_owned());
        }
    }
}

fn listening() -> String {
    const LISTENER: &str = "[[listener]]\nname = \"in\"\nframing = \"socks5\"\naddresses = \"at\"\nended = \"f\"\n";
    const OPTION: &str = "[config.at]\ntype = \"list\"\ndefault = [\"127.0.0.1:0\"]\nhelp = \"h\"\n";
    [&ALL.replace("[needs]", &format!("{LISTENER}[needs]\nwires = true")), OPTION].concat()
}

async fn stage() -> (Stage, Sockets) {
    let (stage, sockets) = (Stage::empty(), Sockets::default());
    stage.install("tricks", "t", &listening());
    stage.host.attach_wires(Arc::new(sockets.clone()));
    stage.host.start();
    assert_eq!(sockets.taken(), ["arrange t/in [127.0.0.1:0] 2"]);
    (stage, sockets)
}

#[tokio::test]
async fn a_relay_begins_when_the_call_has_succeeded_and_its_end_is_told() {
    let (stage, sockets) = stage().await;
    stage.hook("do:ports do:waiting:l").await;
    assert_eq!(stage.row(KEY, "ports").await.as_deref(), Some("[5000]"));
    assert_eq!(stage.row(KEY, "waiting").await.as_deref(), Some("[7, 8]"));
    stage.hook("do:splice:5000 do:close").await;
    assert!(stage.fault().await.contains("Ok"));
    for _ in 0..1000 {
        if stage.row(KEY, "ended").await.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(stage.row(KEY, "ended").await.as_deref(), Some("0 token Reason::Idle 5 6 70"));
    let order = sockets.taken();
    assert_eq!(order, ["claim 7 8 romeo (1, 2, 3, 4, 5000)", "close t 9", "start"]);
}

#[tokio::test]
async fn a_call_that_fails_leaves_the_wires_as_they_were() {
    let (stage, sockets) = stage().await;
    stage.hook("do:splice:5000 do:close do:crash").await;
    assert_eq!(sockets.taken(), ["claim 7 8 romeo (1, 2, 3, 4, 5000)", "let go"]);
}

#[tokio::test]
async fn what_cannot_be_is_a_fault() {
    let (stage, sockets) = stage().await;
    stage.hook("do:splice:9000").await;
    assert!(stage.fault().await.contains("Quota"));
    stage.hook("do:splice:999").await;
    assert!(stage.fault().await.contains("Invalid"));
    assert_eq!(sockets.taken().len(), 1, "nothing was claimed for the second");

    let bare = Stage::with("t", &listening());
    bare.hook("do:ports").await;
    assert_eq!(bare.row(KEY, "ports").await.as_deref(), Some("[]"), "a server without sockets");
    bare.hook("do:splice:5000").await;
    assert!(bare.fault().await.contains("Missing"));
}

#[tokio::test]
async fn listeners_follow_the_plugin() {
    let (stage, sockets) = stage().await;
    stage.host.configure("t", None, serde_json::json!({"at": ["[::1]:7"]})).unwrap();
    let wrong = stage.host.configure("t", None, serde_json::json!({"at": ["nowhere"]})).unwrap_err().to_string();
    assert!(wrong.contains("nowhere") && wrong.contains("at"), "{wrong}");
    stage.host.disable("t", None).unwrap();
    stage.host.enable("t", None).unwrap();
    stage.host.remove("t").unwrap();
    let in_force = "arrange t/in [[::1]:7] 2";
    assert_eq!(sockets.taken(), [in_force, "arrange ", in_force, "arrange "]);
}
