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
    use super::utc;

    #[test]
    fn known_times() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_031_699_305_999), "2002-09-10T23:08:25Z");
        assert_eq!(utc(4_107_542_399_000), "2100-02-28T23:59:59Z");
        assert_eq!(utc(4_107_542_400_000), "2100-03-01T00:00:00Z");
    }
}
