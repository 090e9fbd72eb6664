//! Which programs have a name of their own among the measures: as many as keep a server under its limit of series. Pure.

use crate::app::metrics::SERIES_LIMIT;
use crate::app::metrics::histogram::{ANSWERS, TURNS};
use crate::app::metrics::measure::Measured;
use crate::app::metrics::totals::Program;
use crate::app::metrics::words::{OTHER, Words};
use crate::monitor::AgentState;

/// Series of a server whatever happens on it: state of the server and its engine.
const FIXED: usize = 17;

/// Series of a program: its agents by state, the oldest wait, context, limit.
const PROGRAM: usize = 8 + 3;

/// Those of one whose tokens are known: their directions and their cost.
const SPENDS: usize = 4 + 1;

/// The programs that are labels, in the order in which they were first seen: what was there first keeps its name. What is
/// left is `other`. It rests on sums alone, which only grow: a label does not come and go with what happens at the moment.
pub(super) fn named<'m>(server: &Measured<'m>, words: &Words) -> Vec<&'m str> {
    let all = programs(server, words);
    let most = (0..=all.len()).rev().find(|count| series(server, &all, *count, words) <= SERIES_LIMIT);
    all[..most.unwrap_or(0)].to_vec()
}

/// All programs that are known by name, the first seen first.
pub(super) fn programs<'m>(server: &Measured<'m>, words: &Words) -> Vec<&'m str> {
    let summed = server.totals.programs.iter().map(|(name, _)| name.as_str());
    let mut all: Vec<&str> = Vec::new();
    for name in summed.chain(server.snapshot.agents.iter().map(|agent| agent.agent.as_str())) {
        if words.program(name) != OTHER && !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

fn series(server: &Measured<'_>, all: &[&str], named: usize, words: &Words) -> usize {
    let totals = server.totals;
    let states = |seen: &dyn Fn(&Program, AgentState) -> bool| {
        let any = |state: &AgentState| totals.programs.iter().any(|(_, program)| seen(program, *state));
        <AgentState as strum::IntoEnumIterator>::iter().filter(any).count()
    };
    let times = states(&|program, state| program.seconds.contains_key(&state));
    let entered = states(&|program, state| program.transitions.values().any(|to| to.contains_key(&state)));
    let acts: usize =
        totals.acts.values().map(|(worked, failed)| usize::from(*worked > 0) + usize::from(*failed > 0)).sum();
    let spends = |name: &str| totals.programs.iter().any(|(one, program)| one == name && program.tokens.is_some());
    let own: usize = all[..named].iter().map(|name| PROGRAM + if spends(name) { SPENDS } else { 0 }).sum();
    let rest = |name: &str| !all[..named].contains(&name);
    let has_rest = named < all.len()
        || totals.programs.iter().any(|(name, _)| words.program(name) == OTHER)
        || server.snapshot.agents.iter().any(|agent| words.program(&agent.agent) == OTHER);
    let rest_spends = totals.programs.iter().any(|(name, program)| rest(name) && program.tokens.is_some());
    let rest = if has_rest { PROGRAM + if rest_spends { SPENDS } else { 0 } } else { 0 };
    FIXED + times + entered + acts + ANSWERS.len() + 3 + TURNS.len() + 3 + own + rest
}
