//! Values of options that have a syntax of their own.

use std::time::Duration;

use jiff::SignedDuration;

use crate::app::act::is_token;
use crate::app::core::column::{Column, NAMES};
use crate::app::core::nearest::did_you_mean;

/// A column of the list as text; when an agent wrote is a picture.
pub(super) fn column(text: &str) -> Result<Column, String> {
    let known = || NAMES.iter().copied().filter(|name| Column::named(name) != Some(Column::Activity));
    let column = known().find(|name| *name == text).and_then(Column::named);
    column.ok_or_else(|| {
        let names: Vec<&str> = known().collect();
        format!("expected {}{}", names.join(", "), did_you_mean(text, known()))
    })
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=1e9).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, such as 30 or 0.5".to_owned()),
    }
}

/// By what a client is known that shows a pane for somebody elsewhere.
pub(super) fn token(text: &str) -> Result<String, String> {
    if is_token(text) { Ok(text.to_owned()) } else { Err("expected 16 hexadecimal digits".to_owned()) }
}

/// A time such as `1h`, `10m` or `90s`.
pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time = text.parse::<SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| "expected a time such as 1h, 10m or 90s".to_owned())
}
