//! Everything a key, the palette or the mouse can do, in one table: keys, help, footer and palette are made from it.

/// Something the user can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Cursor down, or scroll down.
    Down,
    /// Cursor up, or scroll up.
    Up,
    /// A page down.
    PageDown,
    /// A page up.
    PageUp,
    /// To the first.
    Top,
    /// To the last.
    Bottom,
    /// Take the user's tmux client to the selected pane.
    Jump,
    /// Cursor to the agent that has waited longest; again: to the next one.
    NextNeedy,
    /// Pick an answer of the selected agent's prompt.
    Answer,
    /// Type a message to the selected agent.
    Reply,
    /// Interrupt the selected agent, after asking.
    Interrupt,
    /// Close the selected agent's pane, after asking.
    Kill,
    /// Mark several agents and type one message to them.
    Broadcast,
    /// Copy the selected agent's target.
    Copy,
    /// List the selected agent, which has exited, no longer.
    Dismiss,
    /// Show only what matches.
    Filter,
    /// Sort by the next column.
    Sort,
    /// Turn the order round.
    Reverse,
    /// Group the agents by session.
    Group,
    /// Switch to the next strategy.
    NextStrategy,
    /// Switch to the one before.
    PrevStrategy,
    /// Switch to the strategy with this number, from 1.
    Strategy(u8),
    /// One more connection.
    PoolUp,
    /// One less.
    PoolDown,
    /// Look more often.
    Faster,
    /// Look less often.
    Slower,
    /// Drop all that is cached.
    ClearCache,
    /// Cache on or off.
    ToggleCache,
    /// The next cache policy.
    CachePolicy,
    /// Stop or resume the cycles.
    Pause,
    /// Run one cycle now.
    Refresh,
    /// Focus on the next panel.
    NextPanel,
    /// Focus on the panel before.
    PrevPanel,
    /// The focused panel over the whole screen, and back.
    Zoom,
    /// The comparison of what was tried, and back.
    Tune,
    /// Show or hide the preview.
    Preview,
    /// Show or hide the events.
    Events,
    /// The next theme.
    Theme,
    /// Read the settings again.
    Reload,
    /// What the keys do.
    Help,
    /// Find an action by its name.
    Palette,
    /// Draw everything anew.
    Redraw,
    /// Leave what is open: filter, zoom, tune view.
    Back,
    /// Suspend the program.
    Suspend,
    /// End the dashboard.
    Quit,
}

/// Where the help lists an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::Display, strum::EnumIter)]
pub enum Group {
    /// Moving about.
    #[strum(to_string = "Move")]
    Move,
    /// The agents.
    #[strum(to_string = "Agents")]
    Agents,
    /// The engine that watches.
    #[strum(to_string = "Engine")]
    Engine,
    /// What is shown.
    #[strum(to_string = "View")]
    View,
    /// The program.
    #[strum(to_string = "Program")]
    Program,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What it does.
    pub action: Action,
    /// Its name in the config and the palette.
    pub name: &'static str,
    /// Keys unless the config says otherwise, as [`crate::app::core::key::Key`] reads them.
    pub keys: &'static [&'static str],
    /// What it does, in words.
    pub about: &'static str,
    /// Word in the footer, for those that are listed there.
    pub footer: Option<&'static str>,
    /// Where the help lists it.
    pub group: Group,
}

const fn entry(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    about: &'static str,
    footer: Option<&'static str>,
    group: Group,
) -> Entry {
    Entry { action, name, keys, about, footer, group }
}

/// The table. The footer lists its words in this order, as far as they fit; the help is always there.
#[rustfmt::skip]
pub const ACTIONS: &[Entry] = &[
    entry(Action::Jump, "jump", &["enter"], "Go to the agent's pane in tmux", Some("jump"), Group::Agents),
    entry(Action::NextNeedy, "next", &["n"], "Next agent that needs you, longest wait first", Some("next"), Group::Agents),
    entry(Action::Answer, "answer", &["y"], "Answer the agent's prompt", Some("answer"), Group::Agents),
    entry(Action::Filter, "filter", &["/"], "Show only what matches", Some("filter"), Group::Agents),
    entry(Action::NextStrategy, "next-strategy", &["s"], "Next strategy", Some("strategy"), Group::Engine),
    entry(Action::PrevStrategy, "previous-strategy", &["S"], "Strategy before", None, Group::Engine),
    entry(Action::PoolUp, "pool-up", &["+", "="], "One more connection in the pool", Some("pool"), Group::Engine),
    entry(Action::PoolDown, "pool-down", &["-", "_"], "One less connection in the pool", Some("pool"), Group::Engine),
    entry(Action::Pause, "pause", &["space"], "Pause or resume the watching", Some("pause"), Group::Engine),
    entry(Action::Tune, "tune", &["t"], "Compare what was tried: strategies, pool sizes, caches", Some("tune"), Group::View),
    entry(Action::Preview, "preview", &["p"], "Show or hide the preview of the selected pane", Some("preview"), Group::View),
    entry(Action::Quit, "quit", &["q", "ctrl-c"], "Leave the dashboard", Some("quit"), Group::Program),
    entry(Action::Palette, "palette", &[":"], "Find any action by its name", Some("more"), Group::Program),
    entry(Action::Help, "help", &["?"], "What the keys do", Some("help"), Group::Program),
    entry(Action::Down, "down", &["j", "down"], "Down", None, Group::Move),
    entry(Action::Up, "up", &["k", "up"], "Up", None, Group::Move),
    entry(Action::PageDown, "page-down", &["ctrl-d", "pagedown"], "A page down", None, Group::Move),
    entry(Action::PageUp, "page-up", &["ctrl-u", "pageup"], "A page up", None, Group::Move),
    entry(Action::Top, "top", &["g", "home"], "To the first", None, Group::Move),
    entry(Action::Bottom, "bottom", &["G", "end"], "To the last", None, Group::Move),
    entry(Action::NextPanel, "next-panel", &["tab"], "Focus on the next panel", None, Group::Move),
    entry(Action::PrevPanel, "previous-panel", &["backtab"], "Focus on the panel before", None, Group::Move),
    entry(Action::Back, "back", &["esc"], "Leave the filter, the zoom or the tune view", None, Group::Move),
    entry(Action::Reply, "reply", &["m"], "Write a message to the agent", None, Group::Agents),
    entry(Action::Interrupt, "interrupt", &["x"], "Interrupt the agent, after asking", None, Group::Agents),
    entry(Action::Broadcast, "broadcast", &["M"], "Write one message to several agents", None, Group::Agents),
    entry(Action::Kill, "kill", &["X"], "Close the agent's pane, after asking", None, Group::Agents),
    entry(Action::Copy, "copy", &["Y"], "Copy the agent's target", None, Group::Agents),
    entry(Action::Dismiss, "dismiss", &["D"], "Dismiss an agent that has exited", None, Group::Agents),
    entry(Action::Sort, "sort", &["o"], "Sort by the next column", None, Group::Agents),
    entry(Action::Reverse, "reverse", &["O"], "Turn the order round", None, Group::Agents),
    entry(Action::Group, "group", &["b"], "Group the agents by session, or not", None, Group::Agents),
    entry(Action::Strategy(1), "strategy-1", &["1"], "First strategy", None, Group::Engine),
    entry(Action::Strategy(2), "strategy-2", &["2"], "Second strategy", None, Group::Engine),
    entry(Action::Strategy(3), "strategy-3", &["3"], "Third strategy", None, Group::Engine),
    entry(Action::Strategy(4), "strategy-4", &["4"], "Fourth strategy", None, Group::Engine),
    entry(Action::Faster, "interval-down", &["<"], "Look more often", None, Group::Engine),
    entry(Action::Slower, "interval-up", &[">"], "Look less often", None, Group::Engine),
    entry(Action::ClearCache, "clear-cache", &["c"], "Drop all that is cached", None, Group::Engine),
    entry(Action::ToggleCache, "cache", &["C"], "Cache on or off", None, Group::Engine),
    entry(Action::CachePolicy, "cache-policy", &["e"], "Next cache policy: ttl, lru, lfu", None, Group::Engine),
    entry(Action::Refresh, "refresh", &["ctrl-r"], "Run one cycle now", None, Group::Engine),
    entry(Action::Zoom, "zoom", &["z"], "The focused panel over the whole screen, and back", None, Group::View),
    entry(Action::Events, "events", &["l"], "Show or hide the events", None, Group::View),
    entry(Action::Theme, "theme", &["T"], "Next theme", None, Group::View),
    entry(Action::Reload, "reload", &["r"], "Read the settings again", None, Group::Program),
    entry(Action::Redraw, "redraw", &["ctrl-l"], "Draw the screen anew", None, Group::Program),
    entry(Action::Suspend, "suspend", &["ctrl-z"], "Suspend; `fg` comes back", None, Group::Program),
];

/// The table's row of an action.
#[must_use]
pub fn row(action: Action) -> Option<&'static Entry> {
    ACTIONS.iter().find(|entry| entry.action == action)
}
