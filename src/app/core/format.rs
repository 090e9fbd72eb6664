//! Numbers as people read them: ages, durations, sizes, shares. Each has a bounded width and `-` for not measured.

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::Agent;

/// Shown for what was not measured.
pub const NONE: &str = "-";

/// Widest text that [`age`] gives.
pub const AGE_WIDTH: usize = 5;

/// Time since `since` in units that do not jitter: `41s`, `2m14s` below ten minutes, `14m`, `3h05m` below ten hours,
/// `14h`, `2d07h` below ten days, `12d`. The same everywhere.
#[must_use]
pub fn age(since: Timestamp, now: Timestamp) -> String {
    seconds(now.as_second().saturating_sub(since.as_second()))
}

/// Where an agent is, after the name that the user's settings give it.
#[must_use]
pub fn place(agent: &Agent) -> String {
    // Without one an agent is called as its window is.
    if agent.name.is_empty() || agent.name == agent.window {
        agent.target.clone()
    } else {
        format!("{} {}", agent.name, agent.target)
    }
}

/// A time to come: `18:33`, with its date when that is more than a day away: `3 Apr 18:33`.
#[must_use]
pub fn coming(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    if at.as_second().saturating_sub(now.as_second()) < 86_400 {
        return minute(at, zone);
    }
    zone.to_datetime(at).strftime("%-d %b %H:%M").to_string()
}

/// Whole seconds as [`age`] shows them. Not by the time library's printer: its texts have no bounded width, and a column
/// of ages must not move.
#[must_use]
pub fn seconds(s: i64) -> String {
    match s.max(0) {
        s @ 0..60 => format!("{s}s"),
        s @ 60..600 => format!("{}m{:02}s", s / 60, s % 60),
        s @ 600..3600 => format!("{}m", s / 60),
        s @ 3600..36_000 if s % 3600 >= 60 => format!("{}h{:02}m", s / 3600, s % 3600 / 60),
        s @ 3600..172_800 => format!("{}h", s / 3600),
        s @ 172_800..864_000 if s % 86_400 >= 3600 => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3600),
        s => format!("{}d", (s / 86_400).min(9999)),
    }
}

/// Milliseconds, at most 6 cells with the unit left out: `0.42`, `4.2`, `31.0`, `235`, `12.4k`.
#[must_use]
pub fn ms(value: Option<f64>) -> String {
    match value {
        Some(v) if !v.is_finite() || v < 0.0 => NONE.to_owned(),
        Some(v) if v < 0.995 => format!("{v:.2}"),
        Some(v) if v < 99.95 => format!("{v:.1}"),
        Some(v) if v < 9999.5 => format!("{v:.0}"),
        Some(v) => format!("{:.1}k", v / 1000.0),
        None => NONE.to_owned(),
    }
}

/// Milliseconds with their unit: `4.2 ms`, `1.24 s`.
#[must_use]
pub fn ms_unit(value: Option<f64>) -> String {
    match value {
        Some(v) if v >= 999.5 => format!("{:.2} s", v / 1000.0),
        Some(_) => format!("{} ms", ms(value)),
        None => NONE.to_owned(),
    }
}

/// A share from 0 to 1 as whole percent: `94%`.
#[must_use]
pub fn share(value: Option<f64>) -> String {
    value.map_or_else(|| NONE.to_owned(), |v| format!("{:.0}%", (v * 100.0).clamp(0.0, 100.0)))
}

/// Percent of a core: `0.3%`, `12%`.
#[must_use]
pub fn cpu(value: Option<f64>) -> String {
    match value {
        Some(v) if !v.is_finite() || v < 0.0 => NONE.to_owned(),
        Some(v) if v < 9.95 => format!("{v:.1}%"),
        Some(v) => format!("{v:.0}%"),
        None => NONE.to_owned(),
    }
}

/// Bytes in binary units: `512K`, `11M`, `1.4G`.
#[must_use]
pub fn bytes(value: Option<u64>) -> String {
    match value {
        Some(b) if b < 1024 => format!("{b}B"),
        Some(b) if b < 1 << 20 => format!("{}K", b >> 10),
        Some(b) if b < 1 << 30 => format!("{}M", b >> 20),
        Some(b) => {
            #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
            let gib = b as f64 / f64::from(1 << 30);
            format!("{gib:.1}G")
        }
        None => NONE.to_owned(),
    }
}

/// A count with its thousands apart: `1,234,567`.
#[must_use]
pub fn thousands(value: u64) -> String {
    let digits = value.to_string();
    let parts: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let parts: Vec<&str> = parts.into_iter().filter_map(|part| std::str::from_utf8(part).ok()).collect();
    parts.join(",")
}

/// A count in at most 5 cells: `9999`, `12.3k`, `4.5M`.
#[must_use]
pub fn count(value: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let v = value as f64;
    match value {
        0..10_000 => value.to_string(),
        10_000..1_000_000 => format!("{:.1}k", v / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1}M", v / 1e6),
        _ => format!("{:.1}G", v / 1e9),
    }
}

/// A count in at most 4 cells: `999`, `1.2k`, `34k`, `1.2M`.
#[must_use]
pub fn short(value: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let v = value as f64;
    let unit = |v: f64, unit: char| if v < 9.95 { format!("{v:.1}{unit}") } else { format!("{v:.0}{unit}") };
    match value {
        0..1000 => value.to_string(),
        1000..999_500 => unit(v / 1e3, 'k'),
        999_500..999_500_000 => unit(v / 1e6, 'M'),
        _ => unit((v / 1e9).min(999.0), 'G'),
    }
}

/// Tokens in at most 4 cells: `<1k`, `30k`, `1.2M`.
#[must_use]
pub fn kilo(tokens: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
    let millions = tokens as f64 / 1e6;
    match tokens {
        0..1000 => "<1k".to_owned(),
        1000..999_500 => format!("{}k", (tokens + 500) / 1000),
        999_500..9_950_000 => format!("{millions:.1}M"),
        _ => format!("{:.0}M", millions.min(999.0)),
    }
}

/// Seconds as people write an interval: `1s`, `0.5s`, `250ms`.
#[must_use]
pub fn interval(seconds: f64) -> String {
    if seconds > 0.0 && seconds < 0.1 {
        format!("{:.0}ms", seconds * 1000.0)
    } else {
        let text = format!("{seconds:.2}");
        format!("{}s", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

/// Local time of day: `14:03:12`.
#[must_use]
pub fn clock(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%H:%M:%S").to_string()
}

/// Whole percent: `34%`.
#[must_use]
pub fn percent(value: Option<f64>) -> Option<String> {
    value.filter(|p| p.is_finite()).map(|p| format!("{:.0}%", p.clamp(0.0, 100.0)))
}

/// Lines added and removed, in at most 11 cells: `+12 -3`, `0` for none.
#[must_use]
pub fn lines(added: Option<u64>, removed: Option<u64>) -> Option<String> {
    match (added?, removed?) {
        (0, 0) => Some("0".to_owned()),
        (added, removed) => Some(format!("+{} -{}", few(added), few(removed))),
    }
}

/// A count in at most 4 cells: `999`, `12k`, `3M`.
fn few(value: u64) -> String {
    match value {
        0..1000 => value.to_string(),
        1000..1_000_000 => format!("{}k", value / 1000),
        _ => format!("{}M", (value / 1_000_000).min(999)),
    }
}

/// An amount in at most 6 cells: `$0.04`, `$12.30`, `$1234`.
#[must_use]
pub fn usd(value: f64) -> String {
    match value {
        v if !v.is_finite() || v < 0.0 => NONE.to_owned(),
        v if v < 99.995 => format!("${v:.2}"),
        v if v < 99_999.5 => format!("${v:.0}"),
        _ => ">$100k".to_owned(),
    }
}

/// Local time of day to the minute: `14:03`.
#[must_use]
pub fn minute(at: Timestamp, zone: &TimeZone) -> String {
    zone.to_datetime(at).strftime("%H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_fit_four_cells_and_thousands_stand_apart() {
        let all = [0, 999, 1000, 1499, 1500, 30_375, 999_499, 999_500, 1_234_567, 9_949_999, 9_950_000, u64::MAX];
        let texts = all.map(kilo);
        assert!(texts.iter().all(|text| text.chars().count() <= 4), "{texts:?}");
        assert_eq!(texts[..5], ["<1k", "<1k", "1k", "1k", "2k"]);
        assert_eq!(texts[5..9], ["30k", "999k", "1.0M", "1.2M"]);
        assert!(all.map(short).iter().all(|text| text.chars().count() <= 4), "{:?}", all.map(short));
        assert_eq!(
            [0, 999, 1000, 30_375, 999_499, 999_500, 9_949_999].map(short),
            ["0", "999", "1.0k", "30k", "999k", "1.0M", "9.9M"]
        );
        assert_eq!([0, 999, 1000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn ages_stay_within_five_cells() {
        for (s, text) in [(0, "0s"), (41, "41s"), (134, "2m14s"), (599, "9m59s"), (600, "10m"), (3599, "59m")] {
            assert_eq!(seconds(s), text);
        }
        assert_eq!([3600, 11_100, 28_800, 50_400, 200_000].map(seconds), ["1h", "3h05m", "8h", "14h", "2d07h"]);
        assert_eq!(seconds(172_800), "2d");
        assert_eq!(seconds(-5), "0s");
        assert!((0..400_000).step_by(7).all(|s| seconds(s).len() <= AGE_WIDTH));
    }

    #[test]
    fn numbers_keep_their_width() {
        assert_eq!(ms(Some(0.424)), "0.42");
        assert_eq!(ms(Some(4.24)), "4.2");
        assert_eq!(ms(Some(31.0)), "31.0");
        assert_eq!(ms(Some(235.4)), "235");
        assert_eq!(ms(Some(12_400.0)), "12.4k");
        assert_eq!(ms(None), "-");
        assert_eq!(ms(Some(f64::NAN)), "-");
        assert_eq!(ms_unit(Some(1240.0)), "1.24 s");
        assert_eq!(share(Some(0.943)), "94%");
        assert_eq!(cpu(Some(0.31)), "0.3%");
        assert_eq!(bytes(Some(11 << 20)), "11M");
        assert_eq!(bytes(None), "-");
        assert_eq!(count(12_345), "12.3k");
        assert_eq!(percent(Some(33.6)).as_deref(), Some("34%"));
        assert_eq!([0.036, 12.3, 1234.4, 1e9].map(usd), ["$0.04", "$12.30", "$1234", ">$100k"]);
        let told = [(0, 0), (12, 3), (999, 1000), (123_456, 7)].map(|(a, r)| lines(Some(a), Some(r)).unwrap());
        assert_eq!(told, ["0", "+12 -3", "+999 -1k", "+123k -7"]);
        assert!(lines(Some(u64::MAX), Some(u64::MAX)).unwrap().len() <= 11);
        assert_eq!(lines(None, Some(1)), None);
        assert_eq!(interval(1.0), "1s");
        assert_eq!(interval(0.25), "0.25s");
        assert_eq!(interval(0.05), "50ms");
    }
}
