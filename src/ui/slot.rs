//! Where sections of the screen can stand: the arrangements, and the slots that they have.

use ratatui::layout::Rect;

use crate::app::core::view::Panel;

/// The arrangements, from the least room to the most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Counts alone.
    Counts,
    /// A narrow column beside other panes.
    Sidebar,
    /// Agents above, the instruments as lines below.
    Compact,
    /// Agents and preview above, the instruments as boxes, the events below.
    Full,
}

/// A slot of the screen. Several sections may share one, such as the agents and the tune view; one of them shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// What most of the room is for: the agents.
    Main,
    /// Beside it: the selected pane's screen.
    Side,
    /// Below that: the evidence.
    BelowSide,
    /// The selected agent in words, in the sidebar.
    Detail,
    /// A box in the row of the instruments, with its share of the row.
    Box(Panel, u16),
    /// The instruments as lines.
    Lines,
    /// What happened.
    Events,
}

/// Takes rows away from the bottom.
pub(super) fn take_bottom(rest: &mut Rect, height: u16) -> Rect {
    let height = height.min(rest.height);
    rest.height -= height;
    Rect { y: rest.y + rest.height, height, ..*rest }
}

/// Takes rows away from the top.
pub(super) fn take_top(rest: &mut Rect, height: usize) -> Rect {
    let height = u16::try_from(height).unwrap_or(u16::MAX).min(rest.height);
    let top = Rect { height, ..*rest };
    rest.y += height;
    rest.height -= height;
    top
}
