//! Whatever happens in whatever order at whatever size: nothing panics, and the screen stays consistent.

use std::sync::Arc;

use proptest::{collection::vec, prelude::*, sample::select};
use tmux_orc::app::core::action::ACTIONS;
use tmux_orc::app::core::key::Key;
use tmux_orc::app::core::message::{Message, Mouse};
use tmux_orc::monitor::Link;
use tmux_orc::monitor::{Account, AgentState, AgentTokens, Limit, ServerStatus};

use super::sample::{self, stage::Stage};

/// Something that can happen.
#[derive(Clone, Debug)]
enum Step {
    Key(Key),
    Paste(String),
    Mouse(bool, u16, u16),
    Resize(u16, u16),
    Wait(i64),
    Agents(u32, u64),
    Status(ServerStatus),
    State(usize, AgentState),
    Link(Link),
    Result(bool),
    /// Reduced motion; and whether the engine shows panes side by side.
    Screens(bool, bool),
    Names,
    Spends(usize, bool),
    Asks(usize, usize),
    Tidy(usize, usize),
    Day(usize),
    Tour(usize),
}

fn keys() -> impl Strategy<Value = Key> {
    let mut all: Vec<Key> = ACTIONS.iter().flat_map(|entry| entry.keys).map(|key| key.parse().unwrap()).collect();
    all.extend("abcxyz019 é解".chars().map(Key::char));
    all.extend(
        ["backspace", "delete", "left", "right", "f1", "ctrl-w", "ctrl-a"].map(|key| key.parse::<Key>().unwrap()),
    );
    select(all)
}

fn sizes() -> impl Strategy<Value = (u16, u16)> {
    prop_oneof![
        (1..4u16, 1..4u16),
        (1..230u16, 1..60u16),
        select(vec![(80, 24), (120, 35), (200, 55), (250, 70), (60, 20), (40, 30), (20, 6), (59, 200)]),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let statuses = vec![
        ServerStatus::Connecting,
        ServerStatus::Reachable,
        ServerStatus::NoServer,
        ServerStatus::NoTmux,
        ServerStatus::Unreachable,
    ];
    let states =
        vec![AgentState::Waiting, AgentState::Working, AgentState::Idle, AgentState::Exited, AgentState::Unknown];
    prop_oneof![
        8 => keys().prop_map(Step::Key),
        1 => "\\PC{0,20}".prop_map(Step::Paste),
        3 => (any::<bool>(), 0..230u16, 0..60u16).prop_map(|(click, x, y)| Step::Mouse(click, x, y)),
        1 => sizes().prop_map(|(columns, rows)| Step::Resize(columns, rows)),
        1 => (1..12i64).prop_map(Step::Wait),
        2 => (0..40u32, any::<u64>()).prop_map(|(n, seed)| Step::Agents(n, seed)),
        1 => select(statuses).prop_map(Step::Status),
        3 => (0..40usize, select(states)).prop_map(|(i, state)| Step::State(i, state)),
        1 => select(vec![Link::Embedded, Link::Attached(7), Link::Lost(7)]).prop_map(Step::Link),
        1 => any::<bool>().prop_map(Step::Result),
        1 => (any::<bool>(), any::<bool>()).prop_map(|(still, all)| Step::Screens(still, all)),
        1 => Just(Step::Names),
        2 => (0..40usize, any::<bool>()).prop_map(|(i, known)| Step::Spends(i, known)),
        4 => (0..40usize, 0..40usize).prop_map(|(i, rows)| Step::Asks(i, rows)),
        3 => (0..40usize, 0..32usize).prop_map(|(i, what)| Step::Tidy(i, what)),
        1 => (0..90usize).prop_map(Step::Day),
        1 => (0..8usize).prop_map(Step::Tour),
    ]
}

fn take(stage: &mut Stage, step: Step) {
    match step {
        Step::Tour(at) => stage.state.tour = Some(at),
        Step::Key(key) => {
            stage.tell(Message::Key(key));
        }
        Step::Paste(text) => {
            stage.tell(Message::Paste(text));
        }
        Step::Mouse(click, x, y) => {
            stage.mouse(if click { Mouse::Click } else { Mouse::Wheel(3) }, x, y);
        }
        Step::Resize(columns, rows) => {
            (stage.columns, stage.rows) = (columns, rows);
            stage.tell(Message::Resize(columns, rows));
        }
        Step::Wait(seconds) => {
            stage.wait(seconds);
        }
        Step::Agents(n, seed) => {
            stage.publish(|next| {
                next.agents = sample::many(n).into();
                next.previews = next.agents.iter().map(|agent| Arc::new(sample::screen(agent))).collect();
                next.agents.retain(|agent| seed >> (agent.pane_id.0 % 64) & 1 == 1);
            });
        }
        Step::Status(status) => {
            stage.publish(|next| next.server.status = status);
        }
        Step::State(i, state) => {
            stage.publish(|next| {
                let now = next.timestamp;
                let n = next.agents.len();
                if let Some(agent) = next.agents.get_mut(i % n.max(1)) {
                    agent.state = state;
                    agent.since = now;
                    agent.stale = i % 3 == 0;
                    next.preview =
                        Some(Arc::new(tmux_orc::monitor::Preview { pane_id: agent.pane_id, ..sample::preview() }));
                }
            });
        }
        Step::Link(link) => {
            stage.reach(link);
        }
        Step::Result(ok) => {
            stage.tell(Message::ActionResult { text: "said".into(), ok });
        }
        Step::Screens(still, all) => {
            stage.state.reduced_motion = still;
            stage.publish(|next| {
                next.engine.tiles = if all { tmux_orc::monitor::MOST_TILES } else { 0 };
                next.previews.iter_mut().for_each(|shown| Arc::make_mut(shown).text.push_str("\x1b[5mblinks\n"));
            });
        }
        Step::Asks(i, rows) => {
            stage.publish(|next| {
                let now = next.timestamp;
                let n = next.agents.len();
                let Some(agent) = next.agents.get_mut(i % n.max(1)) else { return };
                let full: Vec<String> =
                    (0..rows).map(|row| format!(" {row} +{}", "解析器 wide ".repeat(row))).collect();
                agent.asks = (rows > 0).then(|| sample::asks(&"ask ".repeat(rows), &full.join("\n")));
                if rows % 4 > 0 {
                    (agent.state, agent.since) = (AgentState::Waiting, now);
                }
            });
        }
        Step::Tidy(i, what) => {
            stage.publish(|next| {
                let (n, until) = (next.agents.len(), next.timestamp + jiff::SignedDuration::from_secs(9));
                let Some(agent) = next.agents.get_mut(i % n.max(1)) else { return };
                let is = |bit: usize| what >> bit & 1 == 1;
                (agent.parked, agent.snoozed, agent.pinned, agent.muted) = (is(0), is(1), is(2), is(3));
                agent.snoozed_until = is(4).then_some(until);
                agent.note = is(4).then(|| "解析器 a note ".repeat(what));
                agent.given_name = is(3).then(|| "the 解析器".to_owned());
                agent.name = agent.given_name.clone().unwrap_or_default();
            });
            stage.answer(if what % 7 == 0 { Err("no") } else { Ok(()) });
        }
        Step::Day(tracks) => {
            let read =
                if tracks % 11 == 0 { Err("cannot be read".repeat(tracks)) } else { Ok(sample::day(tracks).into()) };
            stage.tell(Message::Day(read));
        }
        Step::Names => {
            stage.publish(|next| next.agents = sample::foreign().into());
        }
        Step::Spends(i, known) => {
            stage.publish(|next| {
                let limit = Limit { minutes: Some(300), used_percent: 87.0, ..Limit::default() };
                let limits = vec![limit; i % 9];
                next.accounts = vec![Account { program: "claude".into(), name: String::new(), limits }];
                let n = next.agents.len();
                let Some(agent) = next.agents.get_mut(i % n.max(1)) else { return };
                let from = sample::at_work().swap_remove(i % 12);
                agent.tokens = if known { from.tokens } else { AgentTokens::default() };
                (agent.cost_usd, agent.plan, agent.turns) = (from.cost_usd, from.plan, from.turns);
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_panics(size in sizes(), view in select(vec!["g", "t", "u", "h", "w", "w z", "w b"]), steps in vec(steps(), 1..40)) {
        let mut stage = Stage::new(super::twelve(), size.0, size.1);
        stage.keys(view);
        for step in steps {
            take(&mut stage, step);
            stage.check();
        }
    }
}
