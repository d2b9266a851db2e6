//! Times of OPC UA: 100 ns since 1601-01-01 UTC (OPC 10000-6, 5.2.2.5), as ISO 8601 text.

use std::fmt::Write as _;

use super::text::Text;

const TICKS_A_SECOND: i64 = 10_000_000;
const SECONDS_A_DAY: i64 = 86_400;

/// Days from 0000-03-01 to 1601-01-01.
const DAYS_TO_1601: i64 = 584_694;

/// Days of 400 years of the Gregorian calendar.
const DAYS_OF_ERA: i64 = 146_097;

/// 9999-12-31T23:59:59: what is later is "no time" (5.2.2.5).
const LATEST: i64 = 2_650_467_743_990_000_000;

/// Writes a time; one that stands for none is empty.
pub fn write(ticks: i64, out: &mut Text) {
    if !(1..LATEST).contains(&ticks) {
        return;
    }
    let (seconds, fraction) = (ticks / TICKS_A_SECOND, ticks % TICKS_A_SECOND);
    let (year, month, day) = date(seconds / SECONDS_A_DAY);
    let second = seconds % SECONDS_A_DAY;
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let _ = write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if fraction != 0 {
        let digits = format!("{fraction:07}");
        let _ = write!(out, ".{}", digits.trim_end_matches('0'));
    }
    out.push("Z");
}

/// Year, month and day of a day since 1601-01-01. Years are counted from March, so that a leap day is their last.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + DAYS_TO_1601;
    let (era, day_of_era) = (days / DAYS_OF_ERA, days % DAYS_OF_ERA);
    let leaps = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leaps) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ticks: i64) -> String {
        let mut out = Text::new(64);
        write(ticks, &mut out);
        out.into_string()
    }

    #[test]
    fn known_days_come_out() {
        // 1970-01-01 is 11,644,473,600 seconds after 1601-01-01.
        let unix = |seconds: i64| (seconds + 11_644_473_600) * TICKS_A_SECOND;
        assert_eq!(text(unix(0)), "1970-01-01T00:00:00Z");
        assert_eq!(text(unix(951_782_400)), "2000-02-29T00:00:00Z");
        assert_eq!(text(unix(1_700_000_000) + 1_230_000), "2023-11-14T22:13:20.123Z");
        assert_eq!(text(1), "1601-01-01T00:00:00.0000001Z");
    }

    #[test]
    fn no_time_is_no_text() {
        for ticks in [0, -1, i64::MIN, i64::MAX, LATEST] {
            assert_eq!(text(ticks), "");
        }
        assert!(text(LATEST - 1).starts_with("9999-12-31T23:59:5"));
    }
}
