//! What a profile knows, for lists: the states that it tells apart, where it reads them, what it can answer.

use crate::monitor::AgentState;
use crate::monitor::detect::choices;
use crate::monitor::detect::profile::Says;
use crate::monitor::detect::profiles::{CompiledRule, Profile, Where};
use crate::monitor::detect::version;

impl Profile {
    /// The newest version that it was checked against, when `version` is newer than all of them.
    #[must_use]
    pub fn newest_before(&self, version: &str) -> Option<&str> {
        version::newest_before(version, &self.versions)
    }

    /// The kinds of states that its rules tell apart (`permission`, `retrying`), each once.
    #[must_use]
    pub fn kinds(&self) -> Vec<&str> {
        let mut all: Vec<&str> = Vec::new();
        for kind in self.rules.iter().filter_map(|rule| rule.rule.kind.as_deref()) {
            if !all.contains(&kind) {
                all.push(kind);
            }
        }
        all
    }

    /// Where the state is read from, besides its processes and hooks: `screen`, `title`, `session file`.
    #[must_use]
    pub fn sources(&self) -> Vec<&'static str> {
        let places = || self.rules.iter().flat_map(|rule| rule.looks.iter().map(|(place, _)| *place));
        let titled = |rule: &CompiledRule| rule.rule.when.title.is_some() || rule.rule.when.not_title.is_some();
        let mut all = Vec::new();
        if places().any(|place| place != Where::Title) {
            all.push("screen");
        }
        if places().any(|place| place == Where::Title) || self.rules.iter().any(titled) {
            all.push("title");
        }
        if self.session_file.is_some() {
            all.push("session file");
        }
        all
    }

    /// The kinds of prompts whose answers, with their keys, it can read.
    #[must_use]
    pub fn answered_kinds(&self) -> Vec<&str> {
        let mut all = Vec::new();
        for rule in self.rules.iter().filter(|rule| rule.rule.state == Says::State(AgentState::Waiting)) {
            let Some(kind) = rule.rule.kind.as_deref() else { continue };
            if !all.contains(&kind) && choices::fitting(self, rule).next().is_some() {
                all.push(kind);
            }
        }
        all
    }
}
