//! A key as the dashboard knows it: its name in the config, in the help and in the footer.

use std::{fmt, str::FromStr};

use crate::app::core::nearest::did_you_mean;

/// A key with its modifiers. Shift is part of the character (`S`, `+`) or of the code (`BackTab`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The key.
    pub code: Code,
    /// Ctrl is held.
    pub ctrl: bool,
    /// Alt is held.
    pub alt: bool,
}

/// The keys that terminals tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A character.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow up.
    Up,
    /// Arrow down.
    Down,
    /// Arrow left.
    Left,
    /// Arrow right.
    Right,
    /// Home.
    Home,
    /// End.
    End,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// A function key, from 1.
    F(u8),
}

/// The text names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is no key; write it like x, S, space, enter, esc, tab, up, pagedown, f5, ctrl-r or alt-x{hint}")]
pub struct ParseKeyError {
    /// What was written.
    text: String,
    /// Which key was most likely meant, in words; may be empty.
    hint: String,
}

impl Key {
    /// A character without modifiers.
    #[must_use]
    pub const fn char(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: false, alt: false }
    }

    /// A key without modifiers.
    #[must_use]
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false }
    }

    /// It is text where a text is typed: a character without Ctrl or Alt.
    #[must_use]
    pub const fn is_text(self) -> bool {
        matches!(self.code, Code::Char(_)) && !self.ctrl && !self.alt
    }

    /// A character with Ctrl.
    #[must_use]
    pub const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false }
    }
}

const NAMED: &[(Code, &str, &str)] = &[
    (Code::Char(' '), "space", "space"),
    (Code::Char('-'), "-", "−"),
    (Code::Enter, "enter", "enter"),
    (Code::Esc, "esc", "esc"),
    (Code::Tab, "tab", "tab"),
    (Code::BackTab, "backtab", "shift-tab"),
    (Code::Backspace, "backspace", "backspace"),
    (Code::Delete, "delete", "del"),
    (Code::Up, "up", "↑"),
    (Code::Down, "down", "↓"),
    (Code::Left, "left", "←"),
    (Code::Right, "right", "→"),
    (Code::Home, "home", "home"),
    (Code::End, "end", "end"),
    (Code::PageUp, "pageup", "pgup"),
    (Code::PageDown, "pagedown", "pgdn"),
];

impl Key {
    /// The key as the footer and the help show it: `↑`, `−`, `enter`.
    #[must_use]
    pub fn label(&self) -> String {
        self.written(|row| row.2)
    }

    fn written(&self, name: impl Fn(&(Code, &'static str, &'static str)) -> &'static str) -> String {
        let mut out = String::new();
        if self.ctrl {
            out.push_str("ctrl-");
        }
        if self.alt {
            out.push_str("alt-");
        }
        match (self.code, NAMED.iter().find(|row| row.0 == self.code)) {
            (_, Some(row)) => out.push_str(name(row)),
            (Code::Char(c), None) => out.push(c),
            (Code::F(n), None) => out.push_str(&format!("f{n}")),
            (_, None) => {}
        }
        out
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written(|row| row.1))
    }
}

impl FromStr for Key {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut key = Self::plain(Code::Esc);
        let mut rest = text;
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|after| !after.is_empty()) {
                key.ctrl = true;
                rest = after;
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|after| !after.is_empty()) {
                key.alt = true;
                rest = after;
            } else {
                break;
            }
        }
        let wrong = || {
            let hint = did_you_mean(rest, NAMED.iter().map(|row| row.1).chain(["ctrl-", "alt-"]));
            ParseKeyError { text: text.chars().take(40).collect(), hint }
        };
        let mut chars = rest.chars();
        key.code = match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Code::Char(c),
            (Some('f'), Some(_)) if rest[1..].parse::<u8>().is_ok_and(|n| (1..=24).contains(&n)) => {
                Code::F(rest[1..].parse().map_err(|_| wrong())?)
            }
            _ => NAMED.iter().find(|row| row.1 == rest).map(|row| row.0).ok_or_else(wrong)?,
        };
        Ok(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_reads_back_from_its_name() {
        for text in ["x", "S", "+", "-", "space", "enter", "ctrl-r", "alt-x", "ctrl-alt-k", "f5", "pagedown", "?", "f"]
        {
            let key: Key = text.parse().expect(text);
            assert_eq!(key.to_string(), text);
        }
        for text in ["", "ctrl-", "spce", "f0", "f99", "xy"] {
            assert!(text.parse::<Key>().is_err(), "{text}");
        }
    }
}
