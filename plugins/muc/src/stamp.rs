//! Reading times (XEP-0082).

/// Milliseconds since 1970 of a time in the profile of XEP-0082 §3.2; none before 1970 or for anything else.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.split_once('T')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let zone_at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut clock = clock.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let formed = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && (0..24).contains(&hour)
        && (0..60).contains(&minute)
        && (0..=60).contains(&second);
    if !formed {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    u64::try_from(seconds * 1000 + millis.parse::<i64>().ok()?).ok()
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = hours.parse::<i64>().ok()?.clamp(-24, 24) * 3600 + minutes.parse::<i64>().ok()?.clamp(-60, 60) * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

/// Days since 1970-01-01, counted in years that begin in March.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    year * 365 + year / 4 - year / 100 + year / 400 + (month * 306 + 5) / 10 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn known_times() {
        assert_eq!(parse("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse("2002-09-10T23:08:25Z"), Some(1_031_699_305_000));
        assert_eq!(parse("2002-09-11T01:08:25.5+02:00"), Some(1_031_699_305_500));
        assert_eq!(parse("2000-02-29T00:00:00.123456Z"), Some(951_782_400_123));
    }

    #[test]
    fn nonsense_is_no_time() {
        for text in ["", "T", "now", "1969-01-01T00:00:00Z", "2002-13-01T00:00:00Z", "2002-01-01T00:00", "2002-01-01"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
