//! Which columns the list of agents has at a width: they give way in the order of their importance.

use crate::app::core::list::Sort;
use crate::app::core::{format, text};
use crate::monitor::Agent;

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// Glyph and word of the state.
    State,
    /// Time in the state.
    For,
    /// Which program.
    Agent,
    /// Which program, with its version.
    AgentVersion,
    /// Where it is.
    Target,
    /// What it does or asks.
    Doing,
    /// When it wrote.
    Activity,
    /// Context left.
    Context,
    /// CPU of its process tree.
    Cpu,
    /// Memory of its process tree.
    Memory,
    /// Model it runs on.
    Model,
    /// Tokens of the turn.
    Tokens,
    /// Where it works.
    Folder,
}

impl Column {
    /// What stands above it.
    #[must_use]
    pub fn head(self) -> &'static str {
        match self {
            Self::State => "STATE",
            Self::For => "FOR",
            Self::Agent | Self::AgentVersion => "AGENT",
            Self::Target => "TARGET",
            Self::Doing => "DOING",
            Self::Activity => "ACTIVITY",
            Self::Context => "CTX",
            Self::Cpu => "CPU",
            Self::Memory => "MEM",
            Self::Model => "MODEL",
            Self::Tokens => "TOKENS",
            Self::Folder => "FOLDER",
        }
    }

    /// Its values and its head stand to the right.
    #[must_use]
    pub fn right(self) -> bool {
        matches!(self, Self::For | Self::Activity | Self::Context | Self::Cpu | Self::Memory | Self::Tokens)
    }

    /// What a click on its head sorts by.
    #[must_use]
    pub fn sort(self) -> Option<Sort> {
        Some(match self {
            Self::State => Sort::Need,
            Self::For => Sort::For,
            Self::Agent | Self::AgentVersion => Sort::Agent,
            Self::Target => Sort::Target,
            Self::Context => Sort::Context,
            Self::Cpu => Sort::Cpu,
            Self::Memory => Sort::Memory,
            _ => return None,
        })
    }
}

/// A column at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Which.
    pub column: Column,
    /// Cells from the left of the list.
    pub x: u16,
    /// Cells it has.
    pub width: u16,
}

/// Cells between two columns.
const GAP: u16 = 2;

/// The columns for a width, left to right. The first cell is the cursor's bar.
#[must_use]
pub fn columns(width: u16, agents: &[Agent]) -> Vec<Placed> {
    let widest = |of: &dyn Fn(&Agent) -> usize, least: usize, most: usize| {
        u16::try_from(agents.iter().map(of).max().unwrap_or(0).clamp(least, most)).unwrap_or(8)
    };
    let any = |has: &dyn Fn(&Agent) -> bool| agents.iter().any(has);
    let roomy = width >= 100;
    let named = agents.iter().any(|a| a.name != a.window);
    let target = widest(
        &|a| text::width(&format::place(a)),
        6,
        if roomy {
            28
        } else if named {
            18
        } else {
            14
        },
    );
    let agent = widest(&|a| text::width(&a.agent), 6, 10);
    let full = widest(&|a| text::width(&a.agent) + a.version.as_ref().map_or(0, |v| 1 + text::width(v)), 6, 18);
    let mut chosen = vec![(Column::State, 12), (Column::For, 5), (Column::Target, target)];
    let used = |chosen: &[(Column, u16)]| 1 + chosen.iter().map(|(_, w)| w + GAP).sum::<u16>();

    // What comes next, and how many cells the doing column must keep for it to come.
    let mut doing = 0;
    let activity = if width >= 96 { 12 } else { 8 };
    let wishes = [
        (Column::Agent, agent, 0, true),
        (Column::Doing, 0, 14, true),
        (Column::Context, 4, 18, any(&|a| a.context_percent.is_some())),
        (Column::Activity, activity, 22, any(&|a| !a.activity.is_empty())),
        (Column::Context, 9, 24, any(&|a| a.context_percent.is_some())),
        (Column::Cpu, 5, 26, any(&|a| a.cpu_percent.is_some())),
        (Column::Memory, 5, 26, any(&|a| a.memory_bytes.is_some())),
        (Column::AgentVersion, full, 28, any(&|a| a.version.is_some())),
        (Column::Model, 12, 34, any(&|a| a.model.is_some())),
        (Column::Tokens, 8, 34, any(&|a| a.tokens.shown.is_some())),
        (Column::Folder, 20, 44, any(&|a| a.cwd.is_some())),
    ];
    for (column, wanted, keep, useful) in wishes {
        if !useful {
            continue;
        }
        let mut next = chosen.clone();
        match column {
            Column::AgentVersion => match next.iter_mut().find(|(c, _)| *c == Column::Agent) {
                Some(slot) => *slot = (column, wanted),
                None => continue,
            },
            Column::Doing => next.push((column, 0)),
            // Wished for again with more room: for a gauge beside the number.
            _ if next.iter().any(|(c, _)| *c == column) => {
                next.retain(|(c, _)| *c != column);
                next.push((column, wanted));
            }
            _ => next.push((column, wanted)),
        }
        let Some(left) = width.checked_sub(used(&next)) else { continue };
        if left < keep {
            continue;
        }
        if next.iter().any(|(c, _)| *c == Column::Doing) {
            doing = left;
        }
        chosen = next;
    }

    let order = [
        Column::State,
        Column::For,
        Column::Agent,
        Column::AgentVersion,
        Column::Target,
        Column::Doing,
        Column::Activity,
        Column::Context,
        Column::Cpu,
        Column::Memory,
        Column::Model,
        Column::Tokens,
        Column::Folder,
    ];
    let mut x = 1;
    let mut placed = Vec::with_capacity(chosen.len());
    for column in order {
        let Some((_, cells)) = chosen.iter().find(|(c, _)| *c == column) else { continue };
        let cells = if column == Column::Doing { doing } else { *cells };
        placed.push(Placed { column, x, width: cells });
        x += cells + GAP;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_never_leave_the_width_and_the_most_important_stay() {
        for width in 30..200 {
            let placed = columns(width, &[]);
            let end = placed.last().map_or(0, |p| p.x + p.width);
            assert!(end <= width, "{width}: {placed:?}");
            let has = |column| placed.iter().any(|p| p.column == column);
            assert!(has(Column::State) && has(Column::For) && has(Column::Target), "{width}");
            assert!(width < 58 || has(Column::Doing), "{width}");
        }
    }
}
