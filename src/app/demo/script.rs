//! The scripts: what each simulated agent shows, scene after scene, read from `assets/demo/*.yaml`.

use std::{collections::BTreeMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{monitor::AgentState, yaml};

const FLEET: &str = include_str!("../../../assets/demo/fleet.yaml");
const SCRIPTS: [(&str, &str); 6] = [
    ("claude", include_str!("../../../assets/demo/claude.yaml")),
    ("codex", include_str!("../../../assets/demo/codex.yaml")),
    ("gemini", include_str!("../../../assets/demo/gemini.yaml")),
    ("opencode", include_str!("../../../assets/demo/opencode.yaml")),
    ("aider", include_str!("../../../assets/demo/aider.yaml")),
    ("copilot", include_str!("../../../assets/demo/copilot.yaml")),
];

/// Who runs where.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Casting {
    /// Agents in the order in which they are handed out.
    pub(super) order: Vec<String>,
    /// Sessions in the order in which they fill.
    pub(super) projects: Vec<Project>,
}

/// What a session is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Project {
    pub(super) session: String,
    pub(super) task: String,
    pub(super) file: String,
    pub(super) command: String,
    pub(super) question: String,
    pub(super) answers: [String; 3],
}

/// One process of an agent's tree.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// Name of the executable, which is what the kernel calls the process.
    pub file: String,
    /// Its arguments as the process table shows them, the program first.
    pub args: Vec<String>,
}

/// What one simulated agent shows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The agent's name, as its profile has it.
    pub agent: String,
    /// Its processes, outermost first; the innermost one draws.
    pub processes: Vec<Process>,
    /// What is typed at the shell's prompt to start it.
    pub typed: String,
    /// It draws on the alternate screen, its composer at the bottom edge.
    #[serde(default)]
    pub alternate: bool,
    /// The cursor is shown, unless a scene says otherwise.
    #[serde(default)]
    pub cursor: bool,
    /// The pane's title, unless a scene has its own. Empty: it sets none.
    #[serde(default)]
    pub title: String,
    /// SGR parameters of `{accent}`.
    pub accent: String,
    /// What `{spin}` goes through.
    pub frames: Vec<String>,
    /// Milliseconds for each of them.
    pub frame_ms: u64,
    /// The rows it begins with.
    pub welcome: String,
    /// The rows it leaves on the main screen when it ends.
    pub goodbye: String,
    /// The bottoms of its screen, by name.
    pub blocks: BTreeMap<String, String>,
    /// Its scenes; the last one is the end of the program.
    pub scenes: Vec<Scene>,
}

/// One stretch of an agent's life in one state.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// The state that the monitor must see.
    pub state: AgentState,
    /// The kind that the monitor must see, when it matters.
    #[serde(default)]
    pub kind: Option<String>,
    /// Shortest and longest duration in seconds.
    pub seconds: [f64; 2],
    /// Rows that it says, one after another while it works, else at once. They stay.
    #[serde(default)]
    pub say: String,
    /// Rows above the bottom that go away with the scene.
    #[serde(default)]
    pub live: String,
    /// Name of the bottom block.
    #[serde(default)]
    pub bottom: String,
    /// The pane's title.
    #[serde(default)]
    pub title: Option<String>,
    /// Whether the cursor is shown.
    #[serde(default)]
    pub cursor: Option<bool>,
    /// Nothing of the conversation is shown.
    #[serde(default)]
    pub alone: bool,
    /// Nothing at all is shown.
    #[serde(default)]
    pub blank: bool,
    /// It writes output although nothing visible moves.
    #[serde(default)]
    pub animate: bool,
}

impl Script {
    /// Whether a scene needs to be drawn again and again.
    pub(super) fn moves(&self, scene: &Scene) -> bool {
        let moving = |text: &str| ["{spin}", "{s}", "{tokens}"].iter().any(|token| text.contains(token));
        scene.animate
            || moving(&scene.live)
            || scene.title.as_deref().is_some_and(moving)
            || self.blocks.get(&scene.bottom).is_some_and(|block| moving(block))
    }
}

/// All scripts, by the agents' names.
pub fn scripts() -> &'static BTreeMap<String, Script> {
    static ALL: LazyLock<BTreeMap<String, Script>> = LazyLock::new(|| {
        // Built in and read by a test: a script that can't be read is left out rather than ending the program.
        SCRIPTS.iter().filter_map(|(name, text)| Some(((*name).to_owned(), yaml::read(text).ok()?))).collect()
    });
    &ALL
}

/// Who runs where.
pub(super) fn casting() -> &'static Casting {
    static CASTING: LazyLock<Casting> =
        LazyLock::new(|| yaml::read(FLEET).unwrap_or_else(|_| Casting { order: Vec::new(), projects: Vec::new() }));
    &CASTING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_is_read_and_whole() {
        for (name, text) in SCRIPTS {
            let script: Script = yaml::read(text).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(script.agent, name);
            assert!(!script.processes.is_empty() && !script.frames.is_empty(), "{name}");
            assert!(script.frame_ms >= 50, "{name}: frames that fast cost more than they show");
            let (last, others) = script.scenes.split_last().expect("scenes");
            assert_eq!(last.state, AgentState::Exited, "{name}: the last scene is the end");
            for scene in others {
                assert_ne!(scene.state, AgentState::Exited, "{name}: only the last scene is the end");
                assert!(
                    scene.blank || script.blocks.contains_key(&scene.bottom),
                    "{name}: no block '{}'",
                    scene.bottom
                );
                assert!(scene.seconds[0] > 0.0 && scene.seconds[0] <= scene.seconds[1], "{name}");
            }
            let used = |block: &String| script.scenes.iter().any(|scene| scene.bottom == *block);
            assert!(script.blocks.keys().all(used), "{name}: a block that no scene shows");
        }
        let casting: Casting = yaml::read(FLEET).unwrap_or_else(|error| panic!("fleet: {error}"));
        assert!(casting.order.iter().all(|agent| scripts().contains_key(agent)));
        let seen = |state| scripts().values().flat_map(|script| &script.scenes).any(|scene| scene.state == state);
        for state in [
            AgentState::Working,
            AgentState::Waiting,
            AgentState::Idle,
            AgentState::Limited,
            AgentState::Error,
            AgentState::Starting,
        ] {
            assert!(seen(state), "no agent shows {state}");
        }
    }
}
