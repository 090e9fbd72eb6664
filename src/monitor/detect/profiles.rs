//! Profiles ready for use: the built-in ones, and a user's beside or instead of them. From texts; `facts::profiles` reads
//! the files.

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::monitor::detect::keys::Keys;
use crate::monitor::detect::pattern::compiling;
use crate::monitor::detect::profile;
use crate::monitor::detect::profile::{Recognise, Rule, Source};
use crate::monitor::detect::session::SessionRules;
use crate::monitor::detect::source::{bad, extend, parse, parse_embedded, too_late, unknown_region};
use crate::monitor::detect::values::{Answers, Extract};
use crate::monitor::usage::TranscriptRules;

/// Names and texts of built-in profiles. `build.rs` has written `assets/agents/NAME.yaml` as JSON, which is read in a
/// fraction of the time: all of them are read before the first picture.
macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(env!("OUT_DIR"), "/agents/", $name, ".json")))),*]
    };
}

/// The built-in profiles, in the order in which programs are recognised.
const EMBEDDED: &[(&str, &str)] = embedded![
    "claude",
    "codex",
    "gemini",
    "qwen",
    "opencode",
    "aider",
    "copilot",
    "cursor-agent",
    "amp",
    "goose",
    "crush",
    "pi",
    "omp",
    "cline",
    "kilo",
    "vibe",
    "hermes",
    "cn",
    "nanocoder",
    "kimi",
    "openhands",
    "gptme",
    "droid",
    "auggie",
    "codebuff",
    "kiro-cli",
    "grok",
    "devin",
    "agy",
    "letta",
];

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {source}; check its permissions", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A profile does not say what a profile must.
    #[error("{}:{line}:{column}: {reason}", path.display())]
    Bad {
        /// File.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What is wrong and what was expected.
        reason: String,
    },
}

/// All profiles, in the order in which programs are recognised. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Profiles {
    all: Arc<Vec<Profile>>,
    /// See [`Profiles::stamp`].
    stamp: u64,
}

/// One program's profile, checked and compiled.
#[derive(Debug)]
pub struct Profile {
    /// Name by which everything calls the program.
    pub name: String,
    /// The program's full name.
    pub title: String,
    /// `built in`, or the path of the user's file.
    pub origin: String,
    /// The rules were checked against the running program.
    pub verified: bool,
    /// Versions that were looked at.
    pub versions: Vec<String>,
    /// What the reader should know.
    pub note: Option<String>,
    /// It writes as much while it waits as while it works.
    pub restless: bool,
    /// Keys that mean the same in every state.
    pub keys: Keys,
    /// Where the program publishes its own state.
    pub session_file: Option<SessionRules>,
    /// How it writes down what it spends.
    pub transcript: Option<Arc<TranscriptRules>>,
    pub(super) recognise: Recognise,
    pub(super) regions: Vec<NamedRegion>,
    pub(super) rules: Vec<CompiledRule>,
    pub(super) extract: Vec<(Where, Extract)>,
    pub(super) answers: Vec<(Where, Answers)>,
    pub(super) signs: Vec<(Where, CompiledWhen, profile::Sign)>,
}

/// A region with the ways to find it.
#[derive(Debug)]
pub(super) struct NamedRegion {
    pub name: String,
    pub ways: Vec<Way>,
}

/// One way to find a region, its names resolved.
#[derive(Debug)]
pub(super) struct Way {
    pub over: Option<Where>,
    pub under: Option<Where>,
    pub within: Option<Where>,
    pub without: Option<Where>,
    pub spec: profile::Region,
}

/// Where a rule looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Where {
    Screen,
    Title,
    Region(usize),
}

/// A rule, its names resolved.
#[derive(Debug)]
pub(super) struct CompiledRule {
    /// `profile/id`.
    pub id: String,
    pub place: Where,
    pub looks: Vec<(Where, profile::Look)>,
    pub when: CompiledWhen,
    pub rule: Rule,
}

/// Conditions, their names resolved.
#[derive(Debug, Default)]
pub(super) struct CompiledWhen {
    pub regions: Vec<(Where, bool)>,
    pub cursor_in: Option<Where>,
}

impl Profiles {
    /// The built-in profiles.
    ///
    /// # Panics
    /// Never in a build whose tests pass: they load every built-in profile.
    #[must_use]
    pub fn embedded() -> Self {
        match Self::with(Vec::new()) {
            Ok(profiles) => profiles,
            Err(error) => unreachable!("built-in profile: {error}"),
        }
    }

    /// The built-in profiles and these of a user: each the path of its file, for messages, and its text.
    ///
    /// A file of a built-in's name replaces it; with `extends: true` its rules come before the built-in's.
    ///
    /// # Errors
    /// When a text does not say what a profile must (with file, line and column).
    pub fn with(texts: Vec<(PathBuf, String)>) -> Result<Self, ProfileError> {
        Self::of(texts, |_| true)
    }

    /// The built-in profiles that are wanted, and these texts of a user's.
    pub(in crate::monitor) fn of(
        texts: Vec<(PathBuf, String)>,
        wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, ProfileError> {
        let stamp = BuildHasherDefault::<DefaultHasher>::default().hash_one(&texts);
        let users = texts.into_iter().map(|(path, text)| Ok((parse(&path, &text)?, path)));
        let mut users = users.collect::<Result<Vec<_>, ProfileError>>()?;
        let mut all = Vec::new();
        // One after the other: what one was read from is gone before the next is read, and its memory used again.
        for (name, text) in EMBEDDED.iter().filter(|(name, _)| wanted(name)) {
            let path = PathBuf::from(format!("{name}.json"));
            let mut one = (compiling(false, || parse_embedded(&path, text))?, "built in".to_owned(), path);
            for (user, path) in users.extract_if(.., |(user, _)| user.name == *name) {
                let origin = path.display().to_string();
                one = if user.extends {
                    extend(&mut one.0, user);
                    (one.0, format!("built in, extended by {origin}"), path)
                } else {
                    (user, origin, path)
                };
            }
            all.push(compile(one.0, one.1, &one.2)?);
        }
        // Programs of the user's own: of several files for one, the last counts.
        let mut own: Vec<(Source, PathBuf)> = Vec::new();
        for (user, path) in users {
            match own.iter_mut().find(|(before, _)| before.name == user.name) {
                Some((base, blamed)) if user.extends => {
                    extend(base, user);
                    *blamed = path;
                }
                Some(slot) => *slot = (user, path),
                None if user.extends => {
                    let reason = format!("`extends: true`, but there is no built-in profile `{}`", user.name);
                    return Err(bad(&path, 1, 1, reason));
                }
                None => own.push((user, path)),
            }
        }
        for (user, path) in own {
            all.push(compile(user, path.display().to_string(), &path)?);
        }
        Ok(Self { all: Arc::new(all), stamp })
    }

    /// Equal for profiles that were made from the same texts.
    #[must_use]
    pub fn stamp(&self) -> u64 {
        self.stamp
    }

    /// Every profile.
    pub fn list(&self) -> impl Iterator<Item = &Profile> {
        self.all.iter()
    }

    /// The profile of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Profile> {
        self.all.iter().find(|profile| profile.name == name)
    }
}

/// Resolves the names in a profile; `path` is the file that is blamed when one is unknown.
fn compile(source: Source, origin: String, path: &Path) -> Result<Profile, ProfileError> {
    let names: Vec<String> = source.regions.0.iter().map(|(name, _)| name.clone()).collect();
    let place = |wanted: &str| -> Result<Where, ProfileError> {
        match wanted {
            "screen" => Ok(Where::Screen),
            "title" => Ok(Where::Title),
            _ => names.iter().position(|n| n == wanted).map(Where::Region).ok_or_else(|| {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                bad(path, 1, 1, unknown_region(wanted, &names))
            }),
        }
    };
    let maybe = |wanted: &Option<String>| wanted.as_deref().map(place).transpose();
    let when = |when: &profile::When| -> Result<CompiledWhen, ProfileError> {
        Ok(CompiledWhen {
            regions: when
                .regions
                .iter()
                .map(|(n, there)| Ok((place(n)?, *there)))
                .collect::<Result<_, ProfileError>>()?,
            cursor_in: maybe(&when.cursor_in)?,
        })
    };
    let mut regions = Vec::new();
    for (name, ways) in source.regions.0 {
        let own = regions.len();
        let earlier = |place: Option<Where>| -> Result<Option<Where>, ProfileError> {
            match place {
                Some(Where::Region(other)) if other >= own => Err(bad(path, 1, 1, too_late(&name, &names[other]))),
                place => Ok(place),
            }
        };
        let maybe = |wanted: &Option<String>| earlier(maybe(wanted)?);
        let ways = ways
            .into_iter()
            .map(|spec| {
                Ok(Way {
                    over: maybe(&spec.over)?,
                    under: maybe(&spec.under)?,
                    within: maybe(&spec.within)?,
                    without: maybe(&spec.without)?,
                    spec,
                })
            })
            .collect::<Result<_, ProfileError>>()?;
        regions.push(NamedRegion { name, ways });
    }
    let rules = source
        .rules
        .into_iter()
        .map(|mut rule| {
            let looks =
                rule.take_looks().into_iter().map(|look| Ok((maybe(&look.region)?.unwrap_or(Where::Screen), look)));
            Ok(CompiledRule {
                id: format!("{}/{}", source.name, rule.id),
                looks: looks.collect::<Result<_, ProfileError>>()?,
                place: maybe(&rule.region)?.unwrap_or(Where::Screen),
                when: when(&rule.when)?,
                rule,
            })
        })
        .collect::<Result<_, ProfileError>>()?;
    let extract =
        source.extract.into_iter().map(|e| Ok((place(&e.region)?, e))).collect::<Result<_, ProfileError>>()?;
    let answers = source
        .answers
        .into_iter()
        .map(|a| Ok((maybe(&a.region)?.unwrap_or(Where::Screen), a)))
        .collect::<Result<_, ProfileError>>()?;
    let mut recognise = source.recognise;
    let signs = std::mem::take(&mut recognise.by_screen)
        .into_iter()
        .map(|s| Ok((place(&s.region)?, when(&s.when)?, s)))
        .collect::<Result<_, ProfileError>>()?;
    Ok(Profile {
        title: source.title.unwrap_or_else(|| source.name.clone()),
        name: source.name,
        origin,
        verified: source.verified,
        versions: source.versions,
        note: source.note,
        restless: source.restless,
        keys: source.keys,
        session_file: source.session_file,
        transcript: source.transcript.map(Arc::new),
        recognise,
        regions,
        rules,
        extract,
        answers,
        signs,
    })
}

impl Profile {
    /// Name of a place on the screen.
    pub(super) fn place_name(&self, place: Where) -> &str {
        match place {
            Where::Screen => "screen",
            Where::Title => "title",
            Where::Region(index) => &self.regions[index].name,
        }
    }
}

impl profile::Region {
    /// Whether its bounds come from another region: then no rows at all is an answer too.
    pub(super) fn over_or_under(&self) -> bool {
        self.over.is_some() || self.under.is_some() || self.within.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_says_what_people_read() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/agents");
        assert_eq!(std::fs::read_dir(&dir).unwrap().count(), EMBEDDED.len(), "a profile that is not in the list");
        for (name, json) in EMBEDDED {
            let path = dir.join(format!("{name}.yaml"));
            let text = std::fs::read_to_string(&path).unwrap();
            let written = compiling(false, || parse(&path, &text)).unwrap();
            let embedded = compiling(false, || parse_embedded(&path, json)).unwrap();
            assert_eq!(format!("{embedded:?}"), format!("{written:?}"));
        }
    }
}
