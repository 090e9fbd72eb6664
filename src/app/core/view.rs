//! Words for what is looked at: the panels, how much of them is shown, what can be done.

use crate::app::core::heights::Room;
use crate::app::core::wall::Wall;

/// A region of the screen that can have the focus.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter, strum::Display)]
pub enum Panel {
    /// The agents, or the view in their place.
    Agents,
    /// The selected pane's screen.
    Preview,
    /// What happened.
    Events,
    /// The connection pool.
    Pool,
    /// The cache.
    Cache,
    /// The cycle.
    Cycle,
    /// What the watching costs.
    Cost,
    /// The strategies.
    Strategy,
}

/// What the caller can do for the dashboard; keys for the rest are not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Take the user's tmux client to a pane.
    pub jump: bool,
    /// Type into panes: answers, messages, interrupts.
    pub act: bool,
    /// Read the settings file again.
    pub reload: bool,
    /// Copy to the clipboard.
    pub copy: bool,
}

/// How much of the state the layout shows: told by the layout, so that cursor and scrolling know their limits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewport {
    /// The room of the list of agents.
    pub list: Room,
    /// Rows of the preview; 0 when it is hidden.
    pub preview: usize,
    /// Rows of the events; 0 when they are hidden.
    pub events: usize,
    /// The overlay's rows (help, palette).
    pub overlay: usize,
    /// Columns and rows that the request has in the box of the answers.
    pub request: (usize, usize),
    /// Columns of the preview.
    pub preview_width: usize,
    /// Panels in view, in the order of Tab.
    pub panels: Vec<Panel>,
    /// Values of the instruments are in view.
    pub instruments: bool,
    /// The wall, while it is in view.
    pub wall: Option<Wall>,
}

/// What most of the room is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Main {
    /// The agents, and the preview beside them.
    #[default]
    Agents,
    /// The tune view in their place.
    Tune,
    /// What each of them spends.
    Usage,
    /// Their screens side by side, over the whole page.
    Wall,
    /// The hosts: how each is reached.
    Hosts,
    /// The day of the agents.
    Day,
}

/// Which panels are shown and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The preview: shown, hidden, or as the size suggests.
    pub preview: Option<bool>,
    /// The events: shown, hidden, or as the size suggests.
    pub events: Option<bool>,
    /// The focused panel has the whole screen.
    pub zoom: bool,
    /// What most of the room is for.
    pub main: Main,
    /// The panel that the keys act on.
    pub focus: Panel,
}
