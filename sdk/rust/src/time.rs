//! Times as XMPP writes them (XEP-0082).

/// `2002-09-10T23:08:25Z` for milliseconds since 1970.
#[must_use]
pub fn utc(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let clock = seconds % 86_400;
    let mut out = String::with_capacity(20);
    for (number, width, end) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (clock / 3600, 2, ':'),
        (clock / 60 % 60, 2, ':'),
        (clock % 60, 2, 'Z'),
    ] {
        pad(&mut out, number, width);
        out.push(end);
    }
    out
}

/// `2002-09-10T23:08:25.123Z` for milliseconds since 1970.
#[must_use]
pub fn utc_ms(milliseconds: u64) -> String {
    let mut out = utc(milliseconds);
    out.pop();
    out.push('.');
    pad(&mut out, milliseconds % 1000, 3);
    out.push('Z');
    out
}

/// Milliseconds since 1970 of a date and time (XEP-0082 §3.2); none when it is not one, or before 1970.
/// Parts of milliseconds are cut off.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let (date, time) = text.trim().split_once('T')?;
    let (year, month, day) = three(date, '-', [4, 2, 2])?;
    let zone = time.find(['Z', '+', '-'])?;
    let (time, zone) = time.split_at(zone);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let (hour, minute, second) = three(time, ':', [2, 2, 2])?;
    let valid = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && civil(days(year, month, day)?) == (year, month, day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !valid || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = fraction.bytes().chain([b'0'; 3]).take(3);
    let milliseconds = digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = match zone.split_at_checked(1)? {
        ("Z", "") => seconds,
        ("+", offset) => seconds.checked_sub(offset_seconds(offset)?)?,
        ("-", offset) => seconds + offset_seconds(offset)?,
        _ => return None,
    };
    Some(seconds * 1000 + milliseconds)
}

fn offset_seconds(offset: &str) -> Option<u64> {
    let (hours, minutes) = offset.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(hours * 3600 + minutes * 60)
}

fn three(text: &str, between: char, widths: [usize; 3]) -> Option<(u64, u64, u64)> {
    let mut parts = text.split(between);
    let [first, second, third] = widths;
    let found = (number(parts.next()?, first)?, number(parts.next()?, second)?, number(parts.next()?, third)?);
    parts.next().is_none().then_some(found)
}

fn number(text: &str, width: usize) -> Option<u64> {
    (text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// The day, counted from 1970-01-01; the reverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    let year = if month <= 2 { year.checked_sub(1)? } else { year };
    let month_from_march = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * month_from_march + 2) / 5 + day.checked_sub(1)?;
    let year_of_era = year % 400;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (year / 400 * 146_097 + day_of_era).checked_sub(719_468)
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian calendar), computed
/// in 400-year eras that begin on a 1st of March.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let day_of_era = shifted % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

fn pad(out: &mut String, number: u64, width: u32) {
    let mut unit = 10_u64.pow(width - 1);
    while unit > 0 {
        out.push(char::from(b'0' + (number / unit % 10) as u8));
        unit /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, utc, utc_ms};

    #[test]
    fn known_times() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_031_699_305_999), "2002-09-10T23:08:25Z");
        assert_eq!(utc(4_107_542_399_000), "2100-02-28T23:59:59Z");
        assert_eq!(utc(4_107_542_400_000), "2100-03-01T00:00:00Z");
    }

    #[test]
    fn times_are_read() {
        for milliseconds in [0, 1, 951_782_399_999, 951_782_400_000, 1_031_699_305_123, 4_107_542_400_000] {
            assert_eq!(parse(&utc_ms(milliseconds)), Some(milliseconds));
        }
        assert_eq!(parse("2002-09-10T23:08:25Z"), Some(1_031_699_305_000));
        assert_eq!(parse("2002-09-10T23:08:25.1Z"), Some(1_031_699_305_100));
        assert_eq!(parse("2002-09-11T01:08:25.123456+02:00"), Some(1_031_699_305_123));
        assert_eq!(parse("2002-09-10T17:38:25-05:30"), Some(1_031_699_305_000));
        for wrong in [
            "",
            "T",
            "2002-09-10",
            "2002-09-10T23:08:25",
            "2002-02-30T00:00:00Z",
            "2002-13-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "2002-09-10T24:00:00Z",
            "2002-09-10T23:08:25.xZ",
            "2002-09-10T23:08:25+2",
            "02-09-10T23:08:25Z",
            "2002-09-10T23:08:25Zjunk",
            "2002-00-10T23:08:25Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
