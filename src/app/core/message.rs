//! What the dashboard's core is told, and what it asks to be done.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

use crate::app::core::act::{Act, Seen};
use crate::app::core::action::Action;
use crate::app::core::column::Column;
use crate::app::core::day::Day;
use crate::app::core::fleet::{AgentKey, Fleet, MemberId};
use crate::app::core::grouping::Grouping;
use crate::app::core::key::Key;
use crate::app::core::keymap::Keymap;
use crate::app::core::list::Sort;
use crate::app::core::pick::Opening;
use crate::app::core::view::{Capabilities, Panel, Viewport};
use crate::monitor::Command;

/// Everything that can happen to the dashboard.
#[derive(Clone, Debug)]
pub enum Message {
    /// The dashboard begins with this; the first message, or none where the defaults will do.
    Begins(Box<Setup>),
    /// An engine published, is reached in another way, or a member came or went: this is the fleet now.
    Fleet(Fleet),
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Paste(String),
    /// So many keys came at once, as no person types: they were dropped.
    Dropped(usize),
    /// The mouse was used on something that is drawn.
    Mouse(Mouse, Option<Hit>),
    /// The terminal has this size now: columns, rows.
    Resize(u16, u16),
    /// The layout shows this much of the state.
    Viewport(Viewport),
    /// The state as it is now is on the screen.
    Drawn,
    /// The terminal got the keyboard (`true`) or lost it.
    Focus(bool),
    /// It is this time now. Sent once a second.
    Tick(Timestamp),
    /// So much time has passed since the dashboard began, by a clock that nobody can set. Comes before other messages.
    Elapsed(Duration),
    /// There are these themes now; the one in use stays where it is among them.
    Themes(Vec<String>),
    /// Whether the terminal takes signs of ASCII alone.
    Ascii(bool),
    /// The dashboard's own settings were read again.
    Configured {
        /// The keys.
        keymap: Box<Keymap>,
        /// Name of the theme, when it is another one; `auto` and unknown names leave the theme as it is.
        theme: Option<String>,
        /// The mouse is used.
        mouse: bool,
        /// Something may be typed into panes.
        act: bool,
        /// Which signs are drawn: `auto`, `unicode`, `ascii`.
        glyphs: String,
        /// The columns that are shown.
        columns: Vec<Column>,
        /// Percent of an account's limit from which on the header shows it.
        limit_threshold: u8,
        /// Nothing blinks, and screens of panes change but now and then.
        reduced_motion: bool,
        /// What the agents are grouped by, when the settings say something else than before.
        grouping: Option<Grouping>,
    },
    /// The engine has answered a command: carried out, and shown by the newest snapshot; or refused and why.
    Answered {
        /// The number by which it was asked.
        id: u64,
        /// How it ended.
        answer: Result<(), String>,
    },
    /// This is to be run in the dashboard's own terminal, for this host.
    Run(Vec<String>, Arc<str>),
    /// The dashboard has done what it was opened for: it ends.
    Leave,
    /// The day was read, or why it cannot be.
    Day(Result<Arc<Day>, String>),
    /// This could not be handed on to who does it.
    NotSent(Effect),
    /// How something that was asked for ended.
    ActionResult {
        /// In words.
        text: String,
        /// It worked.
        ok: bool,
    },
}

/// What a dashboard begins with.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The keys.
    pub keymap: Keymap,
    /// What the caller can do.
    pub can: Capabilities,
    /// Names of the themes.
    pub themes: Vec<String>,
    /// The theme in use, an index of `themes`.
    pub theme: usize,
    /// The terminal takes signs of ASCII alone.
    pub ascii: bool,
    /// The columns that are shown.
    pub columns: Vec<Column>,
    /// Percent of an account's limit from which on the header shows it.
    pub limit_threshold: u8,
    /// Nothing blinks, and screens of panes change but now and then.
    pub reduced_motion: bool,
    /// What the agents are grouped by.
    pub grouping: Grouping,
    /// What it opens with.
    pub opening: Opening,
}

/// What the mouse did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mouse {
    /// The left button was pressed.
    Click,
    /// The wheel was turned: down is positive.
    Wheel(i16),
}

/// What is drawn under the mouse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hit {
    /// The box of the tour.
    Tour,
    /// An agent's row.
    Agent(AgentKey),
    /// A column's header.
    Header(Sort),
    /// A row of the strategy bar, counted from 0.
    Strategy(usize),
    /// A row of the hosts, counted from 0.
    Host(usize),
    /// A row of the day's view, counted from 0.
    Day(usize),
    /// A key in the footer or in a panel's border.
    Key(Action),
    /// A row of the palette, counted from 0.
    Item(usize),
    /// An answer of the prompt, counted from 0.
    Choice(usize),
    /// Elsewhere in an overlay.
    Overlay,
    /// The border above a panel, with its title.
    Title(Panel),
    /// Elsewhere in a panel.
    Panel(Panel),
}

/// What the core asks of the world. Its result comes back as a [`Message`].
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// A command for a member's engine whose answer nobody waits for.
    Engine(MemberId, Command),
    /// A command for a member's engine, with the number by which it is answered.
    Ask(u64, MemberId, Command),
    /// Something for an agent of a member: a jump to it, an answer, a message.
    Act(MemberId, Act),
    /// Send one message to several.
    Broadcast {
        /// The text as typed.
        text: String,
        /// The agents, and what each showed.
        to: Vec<(AgentKey, Seen)>,
    },
    /// Try now to reach a host.
    Retry(Arc<str>),
    /// Mend with the person what keeps a host from being reached, by this verb of `hosts`.
    Mend(Arc<str>, &'static str),
    /// Run this in the dashboard's own terminal, and come back; then try to reach the host.
    Run(Vec<String>, Arc<str>),
    /// Read what the agents did since then.
    ReadDay(Timestamp),
    /// Copy text to the clipboard.
    CopyText(String),
    /// Read the settings file again.
    ReloadSettings,
    /// Use the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Draw everything anew.
    Repaint,
    /// Suspend the program.
    Suspend,
    /// End the dashboard.
    Quit,
}

/// What came of a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Something visible changed.
    pub redraw: bool,
    /// What is to be done.
    pub effects: Vec<Effect>,
}

impl Outcome {
    /// Something visible changed.
    #[must_use]
    pub fn redraw() -> Self {
        Self { redraw: true, effects: Vec::new() }
    }

    /// Something visible may have changed.
    #[must_use]
    pub fn redraw_if(redraw: bool) -> Self {
        Self { redraw, effects: Vec::new() }
    }

    /// Visible, and something is to be done.
    #[must_use]
    pub fn effect(effect: Effect) -> Self {
        Self { redraw: true, effects: vec![effect] }
    }

    /// Both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.redraw |= other.redraw;
        self.effects.extend(other.effects);
        self
    }
}
