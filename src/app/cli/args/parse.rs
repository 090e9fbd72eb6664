//! Values of options that have a syntax of their own.

use crate::monitor::State;

pub(super) fn state(text: &str) -> Result<State, String> {
    text.trim().to_ascii_lowercase().parse().map_err(|_| {
        use strum::IntoEnumIterator;
        let states: Vec<String> = State::iter().map(|state| state.to_string()).collect();
        format!("there are {}", states.join(", "))
    })
}

pub(super) fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=1e9).contains(&seconds) => Ok(seconds),
        _ => Err("expected seconds, such as 30 or 0.5".to_owned()),
    }
}
