//! Which signs the terminal can show: all, or those of ASCII alone. Where it cannot, tmux writes `_` for each
//! (tty.c, `tty_check_codeset`).

use std::time::Duration;

use ratatui::buffer::Buffer;

use crate::app::core::text;

/// Longest wait for tmux's word on its client.
const WAIT: Duration = Duration::from_millis(300);

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Glyphs {
    /// As the tmux client says, outside of tmux the locale.
    #[default]
    Auto,
    /// All of them.
    Unicode,
    /// Those of ASCII.
    Ascii,
}

impl Glyphs {
    /// The choice of this name; other names are `auto`.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "unicode" => Self::Unicode,
            "ascii" => Self::Ascii,
            _ => Self::Auto,
        }
    }

    /// Whether ASCII alone is drawn; `found` is what was found of the terminal.
    #[must_use]
    pub fn ascii(self, found: bool) -> bool {
        match self {
            Self::Auto => found,
            Self::Unicode => false,
            Self::Ascii => true,
        }
    }
}

/// Whether the terminal takes ASCII alone: inside of tmux by what its client takes, else by the locale.
pub(super) async fn is_ascii(env: impl Fn(&str) -> Option<String>) -> bool {
    if env("TMUX").is_some_and(|tmux| !tmux.is_empty())
        && let Some(utf8) = client_is_utf8().await
    {
        return !utf8;
    }
    !locale_is_utf8(env)
}

/// What tmux says of the client that shows this pane; `None` when it has none, or does not say.
async fn client_is_utf8() -> Option<bool> {
    let mut command = tokio::process::Command::new("tmux");
    command.args(["display-message", "-p", "#{client_utf8}"]).stdin(std::process::Stdio::null()).kill_on_drop(true);
    let out = tokio::time::timeout(WAIT, command.output()).await.ok()?.ok()?;
    match String::from_utf8_lossy(&out.stdout).trim() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// The first of these that is set tells the locale's characters; none of them is the C locale.
fn locale_is_utf8(env: impl Fn(&str) -> Option<String>) -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env(name).filter(|value| !value.is_empty()));
    set.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Every sign of the frame by one of ASCII, cell by cell.
pub(super) fn plain(buf: &mut Buffer) {
    let mut rest = 0;
    for cell in &mut buf.content {
        let symbol = cell.symbol();
        if rest > 0 && symbol.trim().is_empty() {
            // The second half of a wide sign.
            cell.set_char('?');
            rest = 0;
            continue;
        }
        rest = 0;
        if symbol.is_ascii() {
            continue;
        }
        rest = text::width(symbol).saturating_sub(1);
        let sign = ascii(symbol);
        cell.set_char(sign);
    }
}

/// The sign of ASCII that says the same.
fn ascii(symbol: &str) -> char {
    match symbol.chars().next().unwrap_or(' ') {
        '▲' | '↑' | '△' => '^',
        '▼' | '↓' | '▽' | '▾' => 'v',
        '✕' | '✗' | '✖' => 'X',
        '×' => 'x',
        '◷' => '%',
        '◌' | '·' | '…' | '▁' | '▂' | '⋯' => '.',
        '●' | '•' | '✻' | '✽' | '✢' | '✳' | '✶' | '▇' | '⏺' => '*',
        '✓' | '✔' | '▆' => '+',
        '○' | '◯' => 'o',
        '▸' | '→' | '❯' | '›' | '»' | '▶' | '▌' | '⏵' => '>',
        '←' | '‹' | '«' | '◀' => '<',
        '╭' | '╮' | '╰' | '╯' | '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╔' | '╗' | '╚' | '╝' => {
            '+'
        }
        '━' | '╸' | '╺' | '═' | '▅' => '=',
        '─' | '−' | '–' | '—' | '╌' | '┄' | '▄' | '╴' | '╶' => '-',
        '│' | '┃' | '║' | '▎' | '▏' | '▍' | '⎿' => '|',
        '┊' | '▃' | '╎' | '┆' => ':',
        '█' | '▉' | '▓' | '▒' | '░' | '┏' | '┓' | '┗' | '┛' => '#',
        '⏎' | '↵' => '~',
        '“' | '”' | '„' => '"',
        '‘' | '’' => '\'',
        '\u{a0}' => ' ',
        'à'..='å' => 'a',
        'ç' => 'c',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ñ' => 'n',
        'ò'..='ö' | 'ø' => 'o',
        'ù'..='ü' => 'u',
        _ => '?',
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::words::TONES;

    #[test]
    fn the_locale_says_what_can_be_shown() {
        let ascii = |vars: &[(&str, &str)]| {
            !locale_is_utf8(|name| vars.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned()))
        };
        for vars in [
            &[][..],
            &[("LC_ALL", "C"), ("LANG", "de_DE.UTF-8")],
            &[("LC_ALL", "POSIX")],
            &[("LANG", "C")],
            &[("LC_CTYPE", "en_US.ISO-8859-1"), ("LANG", "en_US.UTF-8")],
        ] {
            assert!(ascii(vars), "{vars:?}");
        }
        for vars in
            [&[("LANG", "C.UTF-8")][..], &[("LC_ALL", ""), ("LC_CTYPE", "en_US.utf8")], &[("LC_ALL", "de_DE.UTF-8")]]
        {
            assert!(!ascii(vars), "{vars:?}");
        }
        assert!(Glyphs::named("ascii").ascii(false) && !Glyphs::named("unicode").ascii(true));
        assert!(Glyphs::named("auto").ascii(true));
    }

    #[test]
    fn the_states_have_signs_of_their_own() {
        let mut signs: Vec<char> = TONES.iter().map(|tone| tone.glyph().chars().next().unwrap_or(' ')).collect();
        signs = signs.iter().map(|c| if c.is_ascii() { *c } else { ascii(&c.to_string()) }).collect();
        let all = signs.len();
        signs.sort_unstable();
        signs.dedup();
        assert_eq!(signs.len(), all, "{signs:?}");
        assert!(!signs.contains(&'?') || TONES.iter().any(|tone| tone.glyph() == "?"));
    }
}
