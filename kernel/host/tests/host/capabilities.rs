//! What plugins may call, and what they may not.

use xylem_hooks::{Effect, Plugins};
use xylem_stanza::Stanza;

use crate::stage::{ALL, DOMAIN, KEY, Stage, cause, sent};

#[tokio::test]
async fn senders_and_recipients_are_checked_against_the_grant() {
    let stage = Stage::with("t", ALL);
    for (from, allowed) in [
        ("romeo@example.org", true),
        ("romeo@example.org/phone", true),
        ("example.org", true),
        ("juliet@example.org", false),
        ("evil.example", false),
        ("romeo@evil.example", false),
    ] {
        stage.hook(&format!("do:forge:{from}")).await;
        assert_eq!(stage.fault().await.contains("Ok"), allowed, "{from}: {}", stage.fault().await);
    }
    let own = ALL.replace("to = [\"any\"]", "to = [\"own-sessions\"]");
    let stage = Stage::with("t", &own);
    stage.hook("do:send:juliet@example.org").await;
    assert!(stage.fault().await.contains("Denied"));
    stage.hook("do:send:romeo@example.org/phone").await;
    assert!(stage.fault().await.contains("Ok"));
}

#[tokio::test]
async fn without_a_grant_there_is_nothing() {
    let without = ALL.split("[needs]").next().unwrap().to_owned();
    let stage = Stage::with("t", &without);
    for trick in [
        "send:a@b",
        "sessions",
        "account:a@b",
        "wake:5",
        "ask:a@b",
        "togroup",
        "publish:x",
        "forward:a@b",
        "fan",
        "close",
    ] {
        stage.hook("do:put:fault=none").await;
        stage.hook(&format!("do:{trick}")).await;
        assert!(stage.fault().await.contains("Denied"), "{trick}: {}", stage.fault().await);
    }
    assert!(stage.hook("do:edit").await.edited.is_none());
}

#[tokio::test]
async fn rows_belong_to_the_key() {
    let stage = Stage::with("t", ALL);
    stage.hook_of("a@example.org", 0, "do:put:x=1").await;
    assert_eq!(stage.row("a@example.org", "x").await.as_deref(), Some("1"));
    assert_eq!(stage.row("b@example.org", "x").await, None);
    let domain = Stage::with("t", &format!("[run]\nkey = \"domain\"\n{ALL}"));
    domain.hook_of("a@example.org", 0, "do:put:x=1").await;
    assert_eq!(domain.row(DOMAIN, "x").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn fan_out_by_index_and_group_is_one_effect() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:index:a@x.example do:index:b@x.example do:put:c@x.example=1").await;
    stage.hook("do:fan").await;
    let Effect::ToAddresses { to, .. } = &stage.released(1).await[0] else { panic!("no fan-out") };
    assert_eq!(to.iter().map(|one| one.jid().as_str()).collect::<Vec<_>>(), ["a@x.example", "b@x.example"]);
    stage.hook("do:group:g1@x.example do:group:left@out.example do:group:g2@x.example").await;
    stage.hook("do:togroup").await;
    let Effect::ToAddresses { to, .. } = &stage.released(2).await[1] else { panic!("no fan-out") };
    assert_eq!(to.iter().map(|one| one.jid().as_str()).collect::<Vec<_>>(), ["g1@x.example", "g2@x.example"]);
    stage.hook("do:forward:f@x.example").await;
    let forwarded = sent(&stage.released(3).await[2]);
    assert!(forwarded.contains("f@x.example") && forwarded.contains("juliet@example.org/b"), "{forwarded}");
}

#[tokio::test]
async fn a_group_hears_from_whom_the_plugin_may_speak_for() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:group:g1@x.example").await;
    stage.hook("do:groupfrom:juliet@example.org").await;
    assert!(stage.fault().await.contains("Denied"));
    stage.hook("do:groupfrom:romeo@example.org/nick").await;
    assert!(stage.fault().await.contains("Ok"), "{}", stage.fault().await);
    let reflected = sent(&stage.released(1).await[0]);
    assert!(reflected.contains("from='romeo@example.org/nick'") && reflected.contains("id='m1'"), "{reflected}");
}

#[tokio::test]
async fn timers_ring_survive_a_restart_and_ring_once() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:wake:5000").await;
    stage.store.barrier().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    let again = Stage::on(stage.store.clone());
    drop(stage);
    again.install("tricks", "t", ALL);
    again.host.start();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    again.host.run_due().await;
    assert_eq!(again.row(KEY, "woken").await, None, "too early");
    again.clock.forward(5000);
    again.host.run_due().await;
    assert_eq!(again.row(KEY, "woken").await.as_deref(), Some("alarm token"));
    assert!(sent(&again.released(1).await[0]).contains("awake"));
    again.host.run_due().await;
    assert!(again.store.kv("kernel/timers").partition("t").await.unwrap().is_empty().unwrap());
    assert_eq!(again.effects().len(), 1);
}

#[tokio::test]
async fn answers_come_back_to_who_asked_or_time_out() {
    let stage = Stage::with("t", ALL);
    stage.hook("do:ask:who@x.example").await;
    let Effect::Send(asked) = stage.released(1).await[0].clone() else { panic!("not asked") };
    let id = asked.id().unwrap().into_owned();
    assert!(id.len() > 20, "guessable: {id}");
    let answer = |from: &str, id: &str| {
        Stanza::parse(&format!("<iq type='result' id='{id}' from='{from}' to='{KEY}'><q xmlns='urn:q'/></iq>")).unwrap()
    };
    assert!(!stage.host.answer(&answer("mallory@x.example", &id)), "taken from somebody else");
    assert!(!stage.host.answer(&answer("who@x.example", "x")));
    assert!(stage.host.answer(&answer("who@x.example", &id)));
    assert!(!stage.host.answer(&answer("who@x.example", &id)), "taken twice");
    assert_eq!(stage.row(KEY, "answer").await.as_deref(), Some("mine ok true"));
    stage.hook("do:ask:who@x.example").await;
    stage.released(2).await;
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    stage.clock.forward(1000);
    stage.host.run_due().await;
    assert!(stage.row(KEY, "answer").await.unwrap().contains("TimedOut"));
}

#[tokio::test]
async fn buckets_configuration_contributions_events_and_views() {
    let stage = Stage::with("t", &format!("{ALL}[adds]\n\"disco.server\" = [\"urn:declared\"]\n"));
    for taken in ["true", "true", "false"] {
        stage.hook("do:take").await;
        assert_eq!(stage.row(KEY, "taken").await.as_deref(), Some(taken));
    }
    stage.hook("do:config").await;
    assert_eq!(stage.row(KEY, "config").await.as_deref(), Some("{\"size\":7}"));
    assert_eq!(stage.host.plan(DOMAIN).unwrap().contributions("disco.server"), ["urn:declared"]);
    stage.hook("do:publish:urn:later").await;
    stage.released(0).await;
    stage.store.barrier().await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(stage.host.plan(DOMAIN).unwrap().contributions("disco.server"), ["urn:later"]);
    stage.host.event(stage.plugin("t"), 0, &cause(KEY), "romeo@example.org/x", "5");
    assert_eq!(stage.row(KEY, "event0").await.as_deref(), Some("romeo@example.org/x 5"));
    assert_eq!(stage.row(DOMAIN, "event1").await.as_deref(), Some("example.org "));
    stage.hook("do:element:1").await;
    assert!(stage.row(KEY, "element").await.unwrap().contains("do:element"), "{:?}", stage.row(KEY, "element").await);
    let viewer = ALL.replace("groups = true", "groups = true\nviews = [\"t/rows\"]");
    stage.install("tricks", "v", &viewer.replace("urn:t\"", "urn:v\""));
    let index = stage.plugin("v");
    stage.hook("do:put:friend=1").await;
    stage.host.hook(index, 0, 0, &cause(KEY), &crate::stage::message("do:view:friend")).get().await;
    let rows = stage.store.kv("v/rows").partition(KEY).await.unwrap();
    assert_eq!(rows.get(b"seen").unwrap().as_deref(), Some(&b"true"[..]));
}

#[tokio::test]
async fn a_partition_too_big_for_memory_has_its_quota_too() {
    let rows = ALL.replace("rows = 100, bytes = \"4MiB\"", "rows = 5000, bytes = \"600KiB\"");
    let stage = Stage::with("t", &format!("[run]\ndeadline = \"1s\"\n{rows}"));
    let mut stored = 0;
    while stored < 20 {
        stage.hook(&format!("do:fill:{stored}")).await;
        if stage.row(KEY, &format!("fill{stored}")).await.is_none() {
            break;
        }
        stored += 1;
    }
    assert!((5..=6).contains(&stored), "{stored} rows of 100 KiB");
}
