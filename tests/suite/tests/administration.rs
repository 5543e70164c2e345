//! What an administrator does through the table of operations, and what clients see of it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use xylem_suite::server::{Server, Target, program};
use xylem_suite::session::{Login, Session, Via};

fn server() -> Server {
    Server::start(&["--backend", "memory"]).unwrap()
}

fn call(target: &Target, arguments: &[&str]) -> Result<Value, String> {
    let said = target.administer(&[&["op", "--json"], arguments].concat()).map_err(|error| format!("{error:?}"))?;
    Ok(serde_json::from_str(&said).unwrap())
}

fn login(target: &Target, local: &str, password: &str) -> Login {
    Login {
        domain: target.domain.clone(),
        local: Some(local.to_owned()),
        password: password.to_owned(),
        resource: None,
        mechanism: None,
        sasl2: false,
        via: Via::StartTls,
    }
}

fn connect(target: &Arc<Target>, local: &str, password: &str) -> Result<Session, String> {
    let mut session = Session::open(target, Via::StartTls, &target.domain).unwrap();
    session.login(&login(target, local, password)).map_err(|error| format!("{error:?}"))?;
    Ok(session)
}

fn add(target: &Target, local: &str) -> String {
    let account = format!("{local}@{}", target.domain);
    call(target, &["user.add", &format!("account={account}"), "password=secret"]).unwrap();
    account
}

#[test]
fn a_disabled_account_is_out_until_it_is_enabled() {
    let server = server();
    let target = &server.target;
    let account = add(target, "romeo");
    let of = format!("account={account}");
    let mut romeo = connect(target, "romeo", "secret").unwrap();
    assert_eq!(call(target, &["user.disable", &of]).unwrap()["disabled"], true);
    let mut ended = String::new();
    while let Ok(Some(event)) = romeo.receive() {
        ended.push_str(&format!("{event:?}"));
    }
    assert!(ended.contains("the account was disabled"), "{ended}");
    let refused = connect(target, "romeo", "secret").err().unwrap();
    assert!(refused.contains("account-disabled"), "{refused}");
    assert_eq!(call(target, &["user.list", "search=romeo"]).unwrap()["items"][0]["disabled"], true);
    call(target, &["user.enable", &of]).unwrap();
    connect(target, "romeo", "secret").unwrap();
    server.stop().unwrap();
}

/// Also if he could not wait and tried before.
#[test]
fn who_is_told_that_his_account_is_there_can_log_in() {
    let server = Server::start(&["--backend", "fjall"]).unwrap();
    let target = &server.target;
    std::thread::scope(|scope| {
        for n in 0..12 {
            scope.spawn(move || {
                let local = format!("n{n}");
                let early = connect(target, &local, "secret").err().unwrap();
                assert!(early.contains("not-authorized"), "{early}");
                add(target, &local);
                connect(target, &local, "secret").unwrap();
            });
        }
    });
    server.stop().unwrap();
}

/// XEP-0133 §4.18: more than one answer of the table of operations holds.
#[test]
fn all_accounts_are_listed_by_a_command() {
    const MANY: usize = 1050;
    let settings = [("XYLEM__SASL__ITERATIONS".to_owned(), "4096".to_owned())];
    let server = Server::start_with(&["--backend", "memory", "--admin", "prince@localhost"], &settings).unwrap();
    let target = &server.target;
    let mut table = tempfile::NamedTempFile::new().unwrap();
    let rows: String = (0..MANY).map(|n| format!("n{n}@localhost,secret\n")).collect();
    write!(table, "account,password\n{rows}").unwrap();
    let imported = call(target, &["user.import", &format!("file={}", table.path().display())]).unwrap();
    assert_eq!(imported["created"], MANY, "{imported}");
    call(target, &["user.password", "account=prince@localhost", "password=secret"]).unwrap();
    let mut prince = connect(target, "prince", "secret").unwrap();
    let mut ask = |inside: &str| {
        let node = "http://jabber.org/protocol/admin#get-registered-users-list";
        let command = format!(
            "<iq type='set' id='c' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='{node}' {inside}"
        );
        prince.query("c", &command).unwrap().to_string()
    };
    let run = |ask: &mut dyn FnMut(&str) -> String, most: &str| {
        let form = ask("/></iq>");
        let (_, rest) = form.split_once("sessionid=").unwrap();
        let session = rest.split(['\'', '"']).nth(1).unwrap().to_owned();
        ask(&format!(
            "sessionid='{session}'><x xmlns='jabber:x:data' type='submit'><field var='max_items'><value>{most}</value>\
             </field></x></command></iq>"
        ))
    };
    let all = run(&mut ask, "none");
    assert_eq!(all.matches("@localhost</value>").count(), MANY + 1, "with the prince himself");
    assert!(!all.contains("<note"), "nothing is missing");
    assert_eq!(run(&mut ask, "25").matches("@localhost</value>").count(), 25);
    server.stop().unwrap();
}

#[test]
fn accounts_are_listed_by_role_and_standing() {
    let server = server();
    let target = &server.target;
    for local in ["romeo", "juliet", "nurse"] {
        add(target, local);
    }
    call(target, &["user.disable", "account=romeo@localhost"]).unwrap();
    call(target, &["user.role", "account=nurse@localhost", "role=operator"]).unwrap();
    let listed = |wanted: &str| {
        let page = call(target, &["user.list", "domain=localhost", wanted]).unwrap();
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["account"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed("disabled=true"), ["romeo@localhost"]);
    assert_eq!(listed("disabled=false"), ["juliet@localhost", "nurse@localhost"]);
    assert_eq!(listed("role=operator"), ["nurse@localhost"]);
    assert_eq!(listed("role=owner"), Vec::<String>::new());
    server.stop().unwrap();
}

#[test]
fn the_audit_log_goes_on_in_new_files_and_forgets_as_it_is_told() {
    let data = tempfile::tempdir().unwrap();
    let start = |keep: &str| {
        let settings = [("FILE_AGE", "1ms"), ("KEEP", keep)];
        let settings = settings.map(|(key, value)| (format!("XYLEM__AUDIT__{key}"), value.to_owned()));
        Server::start_with(&["--data", data.path().to_str().unwrap(), "--backend", "fjall"], &settings).unwrap()
    };
    let server = start("0ms");
    for local in ["romeo", "juliet", "nurse"] {
        add(&server.target, local);
    }
    let whole = call(&server.target, &["audit.verify"]).unwrap();
    assert!(whole["intact"] == true && whole["files"].as_u64() > Some(1), "{whole}");
    let oldest =
        call(&server.target, &["audit.list", "operation=user.add", "sort=time", "order=asc", "limit=1"]).unwrap();
    assert_eq!(oldest["items"][0]["arguments"]["account"], "romeo@localhost", "{oldest}");
    let newest = call(&server.target, &["audit.list", "operation=user.add", "limit=1"]).unwrap();
    assert_eq!(newest["items"][0]["arguments"]["account"], "nurse@localhost", "{newest}");
    server.stop().unwrap();
    let server = start("1ms");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let left = loop {
        let left =
            call(&server.target, &["audit.verify", &format!("head={}", whole["head"].as_str().unwrap())]).unwrap();
        if left["forgotten"].as_u64() > Some(0) || std::time::Instant::now() > deadline {
            break left;
        }
    };
    assert!(left["breaks"].as_array().unwrap().is_empty() && left["forgotten"].as_u64() > Some(0), "{left}");
    let said = call(&server.target, &["audit.list", "operation=audit.forget"]).unwrap();
    assert_eq!(said["items"].as_array().unwrap().len() as u64, left["forgotten"].as_u64().unwrap(), "{said}");
    server.stop().unwrap();
}

#[test]
fn a_password_is_reset_and_everybody_signed_out() {
    let server = server();
    let target = &server.target;
    let of = format!("account={}", add(target, "romeo"));
    let first = connect(target, "romeo", "secret").unwrap();
    let reset = call(target, &["user.reset", &of, "signout=true"]).unwrap();
    assert_eq!(reset["sessions"], 1);
    drop(first);
    assert!(connect(target, "romeo", "secret").is_err());
    let second = connect(target, "romeo", reset["password"].as_str().unwrap()).unwrap();
    assert_eq!(call(target, &["user.signout", &of]).unwrap()["sessions"], 1);
    drop(second);
    let log = std::fs::read_to_string(data(target).join("audit.log")).unwrap();
    assert!(log.contains("reset the password of romeo") && !log.contains(reset["password"].as_str().unwrap()), "{log}");
    server.stop().unwrap();
}

#[test]
fn a_table_of_accounts_is_tried_and_then_taken() {
    let server = server();
    let target = &server.target;
    let mut table = tempfile::NamedTempFile::new().unwrap();
    write!(table, "account,password,disabled\nromeo,secret,\njuliet,,no\na b,x,\nnurse@elsewhere.example,x,\n")
        .unwrap();
    let arguments = [&format!("file={}", table.path().display()), &format!("domain={}", target.domain)];
    let import = |more: &[&str]| {
        let mut all = vec!["user.import", arguments[0].as_str(), arguments[1].as_str()];
        all.extend(more);
        call(target, &all).unwrap()
    };
    let tried = import(&["dry_run=true"]);
    assert_eq!((tried["created"].as_u64(), tried["errors"].as_array().unwrap().len()), (Some(2), 2), "{tried}");
    assert!(connect(target, "romeo", "secret").is_err());
    let taken = import(&[]);
    assert_eq!((taken["created"].as_u64(), taken["errors"][0]["line"].as_u64()), (Some(2), Some(4)), "{taken}");
    connect(target, "romeo", "secret").unwrap();
    connect(target, "juliet", taken["passwords"][0]["password"].as_str().unwrap()).unwrap();
    assert_eq!(import(&[])["existing"], 2);
    server.stop().unwrap();
}

#[test]
fn everything_of_an_account_is_exported() {
    let server = server();
    let target = &server.target;
    let account = add(target, "romeo");
    let mut romeo = connect(target, "romeo", "secret").unwrap();
    let set = "<query xmlns='jabber:iq:private'><keep xmlns='urn:example:keep'>mine</keep></query>";
    romeo.query("q", &format!("<iq type='set' id='q'>{set}</iq>")).unwrap();
    let dossier = call(target, &["user.export", &format!("account={account}")]).unwrap();
    assert!(dossier["next"].is_null());
    let text = dossier["rows"].to_string();
    assert!(text.contains("xylem.private/") && text.contains("mine"), "{dossier}");
    assert!(!dossier.to_string().contains("iterations"), "the keys of the password stay here");
    server.stop().unwrap();
}

#[test]
fn sessions_are_shown_and_spoken_to() {
    let server = server();
    let target = &server.target;
    let account = add(target, "romeo");
    let mut romeo = connect(target, "romeo", "secret").unwrap();
    let page = call(target, &["session.list", "search=romeo"]).unwrap();
    let row = &page["items"][0];
    assert!(row["tls"].as_str().unwrap().starts_with("TLSv1.") && row["mechanism"].as_str().unwrap().contains("SCRAM"));
    assert!(row["bytes_out"].as_u64().unwrap() > 0, "{row}");
    let resource = row["jid"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
    let of = [format!("account={account}"), format!("resource={resource}")];
    let shown = call(target, &["session.show", &of[0], &of[1]]).unwrap();
    assert_eq!(shown["jid"], row["jid"]);
    call(target, &["session.message", &of[0], &of[1], "body=Supper & bed"]).unwrap();
    let got = format!("{:?}", romeo.receive().unwrap().unwrap());
    assert!(got.contains("Supper") && got.contains("normal"), "{got}");
    let nobody = call(target, &["session.message", "account=nobody@localhost", "body=x"]).unwrap_err();
    assert!(nobody.contains("nobody is connected"), "{nobody}");
    server.stop().unwrap();
}

#[test]
fn a_plugin_is_inspected_upgraded_set_and_rolled_back() {
    let server = server();
    let target = &server.target;
    let package = package("xylem.private");
    let package = format!("package={}", package.display());
    let report = call(target, &["plugin.inspect", &package]).unwrap();
    assert_eq!((report["id"].as_str(), report["new_grants"].as_array().unwrap().len()), (Some("xylem.private"), 0));
    assert!(report["grants"].to_string().contains("answers requests of: jabber:iq:private"), "{report}");
    let refused = call(target, &["plugin.rollback", "id=xylem.private"]).unwrap_err();
    assert!(refused.contains("no version"), "{refused}");
    call(target, &["plugin.upgrade", &package]).unwrap();
    let usage = call(target, &["plugin.usage", "id=xylem.private"]).unwrap();
    assert_eq!(usage["previous"], report["version"], "{usage}");
    assert_eq!(call(target, &["plugin.rollback", "id=xylem.private"]).unwrap()["state"], "running");

    let options = call(target, &["plugin.config", "id=xylem.register"]).unwrap();
    let origin = |options: &Value| {
        let all = options["options"].as_array().unwrap();
        let open = all.iter().find(|option| option["name"] == "open").unwrap();
        (open["value"].clone(), open["origin"].as_str().unwrap().to_owned())
    };
    assert_eq!(origin(&options), (true.into(), "file".to_owned()));
    let set = |options: &str| call(target, &["plugin.configure", "id=xylem.register", &format!("options={options}")]);
    assert_eq!(origin(&set("{\"open\": false}").unwrap()), (false.into(), "console".to_owned()));
    let mut stranger = Session::open(target, Via::StartTls, &target.domain).unwrap();
    assert!(stranger.register(&target.domain, "romeo", "secret").is_err(), "it is closed now");
    assert!(set("{\"opne\": false}").unwrap_err().contains("no such option"));
    assert_eq!(origin(&set("{\"open\": null}").unwrap()), (true.into(), "file".to_owned()));
    server.stop().unwrap();
}

#[test]
fn the_server_says_how_it_does() {
    let server = server();
    let target = &server.target;
    let overview = call(target, &["overview"]).unwrap();
    assert!(overview["problems"].is_array() && overview["plugins"]["running"].as_u64().unwrap() > 0, "{overview}");
    assert_eq!(call(target, &["overview.history"]).unwrap()["every"], 5);
    let domains = call(target, &["domain.list", "search=localhost"]).unwrap();
    assert!(domains["items"].to_string().contains("conference.localhost"), "{domains}");
    let certificates = call(target, &["certificate.list"]).unwrap();
    let first = &certificates["items"][0];
    assert!(first["self_signed"] == true && first["fingerprint"].as_str().unwrap().len() == 64, "{first}");
    assert_eq!(call(target, &["certificate.reload"]).unwrap()["changed"].as_array().unwrap().len(), 0);
    let filter = call(target, &["log.level", "level=debug"]).unwrap()["filter"].as_str().unwrap().to_owned();
    assert!(filter.split(',').any(|part| part == "debug"), "{filter}");
    add(target, "romeo");
    let told = call(target, &["log.list", "search=user.add"]).unwrap();
    assert!(told["items"].to_string().contains("create the account romeo"), "{told}");
    let tables = call(target, &["store.list", "search=kernel/accounts"]).unwrap();
    assert_eq!(tables["items"][0]["entries"], 1, "{tables}");
    assert_eq!(call(target, &["store.scrub"]).unwrap()["clean"], true);
    let about = call(target, &["about"]).unwrap();
    assert!(about["components"].to_string().contains("\"rustls\""), "{about}");
    assert!(call(target, &["config.show"]).unwrap()["settings"].to_string().contains("before_login"));
    let refused = call(target, &["config.set", "section=limits", "key=depth", "value=20"]).unwrap_err();
    assert!(refused.contains("without a configuration file"), "{refused}");
    server.stop().unwrap();
}

fn data(target: &Target) -> PathBuf {
    target.admin_socket.as_ref().and_then(|socket| socket.parent()).unwrap().to_path_buf()
}

fn package(id: &str) -> PathBuf {
    let beside = || program().unwrap().parent().and_then(Path::parent).unwrap().join("plugins");
    let folder = std::env::var_os("XYLEM_PLUGINS").map_or_else(beside, PathBuf::from);
    folder.join(format!("{id}.wasm"))
}
