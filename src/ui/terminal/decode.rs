//! The terminal's bytes as events. Pure: bytes and times in, events out. What the terminal says of itself (replies to
//! questions, also late ones, also cut at any byte) presses no key, and nothing that stays incomplete keeps a later key
//! from being one: crossterm's own reader waits for the end of a cut sequence for ever, and takes the rest of one that was
//! cut after its ESC for keys.

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};

use crate::ui::terminal::csi;

/// A lone ESC is the Escape key when nothing follows for so long. A terminal sends a sequence in one piece; links split it.
const ESCAPE: Duration = Duration::from_millis(30);
/// Anything else that is incomplete is given up when nothing follows for so long.
const REST: Duration = Duration::from_millis(200);
/// The same for text that is pasted: it may be long, and come in pieces.
const PASTE_REST: Duration = Duration::from_millis(500);
/// What follows an Escape within so long, and reads as the rest of a sequence, is one.
const CUT: Duration = Duration::from_millis(500);
/// After a question, and after a sequence that was given up, its end may still come.
const LATE: Duration = Duration::from_secs(1);
/// Longest sequence. The longest reply in use has some 40 bytes.
const LONGEST: usize = 64;
/// Longest text in one paste; what a terminal sends beyond is dropped.
const LONGEST_PASTE: usize = 1 << 20;

const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into events.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// What is not complete yet.
    held: Vec<u8>,
    /// When the last of it came.
    at: Duration,
    /// An Escape key was made of a lone ESC at this time.
    escaped: Option<Duration>,
    /// Till then a reply of the terminal may come.
    expects: Duration,
    /// Till then the rest of a sequence that was given up may come; with whether it is free text.
    lost: Option<(Duration, bool)>,
    /// The held sequence presses nothing when it is complete: its ESC was pressed already.
    muted: bool,
}

/// What the held bytes begin with.
enum Begin {
    /// So many bytes are an event, or nothing to anybody.
    Done(usize, Option<Event>),
    /// More must come.
    More,
}

impl Decoder {
    /// A question was put to the terminal: its reply may come late, and in pieces.
    pub(crate) fn asked(&mut self, now: Duration) {
        self.expects = now + LATE;
    }

    /// Bytes that were read in one piece.
    pub(crate) fn feed(&mut self, now: Duration, bytes: &[u8], out: &mut Vec<Event>) {
        self.expire(now, out);
        let escaped = self.escaped.take().is_some_and(|at| now < at + CUT);
        let mut bytes = bytes;
        if self.held == [0x1b] && now >= self.expects && !continues(bytes) {
            // A terminal sends a key that is held with Alt in one piece: these are two keys, soon after each other.
            self.held.clear();
            out.push(Event::Key(KeyCode::Esc.into()));
        }
        if self.held.is_empty() {
            if (escaped || self.awaits(now)) && continues(bytes) {
                self.held.push(0x1b);
                self.muted = true;
            } else if let Some(end) = self.late(now, bytes) {
                bytes = &bytes[end..];
            }
        }
        self.held.extend_from_slice(bytes);
        self.at = now;
        self.run(now, out);
    }

    /// A reply, or the rest of something, may come now.
    fn awaits(&self, now: Duration) -> bool {
        now < self.expects || self.lost.is_some_and(|(until, _)| now < until)
    }

    /// How many of the bytes are the rest of a reply whose beginning was given up, or never came.
    fn late(&self, now: Duration, bytes: &[u8]) -> Option<usize> {
        let lost = self.lost.filter(|(until, _)| now < *until);
        if !self.awaits(now) {
            return None;
        }
        if lost.is_some() && bytes == b"\\" {
            return Some(1);
        }
        let free = lost.is_some_and(|(_, free)| free);
        let part = |b: &u8| in_reply(*b) || b"<=>?$".contains(b) || (free && (0x20..=0x7e).contains(b));
        let body = bytes.iter().take_while(|b| part(b)).count();
        let numbers = |bytes: &[u8]| bytes.iter().all(|b| b"<=>?$;0123456789".contains(b));
        let some = body > 0 || lost.is_some();
        match &bytes[body..] {
            [0x07, ..] if some => Some(body + 1),
            [0x1b, b'\\', ..] => Some(body + 2),
            [b'M' | b'm', ..] if some && numbers(&bytes[..body]) => Some(body + 1),
            [b'y' | b'n' | b'R', ..] if lost.is_some() && numbers(&bytes[..body]) => Some(body + 1),
            // One more piece, or the end of a device's attributes.
            [] if lost.is_some() && bytes.len() > 1 => Some(body),
            [] if bytes.ends_with(b"c") && numbers(&bytes[..body - 1]) && (body > 1 || lost.is_some()) => Some(body),
            _ => None,
        }
    }

    /// When [`Self::expire`] has something to do.
    pub(crate) fn due(&self) -> Option<Duration> {
        (!self.held.is_empty()).then(|| self.at + self.patience(self.at))
    }

    /// Gives up what stayed incomplete.
    pub(crate) fn expire(&mut self, now: Duration, out: &mut Vec<Event>) {
        while self.due().is_some_and(|due| due <= now) {
            let held = std::mem::take(&mut self.held);
            match held.as_slice() {
                [0x1b] => {
                    self.escaped = Some(now);
                    out.push(Event::Key(KeyCode::Esc.into()));
                }
                // Held with Alt, and not the beginning of anything after all.
                [0x1b, c @ (b']' | b'P' | b'O' | b'X' | b'^' | b'_')] if self.at >= self.expects => {
                    out.push(Event::Key(KeyEvent::new(KeyCode::Char(char::from(*c)), KeyModifiers::ALT)));
                }
                _ => match held.strip_prefix(b"\x1b[200~") {
                    Some(_) if self.muted => {}
                    Some(text) => out.push(paste(text)),
                    None => self.lost = Some((now + LATE, held.get(1) == Some(&b'P'))),
                },
            }
            self.muted = false;
        }
    }

    /// How long the held bytes wait for the next one.
    fn patience(&self, now: Duration) -> Duration {
        match self.held.as_slice() {
            [0x1b] | [0x1b, b']' | b'P' | b'O' | b'X' | b'^' | b'_'] if now >= self.expects => ESCAPE,
            held if held.starts_with(b"\x1b[200~") => PASTE_REST,
            _ => REST,
        }
    }

    fn run(&mut self, now: Duration, out: &mut Vec<Event>) {
        while !self.held.is_empty() {
            match self.begin(now) {
                Begin::Done(length, event) => {
                    self.held.drain(..length.clamp(1, self.held.len()));
                    out.extend(event.filter(|_| !std::mem::take(&mut self.muted)));
                    self.muted = false;
                }
                Begin::More => return,
            }
        }
    }

    fn begin(&self, now: Duration) -> Begin {
        let held = &self.held;
        let [first, rest @ ..] = held.as_slice() else { return Begin::More };
        if *first != 0x1b {
            return plain(held, KeyModifiers::NONE);
        }
        match rest {
            [] => Begin::More,
            [0x1b, ..] => Begin::Done(1, Some(Event::Key(KeyCode::Esc.into()))),
            [b'[', ..] => control(held),
            [b'O'] => Begin::More,
            [b'O', letter, ..] => match csi::application(*letter) {
                Some(event) => Begin::Done(3, Some(event)),
                None => Begin::Done(2, Some(Event::Key(KeyEvent::new(KeyCode::Char('O'), KeyModifiers::ALT)))),
            },
            [b']' | b'P' | b'X' | b'^' | b'_'] => Begin::More,
            [kind @ (b']' | b'P' | b'X' | b'^' | b'_'), next, ..] => {
                // Alt and this key, then another key: no reply begins so, unless one is awaited.
                if now >= self.expects && !begins_reply(*kind, *next) {
                    return plain(rest, KeyModifiers::ALT).after(1);
                }
                string(held)
            }
            _ => plain(rest, KeyModifiers::ALT).after(1),
        }
    }
}

impl Begin {
    /// So many bytes come before it.
    fn after(self, bytes: usize) -> Self {
        match self {
            Self::Done(length, event) => Self::Done(length + bytes, event),
            Self::More => Self::More,
        }
    }
}

/// A character or a control key.
fn plain(bytes: &[u8], modifiers: KeyModifiers) -> Begin {
    let key = |code, with: KeyModifiers| Some(Event::Key(KeyEvent::new(code, modifiers | with)));
    let control = |c: u8| key(KeyCode::Char(char::from(c)), KeyModifiers::CONTROL);
    let first = bytes[0];
    match first {
        b'\r' => Begin::Done(1, key(KeyCode::Enter, KeyModifiers::NONE)),
        b'\t' => Begin::Done(1, key(KeyCode::Tab, KeyModifiers::NONE)),
        0x7f => Begin::Done(1, key(KeyCode::Backspace, KeyModifiers::NONE)),
        0 => Begin::Done(1, control(b' ')),
        0x01..=0x1a => Begin::Done(1, control(first - 1 + b'a')),
        0x1b => Begin::Done(1, key(KeyCode::Esc, KeyModifiers::NONE)),
        0x1c..=0x1f => Begin::Done(1, control(first - 0x1c + b'4')),
        0x20..=0x7e => Begin::Done(1, key(KeyCode::Char(char::from(first)), KeyModifiers::NONE)),
        _ => {
            let length = match first {
                0xc2..=0xdf => 2,
                0xe0..=0xef => 3,
                0xf0..=0xf4 => 4,
                _ => return Begin::Done(1, None),
            };
            let have = bytes.len().min(length);
            match std::str::from_utf8(&bytes[..have]) {
                Ok(text) => {
                    let c = text.chars().next().filter(|c| !c.is_control());
                    Begin::Done(length, c.and_then(|c| key(KeyCode::Char(c), KeyModifiers::NONE)))
                }
                Err(error) if error.error_len().is_none() => Begin::More,
                Err(error) => Begin::Done(error.error_len().unwrap_or(1), None),
            }
        }
    }
}

/// `ESC [ ...`: parameters, intermediates, an end. A byte that cannot stand in one ends it and is no key.
fn control(held: &[u8]) -> Begin {
    let body = &held[2..];
    match body {
        [b'M', a, b, c, ..] => return Begin::Done(6, csi::old_mouse([*a, *b, *c])),
        [b'M', ..] => return Begin::More,
        // F1 to F5 of the Linux console.
        [b'[', letter @ b'A'..=b'E', ..] => {
            return Begin::Done(4, Some(Event::Key(KeyCode::F(1 + letter - b'A').into())));
        }
        [b'['] => return Begin::More,
        _ => {}
    }
    if body.starts_with(b"200~") {
        let text = &body[4..];
        return match text.windows(PASTE_END.len()).position(|part| part == PASTE_END) {
            Some(end) => Begin::Done(6 + end + PASTE_END.len(), Some(paste(&text[..end]))),
            None if text.len() > LONGEST_PASTE => Begin::Done(held.len(), Some(paste(text))),
            None => Begin::More,
        };
    }
    // A reply ends with one of few letters; with another one the key of that letter was pressed after a cut one.
    let private = matches!(body.first(), Some(b'=' | b'>' | b'?'));
    for (i, byte) in body.iter().enumerate().take(LONGEST) {
        match byte {
            0x20..=0x3f => {}
            0x40..=0x7e if private && !b"cuynRSt".contains(byte) => return Begin::Done(2 + i, None),
            b'M' | b'm' | 0x40..=0x7e => {
                let parameters = std::str::from_utf8(&body[..i]).unwrap_or("");
                // The mouse tells three numbers and M; any other letter after them was pressed.
                if body[0] == b'<' && !matches!(byte, b'M' | b'm') {
                    return Begin::Done(2 + i, None);
                }
                return Begin::Done(3 + i, csi::event(parameters, *byte));
            }
            _ => return Begin::Done(2 + i, None),
        }
    }
    if body.len() >= LONGEST { Begin::Done(2 + LONGEST, None) } else { Begin::More }
}

/// A string of the terminal, `ESC ] ...` and its like, up to BEL or `ESC \`. Always a reply.
fn string(held: &[u8]) -> Begin {
    let kind = held[1];
    let free = kind != b']';
    for (i, byte) in held.iter().enumerate().skip(2).take(LONGEST) {
        match byte {
            0x07 => return Begin::Done(i + 1, None),
            0x1b => match held.get(i + 1) {
                Some(b'\\') => return Begin::Done(i + 2, None),
                Some(_) => return Begin::Done(i, None),
                None => return Begin::More,
            },
            byte if in_reply(*byte) || (free && (0x20..=0x7e).contains(byte)) => {}
            _ => return Begin::Done(i, None),
        }
    }
    if held.len() >= LONGEST + 2 { Begin::Done(LONGEST + 2, None) } else { Begin::More }
}

/// A byte of a colour as terminals reply it: `11;rgb:1010/1212/1616`.
fn in_reply(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || b";:/rg".contains(&byte)
}

/// Whether a reply of this kind can begin so, rather than a key with Alt be followed by another.
fn begins_reply(kind: u8, next: u8) -> bool {
    match kind {
        b']' => next.is_ascii_digit(),
        b'P' => b">!01".contains(&next),
        _ => false,
    }
}

/// Whether bytes that follow a lone ESC in a later read are the rest of its sequence.
fn continues(bytes: &[u8]) -> bool {
    match bytes {
        [b'[', ..] => true,
        [b'O', letter] => csi::application(*letter).is_some(),
        [kind @ (b']' | b'P'), next, ..] => begins_reply(*kind, *next),
        _ => false,
    }
}

/// Text that was pasted.
fn paste(text: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(text).into_owned())
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
