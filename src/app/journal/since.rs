//! `--since`: a time ago (`1h30m`, `2d`) or a moment.

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};

/// The text is neither a time ago nor a moment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no time: write how long ago, such as 90s, 45m, 1h30m or 2d, or a moment such as 2026-03-01T09:00")]
pub struct SinceError(String);

/// The moment that `text` names, seen from `now`. A moment without a zone is local time in `zone`.
///
/// # Errors
/// [`SinceError`] when it names none.
pub fn parse_since(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, SinceError> {
    let text = text.trim();
    let wrong = || SinceError(crate::tmux::clean(&text.chars().take(40).collect::<String>()));
    if let Some(seconds) = seconds_ago(text) {
        return now.checked_sub(SignedDuration::from_secs(seconds)).map_err(|_| wrong());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let local = text.parse::<civil::DateTime>().map_err(|_| wrong())?;
    local.to_zoned_datetime(zone.clone()).map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}

/// `1h30m` in seconds. A number without a unit is none: nobody agrees on what it counts.
fn seconds_ago(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut sum = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = match after.as_bytes().first()? {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        sum = sum.checked_add(number.parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = &after[1..];
    }
    (!text.is_empty()).then_some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_moments_are_read_and_nothing_else() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let since = |text: &str| parse_since(text, now, &zone).map(|at| at.to_string());
        assert_eq!(since("90s").unwrap(), "2026-03-01T11:58:30Z");
        assert_eq!(since(" 1h30m ").unwrap(), "2026-03-01T10:30:00Z");
        assert_eq!(since("2d").unwrap(), "2026-02-27T12:00:00Z");
        assert_eq!(since("2026-03-01T09:00").unwrap(), "2026-03-01T07:00:00Z");
        assert_eq!(since("2026-03-01T09:00:00Z").unwrap(), "2026-03-01T09:00:00Z");
        for wrong in ["", "8", "h", "1x", "-1h", "yesterday", "99999999999999999999d", "9999999999999d"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
