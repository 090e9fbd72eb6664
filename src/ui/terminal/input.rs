//! What the terminal sends, as messages.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use crate::app::core::action::Action;
use crate::app::core::key::{Code, Key};
use crate::app::core::message::{Message, Mouse};
use crate::app::core::state::{Mode, State};
use crate::ui::hit;
use crate::ui::layout::Layout;
use crate::ui::terminal::burst::Taker;

/// Rows that one notch of the wheel moves.
const WHEEL: i16 = 3;

/// The message of an event, if it is one for the dashboard.
pub(crate) fn message(event: Event, state: &State, layout: &Layout) -> Option<Message> {
    Some(match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => Message::Key(key_of(key)?),
        Event::Key(_) => return None,
        Event::Paste(text) => Message::Paste(text),
        Event::Resize(columns, rows) => Message::Resize(columns, rows),
        Event::FocusGained => Message::Focus(true),
        Event::FocusLost => Message::Focus(false),
        Event::Mouse(mouse) => {
            let done = match mouse.kind {
                MouseEventKind::Down(MouseButton::Left) => Mouse::Click,
                MouseEventKind::ScrollDown => Mouse::Wheel(WHEEL),
                MouseEventKind::ScrollUp => Mouse::Wheel(-WHEEL),
                _ => return None,
            };
            Message::Mouse(done, hit::at(state, layout, mouse.column, mouse.row))
        }
    })
}

/// The key, if it is one that the dashboard knows.
pub(crate) fn key_of(event: KeyEvent) -> Option<Key> {
    let shift = event.modifiers.contains(KeyModifiers::SHIFT);
    let code = match event.code {
        KeyCode::Char(c) => Code::Char(c),
        KeyCode::Enter => Code::Enter,
        KeyCode::Esc => Code::Esc,
        KeyCode::Tab if shift => Code::BackTab,
        KeyCode::Tab => Code::Tab,
        KeyCode::BackTab => Code::BackTab,
        KeyCode::Backspace => Code::Backspace,
        KeyCode::Delete => Code::Delete,
        KeyCode::Up => Code::Up,
        KeyCode::Down => Code::Down,
        KeyCode::Left => Code::Left,
        KeyCode::Right => Code::Right,
        KeyCode::Home => Code::Home,
        KeyCode::End => Code::End,
        KeyCode::PageUp => Code::PageUp,
        KeyCode::PageDown => Code::PageDown,
        KeyCode::F(n) => Code::F(n),
        _ => return None,
    };
    Some(Key {
        code,
        ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
        alt: event.modifiers.contains(KeyModifiers::ALT),
    })
}

/// Who gets the keys now.
pub(crate) fn taker(state: &State) -> Taker {
    match &state.mode {
        Mode::Filter(_) | Mode::Help { .. } | Mode::Palette { .. } | Mode::Pick { .. } | Mode::Describe { .. } => {
            Taker::Line
        }
        Mode::Reply { .. } | Mode::Broadcast { input: Some(_), .. } => Taker::Message,
        Mode::Normal
        | Mode::Answer { .. }
        | Mode::Confirm { .. }
        | Mode::Snooze { .. }
        | Mode::Broadcast { input: None, .. } => Taker::Commands,
    }
}

/// Whether the key, pressed now, opens a line in which text does no harm.
pub(crate) fn opens_line(state: &State, key: Key) -> bool {
    matches!(state.mode, Mode::Normal) && matches!(state.keymap.action(key), Some(Action::Filter | Action::Help))
}
