//! What the terminal sends, as messages.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEventKind};

use super::{hit, layout::Layout};
use crate::app::{
    key::{Code, Key},
    message::{Message, Mouse},
    state::State,
};

/// Rows that one notch of the wheel moves.
const WHEEL: i16 = 3;

/// The message of an event, if it is one for the dashboard.
pub(super) fn message(event: Event, state: &State, layout: &Layout) -> Option<Message> {
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
pub(super) fn key_of(event: KeyEvent) -> Option<Key> {
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

/// Swallows a terminal's late answer to a question: `ESC ] ... BEL` or `ESC ] ... ESC \` reads as keys otherwise.
#[derive(Debug, Default)]
pub(super) struct LateAnswer {
    inside: bool,
}

impl LateAnswer {
    /// Whether the event is part of such an answer.
    pub(super) fn swallows(&mut self, event: &Event) -> bool {
        let Event::Key(KeyEvent { code: KeyCode::Char(c), modifiers, .. }) = event else {
            return false;
        };
        let alt = modifiers.contains(KeyModifiers::ALT);
        if !self.inside {
            self.inside = alt && *c == ']';
            return self.inside;
        }
        let ends = (alt && *c == '\\') || (modifiers.contains(KeyModifiers::CONTROL) && *c == 'g');
        self.inside = !ends;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_answer_is_no_key_press() {
        let mut late = LateAnswer::default();
        let key = |c, modifiers| Event::Key(KeyEvent::new(KeyCode::Char(c), modifiers));
        assert!(!late.swallows(&key('s', KeyModifiers::NONE)));
        assert!(late.swallows(&key(']', KeyModifiers::ALT)));
        for c in "11;rgb:1010/1212/1616".chars() {
            assert!(late.swallows(&key(c, KeyModifiers::NONE)));
        }
        assert!(late.swallows(&key('\\', KeyModifiers::ALT)));
        assert!(!late.swallows(&key('1', KeyModifiers::NONE)));
    }
}
