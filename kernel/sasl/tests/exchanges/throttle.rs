//! The brake on guessing.

use std::net::IpAddr;
use std::time::Duration;

use xylem_sasl::{Rate, Throttle, ThrottleConfig};

const SECOND: Duration = Duration::from_secs(1);
const JULIET: Option<&str> = Some("juliet@verona.example");

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn throttle() -> Throttle {
    Throttle::new(ThrottleConfig {
        address: Rate { burst: 3, forgive: 10 * SECOND },
        account: Rate { burst: 5, forgive: 20 * SECOND },
        entries: 8,
    })
}

#[test]
fn an_address_is_stopped_after_its_burst_and_forgiven_one_by_one() {
    let (mut throttle, mallory, now) = (throttle(), ip("192.0.2.1"), 100 * SECOND);
    for _ in 0..3 {
        assert!(throttle.check(mallory, None, now).is_ok());
        throttle.failed(mallory, None, now);
    }
    let blocked = throttle.check(mallory, None, now).unwrap_err();
    assert_eq!(blocked.retry_after, 10 * SECOND);
    assert!(throttle.check(ip("192.0.2.2"), None, now).is_ok());
    assert!(throttle.check(mallory, None, now + 10 * SECOND).is_ok());
    throttle.failed(mallory, None, now + 10 * SECOND);
    assert!(throttle.check(mallory, None, now + 10 * SECOND).is_err());
}

#[test]
fn failing_while_stopped_does_not_grow_the_debt_without_bound() {
    let (mut throttle, mallory) = (throttle(), ip("192.0.2.1"));
    (0..1000).for_each(|_| throttle.failed(mallory, None, SECOND));
    let blocked = throttle.check(mallory, None, SECOND).unwrap_err();
    assert_eq!(blocked.retry_after, 10 * SECOND);
}

#[test]
fn an_account_is_guarded_against_many_addresses() {
    let (mut throttle, now) = (throttle(), SECOND);
    for last in 1..=5 {
        throttle.failed(ip(&format!("192.0.2.{last}")), JULIET, now);
    }
    assert!(throttle.check(ip("192.0.2.9"), JULIET, now).is_err());
    assert!(throttle.check(ip("192.0.2.9"), Some("nurse@verona.example"), now).is_ok());
}

#[test]
fn the_owner_is_not_locked_out_where_she_logged_in_before() {
    let (mut throttle, now, home) = (throttle(), SECOND, ip("198.51.100.7"));
    throttle.succeeded(home, "juliet@verona.example", now);
    for last in 1..=5 {
        throttle.failed(ip(&format!("192.0.2.{last}")), JULIET, now);
    }
    assert!(throttle.check(home, JULIET, now).is_ok());
}

#[test]
fn addresses_of_one_ipv6_network_are_one() {
    let (mut throttle, now) = (throttle(), SECOND);
    for last in 1..=3 {
        throttle.failed(ip(&format!("2001:db8::{last}")), None, now);
    }
    assert!(throttle.check(ip("2001:db8::ffff"), None, now).is_err());
    assert!(throttle.check(ip("2001:db8:0:1::1"), None, now).is_ok());
    // The same address in its IPv6 dress.
    (0..3).for_each(|_| throttle.failed(ip("::ffff:192.0.2.1"), None, now));
    assert!(throttle.check(ip("192.0.2.1"), None, now).is_err());
}

#[test]
fn a_flood_of_addresses_does_not_free_the_guilty() {
    let (mut throttle, mallory, now) = (throttle(), ip("192.0.2.1"), SECOND);
    (0..3).for_each(|_| throttle.failed(mallory, None, now));
    for low in 0..200 {
        throttle.failed(ip(&format!("203.0.113.{low}")), None, now);
    }
    assert!(throttle.check(mallory, None, now).is_err());
}
