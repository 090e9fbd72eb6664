//! `--since`: a time ago (`1h30m`, `2d`) or a moment.

use jiff::{SignedDuration, SpanRelativeTo, Timestamp, civil, fmt::friendly::SpanParser, tz::TimeZone};

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
    if let Some(span) = span_ago(text) {
        return now.checked_sub(span).map_err(|_| wrong());
    }
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let local = text.parse::<civil::DateTime>().map_err(|_| wrong())?;
    local.to_zoned_datetime(zone.clone()).map(|zoned| zoned.timestamp()).map_err(|_| wrong())
}

/// `1h30m`: a day has 24 hours. A number without a unit is none: nobody agrees on what it counts.
fn span_ago(text: &str) -> Option<SignedDuration> {
    let span = SpanParser::new().parse_span(text).ok()?;
    let span = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!text.starts_with(['-', '+']) && !span.is_negative()).then_some(span)
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
        assert_eq!(since("1w2d3h4m5s").unwrap(), "2026-02-20T08:55:55Z");
        for wrong in
            ["", "1mo", "1h ago", "+1h", "8", "h", "1x", "-1h", "yesterday", "99999999999999999999d", "9999999999999d"]
        {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
