//! Commands to the engine: pending until it answers.

use std::sync::Arc;

use tmux_orc::app::Effect;
use tmux_orc::app::core::message::Message;
use tmux_orc::monitor::{AgentState, Command, Event, EventKind, Evidence, Source, TidyChange, Tidying};
use tmux_orc::tmux::PaneId;

use super::sample::stage::Stage;
use super::stage;

fn commands(effects: Vec<Effect>) -> Vec<Command> {
    effects
        .into_iter()
        .map(|effect| match effect {
            Effect::Engine(_, command) | Effect::Ask(_, _, command) => command,
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn further_presses_go_on_from_what_is_pending() {
    let mut s = stage();
    s.keys("+ + + -");
    assert_eq!(commands(s.effects()), [21, 22, 23, 22].map(Command::PoolSize));
    assert_eq!(s.state.pending_pool(), Some(22));
    assert!(s.text().contains("20 → 22 …"));
    // Neither a snapshot nor the answer to one that was overtaken confirms it.
    s.publish(|next| next.settings.pool_max = 22);
    s.tell(Message::Answered { id: 1, answer: Ok(()) });
    assert_eq!(s.state.pending_pool(), Some(22));
    s.publish(|next| next.connection_pool.pool_size = 22);
    assert!(s.answer(Ok(())));
    assert_eq!(s.state.pending_pool(), None);
    assert!(!s.text().contains("→ 22"), "{}", s.text());
}

#[test]
fn strategies_go_round_and_those_with_a_problem_are_left_out() {
    let mut s = stage();
    s.keys("s s S 2");
    let names = ["nightly", "concurrent", "nightly", "polling"];
    assert_eq!(commands(s.effects()), names.map(|name| Command::Strategy(name.into())));
    s.publish(|next| next.current_strategy = "polling".into());
    s.answer(Ok(()));
    assert!(s.state.pending.is_empty());
    s.publish(|next| next.strategies[3].problem = Some("line 3: no such function".into()));
    s.keys("s s");
    let names = ["adaptive", "concurrent"];
    assert_eq!(commands(s.effects()), names.map(|name| Command::Strategy(name.into())));
    s.keys("4");
    assert_eq!(s.effects(), []);
    assert!(s.text().contains("nightly cannot be used: line 3"));
    s.keys("3 9");
    assert_eq!(commands(s.effects()), [Command::Strategy("adaptive".into())]);
}

#[test]
fn every_engine_key_sends_its_command() {
    let mut s = stage();
    s.keys("c C C e e space space > > < ctrl-r");
    assert_eq!(
        commands(s.effects()),
        [
            Command::ClearCache,
            Command::Cache(false),
            Command::Cache(true),
            Command::CachePolicy("lru".into()),
            Command::CachePolicy("lfu".into()),
            Command::Pause(true),
            Command::Pause(false),
            Command::Interval(2.0),
            Command::Interval(5.0),
            Command::Interval(2.0),
            Command::Refresh,
        ]
    );
}

#[test]
fn the_pool_and_the_interval_have_ends() {
    let mut s = stage();
    for _ in 0..100 {
        s.keys("- <");
    }
    let sent = commands(s.effects());
    assert!(sent.contains(&Command::PoolSize(1)) && !sent.contains(&Command::PoolSize(0)));
    assert!(sent.contains(&Command::Interval(0.1)));
    for _ in 0..100 {
        s.keys("+ >");
    }
    let sent = commands(s.effects());
    assert!(sent.contains(&Command::PoolSize(64)) && !sent.contains(&Command::PoolSize(65)));
    assert!(sent.contains(&Command::Interval(60.0)));
}

#[test]
fn what_is_refused_is_said_with_the_reason_and_stays() {
    let mut s = stage();
    s.keys("+");
    s.wait(9);
    assert_eq!(s.state.pending_pool(), Some(21), "there is one deadline, and it is not here");
    assert!(s.answer(Err("no room")));
    assert_eq!(s.state.pending_pool(), None);
    s.wait(4);
    assert!(s.text().contains("pool 21 was refused: no room"));
}

#[test]
fn what_the_engine_changed_is_said_in_words_once_it_has() {
    let mut s = super::sample::stage::Stage::new(super::twelve(), 80, 24);
    let bottom = |s: &super::sample::stage::Stage| s.text().lines().last().unwrap().trim().to_owned();
    let hints = bottom(&s);
    for (key, said) in [
        ("c", "✓ cache cleared"),
        ("C", "✓ cache off"),
        ("e", "✓ cache policy lru"),
        ("+", "✓ pool 21"),
        ("-", "✓ pool 19"),
        (">", "✓ interval 2s"),
        ("<", "✓ interval 0.5s"),
        ("s", "✓ strategy nightly"),
    ] {
        s.keys(key);
        assert!(!bottom(&s).contains(said), "{key}: nothing is said before it is so");
        s.answer(Ok(()));
        assert_eq!(bottom(&s), said, "{key}");
        assert_eq!(s.state.toasts.len(), 1, "one takes the place of the other");
    }
    s.wait(3);
    assert_eq!(bottom(&s), hints, "not for long");
    // The line stands while the same key is pressed again, and one that was overtaken is not said.
    s.keys("+ +");
    let first = s.state.pending[0].id - 1;
    s.tell(Message::Answered { id: first, answer: Ok(()) });
    assert_eq!(bottom(&s), hints);
    s.answer(Ok(()));
    s.keys("+");
    assert_eq!(bottom(&s), "✓ pool 22");
    s.keys("j");
    assert_eq!(bottom(&s), hints);
}

#[test]
fn an_agent_that_has_exited_is_dismissed_by_a_key_others_are_not() {
    let mut s = stage();
    s.keys("D");
    assert_eq!(s.effects(), []);
    assert!(s.text().contains("api:2.0 is waiting (permission): only an agent that has exited is dismissed"));
    s.keys("j");
    assert!(s.state.swallows.is_none(), "it takes no words");
    for _ in 0..12 {
        if s.state.selected().is_some_and(|agent| agent.state == AgentState::Exited) {
            break;
        }
        s.keys("j");
    }
    let agent = s.state.selected().unwrap().clone();
    s.effects();
    s.keys("D");
    let change = |parked| {
        let (pane_id, pid, start) = (agent.pane_id, agent.pid, agent.start);
        Command::Tidy(Tidying { pane_id, pid, start, change: TidyChange::Park(parked) })
    };
    assert_eq!(commands(s.effects()), [change(true)]);
    let parked = |s: &mut Stage, parked| {
        s.publish(|next| {
            let mut all = next.agents.iter_mut();
            all.find(|other| other.pane_id == agent.pane_id).unwrap().parked = parked;
        });
        s.answer(Ok(()));
    };
    parked(&mut s, true);
    assert!(!s.rows().contains(&agent.target));
    // The same key takes it back.
    s.keys("a");
    while s.selected() != agent.target {
        s.keys("j");
    }
    s.effects();
    s.keys("D");
    assert_eq!(commands(s.effects()), [change(false)]);
    parked(&mut s, false);
    assert!(s.rows().contains(&agent.target));
    // Without anybody to dismiss it says so too.
    s.publish(|next| next.agents.truncate(0));
    s.keys("D");
    assert!(s.text().contains("there is no agent to dismiss"), "{}", s.text());
}

#[test]
fn the_preview_is_asked_for_while_it_is_shown() {
    let mut s = super::sample::stage::Stage::new(super::twelve(), 140, 42);
    assert_eq!(commands(s.effects()), [Command::Focus(Some(PaneId(14)))]);
    s.keys("j");
    assert_eq!(commands(s.effects()), [Command::Focus(Some(PaneId(50)))]);
    s.keys("p j");
    assert_eq!(commands(s.effects()), [Command::Focus(None)]);
    s.keys("p");
    assert_eq!(commands(s.effects()), [Command::Focus(Some(PaneId(21)))]);
    // Nothing is asked for again for its own sake.
    s.publish(|_| {});
    s.wait(3);
    assert_eq!(s.effects(), []);
}

#[test]
fn a_finished_turn_is_seen_when_its_user_has_looked_not_before() {
    let mut s = stage();
    s.keys("/ w e b : 2 enter");
    assert_eq!(s.selected(), "web:2.0");
    s.effects();
    s.wait(4);
    assert_eq!(commands(s.effects()), [Command::Seen(PaneId(51))], "once");
    // It finishes again while nobody is there.
    s.wait(5);
    let now = s.state.now;
    s.publish(|next| {
        let agent = next.agents.iter_mut().find(|a| a.pane_id == PaneId(51)).unwrap();
        agent.since = now;
    });
    s.wait(10);
    assert_eq!(s.effects(), []);
    s.keys("up");
    s.wait(1);
    assert_eq!(commands(s.effects()), [Command::Seen(PaneId(51))]);
}

fn waits(seq: u64, pane: u32, at: jiff::Timestamp) -> Event {
    Event {
        seq,
        at,
        what: EventKind::Transition {
            pane_id: PaneId(pane),
            target: format!("t:{pane}.0"),
            agent: "claude".into(),
            from: AgentState::Working,
            to: AgentState::Waiting,
            kind: Some("permission".into()),
            evidence: Evidence { rule: "r".into(), line: "l".into(), source: Source::Screen, region: None, rows: None },
        },
    }
}

#[test]
fn a_new_call_shows_at_the_bottom_for_some_seconds() {
    let mut s = stage();
    let at = s.state.now;
    assert!(s.publish(|next| Arc::make_mut(&mut next.events).push(waits(8, 11, at))));
    assert!(s.text().lines().last().unwrap().contains("t:11.0 needs you: permission"));
    s.wait(6);
    assert!(s.text().lines().last().unwrap().contains("jump"));
    // The one under the cursor is being looked at.
    s.publish(|next| Arc::make_mut(&mut next.events).push(waits(9, 14, at)));
    assert!(s.state.toasts.is_empty());
    // Many at once are one line; a key takes it away.
    s.publish(|next| Arc::make_mut(&mut next.events).extend((10..30).map(|seq| waits(seq, 11, at))));
    assert!(s.text().lines().last().unwrap().contains("20 agents came to need you"));
    s.keys("j");
    assert!(s.state.toasts.is_empty());
}

#[test]
fn what_another_engine_tells_of_before_is_no_call_and_a_problem_is_no_agent() {
    let mut s = stage();
    let at = s.state.now;
    s.publish(|next| {
        next.engine.pid += 1;
        next.events = Arc::new((5000..5005).map(|seq| waits(seq, 11, at)).collect());
    });
    assert!(s.state.toasts.is_empty(), "{:?}", s.state.toasts);
    s.publish(|next| Arc::make_mut(&mut next.events).push(waits(5005, 11, at)));
    assert_eq!(s.state.toasts.len(), 1, "its next event is news");
    s.keys("j");
    // The same process, but the engine in it is another.
    s.publish(|next| {
        next.engine.started += std::time::Duration::from_secs(9);
        next.events = Arc::new((6000..6005).map(|seq| waits(seq, 11, at)).collect());
    });
    assert!(s.state.toasts.is_empty(), "{:?}", s.state.toasts);
    let problem = |seq| Event { seq, at, what: EventKind::Notice { text: format!("problem {seq}"), problem: true } };
    s.publish(|next| Arc::make_mut(&mut next.events).extend((6005..6010).map(problem)));
    let told: Vec<_> = s.state.toasts.iter().map(|toast| toast.text.clone()).collect();
    assert_eq!(told, ["5 problems came up: see the events"]);
}
