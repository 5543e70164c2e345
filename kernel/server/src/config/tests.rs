#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::reader::{Asked, Reader};
use super::units::{parse_bytes, parse_duration, show_bytes, show_duration};
use super::*;

const DEFAULT_FILE: &str = include_str!("../../../../config/xylem.toml");

fn read(text: &str) -> Result<Config, Problems> {
    Config::read("x.toml", text, std::iter::empty())
}

fn only_problem(text: &str) -> String {
    let problems = read(text).unwrap_err();
    assert_eq!(problems.0.len(), 1, "{problems}");
    problems.to_string()
}

fn asked(text: &str) -> Vec<Asked> {
    let mut reader = Reader::new("x.toml", text, std::iter::empty()).unwrap();
    Config::from_reader(&mut reader);
    reader.asked
}

#[test]
fn the_default_file_is_the_built_in_defaults() {
    assert_eq!(read(DEFAULT_FILE).unwrap(), read("").unwrap());
}

/// Every key stands in the file with its bounds and default in the comment above it.
#[test]
fn the_default_file_explains_every_key() {
    let mut section = String::new();
    let mut comment = String::new();
    let mut explained = Vec::new();
    for line in DEFAULT_FILE.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            section = name.replace('"', "");
        }
        let key = line.trim_start_matches("# ").split_once(" = ").map(|(key, _)| key.to_owned());
        match key.filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_')) {
            Some(key) => explained.push((section.clone(), key, std::mem::take(&mut comment))),
            None if line.starts_with('#') => comment.push_str(line),
            None => comment.clear(),
        }
    }
    for key in asked("") {
        let found = explained.iter().find(|(section, name, _)| *section == key.section && name == key.key);
        let (_, _, comment) = found.unwrap_or_else(|| panic!("{}.{} is not in the file", key.section, key.key));
        assert!(comment.contains(&format!("Takes: {}.", key.bounds)), "{}.{}: {}", key.section, key.key, key.bounds);
        let default = key.default.map_or("May be left out".to_owned(), |d| format!("Default: {d}."));
        let default = default.replace("\"1m\"", "\"60s\"");
        assert!(comment.contains(&default), "{}.{}: {default}", key.section, key.key);
    }
}

#[test]
fn what_is_unknown_is_named_with_the_nearest() {
    assert_eq!(
        only_problem("[limits]\n  stanza_byte = \"1MiB\"\n"),
        "x.toml:2:3: in [limits]: unknown key stanza_byte; did you mean stanza_bytes?"
    );
    assert_eq!(only_problem("\n[limit]\n"), "x.toml:2:2: unknown section limit; did you mean limits?");
    assert!(only_problem("[log]\nzzzzzz = 1").contains("known here: level, format"));
}

#[test]
fn what_is_wrong_is_placed_and_what_would_be_right_is_said() {
    assert_eq!(
        only_problem("[store]\ncommit_window = \"2s\""),
        "x.toml:2:17: store.commit_window must be 0ms to 1s, not \"2s\""
    );
    assert_eq!(only_problem("[limits]\ndepth = 7"), "x.toml:2:9: limits.depth must be 8 to 256, not 7");
    assert_eq!(
        only_problem("[store]\nbackend = \"mysql\""),
        "x.toml:2:11: store.backend must be sled | fjall | memory, not \"mysql\""
    );
    assert!(
        only_problem("[listen]\nstarttls = [\"0.0.0.0\"]").starts_with("x.toml:2:13: listen.starttls must be a list")
    );
    assert!(only_problem("[log\n").starts_with("x.toml:1:"));
    assert!(only_problem("server = 1").contains("must be a section"));
    assert!(only_problem("[domains.\"a@b\"]").contains("not a domain name"));
    assert!(only_problem("[domains.\"a.example\"]\nkey = \"k\"").contains("both be given"));
}

#[test]
fn all_problems_are_told_at_once() {
    assert_eq!(read("[log]\nlevel = 1\nformat = 2\n[nonsense]\n").unwrap_err().0.len(), 3);
}

#[test]
fn the_environment_goes_over_the_file() {
    let env = [
        ("XYLEM__LOG__LEVEL", "debug"),
        ("XYLEM__LIMITS__DEPTH", "99"),
        ("XYLEM__LISTEN__STARTTLS", "[\"127.0.0.1:1\"]"),
        ("XYLEM__DOMAINS__a.example__ANONYMOUS", "true"),
        ("OTHER", "1"),
    ];
    let env = env.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let config = Config::read("x.toml", "[limits]\ndepth = 20", env.into_iter()).unwrap();
    assert_eq!(config.log.level, tracing::Level::DEBUG);
    assert_eq!(config.limits.stanza.depth, 99);
    assert_eq!(config.listen.starttls, ["127.0.0.1:1".parse().unwrap()]);
    assert_eq!((config.domains[0].name.as_str(), config.domains[0].anonymous), ("a.example", true));
}

#[test]
fn problems_of_the_environment_name_the_variable() {
    let env = [("XYLEM__LOG__LEVLE".to_owned(), "debug".to_owned())];
    let problems = Config::read("", "", env.into_iter()).unwrap_err().to_string();
    assert_eq!(problems, "XYLEM__LOG__LEVLE: in [log]: unknown key levle; did you mean level?");
}

#[test]
fn domains_are_normalised_and_told_apart() {
    let config = read("[domains.\"EXAMPLE.org\"]\n[domains.\"b.example\"]\nplugins = [\"xylem.ping\"]").unwrap();
    let names: Vec<_> = config.domains.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names, ["example.org", "b.example"]);
    assert!(config.domains[0].enables("xylem.roster") && !config.domains[1].enables("xylem.roster"));
    assert!(only_problem("[domains.\"A.example\"]\n[domains.\"a.example\"]").contains("another spelling"));
}

#[test]
fn tables_of_plugins_keep_their_places() {
    let config = read("[plugins.\"xylem.offline\"]\nquota = 5\n").unwrap();
    let table = &config.plugins.tables["xylem.offline"];
    assert_eq!(table.values["quota"], 5);
    assert_eq!(table.places["quota"], "x.toml:2:1");
}

#[test]
fn sizes_and_durations_are_read_and_shown() {
    assert_eq!(parse_bytes("16MiB"), Some(16 << 20));
    assert_eq!(parse_bytes("16MB"), None);
    assert_eq!(parse_bytes("99999999999GiB"), None);
    assert_eq!(parse_duration("5m"), Some(std::time::Duration::from_secs(300)));
    assert_eq!(parse_duration("5"), None);
    for text in ["0B", "512B", "3KiB", "1GiB", "10000B"] {
        assert_eq!(show_bytes(parse_bytes(text).unwrap()), text);
    }
    for text in ["0ms", "5ms", "30s", "1m", "24h", "7d"] {
        let shown = show_duration(parse_duration(text).unwrap());
        assert_eq!(parse_duration(&shown), parse_duration(text));
    }
}
