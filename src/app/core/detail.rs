//! What the second row of an agent says: what has no column there.

use jiff::{Timestamp, tz::TimeZone};

use crate::app::core::column::Column;
use crate::app::core::format;
use crate::app::core::words::answer_by;
use crate::monitor::{Agent, AgentState};

/// The columns whose values stand in the second row where every agent has one: what they do has their room.
pub const IN_DETAIL: &[Column] = &[Column::Branch, Column::Diff, Column::Model, Column::Repository, Column::Folder];

/// What is told of an agent beside its columns, of `shown` and in their order: when it goes on, how far its plan is, where it
/// works.
#[must_use]
pub fn details(agent: &Agent, shown: &[Column], now: Timestamp, zone: &TimeZone) -> Vec<String> {
    let is_shown = |column| shown.contains(&column);
    let limit = agent.reset_at.filter(|_| agent.state == AgentState::Limited);
    let lines = format::lines(agent.added, agent.removed).filter(|_| is_shown(Column::Diff));
    let branch = agent.branch.as_ref().filter(|_| is_shown(Column::Branch)).map(|branch| match &lines {
        Some(lines) if lines != "0" => format!("{branch} {lines}"),
        _ => branch.clone(),
    });
    [
        agent.note.clone(),
        answer_by(agent, now, zone),
        limit.map(|reset| format!("limit ends {}", format::coming(reset, now, zone))),
        agent.plan.map(|plan| format!("{} of {} done", plan.done, plan.of)),
        branch,
        agent.repository.clone().filter(|_| is_shown(Column::Repository)),
        agent.model.clone().filter(|_| is_shown(Column::Model)),
        agent.cwd.clone().filter(|_| is_shown(Column::Folder)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::column::SHOWN;
    use crate::app::core::fixture::test_agent;
    use crate::monitor::Plan;

    #[test]
    fn the_second_row_has_what_is_known_and_wished_for() {
        let mut agent = test_agent(1, AgentState::Working);
        let told = |agent: &Agent, shown| details(agent, shown, agent.since, &TimeZone::UTC);
        assert!(told(&agent, SHOWN).is_empty());
        agent.plan = Some(Plan { done: 3, of: 7 });
        (agent.branch, agent.model, agent.cwd) = (Some("main".into()), Some("opus".into()), Some("/src".into()));
        (agent.added, agent.removed) = (Some(12), Some(3));
        assert_eq!(told(&agent, SHOWN), ["3 of 7 done", "main +12 -3", "opus", "/src"]);
        (agent.added, agent.removed) = (Some(0), Some(0));
        assert_eq!(told(&agent, &[Column::Branch, Column::Diff]), ["3 of 7 done", "main"]);
        assert_eq!(told(&agent, &[]), ["3 of 7 done"]);
    }
}
