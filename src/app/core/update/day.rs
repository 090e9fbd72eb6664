//! The view of the day: when it is read, and its cursor.

use std::sync::Arc;

use crate::app::core::day;
use crate::app::core::day::{Day, Known};
use crate::app::core::message::{Effect, Outcome};
use crate::app::core::state::State;
use crate::app::core::update::rows;
use crate::app::core::view::Main;

/// It is read again this often while it is in view, seconds.
const READ_EVERY: i64 = 30;

/// It was opened: it is read, and what was known before is shown till then.
pub(crate) fn opened(state: &mut State) -> Outcome {
    if state.view.main != Main::Day {
        return Outcome::default();
    }
    state.day_row = row_of_selected(state).unwrap_or(0);
    read(state)
}

fn read(state: &mut State) -> Outcome {
    state.day = match std::mem::take(&mut state.day) {
        Known::Reading(before) => Known::Reading(before),
        known => Known::Reading(known.day().cloned()),
    };
    Outcome::effect(Effect::ReadDay(day::begin(state.now, &state.zone)))
}

/// It came, or cannot be had.
pub(crate) fn came(state: &mut State, read: Result<Arc<Day>, String>) -> Outcome {
    let first = state.day.day().is_none();
    state.day = match read {
        Ok(day) => Known::Read(day),
        Err(why) => Known::Failed(why),
    };
    if first {
        state.day_row = row_of_selected(state).unwrap_or(0);
    }
    state.day_row = state.day_row.min(state.day_rows().len().saturating_sub(1));
    Outcome::redraw_if(state.view.main == Main::Day)
}

/// The clock went on while it is in view: what is shown gets old.
pub(crate) fn ticked(state: &mut State) -> Outcome {
    let due = match &state.day {
        Known::Read(day) => state.now.as_second() - day.until.as_second() >= READ_EVERY,
        Known::Failed(_) => state.now.as_second() % READ_EVERY == 0,
        Known::Nothing | Known::Reading(_) => false,
    };
    if state.view.main == Main::Day && due { read(state) } else { Outcome::default() }
}

/// Moves its cursor; the list's goes along where the agent is there.
pub(crate) fn step(state: &mut State, delta: isize) -> Outcome {
    let last = state.day_rows().len().saturating_sub(1);
    select(state, state.day_row.min(last).saturating_add_signed(delta))
}

/// Puts its cursor on a row.
pub(crate) fn select(state: &mut State, to: usize) -> Outcome {
    let rows = state.day_rows();
    let to = to.min(rows.len().saturating_sub(1));
    let key = rows.get(to).and_then(|(key, _)| *key);
    let moved = std::mem::replace(&mut state.day_row, to) != to;
    key.map_or_else(Outcome::default, |key| rows::select(state, key)).and(Outcome::redraw_if(moved))
}

fn row_of_selected(state: &State) -> Option<usize> {
    let selected = state.list.selected?;
    state.day_rows().iter().position(|(key, _)| *key == Some(selected))
}
