//! Themes: a style for each role, made from what a theme's file says. Nothing else in the dashboard names a colour.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};

use crate::app::core::roles::with_roles;
use crate::app::core::words::Tone;
use crate::app::settings::theme;
use crate::app::settings::theme::{Look, ThemeError, ThemeFile};
use crate::ui::colour::Depth;

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident,)*) => {
        /// A style for each role.
        #[derive(Clone, Debug, PartialEq)]
        pub struct Theme {
            /// Its name.
            pub name: String,
            /// How many colours its styles use at most.
            pub depth: Depth,
            $($(#[$doc])* pub $role: Style,)*
        }

        impl Theme {
            /// The styles of a theme for a terminal of this depth.
            #[must_use]
            pub fn of(file: &ThemeFile, depth: Depth) -> Self {
                let depth = if file.colours { depth } else { Depth::None };
                let style = |role: &str| file.roles.get(role).map_or_else(Style::new, |look| style(look, depth));
                let mut theme = Self { name: file.name.clone(), depth, $($role: style(stringify!($role)),)* };
                if depth == Depth::None {
                    // A ground in reverse video would turn everything round.
                    theme.ground = Style::new();
                }
                theme
            }
        }
    };
}

with_roles!(roles);

impl Theme {
    /// The style of a tone.
    #[must_use]
    pub fn tone(&self, tone: Tone) -> Style {
        match tone {
            Tone::NeedsYou => self.needs_you,
            Tone::Error => self.error,
            Tone::Limited => self.limited,
            Tone::Exited => self.exited,
            Tone::Unknown => self.unknown,
            Tone::Starting => self.starting,
            Tone::Working => self.working,
            Tone::Done => self.done,
            Tone::Idle => self.idle,
        }
    }

    /// All themes that there are, see [`theme::all`].
    ///
    /// # Errors
    /// A file in `folder` that cannot be read or is no theme; the message names the file and the place.
    pub fn all(folder: Option<&Path>, depth: Depth) -> Result<Vec<Self>, ThemeError> {
        Ok(theme::all(folder)?.iter().map(|file| Self::of(file, depth)).collect())
    }
}

fn style(look: &Look, depth: Depth) -> Style {
    let mut style = Style::new();
    style.fg = colour(look, "fg", "ansi", depth);
    style.bg = colour(look, "bg", "ansi_bg", depth);
    for (name, modifier) in [
        ("bold", Modifier::BOLD),
        ("dim", Modifier::DIM),
        ("italic", Modifier::ITALIC),
        ("underline", Modifier::UNDERLINED),
        ("reverse", Modifier::REVERSED),
    ] {
        if look.attributes.get(name) == Some(&true) {
            style = style.add_modifier(modifier);
        }
    }
    depth.style(style)
}

/// The colour for the depth: on 16 colours the one that the theme names for it, if it does.
fn colour(look: &Look, full: &str, ansi: &str, depth: Depth) -> Option<Color> {
    // Checked when the file was read: a test parses every name.
    let read = |field: &str| look.colours.get(field).and_then(|text| text.parse::<Color>().ok());
    match depth {
        Depth::Ansi => read(ansi).or_else(|| read(full)),
        _ => read(full).or_else(|| read(ansi)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_that_a_file_may_name_is_one() {
        for name in theme::COLOUR_NAMES.into_iter().chain(["#010203", "200"]) {
            assert!(name.parse::<Color>().is_ok(), "{name}");
        }
    }

    #[test]
    fn mono_sets_no_colour_at_all() {
        let mono = theme::read(theme::BUILT_IN[4].1, "mono").expect("mono");
        let theme = Theme::of(&mono, Depth::True);
        let debug = format!("{theme:?}");
        assert!(!debug.contains("Rgb") && !debug.contains("Indexed"), "{debug}");
        assert_eq!(theme.needs_you.fg, None);
    }

    /// How well two colours are told apart, as WCAG 2 counts it: 1 to 21.
    fn contrast(a: Color, b: Color) -> f64 {
        let light = |colour| {
            let Color::Rgb(r, g, b) = colour else { panic!("{colour:?} is not a full colour") };
            let part = |c: u8| {
                let c = f64::from(c) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
        };
        let (a, b) = (light(a) + 0.05, light(b) + 0.05);
        a.max(b) / a.min(b)
    }

    /// What WCAG 2.2 asks of words at level AA (1.4.3), and of what is no word but means something (1.4.11).
    const AA: (f64, f64) = (4.5, 3.0);

    #[test]
    fn words_can_be_read_on_the_ground() {
        for file in theme::all(None).expect("built in") {
            let theme = Theme::of(&file, Depth::True);
            if file.name == "mono" {
                // It sets no colour: words are in the terminal's own, on its own ground.
                assert!(file.roles.values().all(|look| look.colours.is_empty()));
                continue;
            }
            // The dark theme alone leaves the ground to the terminal, which is dark: no colour is read on black and on white
            // but one grey, and `auto` takes the light one, with a ground of its own, where the terminal says it is light.
            assert_eq!(theme.ground.bg.is_none(), file.name == "dark", "{}", file.name);
            let grounds = theme.ground.bg.map_or(vec![Color::Rgb(0, 0, 0), Color::Rgb(30, 30, 30)], |own| vec![own]);
            let of = |look: &Look, field: &str| look.colours.get(field).map(|c| c.parse::<Color>().expect("a colour"));
            let under = ["select", "overlay"].map(|role| of(&file.roles[role], "bg"));
            for (role, look) in &file.roles {
                let least = match *role {
                    // Lines and rests: nothing is lost with them.
                    "faint" | "border" | "select" => continue,
                    "gauge" | "mark" => AA.1,
                    _ => AA.0,
                };
                let Some(fg) = of(look, "fg") else { continue };
                let on: Vec<Color> = match of(look, "bg") {
                    Some(own) => vec![own],
                    None => grounds.iter().copied().chain(under.into_iter().flatten()).collect(),
                };
                for ground in on {
                    let is = contrast(fg, ground);
                    assert!(is >= least, "{role} of {} on {ground:?}: {is:.2}", file.name);
                }
            }
        }
        let light = theme::read(theme::BUILT_IN[1].1, "light").expect("light");
        for depth in [Depth::True, Depth::Indexed, Depth::Ansi] {
            assert!(Theme::of(&light, depth).ground.bg.is_some(), "it is read on a dark terminal too");
        }
        assert_eq!(Theme::of(&light, Depth::None).ground, Style::new());
    }

    #[test]
    fn a_colour_is_that_of_the_depth() {
        let text = "name: mine\ninherit: dark\nroles:\n  working: { fg: '#010203', ansi: light-blue, bold: true }\n";
        let file = theme::read(text, "mine.yaml").expect("mine");
        let working = Theme::of(&file, Depth::True).working;
        assert_eq!((working.fg, working.add_modifier), (Some(Color::Rgb(1, 2, 3)), Modifier::BOLD));
        assert_eq!(Theme::of(&file, Depth::Ansi).working.fg, Some(Color::LightBlue));
    }
}
