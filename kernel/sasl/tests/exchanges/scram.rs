//! SCRAM: RFC 5802, RFC 7677, RFC 9266, RFC 5929.

use xylem_sasl::{Exchange, Hash, Identity, Lookup, Mechanism, SaslCondition, Secrets, Standing, Step};

use crate::client::{Client, END_POINT, EXPORTER, begin, condition, failure, found, offer, parse, plaintext, secrets};

fn name(hash: Hash, plus: bool) -> &'static str {
    Mechanism::Scram { hash, plus }.name()
}

fn juliet() -> Identity {
    Identity::Account("juliet@verona.example".to_owned())
}

#[track_caller]
fn success(step: Step) -> Identity {
    match step {
        Step::Success { identity, .. } => identity,
        other => panic!("expected success, got {other:?}"),
    }
}

#[test]
fn every_hash_logs_in() {
    for hash in Hash::ALL {
        let mut exchange = begin(name(hash, false), offer());
        let step = Client::new(hash, "Juliet", "pencil").run(&mut exchange, found(Standing::Active));
        assert_eq!(success(step), juliet());
    }
}

#[test]
fn every_hash_logs_in_with_either_channel_binding() {
    for hash in Hash::ALL {
        for (kind, data) in [("tls-exporter", EXPORTER), ("tls-server-end-point", END_POINT)] {
            let mut exchange = begin(name(hash, true), offer());
            let client = Client::new(hash, "juliet", "pencil").bound(kind, &data);
            assert_eq!(success(client.run(&mut exchange, found(Standing::Active))), juliet());
        }
    }
}

#[test]
fn the_data_of_another_channel_does_not_fit() {
    for hash in Hash::ALL {
        let mut exchange = begin(name(hash, true), offer());
        let client = Client::new(hash, "juliet", "pencil").bound("tls-exporter", &[0; 32]);
        let step = client.run(&mut exchange, found(Standing::Active));
        assert_eq!(condition(step), SaslCondition::NotAuthorized);
    }
}

#[test]
fn binding_types_and_mechanisms_must_agree() {
    let client = |gs2: &str| Client { gs2: gs2.to_owned(), ..Client::new(Hash::Sha1, "juliet", "pencil") };
    for (mechanism, gs2, expected) in [
        ("SCRAM-SHA-1-PLUS", "n,,", SaslCondition::MalformedRequest),
        ("SCRAM-SHA-1-PLUS", "y,,", SaslCondition::MalformedRequest),
        ("SCRAM-SHA-1-PLUS", "p=tls-unique,,", SaslCondition::MalformedRequest),
        ("SCRAM-SHA-1", "p=tls-exporter,,", SaslCondition::MalformedRequest),
        // RFC 5802 §6: the client believes that no -PLUS was offered, but it was.
        ("SCRAM-SHA-1", "y,,", SaslCondition::NotAuthorized),
    ] {
        let mut exchange = begin(mechanism, offer());
        let step = exchange.initial(Some(client(gs2).first().as_bytes()));
        assert_eq!(condition(step), expected, "{mechanism} {gs2}");
    }
}

#[test]
fn the_y_flag_is_right_where_plus_was_not_offered() {
    let client = Client { gs2: "y,,".into(), ..Client::new(Hash::Sha256, "juliet", "pencil") };
    let mut exchange = begin("SCRAM-SHA-256", plaintext());
    assert_eq!(success(client.run(&mut exchange, found(Standing::Active))), juliet());
}

#[test]
fn a_wrong_password_and_an_unknown_user_look_the_same() {
    for hash in Hash::ALL {
        let mut known = begin(name(hash, false), offer());
        let wrong = Client::new(hash, "juliet", "pencil2").run(&mut known, found(Standing::Active));
        let mut unknown = begin(name(hash, false), offer());
        let nobody = Client::new(hash, "tybalt", "pencil").run(&mut unknown, Lookup::Unknown);
        let (wrong, nobody) = (failure(wrong), failure(nobody));
        assert_eq!(wrong.condition, SaslCondition::NotAuthorized);
        assert_eq!(nobody.condition, SaslCondition::NotAuthorized);
        assert!(wrong.counts_as_guess() && nobody.counts_as_guess());
    }
}

fn challenge(exchange: &mut Exchange, username: &str, lookup: Lookup) -> (Vec<u8>, u32) {
    let first = Client::new(Hash::Sha256, username, "").first();
    let Step::NeedSecrets { .. } = exchange.initial(Some(first.as_bytes())) else { panic!("secrets") };
    let Step::Challenge(challenge) = exchange.provide(lookup) else { panic!("challenge") };
    let (_, salt, iterations) = parse(std::str::from_utf8(&challenge).unwrap());
    (salt, iterations)
}

#[test]
fn an_unknown_user_has_the_same_salt_every_time() {
    let ask = |user| challenge(&mut begin("SCRAM-SHA-256", offer()), user, Lookup::Unknown);
    assert_eq!(ask("tybalt"), ask("TYBALT"));
    assert_ne!(ask("tybalt").0, ask("mercutio").0);
    let fresh = Secrets::derive("x", xylem_sasl::DEFAULT_ITERATIONS, |s| s.fill(1)).unwrap();
    let known = Lookup::Found { secrets: fresh, standing: Standing::Active };
    let real = challenge(&mut begin("SCRAM-SHA-256", offer()), "juliet", known);
    assert_eq!((ask("tybalt").0.len(), ask("tybalt").1), (real.0.len(), real.1));
}

#[test]
fn an_account_without_keys_for_the_hash_fails_as_if_unknown() {
    let keys = secrets().get(Hash::Sha1).unwrap();
    let only_sha1 = Secrets::from_keys([(Hash::Sha1, keys)]);
    let lookup = Lookup::Found { secrets: only_sha1, standing: Standing::Active };
    let mut exchange = begin("SCRAM-SHA-512", offer());
    let step = Client::new(Hash::Sha512, "juliet", "pencil").run(&mut exchange, lookup);
    assert_eq!(condition(step), SaslCondition::NotAuthorized);
}

#[test]
fn standing_is_told_only_to_who_knows_the_password() {
    for (standing, expected) in
        [(Standing::Disabled, SaslCondition::AccountDisabled), (Standing::Expired, SaslCondition::CredentialsExpired)]
    {
        for (password, expected) in [("pencil", expected), ("wrong", SaslCondition::NotAuthorized)] {
            let mut exchange = begin("SCRAM-SHA-1", offer());
            let step = Client::new(Hash::Sha1, "juliet", password).run(&mut exchange, found(standing));
            assert_eq!(condition(step), expected);
        }
    }
}

#[test]
fn a_store_that_cannot_answer_is_a_temporary_failure() {
    let mut exchange = begin("SCRAM-SHA-1", offer());
    let step = Client::new(Hash::Sha1, "juliet", "pencil").run(&mut exchange, Lookup::Unavailable);
    assert_eq!(condition(step), SaslCondition::TemporaryAuthFailure);
}

#[test]
fn the_authzid_must_be_the_users_own_address() {
    let run = |authzid: &str| {
        let gs2 = format!("n,a={authzid},");
        let client = Client { gs2, ..Client::new(Hash::Sha256, "juliet", "pencil") };
        client.run(&mut begin("SCRAM-SHA-256", offer()), found(Standing::Active))
    };
    assert_eq!(success(run("Juliet@verona.example")), juliet());
    for other in ["romeo@verona.example", "juliet@mantua.example", "juliet@verona.example/balcony", "juliet"] {
        assert_eq!(condition(run(other)), SaslCondition::InvalidAuthzid, "{other}");
    }
}

#[test]
fn a_client_without_initial_response_is_asked_for_it() {
    let client = Client::new(Hash::Sha256, "juliet", "pencil");
    let mut exchange = begin("SCRAM-SHA-256", offer());
    assert_eq!(exchange.initial(None), Step::Challenge(vec![]));
    let account = "juliet@verona.example".to_owned();
    assert_eq!(exchange.respond(client.first().as_bytes()), Step::NeedSecrets { account });
    let Step::Challenge(challenge) = exchange.provide(found(Standing::Active)) else { panic!("challenge") };
    let (last, _) = client.last(&challenge);
    assert_eq!(success(exchange.respond(last.as_bytes())), juliet());
}

#[test]
fn nonces_differ_and_a_recorded_exchange_cannot_be_played_back() {
    let client = Client::new(Hash::Sha256, "juliet", "pencil");
    let start = || {
        let mut exchange = begin("SCRAM-SHA-256", offer());
        exchange.initial(Some(client.first().as_bytes()));
        let Step::Challenge(challenge) = exchange.provide(found(Standing::Active)) else { panic!("challenge") };
        (exchange, challenge)
    };
    let (mut first, challenge) = start();
    let (recorded, _) = client.last(&challenge);
    let (mut second, other) = start();
    assert_ne!(challenge, other);
    assert_eq!(condition(second.respond(recorded.as_bytes())), SaslCondition::NotAuthorized);
    assert_eq!(success(first.respond(recorded.as_bytes())), juliet());
}

#[test]
fn malformed_first_messages() {
    for bad in [
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=",
        "n,,n=j",
        "n,,n=j,",
        "n,,n=j,r",
        "n,,n=j,r=",
        "n,,n=j,r=a\u{7f}",
        "n,,n=j,r=ä",
        "n,a,n=j,r=x",
        "n,a=,n=j,r=x",
        "n,b=j,n=j,r=x",
        "x,,n=j,r=x",
        "p,,n=j,r=x",
        "p=,,n=j,r=x",
        "n,,m=ext,n=j,r=x",
        "n,,n=j=,r=x",
        "n,,n=j=20,r=x",
        "n,,n=j\0,r=x",
        "n,,n=j,r=x,",
        "n,,n=j,r=x,m=f",
        "n,,n=j,r=x,ef",
        "n,,r=x,n=j",
        " n,,n=j,r=x",
    ] {
        let mut exchange = begin("SCRAM-SHA-1", offer());
        assert_eq!(condition(exchange.initial(Some(bad.as_bytes()))), SaslCondition::MalformedRequest, "{bad:?}");
    }
    for bad in [&b"n,,n=\xff,r=x"[..], &[b'n'; 5000]] {
        let mut exchange = begin("SCRAM-SHA-1", offer());
        assert_eq!(condition(exchange.initial(Some(bad))), SaslCondition::MalformedRequest);
    }
}

#[test]
fn malformed_last_messages() {
    let client = Client::new(Hash::Sha1, "juliet", "pencil");
    let attempt = |change: &dyn Fn(String) -> String| {
        let mut exchange = begin("SCRAM-SHA-1", offer());
        exchange.initial(Some(client.first().as_bytes()));
        let Step::Challenge(challenge) = exchange.provide(found(Standing::Active)) else { panic!("challenge") };
        let last = change(client.last(&challenge).0);
        let step = exchange.respond(last.as_bytes());
        // Whatever it was, there is no second try within the exchange.
        assert_eq!(condition(exchange.respond(b"")), SaslCondition::MalformedRequest);
        step
    };
    let cases: [&dyn Fn(String) -> String; 9] = [
        &|_| String::new(),
        &|_| "c".into(),
        &|_| "c=".into(),
        &|_| "c=biws".into(),
        &|m| m.replace(",p=", ",q="),
        &|m| m + ",x=y",
        &|m| m.replace(",p=", ",m=y,p="),
        &|m| m + "=",
        &|m| m.replace("c=biws", "c=b!ws"),
    ];
    for (number, case) in cases.iter().enumerate() {
        assert_eq!(condition(attempt(case)), SaslCondition::MalformedRequest, "case {number}");
    }
    let unproved: [&dyn Fn(String) -> String; 4] = [
        &|m| m.replace("c=biws", "c=eSws"),
        &|m| m.replace("r=fyko", "r=fykO"),
        &|m| m.replace(",p=", ",x=unsigned,p="),
        &|m| format!("{}p=AAAA", m.split("p=").next().unwrap()),
    ];
    for (number, case) in unproved.iter().enumerate() {
        assert_eq!(condition(attempt(case)), SaslCondition::NotAuthorized, "case {number}");
    }
    assert_eq!(success(attempt(&|m| m)), juliet());
}

#[test]
fn steps_out_of_turn_end_the_exchange() {
    let mut exchange = begin("SCRAM-SHA-1", offer());
    assert_eq!(condition(exchange.provide(Lookup::Unknown)), SaslCondition::MalformedRequest);
    let mut exchange = begin("SCRAM-SHA-1", offer());
    exchange.initial(Some(Client::new(Hash::Sha1, "juliet", "").first().as_bytes()));
    assert_eq!(condition(exchange.respond(b"c=biws")), SaslCondition::MalformedRequest);
    assert_eq!(condition(exchange.provide(Lookup::Unknown)), SaslCondition::MalformedRequest);
    let mut exchange = begin("SCRAM-SHA-1", offer());
    assert_eq!(condition(exchange.abort()), SaslCondition::Aborted);
}
