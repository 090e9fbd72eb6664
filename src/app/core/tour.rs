//! The tour of the dashboard: six steps, each of which asks for a key and goes on when that was pressed.

use crate::app::core::action::Action;
use crate::app::core::keymap::Keymap;
use crate::app::core::state::State;

/// A part of the screen that a step is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The agents.
    Agents,
    /// The instruments.
    Instruments,
    /// The bottom line.
    Footer,
}

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// What it is about.
    pub title: &'static str,
    /// What there is to see, in a sentence or two.
    pub words: &'static str,
    /// Where that is.
    pub part: Part,
    /// What is to be done: the first of these is asked for, the others will do too.
    actions: &'static [Action],
    /// What follows the key that is asked for.
    pub then: &'static str,
}

/// All of them.
pub const STEPS: [Step; 6] = [
    Step {
        title: "Your agents",
        words: "Each row is an agent in a pane of tmux: its state, since when, which program, and what it does. Who needs you is \
                on top.",
        part: Part::Agents,
        actions: &[Action::Down, Action::Up, Action::PageDown, Action::PageUp, Action::Bottom, Action::Top],
        then: "to move down",
    },
    Step {
        title: "Who needs you",
        words: "An agent that waits for its user says so, and what it asks stands below its row.",
        part: Part::Agents,
        actions: &[Action::NextNeedy],
        then: "to go to the one that has waited longest",
    },
    Step {
        title: "Answer it",
        words: "Nothing is sent before you saw the whole request. These agents are simulated: no answer does any harm, and \
                Escape leaves.",
        part: Part::Agents,
        actions: &[Action::Answer],
        then: "to see what it asks and its answers",
    },
    Step {
        title: "Find one",
        words: "A word narrows the list: a program, a state, a folder, a part of a name. Enter keeps it, Escape takes it away.",
        part: Part::Agents,
        actions: &[Action::Filter, Action::Pick],
        then: "and type claude",
    },
    Step {
        title: "What the watching costs",
        words: "Pool, cache, cycle and cost of the engine, live. Another way of watching shows there what it changes.",
        part: Part::Instruments,
        actions: &[Action::NextStrategy, Action::PrevStrategy],
        then: "for the next strategy",
    },
    Step {
        title: "The rest",
        words: "The most used keys are in the bottom line. Enter, in your own tmux, takes you to the agent under the cursor.",
        part: Part::Footer,
        actions: &[Action::Help, Action::Palette],
        then: "for all keys; that ends the tour",
    },
];

impl Step {
    /// The key that is asked for.
    #[must_use]
    pub fn key(&self, keymap: &Keymap) -> String {
        let keys = self.actions.iter().map(|action| keymap.label(*action));
        keys.into_iter().find(|key| !key.is_empty()).unwrap_or_default()
    }
}

/// The step that is shown, and its number from 1.
#[must_use]
pub fn step(state: &State) -> Option<(usize, &'static Step)> {
    let at = state.tour?;
    STEPS.get(at).map(|step| (at + 1, step))
}

/// Something was done: goes on if that was asked for. Whether it did.
pub(crate) fn did(state: &mut State, action: Action) -> bool {
    let asked = step(state).is_some_and(|(_, step)| step.actions.contains(&action));
    if asked {
        next(state);
    }
    asked
}

/// Goes on to the next step; after the last one it is over.
pub(crate) fn next(state: &mut State) {
    state.tour = state.tour.map(|at| at + 1).filter(|at| *at < STEPS.len());
}
