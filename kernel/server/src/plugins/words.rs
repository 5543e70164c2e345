//! What a manifest asks for, in sentences.

use xylem_hooks::manifest::{Class, LimitCount, Needs, Recipient, RunModel, Sender, Shape};
use xylem_hooks::{HookPoint, Manifest, Phase};

/// What a plugin with this manifest is allowed, each in one sentence. Two manifests that
/// allow the same say the same.
pub fn grants(manifest: &Manifest) -> Vec<String> {
    let mut said = Vec::new();
    stanzas(manifest, &mut said);
    needs(&manifest.needs, &mut said);
    accounts(&manifest.needs, &mut said);
    stores(manifest, &mut said);
    for domain in &manifest.domains {
        said.push(format!("It answers for everything at {}.", domain.at("YOUR-DOMAIN")));
    }
    for listener in &manifest.listeners {
        said.push(format!("It listens for connections from the network ({}).", listener.name));
    }
    for extend in &manifest.extends {
        said.push(format!("It takes part in what {} decides.", extend.interface));
    }
    for (slot, values) in &manifest.adds {
        said.push(format!("It announces under {slot}: {}.", values.join(", ")));
    }
    said
}

/// What it may use at most.
pub fn limits(manifest: &Manifest) -> Vec<String> {
    let run = &manifest.run;
    let instances = match (run.model, run.shards) {
        (RunModel::Fresh, _) => "a new instance for each call".to_owned(),
        (_, None) => "one instance for each core".to_owned(),
        (_, Some(shards)) => format!("{shards} instances"),
    };
    let mut said = vec![
        format!("{} of memory for each instance; {instances}.", bytes(run.memory)),
        format!(
            "{} ms of computing for each call, {} ms with waiting.",
            run.deadline.as_millis(),
            run.wall.as_millis()
        ),
        format!("{} stanzas and {} of them for each call.", run.outbox.count, bytes(run.outbox.bytes)),
        format!("{} lines of log a second.", run.log_rate),
    ];
    for store in &manifest.stores {
        let (name, rows, size) = (&store.name, store.quota_rows, bytes(store.quota_bytes));
        said.push(format!("{rows} rows and {size} in the store {name} for each account, room or domain."));
    }
    for limit in &manifest.limits {
        let times = match &limit.count {
            LimitCount::Fixed(count) => count.to_string(),
            LimitCount::Option(option) => format!("As many as {option} says"),
        };
        said.push(format!("{times} times in {} s: {}.", limit.per.as_secs(), limit.name));
    }
    said
}

/// The specifications it follows: `XEP-0045 1.35.1`.
pub fn follows(manifest: &Manifest) -> Vec<String> {
    manifest.xeps.iter().map(|xep| format!("XEP-{:04} {}", xep.number, xep.version)).collect()
}

fn stanzas(manifest: &Manifest, said: &mut Vec<String>) {
    for point in HookPoint::ALL {
        let here = || manifest.hooks.iter().filter(|hook| hook.on == point && !hook.claimed);
        if here().next().is_none() {
            continue;
        }
        let what = described(point);
        let filtered = here().all(|hook| !hook.when_text.is_empty());
        let which = if filtered { "some of " } else { "" };
        let can = if here().any(|hook| hook.phase == Phase::Screen) { "sees and can refuse" } else { "sees" };
        said.push(format!("It {can} {which}the {what}."));
    }
    let mut answered: Vec<_> = manifest.iqs.iter().map(|iq| iq.ns.as_str()).collect();
    answered.sort_unstable();
    answered.dedup();
    if !answered.is_empty() {
        said.push(format!("It answers requests of: {}.", answered.join(", ")));
    }
    if manifest.iqs.iter().any(|iq| iq.before_auth) {
        said.push("It answers some requests of strangers, before they have logged in.".to_owned());
    }
    if !manifest.events.is_empty() {
        said.push("It is told when clients connect and leave, or when accounts change.".to_owned());
    }
}

fn described(point: HookPoint) -> &'static str {
    match point {
        HookPoint::MessageOut => "messages that users of this server send",
        HookPoint::MessageIn => "messages that users of this server get",
        HookPoint::MessageFallback => "messages that nobody is there to take",
        HookPoint::PresenceOut => "presence that users of this server send",
        HookPoint::PresenceIn => "presence that users of this server get",
        HookPoint::IqOut => "requests that users of this server send",
        HookPoint::IqIn => "requests that users of this server get",
    }
}

fn needs(needs: &Needs, said: &mut Vec<String>) {
    let mut say = |asked: bool, sentence: &str| {
        if asked {
            said.push(sentence.to_owned());
        }
    };
    say(needs.edit, "It can change the stanzas that it sees.");
    say(needs.ask, "It can send requests to others and see their answers.");
    say(needs.wake, "It can be called at times that it chooses.");
    say(needs.groups, "It keeps lists of addresses to which it sends the same.");
    say(needs.wires, "It can relay data between connections.");
    say(needs.sessions.read, "It sees who is connected, and from where.");
    say(needs.sessions.tag, "It can mark connected clients.");
    say(needs.sessions.end, "It can disconnect clients.");
    for view in &needs.views {
        said.push(format!("It can read what {} stores as {}.", view.plugin, view.store));
    }
    if let Some(outbox) = &needs.outbox {
        let from = outbox.from.iter().map(|from| match from {
            Sender::Account => "the user it acts for",
            Sender::Server => "the server",
            Sender::Domain => "addresses of its own domain",
        });
        let anybody = outbox.to.contains(&Recipient::Any);
        let to = if anybody { "anybody" } else { "that user's own clients" };
        said.push(format!("It can send stanzas as {}, to {to}.", from.collect::<Vec<_>>().join(" and ")));
    }
    if !needs.contributions.is_empty() {
        let all = needs.contributions.iter().any(|slot| slot == "*");
        let what = if all { "everything that plugins announce".to_owned() } else { needs.contributions.join(", ") };
        said.push(format!("It reads {what}."));
    }
}

fn accounts(needs: &Needs, said: &mut Vec<String>) {
    let grants = needs.accounts;
    let verbs = [
        (grants.exists, "tell whether accounts exist"),
        (grants.create, "create accounts"),
        (grants.password, "set passwords"),
        (grants.delete, "delete accounts"),
    ];
    for (_, verb) in verbs.iter().filter(|(asked, _)| *asked) {
        said.push(format!("It can {verb}."));
    }
}

fn stores(manifest: &Manifest, said: &mut Vec<String>) {
    for store in &manifest.stores {
        let kept = match (store.class, store.shape) {
            (Class::Volatile, _) => "remembers until the server stops",
            (_, Shape::Archive) => "keeps, with the stanzas themselves",
            (_, Shape::Kv) => "keeps",
        };
        let shared = if store.view { ", which other plugins may be allowed to read" } else { "" };
        said.push(format!("It {kept}: {}{shared}.", store.name));
    }
}

fn bytes(number: u64) -> String {
    match number {
        0..1024 => format!("{number} bytes"),
        1024..1_048_576 => format!("{} KiB", number >> 10),
        1_048_576..1_073_741_824 => format!("{} MiB", number >> 20),
        _ => format!("{} GiB", number >> 30),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    const TEXT: &str =
        "[plugin]\nid = \"a.b\"\nversion = \"1\"\napi = \"xylem:plugin@0.1\"\nsummary = \"s\"\nlicense = \"MIT\"\n";

    #[test]
    fn what_is_asked_for_is_said_and_nothing_else() {
        let nothing = Manifest::parse(TEXT).unwrap();
        assert!(grants(&nothing).is_empty(), "{:?}", grants(&nothing));
        let much = format!(
            "{TEXT}[needs]\nedit = true\naccounts = [\"delete\"]\nsessions = [\"end\"]\n\
             outbox = {{ from = [\"account\"], to = [\"any\"] }}\n\
             [[hook]]\non = \"message.in\"\nphase = \"screen\"\nhandler = \"h\"\n"
        );
        let said = grants(&Manifest::parse(&much).unwrap()).join("\n");
        for sentence in [
            "It sees and can refuse the messages that users of this server get.",
            "It can change the stanzas that it sees.",
            "It can disconnect clients.",
            "It can delete accounts.",
            "It can send stanzas as the user it acts for, to anybody.",
        ] {
            assert!(said.contains(sentence), "{sentence}\n{said}");
        }
        assert!(!said.contains("create accounts"));
        assert!(limits(&nothing).iter().any(|limit| limit.contains("of memory")));
    }
}
