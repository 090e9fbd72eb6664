//! Themes as files: which there are, and what each says of every role. Checked by hand, so that every mistake is told with
//! its place and the nearest right word.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};

use crate::app::core::nearest::did_you_mean;
use crate::app::core::roles::ROLES;
use crate::app::settings::places::Places;
use crate::app::settings::yaml::{Place, Step};
use crate::app::settings::{Problem, yaml};

/// Most bytes of a theme.
const LARGEST_FILE: u64 = 1 << 20;

/// The name that leaves the theme to the terminal's background.
pub const AUTO: &str = "auto";

/// The themes of the program, in the order of the key.
pub const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../../assets/themes/dark.yaml")),
    ("light", include_str!("../../../assets/themes/light.yaml")),
    ("high-contrast", include_str!("../../../assets/themes/high-contrast.yaml")),
    ("colour-blind", include_str!("../../../assets/themes/colour-blind.yaml")),
    ("mono", include_str!("../../../assets/themes/mono.yaml")),
];

const FIELDS: [&str; 5] = ["name", "about", "inherit", "colours", "roles"];
const COLOURS: [&str; 4] = ["fg", "bg", "ansi", "ansi_bg"];
const ATTRIBUTES: [&str; 5] = ["bold", "dim", "italic", "underline", "reverse"];
/// Names of the 16 colours, and of the terminal's own.
pub const COLOUR_NAMES: [&str; 17] = [
    "reset",
    "black",
    "red",
    "green",
    "yellow",
    "blue",
    "magenta",
    "cyan",
    "gray",
    "dark-gray",
    "light-red",
    "light-green",
    "light-yellow",
    "light-blue",
    "light-magenta",
    "light-cyan",
    "white",
];

/// Why a theme cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("theme {0}")]
pub struct ThemeError(Problem);

/// A role's look as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// `fg`, `bg`, and what 16-colour terminals use in their place, `ansi`, `ansi_bg`: `#rrggbb` or a name.
    pub colours: BTreeMap<&'static str, String>,
    /// `bold`, `dim`, `italic`, `underline`, `reverse`.
    pub attributes: BTreeMap<&'static str, bool>,
}

/// A theme as it is written: every role of [`ROLES`] has its look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThemeFile {
    /// Its name.
    pub name: String,
    /// It uses colours at all.
    pub colours: bool,
    /// The look of every role.
    pub roles: BTreeMap<&'static str, Look>,
}

/// The program's themes, then those in `folder` (`*.yaml`, by name); one of the same name takes the place of the
/// program's. A theme of the user may say `inherit: NAME` and give only what differs.
///
/// # Errors
/// A file that cannot be read or is no theme; the message names the file and the place.
pub fn all(folder: Option<&Path>) -> Result<Vec<ThemeFile>, ThemeError> {
    let built_in = BUILT_IN.iter().map(|(name, text)| read(text, name));
    let mut themes = built_in.collect::<Result<Vec<_>, _>>()?;
    for path in folder.map(files).unwrap_or_default() {
        let theme = read_file(&path)?;
        match themes.iter_mut().find(|other| other.name == theme.name) {
            Some(other) => *other = theme,
            None => themes.push(theme),
        }
    }
    Ok(themes)
}

/// The names of the themes that can be used; `auto` first.
#[must_use]
pub fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = [AUTO].into_iter().chain(BUILT_IN.map(|(name, _)| name)).map(str::to_owned).collect();
    for theme in files(folder).iter().filter_map(|path| read_file(path).ok()) {
        if !names.contains(&theme.name) {
            names.push(theme.name);
        }
    }
    names
}

/// What is wrong with the files in the folder.
#[must_use]
pub fn problems(folder: &Path) -> Vec<Problem> {
    files(folder).iter().filter_map(|path| read_file(path).err()).map(|ThemeError(problem)| problem).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ext| ext == "yaml" || ext == "yml"));
    files.sort();
    files
}

fn read_file(path: &Path) -> Result<ThemeFile, ThemeError> {
    let origin = path.display().to_string();
    match crate::monitor::facts::file::read_own(path, LARGEST_FILE) {
        Ok(text) => read(&text, &origin),
        Err(error) => Err(ThemeError(Problem::of(origin, error.to_string()))),
    }
}

/// Reads a theme; `origin` names it in errors.
///
/// # Errors
/// An unknown role, field or colour, or a role that is missing.
pub fn read(text: &str, origin: &str) -> Result<ThemeFile, ThemeError> {
    let tree =
        yaml::parse(text).map_err(|error| ThemeError(Problem::of(origin, error.message).at(Some(error.place))))?;
    Reader { text, origin }.theme(&tree)
}

/// A theme's text while it is read.
struct Reader<'a> {
    text: &'a str,
    origin: &'a str,
}

impl Reader<'_> {
    fn theme(&self, tree: &Value) -> Result<ThemeFile, ThemeError> {
        let map = self.section(tree, &[])?;
        self.known(map, &FIELDS, &[])?;
        let word = |key: &str| match map.get(key) {
            None => Ok(None),
            Some(Value::String(word)) if !word.is_empty() => Ok(Some(word.as_str())),
            Some(_) => Err(self.wrong(&[key], "expected text")),
        };
        let Some(name) = word("name")? else { return Err(self.wrong(&[], "name: missing")) };
        word("about")?;
        let base = match word("inherit")? {
            None => None,
            Some(base) => match BUILT_IN.iter().find(|(name, _)| *name == base) {
                Some((name, text)) => Some(read(text, name)?),
                None => {
                    let names = BUILT_IN.map(|(name, _)| name);
                    let hint = did_you_mean(base, names);
                    let message = format!("no theme '{base}'; there are {}{hint}", names.join(", "));
                    return Err(self.wrong(&["inherit"], message));
                }
            },
        };
        let colours = match map.get("colours") {
            None => base.as_ref().is_none_or(|base| base.colours),
            Some(Value::Bool(on)) => *on,
            Some(_) => return Err(self.wrong(&["colours"], "expected true or false")),
        };
        let mut roles = base.map(|base| base.roles).unwrap_or_default();
        let given = match map.get("roles") {
            None | Some(Value::Null) => Map::new(),
            Some(given) => self.section(given, &["roles"])?.clone(),
        };
        self.known(&given, ROLES, &["roles"])?;
        for role in ROLES.iter().copied() {
            if let Some(look) = given.get(role) {
                roles.insert(role, self.look(look, role)?);
            } else if role == "ground" {
                // Themes before this role was one drew on the terminal's own ground, and so may others.
                roles.entry(role).or_default();
            } else if !roles.contains_key(role) {
                return Err(
                    self.wrong(&["roles"], format!("`{role}` is missing; say `inherit: dark` to give only some"))
                );
            }
        }
        Ok(ThemeFile { name: name.to_owned(), colours, roles })
    }

    fn look(&self, value: &Value, role: &str) -> Result<Look, ThemeError> {
        let map = self.section(value, &["roles", role])?;
        let fields: Vec<&'static str> = COLOURS.into_iter().chain(ATTRIBUTES).collect();
        self.known(map, &fields, &["roles", role])?;
        let mut look = Look::default();
        for field in COLOURS {
            match map.get(field) {
                None => {}
                Some(Value::String(colour)) if is_colour(colour) => drop(look.colours.insert(field, colour.clone())),
                Some(other) => {
                    let written = other.as_str().map_or_else(|| other.to_string(), str::to_owned);
                    let hint = did_you_mean(&written, COLOUR_NAMES);
                    let message = format!("'{written}' is no colour; write #rrggbb or a name such as light-blue{hint}");
                    return Err(self.wrong(&["roles", role, field], message));
                }
            }
        }
        for field in ATTRIBUTES {
            match map.get(field) {
                None => {}
                Some(Value::Bool(on)) => drop(look.attributes.insert(field, *on)),
                Some(_) => return Err(self.wrong(&["roles", role, field], "expected true or false")),
            }
        }
        Ok(look)
    }

    fn section<'v>(&self, value: &'v Value, path: &[&str]) -> Result<&'v Map<String, Value>, ThemeError> {
        value.as_object().ok_or_else(|| self.wrong(path, "expected a section"))
    }

    /// Every key is one of these.
    fn known(&self, map: &Map<String, Value>, known: &[&'static str], path: &[&str]) -> Result<(), ThemeError> {
        let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
        let at: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        let place = Places::of(self.text).key(&steps(&at));
        let hint = did_you_mean(key, known.iter().copied());
        Err(self.at(place, &at, format!("unknown field{hint}")))
    }

    fn wrong(&self, path: &[&str], message: impl fmt::Display) -> ThemeError {
        self.at(Places::of(self.text).value(&steps(path)), path, message)
    }

    fn at(&self, place: Option<Place>, path: &[&str], message: impl fmt::Display) -> ThemeError {
        let problem = Problem::of(self.origin, message.to_string()).at(place);
        ThemeError(if path.is_empty() { problem } else { problem.about(crate::tmux::clean(&path.join("."))) })
    }
}

fn steps(path: &[&str]) -> Vec<Step> {
    path.iter().map(|name| Step::Key((*name).to_owned())).collect()
}

/// `#rrggbb`, one of the 256 by number, or a name.
fn is_colour(text: &str) -> bool {
    let hex = |digits: &str| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    text.strip_prefix('#').map_or_else(|| COLOUR_NAMES.contains(&text) || text.parse::<u8>().is_ok(), hex)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_is_complete_and_named_as_it_says() {
        let themes = all(None).expect("built in");
        assert_eq!(themes.iter().map(|theme| theme.name.as_str()).collect::<Vec<_>>(), BUILT_IN.map(|(name, _)| name));
        assert!(themes.iter().all(|theme| theme.roles.len() == ROLES.len()));
    }

    #[test]
    fn a_theme_of_the_user_changes_what_it_names() {
        let text = "name: mine\nabout: x\ninherit: dark\nroles:\n  working: { fg: '#010203' }\n";
        let theme = read(text, "mine.yaml").expect("mine");
        assert_eq!(theme.roles["working"].colours["fg"], "#010203");
        assert_eq!(theme.roles["idle"], read(BUILT_IN[0].1, "dark").expect("dark").roles["idle"]);
    }

    #[test]
    fn wrong_themes_say_where_and_what() {
        for (text, said) in [
            ("name: x\ninherit: drak\nroles: {}", "mine.yaml:2:10: inherit: no theme 'drak'; there are dark, light,"),
            ("name: x\ninherit: drak\nroles: {}", "did you mean `dark`?"),
            (
                "name: x\ninherit: dark\nroles: { wroking: {} }",
                "mine.yaml:3:10: roles.wroking: unknown field; did you mean `working`?",
            ),
            (
                "name: x\ninherit: dark\nroles:\n  idle: { fg: gren }",
                "mine.yaml:4:15: roles.idle.fg: 'gren' is no colour; write #rrggbb or a name such as light-blue; did you mean `green`?",
            ),
            (
                "name: x\ninherit: dark\nroles: { idle: { bold: 1 } }",
                "mine.yaml:3:24: roles.idle.bold: expected true or false",
            ),
            ("name: x\nroles: {}", "mine.yaml:2:8: roles: `text` is missing"),
            ("inherit: dark", "mine.yaml:1:1: name: missing"),
            ("name: [", "mine.yaml:"),
        ] {
            let error = read(text, "mine.yaml").expect_err(text).to_string();
            assert!(error.starts_with("theme mine.yaml:") && error.contains(said), "{error}");
        }
    }
}
