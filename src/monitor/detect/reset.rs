//! Reads when a limit ends from the words programs use: `6:33pm (UTC)`, `in 2h 29m`, `Oct 7 at 3pm`.

use std::sync::LazyLock;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};
use regex::Regex;

/// A time of day that passed less than this ago is the one that is meant: what was seen a minute too late is no text about
/// tomorrow.
const JUST_PASSED: SignedDuration = SignedDuration::from_hours(1);

/// The time that `text` names, after `now` or just before. A time of day that names no zone is one of `zone`, of UTC when
/// there is none.
#[must_use]
pub fn parse(text: &str, now: Timestamp, zone: Option<&TimeZone>) -> Option<Timestamp> {
    span(text).and_then(|span| now.checked_add(span).ok()).or_else(|| clock(text, now, zone))
}

static SPAN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?:in )?(?:(\d{1,3}) ?d(?:ays?)?,? ?)?(?:(\d{1,3}) ?h(?:ours?)?,? ?)?(?:(\d{1,4}) ?m(?:in(?:utes?)?)?,? ?)?(?:(\d{1,6})(?:\.\d+)? ?s(?:ec(?:onds?)?)?)?$").ok()
});

fn span(text: &str) -> Option<SignedDuration> {
    let found = SPAN.as_ref()?.captures(text.trim())?;
    let part = |index: usize| found.get(index).and_then(|m| m.as_str().parse::<i64>().ok());
    if (1..=4).all(|index| part(index).is_none()) {
        return None;
    }
    let seconds =
        part(1).unwrap_or(0) * 86_400 + part(2).unwrap_or(0) * 3_600 + part(3).unwrap_or(0) * 60 + part(4).unwrap_or(0);
    Some(SignedDuration::from_secs(seconds))
}

static CLOCK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)(?:(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* (\d{1,2})(?:st|nd|rd|th)?(?:, (\d{4}))?,? (?:at )?)?\b(\d{1,2})(?::(\d{2}))? ?(am|pm)?(?:\s*\(([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*)\))?").ok()
});

fn clock(text: &str, now: Timestamp, zone: Option<&TimeZone>) -> Option<Timestamp> {
    let found = CLOCK.as_ref()?.captures(text)?;
    let number = |index: usize| found.get(index).and_then(|m| m.as_str().parse::<i8>().ok());
    let mut hour = number(4)?;
    let minute = number(5);
    match found.get(6).map(|m| m.as_str().to_ascii_lowercase()).as_deref() {
        Some("pm") if hour < 12 => hour += 12,
        Some("am") if hour == 12 => hour = 0,
        Some(_) => {}
        // A bare number is no time of day.
        None if minute.is_none() => return None,
        None => {}
    }
    let time = Time::new(hour, minute.unwrap_or(0), 0, 0).ok()?;
    let zone = match found.get(7) {
        Some(name) => TimeZone::get(name.as_str()).ok()?,
        None => zone.cloned().unwrap_or(TimeZone::UTC),
    };
    let here = now.to_zoned_datetime(zone.clone());
    let day = match (found.get(1), number(2)) {
        (Some(month), Some(day)) => {
            const MONTHS: [&str; 12] =
                ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
            let wanted = month.as_str().to_ascii_lowercase();
            let month = i8::try_from(MONTHS.iter().position(|m| wanted.starts_with(m))? + 1).ok()?;
            let year = found.get(3).and_then(|m| m.as_str().parse().ok()).unwrap_or_else(|| here.year());
            let date = jiff::civil::Date::new(year, month, day).ok()?;
            // Without a year, a day long past is next year's.
            if found.get(3).is_none() && date < here.date().checked_sub(2.days()).ok()? {
                date.checked_add(1.year()).ok()?
            } else {
                date
            }
        }
        _ => here.date(),
    };
    let at = day.to_datetime(time).to_zoned_datetime(zone).ok()?.timestamp();
    if found.get(1).is_none() && at <= now && now.duration_since(at) >= JUST_PASSED {
        return here
            .date()
            .tomorrow()
            .ok()?
            .to_datetime(time)
            .to_zoned_datetime(here.time_zone().clone())
            .ok()
            .map(|z| z.timestamp());
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_programs_use_become_times() {
        let now: Timestamp = "2026-11-24T17:00:00Z".parse().unwrap();
        let is = |text: &str, at: &str| {
            assert_eq!(parse(text, now, None).map(|t| t.to_string()).as_deref(), Some(at), "{text}")
        };
        is("6:33pm (UTC)", "2026-11-24T18:33:00Z");
        is("4pm (UTC)", "2026-11-25T16:00:00Z");
        is("10am (America/New_York)", "2026-11-25T15:00:00Z");
        is("Nov 26 at 3:15pm (UTC)", "2026-11-26T15:15:00Z");
        is("Jan 2, 9am (UTC)", "2027-01-02T09:00:00Z");
        // A day that has just gone is that day; one long past is next year's.
        is("Nov 23 at 3pm (UTC)", "2026-11-23T15:00:00Z");
        is("Nov 20 at 3pm (UTC)", "2027-11-20T15:00:00Z");
        is("2h 29m", "2026-11-24T19:29:00Z");
        is("in 5 days 4 hours", "2026-11-29T21:00:00Z");
        is("4:59pm (UTC)", "2026-11-24T16:59:00Z");
        let new_york = TimeZone::get("America/New_York").unwrap();
        let there = parse("10pm", now, Some(&new_york)).map(|t| t.to_string());
        assert_eq!(there.as_deref(), Some("2026-11-25T03:00:00Z"));
        is("45s", "2026-11-24T17:00:45Z");
        assert_eq!(parse("soon", now, None), None);
        assert_eq!(parse("7", now, None), None);
        assert_eq!(parse("99:99pm", now, None), None);
    }
}
