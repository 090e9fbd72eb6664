//! Commands for the engine: strategy, pool, interval, cache. Pending until the engine answers.

use strum::VariantNames;

use crate::app::core::fleet::MemberId;
use crate::app::core::message::{Effect, Outcome};
use crate::app::core::pending::Pending;
use crate::app::core::state::State;
use crate::app::core::update::{Tone, tidy, toast, toast_of_engine};
use crate::monitor::{CachePolicy, Command, MAX_POOL};

/// Intervals that `<` and `>` go through, seconds.
const INTERVALS: [f64; 10] = [0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0];

/// Asks the engine that is shown for a command and keeps it as pending till it is answered.
pub(crate) fn command(state: &mut State, command: Command) -> Outcome {
    command_to(state, state.member().id, command)
}

/// The same of the engine of a member.
pub(crate) fn command_to(state: &mut State, member: MemberId, command: Command) -> Outcome {
    state.pending.retain(|pending| !pending.same_kind(member, &command));
    state.sent.command += 1;
    state.pending.push(Pending { id: state.sent.command, member, command: command.clone() });
    Outcome::effect(Effect::Ask(state.sent.command, member, command))
}

/// A command was answered. One that was overtaken by a later one is no longer pending: only a refusal is told.
pub(crate) fn answered(state: &mut State, id: u64, answer: Result<(), String>) -> Outcome {
    let at = state.pending.iter().position(|pending| pending.id == id);
    let pending = at.map(|at| state.pending.remove(at));
    if let Err(why) = answer {
        if let Some(text) = pending.as_ref().and_then(|pending| tidy::too_old(state, pending, &why)) {
            toast(state, text, Tone::Error);
            return Outcome::redraw();
        }
        let what = pending.as_ref().map_or_else(|| "A command".to_owned(), Pending::words);
        toast(state, format!("{what} was refused: {why}"), Tone::Error);
        return Outcome::redraw();
    }
    if let Some(Pending { command: Command::Tidy(tidying), .. }) = &pending {
        return tidy::is_done(state, &tidying.change);
    }
    if let Some(done) = pending.as_ref().and_then(Pending::done) {
        toast_of_engine(state, done);
    }
    Outcome::redraw_if(pending.is_some())
}

pub(crate) fn pool(state: &mut State, delta: isize) -> Outcome {
    let now = state.pending_pool().unwrap_or(state.snapshot().settings.pool_max);
    let to = now.saturating_add_signed(delta).clamp(1, MAX_POOL);
    if to == now { Outcome::default() } else { command(state, Command::PoolSize(to)) }
}

pub(crate) fn interval(state: &mut State, longer: bool) -> Outcome {
    let now = state.pending_interval().unwrap_or(state.snapshot().settings.interval);
    let to = if longer {
        INTERVALS.iter().find(|step| **step > now + 1e-9)
    } else {
        INTERVALS.iter().rev().find(|step| **step < now - 1e-9)
    };
    match to {
        Some(to) => command(state, Command::Interval(*to)),
        None => Outcome::default(),
    }
}

pub(crate) fn step_strategy(state: &mut State, delta: isize) -> Outcome {
    let usable: Vec<&str> =
        state.snapshot().strategies.iter().filter(|s| s.problem.is_none()).map(|s| s.name.as_str()).collect();
    let now = state.pending_strategy().unwrap_or(&state.snapshot().current_strategy);
    let Some(at) = usable.iter().position(|name| *name == now).or(if usable.is_empty() { None } else { Some(0) })
    else {
        return Outcome::default();
    };
    let to = usable[(at + usable.len()).saturating_add_signed(delta) % usable.len()].to_owned();
    command(state, Command::Strategy(to))
}

/// Switches to the strategy with this index.
pub(crate) fn strategy(state: &mut State, index: usize) -> Outcome {
    match state.snapshot().strategies.get(index).map(|strategy| strategy.name.clone()) {
        Some(name) => switch_strategy(state, name),
        None => Outcome::default(),
    }
}

pub(crate) fn switch_strategy(state: &mut State, name: String) -> Outcome {
    let problem = state.snapshot().strategies.iter().find(|s| s.name == name).and_then(|s| s.problem.clone());
    match problem {
        Some(problem) => {
            toast(state, format!("{name} cannot be used: {problem}"), Tone::Error);
            Outcome::redraw()
        }
        None => command(state, Command::Strategy(name)),
    }
}

/// The next policy of the cache, round and round.
pub(crate) fn cache_policy(state: &mut State) -> Outcome {
    let now = state.pending_policy().unwrap_or(&state.snapshot().settings.cache_policy);
    let at = CachePolicy::VARIANTS
        .iter()
        .position(|policy| *policy == now)
        .map_or(0, |at| (at + 1) % CachePolicy::VARIANTS.len());
    command(state, Command::CachePolicy(CachePolicy::VARIANTS[at].to_owned()))
}
