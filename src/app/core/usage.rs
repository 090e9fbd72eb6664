//! What agents spend, for the usage view: its columns, and sums that are shown only where all their parts are known.

use std::iter::Sum;

use crate::app::core::column::{Column, Row, context, row, wish};
use crate::app::core::fleet;
use crate::app::core::format;
use crate::app::core::list::Sort;
use crate::app::core::state::State;
use crate::app::core::words::word;
use crate::monitor::{Agent, Tokens};

/// The columns of the usage view, in the order on the screen. Those with tokens show one number, and three (in, out,
/// cached) from 14 cells on. They stand further apart where there is room for all of them to do so.
#[rustfmt::skip]
pub const COLUMNS: &[Row] = &[
    row(Column::State, "state", "STATE", &[wish(0, &[1], 0), wish(20, &[12], 0)], |a| Some(word(a.state, a.kind.as_deref()).into())).sorts(Sort::Need),
    row(Column::Host, "host", "HOST", &[wish(1, &[4, 6, 8, 10, 14], 0)], |a| Some(fleet::host_of(a))),
    row(Column::Target, "target", "TARGET", &[wish(0, &[6, 8, 10, 12, 14], 0), wish(17, &[6, 8, 10, 12, 14, 18, 22, 28], 0)], |a| Some(format::place(a).into())).keeps_end().sorts(Sort::Target),
    row(Column::Agent, "agent", "AGENT", &[wish(4, &[6, 8, 10], 0)], |a| Some((&a.agent).into())).sorts(Sort::Agent),
    row(Column::Model, "model", "MODEL", &[wish(11, &[10, 12, 14, 17], 0), wish(16, &[10, 12, 14, 17, 20, 26], 0)], |a| a.model.as_deref().map(Into::into)).keeps_end(),
    row(Column::Context, "ctx", "CTX", &[wish(1, &[4], 0), wish(6, &[9], 0), wish(15, &[24], 0)], |a| context(a).map(Into::into)).right().sorts(Sort::Context),
    row(Column::Turn, "turn", "TURN", &[wish(9, &[14], 0), wish(18, &[17], 26)], |a| a.tokens.turn.map(|turn| total(&turn).into())).right(),
    row(Column::Tokens, "session", "SESSION", &[wish(3, &[7], 0), wish(7, &[14], 0), wish(18, &[17], 23)], |a| a.tokens.session.map(|session| total(&session).into())).right(),
    row(Column::Today, "today", "TODAY", &[wish(2, &[7], 0), wish(8, &[14], 0), wish(18, &[17], 20)], |a| a.tokens.today.map(|today| total(&today).into())).right(),
    row(Column::Turns, "turns", "TURNS", &[wish(12, &[6], 0)], |a| a.turns.map(|turns| format::short(turns).into())).right(),
    row(Column::Tools, "tools", "TOOLS", &[wish(13, &[6], 0)], |a| a.tools.map(|tools| format::short(tools.into()).into())).right(),
    row(Column::Plan, "plan", "PLAN", &[wish(10, &[6, 8, 10], 0)], |a| a.plan.map(|plan| format!("{} of {}", plan.done, plan.of).into())).right(),
    row(Column::Cost, "cost", "COST", &[wish(5, &[7], 0)], |a| a.cost_usd.map(|usd| format::usd(usd).into())).right(),
];

/// All of them, as it is shown.
fn total(tokens: &Tokens) -> String {
    format::short(tokens.total())
}

/// Tokens as the view shows them: in, out and cached, which is what was read from caches and written to them. The three
/// add up to all.
#[must_use]
pub fn parts(tokens: &Tokens) -> [u64; 3] {
    let cached = tokens.cache_read_tokens.saturating_add(tokens.cache_write_tokens);
    [tokens.input_tokens, tokens.output_tokens, cached]
}

/// A sum over some agents, and of how many of them its part is known.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total<T> {
    /// Parts that it should have.
    pub of: usize,
    /// Parts that are known.
    pub known: usize,
    sum: T,
}

impl<T: Copy + Default + Sum<T>> Total<T> {
    fn new(parts: impl Iterator<Item = Option<T>> + Clone) -> Self {
        let (of, known) = (parts.clone().count(), parts.clone().flatten().count());
        Self { of, known, sum: parts.flatten().sum() }
    }

    /// The sum, if all its parts are known: less is no sum.
    #[must_use]
    pub fn whole(&self) -> Option<T> {
        (self.known == self.of && self.of > 0).then_some(self.sum)
    }

    /// What is shown in place of a sum that is none, in so many cells: `-`, and of how many agents the part is known.
    #[must_use]
    pub fn not_whole(&self, cells: usize) -> String {
        let ways = match self.known {
            0 => [String::new(), String::new()],
            known => [format!("{known} of {} known", self.of), format!("- {known}/{}", self.of)],
        };
        let way = ways.into_iter().find(|way| !way.is_empty() && way.len() <= cells);
        way.unwrap_or_else(|| format::NONE.to_owned())
    }
}

/// What some agents spend together.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// What they have in common: the program's name, or `all`.
    pub name: String,
    /// How many they are.
    pub agents: usize,
    /// Tokens of their turns.
    pub turn: Total<Tokens>,
    /// Tokens of their sessions.
    pub session: Total<Tokens>,
    /// Tokens of today.
    pub today: Total<Tokens>,
    /// Turns of their sessions.
    pub turns: Total<u64>,
    /// Calls of tools that run.
    pub tools: Total<u64>,
    /// US dollars.
    pub cost: Total<f64>,
}

impl Sums {
    fn new(name: &str, agents: &[&Agent]) -> Self {
        let each = agents.iter();
        Self {
            name: name.to_owned(),
            agents: agents.len(),
            turn: Total::new(each.clone().map(|agent| agent.tokens.turn)),
            session: Total::new(each.clone().map(|agent| agent.tokens.session)),
            today: Total::new(each.clone().map(|agent| agent.tokens.today)),
            turns: Total::new(each.clone().map(|agent| agent.turns)),
            tools: Total::new(each.clone().map(|agent| agent.tools.map(u64::from))),
            cost: Total::new(each.map(|agent| agent.cost_usd)),
        }
    }
}

/// The agents that are listed, in their order.
fn listed(state: &State) -> Vec<&Agent> {
    state.list.agents(&state.fleet).map(|(_, agent)| agent).collect()
}

/// The programs of the agents that are listed, those with most agents first.
#[must_use]
pub fn by_program(state: &State) -> Vec<Sums> {
    let mut programs: Vec<(&str, Vec<&Agent>)> = Vec::new();
    for agent in listed(state) {
        match programs.iter_mut().find(|(name, _)| *name == agent.agent) {
            Some((_, agents)) => agents.push(agent),
            None => programs.push((&agent.agent, vec![agent])),
        }
    }
    programs.sort_by(|(a, x), (b, y)| y.len().cmp(&x.len()).then(a.cmp(b)));
    programs.iter().map(|(name, agents)| Sums::new(name, agents)).collect()
}

/// All agents that are listed.
#[must_use]
pub fn all(state: &State) -> Sums {
    Sums::new("all", &listed(state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::test_agent;
    use crate::monitor::AgentState;

    #[test]
    fn a_sum_is_shown_only_where_all_its_parts_are_known() {
        let mut agents = [1, 2, 3].map(|n| Agent { turns: Some(n), ..test_agent(1, AgentState::Working) });
        agents[0].cost_usd = Some(0.5);
        let sums = |agents: &[Agent]| Sums::new("all", &agents.iter().collect::<Vec<_>>());
        assert_eq!(sums(&agents).turns.whole(), Some(6));
        assert_eq!((sums(&agents).cost.whole(), sums(&agents).cost.not_whole(14)), (None, "1 of 3 known".to_owned()));
        assert_eq!(
            [12, 8, 5, 4, 0].map(|cells| sums(&agents).cost.not_whole(cells)),
            ["1 of 3 known", "- 1/3", "- 1/3", "-", "-"]
        );
        assert_eq!(sums(&agents).tools.not_whole(14), "-", "of none is it known");
        for agent in &mut agents {
            agent.cost_usd = Some(0.5);
        }
        assert_eq!(sums(&agents).cost.whole(), Some(1.5));
        assert_eq!(sums(&[]).turns.whole(), None, "nobody spends nothing");
    }

    #[test]
    fn the_three_parts_add_up_to_all() {
        let tokens = Tokens { input_tokens: 1, output_tokens: 20, cache_read_tokens: 300, cache_write_tokens: 4000 };
        assert_eq!(parts(&tokens), [1, 20, 4300]);
        assert_eq!(parts(&tokens).iter().sum::<u64>(), tokens.total());
    }
}
