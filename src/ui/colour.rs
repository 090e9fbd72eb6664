//! Colours for what the terminal can show: 24 bits, 256, 16 or none.

use ratatui::style::{Color, Modifier, Style};

/// How many colours the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None: attributes alone.
    None,
    /// The 16 that the user's terminal names.
    Ansi,
    /// 256.
    Indexed,
    /// 24 bits.
    True,
}

/// What the user asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColourChoice {
    /// As the environment says (`NO_COLOR`, `COLORTERM`, `TERM`).
    #[default]
    Auto,
    /// Colours, as many as the environment says, 16 at least.
    Always,
    /// None.
    Never,
}

impl Depth {
    /// The depth for a choice in this environment.
    #[must_use]
    pub fn detect(choice: ColourChoice, env: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        if choice == ColourChoice::Never || (choice == ColourChoice::Auto && set("NO_COLOR").is_some()) {
            return Self::None;
        }
        let colorterm = set("COLORTERM").unwrap_or_default();
        let term = set("TERM").unwrap_or_default();
        if colorterm == "truecolor" || colorterm == "24bit" || term.ends_with("-direct") {
            Self::True
        } else if term.contains("256color") || term.contains("kitty") || term.contains("alacritty") {
            Self::Indexed
        } else if term == "dumb" && choice == ColourChoice::Auto {
            Self::None
        } else {
            Self::Ansi
        }
    }

    /// A style with no more colours than this. Without colours a background becomes reverse video, so that what it
    /// marked stays marked.
    #[must_use]
    pub fn style(self, style: Style) -> Style {
        if self == Self::None {
            let mut plain = Style::new().add_modifier(style.add_modifier).remove_modifier(style.sub_modifier);
            if style.bg.is_some_and(|bg| bg != Color::Reset) {
                plain = plain.add_modifier(Modifier::REVERSED);
            }
            return plain;
        }
        Style { fg: style.fg.map(|c| self.colour(c)), bg: style.bg.map(|c| self.colour(c)), ..style }
    }

    /// The nearest colour that can be shown.
    #[must_use]
    pub fn colour(self, colour: Color) -> Color {
        match (self, colour) {
            (Self::None, _) => Color::Reset,
            (Self::Indexed, Color::Rgb(r, g, b)) => Color::Indexed(indexed(r, g, b)),
            (Self::Ansi, Color::Rgb(r, g, b)) => ansi(r, g, b),
            (Self::Ansi, Color::Indexed(n)) if n >= 16 => {
                let (r, g, b) = rgb(n);
                ansi(r, g, b)
            }
            (_, colour) => colour,
        }
    }
}

/// The nearest of the 240 fixed colours among the 256.
fn indexed(r: u8, g: u8, b: u8) -> u8 {
    (16..=255).min_by_key(|n| distance(rgb(*n), (r, g, b))).unwrap_or(15)
}

/// The colour that most terminals show for a number from 16 on.
fn rgb(n: u8) -> (u8, u8, u8) {
    if n >= 232 {
        let v = 8 + 10 * (n - 232);
        return (v, v, v);
    }
    let n = n.saturating_sub(16);
    let level = |v: u8| if v == 0 { 0 } else { 55 + 40 * v };
    (level(n / 36), level(n / 6 % 6), level(n % 6))
}

const ANSI: [(Color, (u8, u8, u8)); 16] = [
    (Color::Black, (0, 0, 0)),
    (Color::Red, (205, 49, 49)),
    (Color::Green, (13, 188, 121)),
    (Color::Yellow, (229, 192, 16)),
    (Color::Blue, (36, 114, 200)),
    (Color::Magenta, (188, 63, 188)),
    (Color::Cyan, (17, 168, 205)),
    (Color::Gray, (200, 200, 200)),
    (Color::DarkGray, (102, 102, 102)),
    (Color::LightRed, (241, 76, 76)),
    (Color::LightGreen, (35, 209, 139)),
    (Color::LightYellow, (245, 245, 67)),
    (Color::LightBlue, (59, 142, 234)),
    (Color::LightMagenta, (214, 112, 214)),
    (Color::LightCyan, (41, 184, 219)),
    (Color::White, (255, 255, 255)),
];

fn ansi(r: u8, g: u8, b: u8) -> Color {
    ANSI.iter().min_by_key(|(_, c)| distance(*c, (r, g, b))).map_or(Color::Reset, |(name, _)| *name)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let d = |x: u8, y: u8| u32::from(x.abs_diff(y)).pow(2);
    2 * d(a.0, b.0) + 4 * d(a.1, b.1) + 3 * d(a.2, b.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(choice: ColourChoice, vars: &[(&str, &str)]) -> Depth {
        Depth::detect(choice, |name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned()))
    }

    #[test]
    fn the_environment_says_how_many_colours() {
        assert_eq!(depth(ColourChoice::Auto, &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")]), Depth::None);
        assert_eq!(depth(ColourChoice::Auto, &[("NO_COLOR", ""), ("COLORTERM", "truecolor")]), Depth::True);
        assert_eq!(depth(ColourChoice::Always, &[("NO_COLOR", "1"), ("TERM", "xterm")]), Depth::Ansi);
        assert_eq!(depth(ColourChoice::Auto, &[("TERM", "tmux-256color")]), Depth::Indexed);
        assert_eq!(depth(ColourChoice::Auto, &[("TERM", "dumb")]), Depth::None);
        assert_eq!(depth(ColourChoice::Never, &[("COLORTERM", "truecolor")]), Depth::None);
    }

    #[test]
    fn colours_fall_back_and_marks_stay() {
        assert_eq!(Depth::Indexed.colour(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(Depth::Ansi.colour(Color::Rgb(240, 70, 70)), Color::LightRed);
        assert_eq!(Depth::Ansi.colour(Color::Indexed(196)), Color::Red);
        let none = Depth::None.style(Style::new().fg(Color::Red).bg(Color::Blue));
        assert_eq!(none, Style::new().add_modifier(Modifier::REVERSED));
    }
}
