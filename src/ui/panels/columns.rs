//! Which columns a list of agents has at a width: they give way in the order of their wishes.

use crate::app::core::column::{COLUMNS, Column, Row, Wish};
use crate::app::core::widths::Widths;

/// A column at its place.
#[derive(Clone, Copy, Debug)]
pub struct Placed {
    /// Which.
    pub row: &'static Row,
    /// Cells from the left of the list.
    pub x: u16,
    /// Cells it has.
    pub width: u16,
    /// A wish for more room came true.
    pub roomy: bool,
}

/// Cells between two columns.
const GAP: u16 = 2;

/// The columns of the list of agents: of its table those that are `shown` and those that always are.
#[must_use]
pub fn columns(width: u16, widths: &Widths, shown: &[Column]) -> Vec<Placed> {
    place(width, widths, COLUMNS.iter().filter(|row| row.column.stays() || shown.contains(&row.column)))
}

/// The columns of a table for a width, left to right. The first cell is the cursor's bar.
#[must_use]
pub fn place(width: u16, widths: &Widths, rows: impl Iterator<Item = &'static Row> + Clone) -> Vec<Placed> {
    let useful = |row: &Row| row.wishes[0].rank < 3 || widths.is_known(row);
    let mut wishes: Vec<(&Row, &Wish)> =
        rows.clone().filter(|row| useful(row)).flat_map(|row| row.wishes.iter().map(move |wish| (row, wish))).collect();
    wishes.sort_by_key(|(_, wish)| wish.rank);

    let mut chosen: Vec<(Column, u16, bool)> = Vec::new();
    let used = |chosen: &[(Column, u16, bool)]| 1 + chosen.iter().map(|(_, w, _)| w + GAP).sum::<u16>();
    let (mut doing, mut full) = (0, false);
    for (row, wish) in wishes {
        let first = std::ptr::eq(wish, &raw const row.wishes[0]);
        let is_in = chosen.iter().any(|(column, ..)| *column == row.column);
        // More room for what is not there is no wish. Where what they do has nothing to keep, a column that has no room
        // ends it: a narrower one would go again where there is more room.
        if is_in == first || first && full && wish.keep == 0 {
            continue;
        }
        let wanted = if wish.widths.len() == 1 { wish.widths[0] } else { wish.width(widths.widest(row, first)) };
        let has = chosen.iter().find(|(column, ..)| *column == row.column).map_or(0, |(_, width, _)| *width);
        // A value that is longer than there is room for is cut: its column does not go. A version is whole or not there.
        let may_be_cut = first || row.keeps_end;
        let steps = wish.widths.iter().rev().filter(|step| (has..=wanted).contains(*step));
        let mut fits = steps.filter(|step| may_be_cut || **step == wanted).filter_map(|step| {
            let mut next = chosen.clone();
            next.retain(|(column, ..)| *column != row.column);
            next.push((row.column, *step, !first));
            let left = width.checked_sub(used(&next)).filter(|left| *left >= wish.keep);
            // Who it is stays, however narrow it is.
            Some((left.or((wish.rank == 0).then_some(0))?, next))
        });
        let Some((left, next)) = fits.next() else {
            full |= first;
            continue;
        };
        if next.iter().any(|(column, ..)| *column == Column::Doing) {
            doing = left;
        }
        chosen = next;
    }

    let mut x = 1;
    let mut placed = Vec::with_capacity(chosen.len());
    for row in rows {
        let Some((column, cells, roomy)) = chosen.iter().find(|(column, ..)| *column == row.column) else { continue };
        let cells = if *column == Column::Doing { doing } else { *cells };
        placed.push(Placed { row, x, width: cells, roomy: *roomy });
        x += cells + GAP;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::column::SHOWN;
    use crate::app::core::fixture::test_agent;
    use crate::app::core::usage;
    use crate::monitor::{Agent, AgentState, AgentTokens, Plan, Tokens};

    #[test]
    fn columns_never_leave_the_width_and_the_most_important_stay() {
        let mut agent = test_agent(1, AgentState::Working);
        agent.branch = Some("feature/of-a-long-name".into());
        (agent.added, agent.removed, agent.cost_usd) = (Some(123_456), Some(98_765), Some(12.5));
        (agent.context_percent, agent.model) = (Some(50.0), Some("opus".into()));
        for agents in [&[][..], &[agent]] {
            let mut most = 0;
            for width in 30..300 {
                let placed = columns(width, &Widths::of(COLUMNS, agents.iter()), SHOWN);
                let end = placed.last().map_or(0, |p| p.x + p.width);
                assert!(end <= width, "{width}: {placed:?}");
                let has = |column| placed.iter().any(|p| p.row.column == column);
                assert!(has(Column::State) && has(Column::For) && has(Column::Target), "{width}");
                assert!(width < 58 || has(Column::Doing), "{width}");
                assert!(placed.len() >= most, "{width}: a column that came stays where there is more room");
                most = placed.len();
            }
        }
    }

    #[test]
    fn those_of_the_usage_view_give_way_in_one_order_too() {
        let tokens =
            AgentTokens { turn: Some(Tokens::default()), session: Some(Tokens::default()), ..AgentTokens::default() };
        let agent = Agent {
            tokens,
            model: Some("claude-opus-4-5".into()),
            cost_usd: Some(12.5),
            context_percent: Some(50.0),
            plan: Some(Plan { done: 3, of: 7 }),
            turns: Some(3),
            tools: Some(1),
            ..test_agent(1, AgentState::Working)
        };
        let mut seen: Vec<Column> = Vec::new();
        for width in 14..300 {
            let placed = place(width, &Widths::of(usage::COLUMNS, std::iter::once(&agent)), usage::COLUMNS.iter());
            assert!(placed.last().is_some_and(|p| p.x + p.width <= width), "{width}: {placed:?}");
            assert!(placed.windows(2).all(|p| p[0].x + p[0].width < p[1].x), "{width}: {placed:?}");
            let now: Vec<Column> = placed.iter().map(|p| p.row.column).collect();
            assert!(seen.iter().all(|column| now.contains(column)), "{width}: {seen:?} then {now:?}");
            seen = now;
        }
        assert_eq!(seen.len(), usage::COLUMNS.len());
    }

    #[test]
    fn the_settings_choose_and_what_is_not_known_has_no_column() {
        let mut agent = test_agent(1, AgentState::Working);
        let has = |agent: &Agent, shown: &[Column], column| {
            columns(200, &Widths::of(COLUMNS, std::iter::once(agent)), shown).iter().any(|p| p.row.column == column)
        };
        assert!(!has(&agent, SHOWN, Column::Branch), "nobody works in a repository");
        agent.branch = Some("main".into());
        assert!(has(&agent, SHOWN, Column::Branch));
        assert!(!has(&agent, &[Column::For], Column::Branch));
        for column in [Column::State, Column::Target, Column::Doing] {
            assert!(has(&agent, &[], column));
        }
        assert!(!has(&agent, &[], Column::For) && !has(&agent, &[], Column::Agent));
    }

    #[test]
    fn a_longer_value_is_cut_before_its_column_goes() {
        let branch_at = |branch: &str, width| {
            let mut agent = test_agent(1, AgentState::Working);
            agent.branch = Some(branch.into());
            columns(width, &Widths::of(COLUMNS, std::iter::once(&agent)), SHOWN)
                .iter()
                .find(|p| p.row.column == Column::Branch)
                .map(|p| p.width)
        };
        for width in 30..200 {
            let (short, long) = (branch_at("main", width), branch_at("a/very-long-name-of-a-branch", width));
            assert_eq!(short.is_some(), long.is_some(), "{width}");
            assert!(short <= long, "{width}");
        }
    }

    #[test]
    fn a_longer_value_moves_the_columns_only_by_steps() {
        let places = |branch: &str| {
            let mut agent = test_agent(1, AgentState::Working);
            agent.branch = Some(branch.into());
            let at = |p: &Placed| (p.row.column, p.x, p.width);
            columns(160, &Widths::of(COLUMNS, std::iter::once(&agent)), SHOWN).iter().map(at).collect::<Vec<_>>()
        };
        assert_eq!(places("fix"), places("fix/abcd"));
        assert_eq!(places("fix/abcde"), places("fix/abcdefgh"));
    }
}
