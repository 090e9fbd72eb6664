//! What one whole control sequence of the terminal says: a key, the mouse, the focus.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

/// The event of `ESC [ <parameters> <end>`; `None` for what is a reply, or is nothing to the dashboard.
pub(crate) fn event(parameters: &str, end: u8) -> Option<Event> {
    match (parameters.as_bytes().first(), end) {
        (Some(b'<'), b'M' | b'm') => return mouse(&parameters[1..], end == b'm'),
        (None, b'I') => return Some(Event::FocusGained),
        (None, b'O') => return Some(Event::FocusLost),
        // Of the terminal's private kinds only the mouse is a thing that its user did.
        (Some(b'<'..=b'?'), _) => return None,
        _ => {}
    }
    let mut numbers = parameters.split(';').map(|part| part.split(':').next().unwrap_or("").parse::<u32>().ok());
    let first = numbers.next().flatten();
    let second = numbers.next().flatten();
    let code = match end {
        b'A'..=b'D' | b'F' | b'H' => cursor(end)?,
        b'Z' => KeyCode::BackTab,
        b'P' => KeyCode::F(1),
        b'Q' => KeyCode::F(2),
        b'S' => KeyCode::F(4),
        // modifyOtherKeys: `27 ; modifiers ; character`.
        b'~' if first == Some(27) => character(numbers.next().flatten()?)?,
        b'~' => numbered(first?)?,
        b'u' => character(first?)?,
        // rxvt's mouse: `button ; column ; row`, all from 32 or 1 on.
        b'M' => return rxvt(first?, second?, numbers.next().flatten()?),
        _ => return None,
    };
    let held = second.unwrap_or(1).saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    for (bit, modifier) in [(1, KeyModifiers::SHIFT), (2, KeyModifiers::ALT), (4, KeyModifiers::CONTROL)] {
        modifiers.set(modifier, held & bit != 0);
    }
    Some(Event::Key(KeyEvent::new(code, modifiers)))
}

/// `ESC O <letter>`.
pub(crate) fn application(letter: u8) -> Option<Event> {
    Some(Event::Key(
        match letter {
            b'A'..=b'D' | b'F' | b'H' => cursor(letter)?,
            b'M' => KeyCode::Enter,
            b'P'..=b'S' => KeyCode::F(1 + letter - b'P'),
            _ => return None,
        }
        .into(),
    ))
}

/// A key that moves the cursor, by the letter that both forms end with.
fn cursor(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        _ => return None,
    })
}

/// A key that is known by a number: `ESC [ 3 ~`.
fn numbered(number: u32) -> Option<KeyCode> {
    let f = |from: u32, key: u8| u8::try_from(number - from).ok().map(|n| KeyCode::F(key + n));
    match number {
        1 | 7 => Some(KeyCode::Home),
        3 => Some(KeyCode::Delete),
        4 | 8 => Some(KeyCode::End),
        5 => Some(KeyCode::PageUp),
        6 => Some(KeyCode::PageDown),
        11..=15 => f(11, 1),
        17..=21 => f(17, 6),
        23..=26 => f(23, 11),
        28..=29 => f(28, 15),
        31..=34 => f(31, 17),
        _ => None,
    }
}

fn character(number: u32) -> Option<KeyCode> {
    Some(match char::from_u32(number)? {
        '\r' => KeyCode::Enter,
        '\t' => KeyCode::Tab,
        '\x1b' => KeyCode::Esc,
        '\x7f' | '\x08' => KeyCode::Backspace,
        c if c.is_control() => return None,
        c => KeyCode::Char(c),
    })
}

/// `button ; column ; row`, counted from 1.
fn mouse(parameters: &str, released: bool) -> Option<Event> {
    let mut numbers = parameters.split(';').map(|part| part.parse::<u16>().ok());
    let (button, x, y) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if numbers.next().is_some() {
        return None;
    }
    Some(at(button, released, x.checked_sub(1)?, y.checked_sub(1)?))
}

fn rxvt(button: u32, x: u32, y: u32) -> Option<Event> {
    let small = |n: u32, less: u32| n.checked_sub(less).and_then(|n| u16::try_from(n).ok());
    let button = small(button, 32)?;
    Some(at(button, button & 3 == 3 && button & 64 == 0, small(x, 1)?, small(y, 1)?))
}

/// The three bytes of `ESC [ M`, each from 32 on, cells counted from 1.
pub(crate) fn old_mouse(bytes: [u8; 3]) -> Option<Event> {
    let button = u16::from(bytes[0].checked_sub(32)?);
    let cell = |byte: u8| byte.checked_sub(33).map(u16::from);
    Some(at(button, button & 3 == 3 && button & 64 == 0, cell(bytes[1])?, cell(bytes[2])?))
}

fn at(button: u16, released: bool, column: u16, row: u16) -> Event {
    let which = match button & 3 {
        0 => MouseButton::Left,
        1 => MouseButton::Middle,
        _ => MouseButton::Right,
    };
    let kind = match button & 0b110_0000 {
        64 | 96 if button & 3 == 0 => MouseEventKind::ScrollUp,
        64 | 96 if button & 3 == 1 => MouseEventKind::ScrollDown,
        64 | 96 if button & 3 == 2 => MouseEventKind::ScrollLeft,
        64 | 96 => MouseEventKind::ScrollRight,
        32 if button & 3 == 3 => MouseEventKind::Moved,
        32 => MouseEventKind::Drag(which),
        _ if released => MouseEventKind::Up(which),
        _ => MouseEventKind::Down(which),
    };
    Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE })
}
