//! The columns of a list of agents, in one table: names for the settings, heads, values, widths, and which give way to
//! which. Another column is another row.

use std::borrow::Cow;

use crate::app::core::list::Sort;
use crate::app::core::words::word;
use crate::app::core::{fleet, format, text, usage};
use crate::monitor::Agent;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    /// Glyph and word of the state.
    State,
    /// Time in the state.
    For,
    /// Which program, with its version where there is room.
    Agent,
    /// On which host or tmux server it is.
    Host,
    /// Where it is there.
    Target,
    /// What it does or asks.
    Doing,
    /// Where its repository stands.
    Branch,
    /// Lines added and removed there.
    Diff,
    /// When it wrote.
    Activity,
    /// Context left, with a gauge where there is room.
    Context,
    /// Tokens of its session.
    Tokens,
    /// What its session cost.
    Cost,
    /// CPU of its process tree.
    Cpu,
    /// Memory of its process tree.
    Memory,
    /// Model it runs on.
    Model,
    /// Which repository it works in.
    Repository,
    /// Which folder it works in.
    Folder,
    /// Tokens of the turn.
    Turn,
    /// Tokens of the session since midnight.
    Today,
    /// Turns of the session.
    Turns,
    /// Calls of tools that run.
    Tools,
    /// How far its plan is carried out.
    Plan,
}

/// A wish for room: it comes true when the column of what agents do keeps so many cells beside it.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Smaller ones come first.
    pub rank: u8,
    /// Cells: the first in which all values fit, else the last. Steps, so that the columns stand still when values change.
    pub widths: &'static [u16],
    /// Cells that what they do must keep.
    pub keep: u16,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub column: Column,
    /// Its name in the settings.
    pub name: &'static str,
    /// What stands above it.
    pub head: &'static str,
    /// Its values and its head stand to the right.
    pub right: bool,
    /// Its end is what tells values apart: where a value is cut, that stays.
    pub keeps_end: bool,
    /// What a click on its head sorts by.
    pub sort: Option<Sort>,
    /// The room it wishes for; a later one replaces those before it. What agents do has what is left.
    pub wishes: &'static [Wish],
    /// Its value; `None` is not known.
    pub value: fn(&Agent) -> Option<Cow<'_, str>>,
}

pub(super) const fn wish(rank: u8, widths: &'static [u16], keep: u16) -> Wish {
    Wish { rank, widths, keep }
}

pub(super) const fn row(
    column: Column,
    name: &'static str,
    head: &'static str,
    wishes: &'static [Wish],
    value: fn(&Agent) -> Option<Cow<'_, str>>,
) -> Row {
    Row { column, name, head, right: false, keeps_end: false, sort: None, wishes, value }
}

impl Row {
    pub(super) const fn right(self) -> Self {
        Self { right: true, ..self }
    }

    pub(super) const fn keeps_end(self) -> Self {
        Self { keeps_end: true, ..self }
    }

    pub(super) const fn sorts(self, sort: Sort) -> Self {
        Self { sort: Some(sort), ..self }
    }

    /// Whether something is known of an agent that it could show.
    #[must_use]
    pub fn is_known(&self, agent: &Agent) -> bool {
        match self.column {
            Column::For => true,
            Column::Activity => !agent.activity.is_empty(),
            _ => (self.value)(agent).is_some(),
        }
    }
}

/// How much of its context is left; tokens in it where nothing tells how many it can hold.
pub(super) fn context(agent: &Agent) -> Option<String> {
    format::percent(agent.context_percent).or_else(|| agent.tokens.context_used.map(format::kilo))
}

/// The table, in the order on the screen.
#[rustfmt::skip]
pub const COLUMNS: &[Row] = &[
    row(Column::State, "state", "STATE", &[wish(0, &[12], 0)], |a| Some(word(a.state, a.kind.as_deref()).into())).sorts(Sort::Need),
    row(Column::For, "for", "FOR", &[wish(0, &[5], 0)], |_| None).right().sorts(Sort::For),
    row(Column::Agent, "agent", "AGENT", &[wish(1, &[6, 8, 10], 0), wish(14, &[10, 12, 14, 18], 28)], |a| Some((&a.agent).into())).sorts(Sort::Agent),
    row(Column::Host, "host", "HOST", &[wish(1, &[4, 6, 8, 10, 14], 0)], |a| Some(fleet::host_of(a))),
    row(Column::Target, "target", "TARGET", &[wish(0, &[6, 8, 10, 12, 14, 18], 0), wish(13, &[6, 8, 10, 12, 14, 18, 22, 28], 28), wish(18, &[6, 8, 10, 12, 14, 18, 22, 28, 36, 48], 40)], |a| Some(format::place(a).into())).keeps_end().sorts(Sort::Target),
    row(Column::Doing, "doing", "DOING", &[wish(2, &[0], 14)], |a| a.doing.as_deref().map(Cow::from)),
    row(Column::Branch, "branch", "BRANCH", &[wish(6, &[8, 12], 24), wish(13, &[8, 12, 16, 20], 30), wish(18, &[8, 12, 16, 20, 26, 32, 40], 40)], |a| a.branch.as_deref().map(Cow::from)).keeps_end(),
    row(Column::Diff, "diff", "+/-", &[wish(7, &[7, 9, 11], 24)], |a| format::lines(a.added, a.removed).map(Cow::from)).right(),
    row(Column::Activity, "activity", "ACTIVITY", &[wish(5, &[8], 22), wish(13, &[12], 30)], |_| None).right(),
    row(Column::Context, "ctx", "CTX", &[wish(4, &[4], 18), wish(10, &[9], 24)], |a| context(a).map(Cow::from)).right().sorts(Sort::Context),
    row(Column::Tokens, "tokens", "TOKENS", &[wish(9, &[7], 30)], |a| a.tokens.session.map(|tokens| format::count(tokens.total()).into())).right(),
    row(Column::Cost, "cost", "COST", &[wish(8, &[6], 26)], |a| a.cost_usd.map(|usd| format::usd(usd).into())).right(),
    row(Column::Cpu, "cpu", "CPU", &[wish(11, &[5], 26)], |a| a.cpu_percent.map(|_| format::cpu(a.cpu_percent).into())).right().sorts(Sort::Cpu),
    row(Column::Memory, "mem", "MEM", &[wish(12, &[5], 26)], |a| a.memory_bytes.map(|_| format::bytes(a.memory_bytes).into())).right().sorts(Sort::Memory),
    row(Column::Model, "model", "MODEL", &[wish(15, &[8, 12, 16], 34), wish(18, &[8, 12, 16, 20, 26], 40)], |a| a.model.as_deref().map(Cow::from)),
    row(Column::Repository, "repository", "REPOSITORY", &[wish(16, &[10, 14, 18], 34)], |a| a.repository.as_deref().map(Cow::from)),
    row(Column::Folder, "folder", "FOLDER", &[wish(17, &[20], 44), wish(19, &[20, 30, 40, 50], 60)], |a| a.cwd.as_deref().map(Cow::from)).keeps_end(),
];

/// Those that are shown unless the settings say otherwise.
pub const SHOWN: &[Column] = &[
    Column::For,
    Column::Agent,
    Column::Branch,
    Column::Diff,
    Column::Activity,
    Column::Context,
    Column::Tokens,
    Column::Cost,
    Column::Cpu,
    Column::Memory,
    Column::Model,
    Column::Folder,
];

/// Names of all columns.
pub const NAMES: &[&str] = &{
    let mut names = [""; COLUMNS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = COLUMNS[at].name;
        at += 1;
    }
    names
};

impl Column {
    /// Its row.
    #[must_use]
    pub fn row(self) -> &'static Row {
        COLUMNS.iter().chain(usage::COLUMNS).find(|row| row.column == self).unwrap_or(&COLUMNS[0])
    }

    /// The column of this name in the settings.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        COLUMNS.iter().find(|row| row.name == name).map(|row| row.column)
    }

    /// It is shown whatever the settings say: who it is and what it does.
    #[must_use]
    pub fn stays(self) -> bool {
        matches!(self, Self::State | Self::Target | Self::Doing)
    }
}

impl Wish {
    /// The step in which the widest value fits.
    #[must_use]
    pub fn width(&self, widest: usize) -> u16 {
        let fits = self.widths.iter().find(|width| usize::from(**width) >= widest);
        fits.or(self.widths.last()).copied().unwrap_or(0)
    }
}

/// Cells of an agent's value: for the first wish, and as it is where there is room. `None`: it is not known.
#[must_use]
pub(super) fn cells(row: &Row, agent: &Agent) -> Option<[usize; 2]> {
    let cells = text::width(&(row.value)(agent)?);
    Some(match row.column {
        Column::Agent => [cells, cells + agent.version.as_ref().map_or(0, |version| 1 + text::width(version))],
        // A place is cut for want of room before a name that the user gave is.
        Column::Target if agent.name == agent.window => [cells.min(14), cells],
        _ => [cells, cells],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_stands_once_and_has_a_name_that_settings_can_hold() {
        for (at, row) in COLUMNS.iter().enumerate() {
            assert_eq!(row.column.row().name, row.name);
            assert_eq!(Column::named(row.name), Some(row.column));
            assert!(row.name.bytes().all(|b| b.is_ascii_lowercase()), "{}", row.name);
            assert!(COLUMNS[..at].iter().all(|other| other.name != row.name && other.column != row.column));
        }
        for row in COLUMNS.iter().chain(usage::COLUMNS) {
            assert!(row.wishes.is_sorted_by_key(|wish| wish.rank) && !row.wishes.is_empty(), "{}", row.name);
        }
        assert_eq!(NAMES.len(), COLUMNS.len());
    }

    #[test]
    fn a_width_goes_by_steps() {
        let wish = wish(1, &[8, 12], 0);
        assert_eq!([0, 8, 9, 12, 40].map(|widest| wish.width(widest)), [8, 8, 12, 12, 12]);
    }
}
