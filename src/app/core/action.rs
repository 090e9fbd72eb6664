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
    /// Put the selected agent out of the way until its state changes, or take it back.
    Park,
    /// Put it out of the way for a time, or take it back.
    Snooze,
    /// Put it on top of the list, or not.
    Pin,
    /// No notice tells of it, or they do again.
    Mute,
    /// Give it a name and a note.
    Describe,
    /// Show those that are out of the way, or fold them.
    Aside,
    /// Show only what matches.
    Filter,
    /// Sort by the next column.
    Sort,
    /// Turn the order round.
    Reverse,
    /// Group the agents by something else.
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
    /// What each agent spends, and back.
    Usage,
    /// Open or close the panel of the hosts.
    Hosts,
    /// The day of the agents, and back.
    Day,
    /// The screens of all agents side by side, and back.
    Wall,
    /// On the wall: to the tile on the left.
    Left,
    /// On the wall: to the tile on the right.
    Right,
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
    /// Pick an agent from a list and go to its pane.
    Pick,
    /// Draw everything anew.
    Redraw,
    /// Leave what is open: filter, zoom, the view in the place of the agents.
    Back,
    /// Suspend the program.
    Suspend,
    /// End the dashboard.
    Quit,
    /// Do what is open: keep the filter, pick the answer, send the message.
    Accept,
    /// Leave what is open; a filter is taken away.
    Leave,
    /// Leave what is open; a filter stays.
    Close,
    /// The next row of what is open.
    NextItem,
    /// The row before.
    PrevItem,
    /// A page of rows on.
    NextPage,
    /// A page of rows back.
    PrevPage,
    /// Pick the answer with this number, from 1.
    Choose(u8),
    /// Yes, interrupt or close.
    Confirm,
    /// No, leave it.
    Decline,
    /// Mark an agent for a message, or take its mark away.
    Mark,
    /// Mark all of them, or none.
    MarkAll,
    /// Mark those at their prompt.
    MarkIdle,
    /// Begin a new line of the message.
    Newline,
    /// To the other field of a form.
    NextField,
    /// Delete the character before the cursor.
    DeleteBack,
    /// Delete the word before the cursor.
    DeleteWord,
    /// Delete the character under the cursor.
    DeleteForward,
    /// Delete all before the cursor.
    DeleteToStart,
    /// Delete all after the cursor.
    DeleteToEnd,
    /// Cursor to the character before.
    CursorLeft,
    /// Cursor to the next character.
    CursorRight,
    /// Cursor to the word before.
    WordLeft,
    /// Cursor to the next word.
    WordRight,
    /// Cursor to the start of the text.
    LineStart,
    /// Cursor to the end of the text.
    LineEnd,
}

/// Where a key counts. A key can do one thing in each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The panels.
    Panels,
    /// The wall: its keys come before those of the panels, which count there too.
    Wall,
    /// Everything that stands over them, and the filter's line.
    Open,
    /// Of those, where a text is typed.
    Text,
    /// Of those, a message.
    Message,
    /// The answers of a prompt.
    Answers,
    /// The question before something is done.
    Question,
    /// The list of those who may get a message.
    Recipients,
    /// Of texts, those of a form with several fields.
    Form,
}

impl Scope {
    /// Whether there is a place where both count.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        use Scope::{Form, Message, Open, Panels, Text, Wall};
        self == other
            || matches!((self, other), (Open, not) | (not, Open) if !matches!(not, Panels | Wall))
            || matches!((self, other), (Text, Message | Form) | (Message | Form, Text))
    }
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
    /// What stands over the panels.
    #[strum(to_string = "Questions and lists")]
    Open,
    /// Texts.
    #[strum(to_string = "Typing")]
    Typing,
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
    /// Where its keys count.
    pub scope: Scope,
}

const fn entry(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    about: &'static str,
    footer: Option<&'static str>,
    group: Group,
) -> Entry {
    Entry { action, name, keys, about, footer, group, scope: Scope::Panels }
}

/// A row for what stands over the panels.
const fn open(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    about: &'static str,
    scope: Scope,
) -> Entry {
    let group = if matches!(scope, Scope::Text | Scope::Message | Scope::Form) { Group::Typing } else { Group::Open };
    Entry { action, name, keys, about, footer: None, group, scope }
}

/// The table. The footer lists its words in this order, as far as they fit; the help is always there.
#[rustfmt::skip]
pub const ACTIONS: &[Entry] = &[
    entry(Action::Jump, "jump", &["enter"], "Go to the agent's pane in tmux", Some("jump"), Group::Agents),
    entry(Action::NextNeedy, "next", &["n"], "Next agent that needs you, longest wait first", Some("next"), Group::Agents),
    entry(Action::Answer, "answer", &["y"], "Answer the agent's prompt", Some("answer"), Group::Agents),
    entry(Action::Filter, "filter", &["/"], "Show only what matches", Some("filter"), Group::Agents),
    entry(Action::Wall, "wall", &["w"], "The screens of all agents side by side; z there shows one alone", Some("wall"), Group::View),
    entry(Action::NextStrategy, "next-strategy", &["s"], "Next strategy", Some("strategy"), Group::Engine),
    entry(Action::PrevStrategy, "previous-strategy", &["S"], "Strategy before", None, Group::Engine),
    entry(Action::PoolUp, "pool-up", &["+", "="], "One more connection in the pool", Some("pool"), Group::Engine),
    entry(Action::PoolDown, "pool-down", &["-", "_"], "One less connection in the pool", Some("pool"), Group::Engine),
    entry(Action::Pause, "pause", &["space"], "Pause or resume the watching", Some("pause"), Group::Engine),
    entry(Action::Tune, "tune", &["t"], "Compare what was tried: strategies, pool sizes, caches", Some("tune"), Group::View),
    entry(Action::Usage, "usage", &["u"], "What each agent spends: tokens, context, cost", Some("usage"), Group::View),
    entry(Action::Hosts, "hosts", &["H"], "How each host is reached; enter there tries again", None, Group::View),
    entry(Action::Day, "history", &["h"], "The day of the agents: what each did when, and its waits", None, Group::View),
    entry(Action::Quit, "quit", &["q", "ctrl-c"], "Leave the dashboard", Some("quit"), Group::Program),
    entry(Action::Preview, "preview", &["p"], "Show or hide the preview of the selected pane", Some("preview"), Group::View),
    entry(Action::Palette, "palette", &[":"], "Find any action by its name", Some("more"), Group::Program),
    entry(Action::Park, "park", &["P"], "Park the agent until its state changes, or take it back", Some("park"), Group::Agents),
    entry(Action::Snooze, "snooze", &["Z"], "Snooze the agent for a time, or take it back", Some("snooze"), Group::Agents),
    entry(Action::Pin, "pin", &["i"], "Pin the agent to the top, or not", Some("pin"), Group::Agents),
    entry(Action::Describe, "describe", &["N"], "Give the agent a name and a note", Some("name"), Group::Agents),
    entry(Action::Mute, "mute", &["B"], "No notices of the agent, or again", None, Group::Agents),
    entry(Action::Aside, "parked", &["a"], "Show what is parked or snoozed, or fold it", Some("parked"), Group::Agents),
    entry(Action::Help, "help", &["?"], "What the keys do", Some("help"), Group::Program),
    entry(Action::Down, "down", &["j", "down"], "Down", None, Group::Move),
    entry(Action::Up, "up", &["k", "up"], "Up", None, Group::Move),
    entry(Action::PageDown, "page-down", &["ctrl-d", "pagedown"], "A page down", None, Group::Move),
    entry(Action::PageUp, "page-up", &["ctrl-u", "pageup"], "A page up", None, Group::Move),
    entry(Action::Top, "top", &["g", "home"], "To the first", None, Group::Move),
    entry(Action::Bottom, "bottom", &["G", "end"], "To the last", None, Group::Move),
    Entry { scope: Scope::Wall, ..entry(Action::Left, "left", &["h", "left"], "On the wall: to the left", None, Group::Move) },
    Entry { scope: Scope::Wall, ..entry(Action::Right, "right", &["l", "right"], "On the wall: to the right", None, Group::Move) },
    entry(Action::NextPanel, "next-panel", &["tab"], "Focus on the next panel", None, Group::Move),
    entry(Action::PrevPanel, "previous-panel", &["backtab"], "Focus on the panel before", None, Group::Move),
    entry(Action::Back, "back", &["esc"], "Leave the filter, the zoom, the wall, the tune, usage, history or hosts view", None, Group::Move),
    entry(Action::Reply, "reply", &["m"], "Write a message to the agent", None, Group::Agents),
    entry(Action::Interrupt, "interrupt", &["x"], "Interrupt the agent, after asking", None, Group::Agents),
    entry(Action::Broadcast, "broadcast", &["M"], "Write one message to several agents", None, Group::Agents),
    entry(Action::Kill, "kill", &["X"], "Close the agent's pane, after asking", None, Group::Agents),
    entry(Action::Copy, "copy", &["Y"], "Copy the agent's target", None, Group::Agents),
    entry(Action::Dismiss, "dismiss", &["D"], "Dismiss an agent that has exited, or take it back", None, Group::Agents),
    entry(Action::Pick, "pick", &["J"], "Pick an agent from a list, and go to its pane", None, Group::Agents),
    entry(Action::Sort, "sort", &["o"], "Sort by the next column", None, Group::Agents),
    entry(Action::Reverse, "reverse", &["O"], "Turn the order round", None, Group::Agents),
    entry(Action::Group, "group", &["b"], "Group by session, host, folder, repository, program or nothing", None, Group::Agents),
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
    open(Action::Accept, "accept", &["enter"], "Keep the filter, pick the answer, send the message", Scope::Open),
    open(Action::Leave, "leave", &["esc"], "Leave it; a filter is taken away", Scope::Open),
    open(Action::Close, "close", &["ctrl-c"], "Leave it; a filter stays", Scope::Open),
    open(Action::NextItem, "next-item", &["down", "ctrl-n", "j"], "Next row", Scope::Open),
    open(Action::PrevItem, "previous-item", &["up", "ctrl-p", "k"], "Row before", Scope::Open),
    open(Action::NextPage, "next-page", &["pagedown"], "A page on, or the rest of a request", Scope::Open),
    open(Action::PrevPage, "previous-page", &["pageup"], "A page back, or more of a request", Scope::Open),
    open(Action::Choose(1), "choose-1", &["1"], "Pick the first answer", Scope::Answers),
    open(Action::Choose(2), "choose-2", &["2"], "Pick the second answer", Scope::Answers),
    open(Action::Choose(3), "choose-3", &["3"], "Pick the third answer", Scope::Answers),
    open(Action::Choose(4), "choose-4", &["4"], "Pick the fourth answer", Scope::Answers),
    open(Action::Choose(5), "choose-5", &["5"], "Pick the fifth answer", Scope::Answers),
    open(Action::Choose(6), "choose-6", &["6"], "Pick the sixth answer", Scope::Answers),
    open(Action::Choose(7), "choose-7", &["7"], "Pick the seventh answer", Scope::Answers),
    open(Action::Choose(8), "choose-8", &["8"], "Pick the eighth answer", Scope::Answers),
    open(Action::Choose(9), "choose-9", &["9"], "Pick the ninth answer", Scope::Answers),
    open(Action::Confirm, "confirm", &["y"], "Yes, interrupt or close", Scope::Question),
    open(Action::Decline, "decline", &["n", "q"], "No, leave it", Scope::Question),
    open(Action::Mark, "mark", &["space"], "Mark an agent for a message, or not", Scope::Recipients),
    open(Action::MarkAll, "mark-all", &["a"], "Mark all of them, or none", Scope::Recipients),
    open(Action::MarkIdle, "mark-idle", &["i"], "Mark those at their prompt", Scope::Recipients),
    // Ctrl-J for the terminals that keep Alt-Enter to themselves.
    open(Action::Newline, "newline", &["alt-enter", "ctrl-j"], "A new line of the message", Scope::Message),
    open(Action::NextField, "next-field", &["tab", "backtab"], "The other field", Scope::Form),
    open(Action::DeleteBack, "delete-back", &["backspace", "ctrl-h"], "Delete the character before", Scope::Text),
    open(Action::DeleteWord, "delete-word", &["ctrl-w", "alt-backspace", "ctrl-backspace"], "Delete the word before", Scope::Text),
    open(Action::DeleteForward, "delete-forward", &["delete"], "Delete the character under the cursor", Scope::Text),
    open(Action::DeleteToStart, "delete-to-start", &["ctrl-u"], "Delete all before the cursor", Scope::Text),
    open(Action::DeleteToEnd, "delete-to-end", &["ctrl-k"], "Delete all after the cursor", Scope::Text),
    open(Action::CursorLeft, "cursor-left", &["left", "ctrl-b"], "Cursor to the left", Scope::Text),
    open(Action::CursorRight, "cursor-right", &["right", "ctrl-f"], "Cursor to the right", Scope::Text),
    open(Action::WordLeft, "word-left", &["alt-b", "alt-left", "ctrl-left"], "Cursor a word to the left", Scope::Text),
    open(Action::WordRight, "word-right", &["alt-f", "alt-right", "ctrl-right"], "Cursor a word to the right", Scope::Text),
    open(Action::LineStart, "line-start", &["home", "ctrl-a"], "Cursor to the start", Scope::Text),
    open(Action::LineEnd, "line-end", &["end", "ctrl-e"], "Cursor to the end", Scope::Text),
];

/// The table's row of an action.
#[must_use]
pub fn row(action: Action) -> Option<&'static Entry> {
    ACTIONS.iter().find(|entry| entry.action == action)
}
