//! Who has the keys: the panels, or what stands over them.

use tui_input::Input;

use crate::app::core::act::Seen;
use crate::app::core::action::Scope;
use crate::app::core::asked::Asked;
use crate::app::core::fleet::AgentKey;

/// Who has the keys.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// The panels.
    #[default]
    Normal,
    /// The filter's line.
    Filter(Input),
    /// The help.
    Help {
        /// What is searched.
        input: Input,
        /// First row shown.
        top: usize,
    },
    /// The palette.
    Palette {
        /// What is searched.
        input: Input,
        /// The row that Enter takes.
        at: usize,
    },
    /// The list to pick an agent from, over all of the screen.
    Pick {
        /// What is searched.
        input: Input,
        /// The agent under the cursor; `None` where none is listed.
        key: Option<AgentKey>,
        /// The dashboard is there for nothing else, and ends with it.
        only: bool,
    },
    /// The answers of a prompt.
    Answer {
        /// The agent.
        key: AgentKey,
        /// The prompt as it was seen.
        seen: Seen,
        /// The answer that Enter takes; none until the person moves to one.
        at: Option<usize>,
        /// What is asked, and how much of it was in view.
        asked: Asked,
    },
    /// A message to an agent.
    Reply {
        /// The agent.
        key: AgentKey,
        /// What it showed.
        seen: Seen,
        /// The text so far.
        input: Input,
    },
    /// Is the agent to be interrupted, or its pane to be closed?
    Confirm {
        /// The agent.
        key: AgentKey,
        /// What it showed.
        seen: Seen,
        /// Close the pane rather than interrupt.
        kill: bool,
    },
    /// For how long an agent is snoozed.
    Snooze {
        /// The agent.
        key: AgentKey,
        /// The choice that Enter takes, of [`crate::app::core::tidy::SNOOZES`].
        at: usize,
    },
    /// A name and a note for an agent.
    Describe {
        /// The agent.
        key: AgentKey,
        /// Its name so far.
        name: Input,
        /// The note so far.
        note: Input,
        /// The note is typed, and not the name.
        in_note: bool,
    },
    /// One message to several agents: first who, then what.
    Broadcast {
        /// Those who may get it, in the order of the list.
        to: Vec<Recipient>,
        /// The one that the space key marks.
        at: usize,
        /// The text so far; `None` while they are being marked.
        input: Option<Input>,
    },
}

impl Mode {
    /// Where its keys count.
    #[must_use]
    pub fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::Normal => &[Scope::Panels],
            Self::Filter(_) | Self::Help { .. } | Self::Palette { .. } | Self::Pick { .. } => {
                &[Scope::Text, Scope::Open]
            }
            Self::Reply { .. } | Self::Broadcast { input: Some(_), .. } => &[Scope::Message, Scope::Text, Scope::Open],
            Self::Describe { .. } => &[Scope::Form, Scope::Text, Scope::Open],
            Self::Answer { .. } | Self::Snooze { .. } => &[Scope::Answers, Scope::Open],
            Self::Confirm { .. } => &[Scope::Question, Scope::Open],
            Self::Broadcast { input: None, .. } => &[Scope::Recipients, Scope::Open],
        }
    }

    /// The line that is typed into.
    pub(crate) fn input(&mut self) -> Option<&mut Input> {
        match self {
            Self::Filter(input)
            | Self::Help { input, .. }
            | Self::Palette { input, .. }
            | Self::Pick { input, .. }
            | Self::Reply { input, .. }
            | Self::Describe { name: input, in_note: false, .. }
            | Self::Describe { note: input, in_note: true, .. }
            | Self::Broadcast { input: Some(input), .. } => Some(input),
            Self::Normal
            | Self::Answer { .. }
            | Self::Confirm { .. }
            | Self::Snooze { .. }
            | Self::Broadcast { input: None, .. } => None,
        }
    }
}

/// An agent that may get a message which goes to several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The agent.
    pub key: AgentKey,
    /// What it showed.
    pub seen: Seen,
    /// It gets the message.
    pub marked: bool,
}
