//! What the agents are grouped by, and the filter's words for where they work.

use tmux_orc::app::core::grouping::Grouping;
use tmux_orc::app::core::list::Line;
use tmux_orc::app::core::message::Message;
use tmux_orc::monitor::Agent;

use super::sample::stage::Stage;
use super::{sample, stage};

#[test]
fn groups_keep_the_sessions_together() {
    let mut s = stage();
    s.keys("b");
    let rows = s.rows();
    let sessions: Vec<&str> = rows.iter().filter_map(|target| target.split(':').next()).collect();
    let mut distinct = sessions.clone();
    distinct.dedup();
    assert_eq!(distinct, ["api", "web", "docs", "ml", "misc"]);
    s.keys("b");
    assert_eq!(s.rows().len(), 12);
}

#[test]
fn what_agents_are_grouped_by_goes_round_and_each_group_stands_once() {
    let mut s = Stage::new(sample::snapshot(sample::at_work()), 140, 42);
    let mut seen = Vec::new();
    loop {
        s.keys("b");
        let by = s.state.list.grouping;
        seen.push(by.to_string());
        let at = |place| s.state.fleet.at(place).unwrap().1;
        let mut heads = Vec::new();
        for line in &s.state.list.lines {
            match line {
                Line::Head(first) => heads.push(by.of(at(*first))),
                Line::Agent(i) => assert!(heads.last().is_none_or(|head| *head == by.of(at(*i)))),
                Line::Host(_) | Line::Aside { .. } => unreachable!("all are here"),
            }
        }
        let all = heads.len();
        heads.sort_unstable();
        heads.dedup();
        assert_eq!(heads.len(), all, "{by}");
        assert_eq!(s.rows().len(), 12);
        if by == Grouping::None {
            break;
        }
        assert!(all > 1, "{by}");
    }
    assert_eq!(seen, ["session", "folder", "repository", "program", "none"]);
}

#[test]
fn the_filter_knows_where_agents_work() {
    let mut s = Stage::new(sample::snapshot(sample::at_work()), 140, 42);
    let mut count = |words: &str| {
        s.keys("esc /");
        s.tell(Message::Paste(words.into()));
        s.keys("enter");
        s.rows().len()
    };
    let agents = sample::at_work();
    let of = |is: fn(&Agent) -> bool| agents.iter().filter(|agent| is(agent)).count();
    assert_eq!(count("'fix/lexer"), of(|a| a.branch.as_deref() == Some("fix/lexer")));
    assert_eq!(
        count("'parser$ 'main"),
        of(|a| a.branch.as_deref() == Some("main") && a.repository.as_deref() == Some("parser"))
    );
    assert_eq!(count("'web-new"), of(|a| a.worktree.as_deref() == Some("web-new")));
    assert_eq!(count("'/srv/web"), of(|a| a.cwd.as_deref().is_some_and(|cwd| cwd.starts_with("/srv/web"))));
    assert_eq!(
        count("'opus !claude"),
        of(|a| a.agent != "claude" && a.model.as_deref().is_some_and(|model| model.contains("opus")))
    );
}
