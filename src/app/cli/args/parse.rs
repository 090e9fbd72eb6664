//! Values of options that have a syntax of their own.

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
