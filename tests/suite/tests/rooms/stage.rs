//! A server with an administrator of its rooms, and what it costs.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use xylem_suite::server::Server;
use xylem_suite::session::{Login, Session, Via};
use xylem_suite::xml::{Event, Tree};

pub(crate) const SERVICE: &str = "conference.localhost";
pub(crate) const OWNER: &str = "http://jabber.org/protocol/muc#owner";

pub(crate) struct Stage {
    pub(crate) server: Server,
}

/// How many, unless the variable says otherwise.
pub(crate) fn number(variable: &str, otherwise: usize) -> usize {
    std::env::var(variable).map_or(otherwise, |number| number.parse().unwrap())
}

impl Stage {
    pub(crate) fn new() -> Self {
        let admins: Vec<String> = (0..16).map(|n| format!("\"owner{n}@localhost\"")).collect();
        let admins = format!("[\"romeo@localhost\", {}]", admins.join(", "));
        let settings = [
            ("XYLEM__PLUGINS__XYLEM.MUC__ADMINS", admins.as_str()),
            ("XYLEM__PLUGINS__XYLEM.MUC__MAX_OCCUPANTS", "10000"),
            ("XYLEM__LISTEN__NEW_PER_SECOND", "100000"),
            ("XYLEM__LISTEN__CONNECTIONS_PER_ADDRESS", "100000"),
        ];
        let settings = settings.map(|(key, value)| (key.to_owned(), value.to_owned()));
        Self { server: Server::start_with(&[], &settings).unwrap() }
    }

    /// One of 16 administrators of the service, whose rooms are not counted.
    pub(crate) fn owner(&self, n: usize) -> Session {
        let name = format!("owner{n}");
        self.register(&name);
        self.log_in(&name, "a")
    }

    pub(crate) fn register(&self, name: &str) {
        let target = &self.server.target;
        let mut session = Session::open(target, Via::StartTls, &target.domain).unwrap();
        session.register(&target.domain, name, "secret").unwrap();
    }

    pub(crate) fn log_in(&self, name: &str, resource: &str) -> Session {
        let target = &self.server.target;
        let login = Login {
            domain: target.domain.clone(),
            local: Some(name.to_owned()),
            password: "secret".to_owned(),
            resource: Some(resource.to_owned()),
            mechanism: Some("PLAIN".to_owned()),
            sasl2: false,
            via: Via::StartTls,
        };
        let mut session = Session::open(target, Via::StartTls, &target.domain).unwrap();
        session.login(&login).unwrap();
        session.log.clear();
        session
    }

    /// A number from the metrics; 0 if it is not there.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let mut http = TcpStream::connect(self.server.target.http.unwrap()).unwrap();
        http.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut page = String::new();
        http.read_to_string(&mut page).unwrap();
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }

    /// Processor time of the server so far.
    pub(crate) fn computed(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.pid().unwrap())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        let ticks: u64 = fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum();
        Duration::from_millis(ticks * 10)
    }

    /// Resident memory of the server in KiB.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.pid().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches("kB").trim().parse().unwrap()
    }
}

/// Everything that came up to now, in order.
pub(crate) fn heard(session: &mut Session) -> Vec<Tree> {
    session.query("pong", "<iq type='get' id='pong'><ping xmlns='urn:xmpp:ping'/></iq>").unwrap();
    session.log.clear();
    let all = session.inbox.drain(..).filter_map(|event| match event {
        Event::Element(tree) => Some(tree),
        _ => None,
    });
    all.collect()
}

pub(crate) fn join(room: &str, nick: &str) -> String {
    let x = "<x xmlns='http://jabber.org/protocol/muc'><history maxstanzas='0'/></x>";
    format!("<presence to='{room}@{SERVICE}/{nick}'>{x}</presence>")
}

pub(crate) fn configure(room: &str, fields: &[(&str, &str)]) -> String {
    let fields: String =
        fields.iter().map(|(var, value)| format!("<field var='{var}'><value>{value}</value></field>")).collect();
    format!(
        "<iq type='set' id='{room}' to='{room}@{SERVICE}'><query xmlns='{OWNER}'><x xmlns='jabber:x:data' type='submit'>\
         <field var='FORM_TYPE'><value>http://jabber.org/protocol/muc#roomconfig</value></field>{fields}</x></query></iq>"
    )
}
