//! Themes: a style for each role, read from YAML. Nothing else in the dashboard names a colour.

use std::path::{Path, PathBuf};

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;
use serde_yaml::{Mapping, Value};

use super::colour::Depth;
use crate::app::words::Tone;

/// Why a theme cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// The file cannot be read.
    #[error("theme {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not a theme.
    #[error("theme {origin}: {why}")]
    Bad {
        /// File, or name of a theme of the program.
        origin: String,
        /// What is wrong and where.
        why: String,
    },
}

/// A role's style as it is written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    fg: Option<String>,
    bg: Option<String>,
    ansi: Option<String>,
    ansi_bg: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

fn yes() -> bool {
    true
}

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

        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Roles { $($role: Written,)* }

        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct File {
            name: String,
            #[serde(rename = "about")]
            _about: String,
            #[serde(default = "yes")]
            colours: bool,
            roles: Roles,
        }

        impl Theme {
            fn from_file(file: File, depth: Depth) -> Result<Self, String> {
                let depth = if file.colours { depth } else { Depth::None };
                Ok(Self {
                    name: file.name,
                    depth,
                    $($role: style(&file.roles.$role, depth).map_err(|why| format!("roles.{}: {why}", stringify!($role)))?,)*
                })
            }
        }
    };
}

roles! {
    /// Words.
    text,
    /// Words of less weight: labels, column heads, hints.
    muted,
    /// What should be nearly unseen: rests of gauges, separators.
    faint,
    /// Borders.
    border,
    /// Border of the panel that has the focus.
    focus,
    /// Titles of panels.
    title,
    /// Values in the instruments.
    value,
    /// Names of keys.
    key,
    /// An agent that needs its user.
    needs_you,
    /// An agent whose turn ended in an error.
    error,
    /// An agent held by a limit.
    limited,
    /// An agent that is gone.
    exited,
    /// An agent that shows nothing recognised.
    unknown,
    /// An agent that has just started.
    starting,
    /// An agent at work.
    working,
    /// An agent whose turn ended, unseen.
    done,
    /// An agent at its prompt.
    idle,
    /// The row under the cursor.
    select,
    /// The filled part of a gauge, and sparklines.
    gauge,
    /// Mark of a change in the history.
    mark,
    /// Better than it was.
    good,
    /// Past a threshold.
    warn,
    /// Far past it, or failed.
    bad,
    /// What was asked for and is not confirmed.
    pending,
    /// An overlay's ground.
    overlay,
}

/// The themes of the program, in the order of the key.
const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../assets/themes/dark.yaml")),
    ("light", include_str!("../../assets/themes/light.yaml")),
    ("high-contrast", include_str!("../../assets/themes/high-contrast.yaml")),
    ("colour-blind", include_str!("../../assets/themes/colour-blind.yaml")),
    ("mono", include_str!("../../assets/themes/mono.yaml")),
];

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

    /// The program's themes, then those in `folder` (`*.yaml`, by name); one of the same name takes the place of the
    /// program's. A theme of the user may say `inherit: NAME` and give only what differs.
    ///
    /// # Errors
    /// A file that cannot be read or is no theme; the message names the file and the place.
    pub fn all(folder: Option<&Path>, depth: Depth) -> Result<Vec<Self>, ThemeError> {
        let mut themes = Vec::new();
        for (name, text) in BUILT_IN {
            themes.push(Self::read(text, name, depth)?);
        }
        let mut files: Vec<PathBuf> = match folder.map(std::fs::read_dir) {
            Some(Ok(entries)) => entries.filter_map(Result::ok).map(|entry| entry.path()).collect(),
            _ => Vec::new(),
        };
        files.retain(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"));
        files.sort();
        for path in files {
            let text =
                std::fs::read_to_string(&path).map_err(|source| ThemeError::Read { path: path.clone(), source })?;
            let theme = Self::read(&text, &path.display().to_string(), depth)?;
            match themes.iter_mut().find(|other| other.name == theme.name) {
                Some(other) => *other = theme,
                None => themes.push(theme),
            }
        }
        Ok(themes)
    }

    /// Reads a theme; `origin` names it in errors.
    ///
    /// # Errors
    /// An unknown role, field or colour, or a role that is missing.
    pub fn read(text: &str, origin: &str, depth: Depth) -> Result<Self, ThemeError> {
        let bad = |why: String| ThemeError::Bad { origin: origin.to_owned(), why };
        let file = match serde_yaml::from_str::<Value>(text) {
            Ok(Value::Mapping(mut map)) if map.contains_key("inherit") => {
                let base = map.remove("inherit").and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
                let Some((_, base_text)) = BUILT_IN.iter().find(|(name, _)| *name == base) else {
                    let names = BUILT_IN.map(|(name, _)| name).join(", ");
                    return Err(bad(format!("inherit: no theme '{base}'; there are {names}")));
                };
                let base: Mapping = serde_yaml::from_str(base_text).map_err(|e| bad(e.to_string()))?;
                serde_yaml::from_value(Value::Mapping(merged(base, map)))
            }
            _ => serde_yaml::from_str::<File>(text),
        };
        Self::from_file(file.map_err(|e| bad(e.to_string()))?, depth).map_err(bad)
    }
}

/// The base with what the other says in its place, roles one by one.
fn merged(mut base: Mapping, over: Mapping) -> Mapping {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Mapping(roles)), Value::Mapping(changes)) => roles.extend(changes),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
    base
}

fn style(written: &Written, depth: Depth) -> Result<Style, String> {
    let mut style = Style::new();
    style.fg = colour(written.fg.as_deref(), written.ansi.as_deref(), depth)?;
    style.bg = colour(written.bg.as_deref(), written.ansi_bg.as_deref(), depth)?;
    for (on, modifier) in [
        (written.bold, Modifier::BOLD),
        (written.dim, Modifier::DIM),
        (written.italic, Modifier::ITALIC),
        (written.underline, Modifier::UNDERLINED),
        (written.reverse, Modifier::REVERSED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(depth.style(style))
}

/// The colour for the depth: on 16 colours the one that the theme names for it, if it does.
fn colour(full: Option<&str>, ansi: Option<&str>, depth: Depth) -> Result<Option<Color>, String> {
    let read = |text: &str| {
        text.parse::<Color>().map_err(|_| format!("'{text}' is no colour; write #rrggbb or a name such as light-blue"))
    };
    let (full, ansi) = (full.map(read).transpose()?, ansi.map(read).transpose()?);
    Ok(match depth {
        Depth::Ansi => ansi.or(full),
        _ => full.or(ansi),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_reads_at_every_depth() {
        for depth in [Depth::None, Depth::Ansi, Depth::Indexed, Depth::True] {
            let themes = Theme::all(None, depth).expect("built in");
            assert_eq!(themes.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), BUILT_IN.map(|(name, _)| name));
        }
    }

    #[test]
    fn mono_sets_no_colour_at_all() {
        let theme = Theme::read(BUILT_IN[4].1, "mono", Depth::True).expect("mono");
        let debug = format!("{theme:?}");
        assert!(!debug.contains("Rgb") && !debug.contains("Indexed"), "{debug}");
        assert_eq!(theme.needs_you.fg, None);
    }

    #[test]
    fn a_theme_of_the_user_changes_what_it_names() {
        let text = "name: mine\nabout: x\ninherit: dark\nroles:\n  working: { fg: '#010203' }\n";
        let theme = Theme::read(text, "mine.yaml", Depth::True).expect("mine");
        assert_eq!(theme.working.fg, Some(Color::Rgb(1, 2, 3)));
        assert_eq!(theme.idle, Theme::read(BUILT_IN[0].1, "dark", Depth::True).expect("dark").idle);
    }

    #[test]
    fn wrong_themes_say_where() {
        let bad = |text: &str| Theme::read(text, "mine.yaml", Depth::True).expect_err("bad").to_string();
        assert!(bad("name: x\nabout: x\ninherit: drak\nroles: {}").contains("no theme 'drak'"));
        assert!(bad("name: x\nabout: x\ninherit: dark\nroles: { wroking: {} }").contains("unknown field `wroking`"));
        assert!(bad("name: x\nabout: x\ninherit: dark\nroles: { idle: { fg: gren } }").contains("'gren' is no colour"));
        assert!(bad("name: x\nabout: x\nroles: { }").contains("missing field"));
    }
}
