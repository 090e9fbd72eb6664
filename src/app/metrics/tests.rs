//! What the measures promise together: how many there are, that they say nothing private, that what reads them can.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use strum::IntoEnumIterator;

use crate::app::core::fixture::{test_agent, test_snapshot};
use crate::app::journal::{Account, Happened, Record, Standing};
use crate::app::metrics::lint::lint;
use crate::app::metrics::{
    Detail, Format, HostMeasured, Measured, SERIES_LIMIT, Totals, Value, Words, families, hosts, render, text,
};
use crate::monitor::facts::profiles;
use crate::monitor::{
    ActKind, Acted, Agent, AgentState, AgentTokens, EventKind, Evidence, Health, HealthSummary, Limit, ServerStatus,
    Snapshot, Tokens,
};
use crate::tmux::PaneId;

const KINDS: [Option<&str>; 6] =
    [Some("permission"), Some("question"), Some("trust"), Some("login"), Some("odd one"), None];

fn names() -> Vec<String> {
    profiles::load(None).unwrap().list().map(|profile| profile.name.clone()).collect()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn transition(agent: &str, pane: u32, from: AgentState, to: AgentState, kind: Option<&str>, word: &str) -> Happened {
    let evidence = Evidence { rule: word.into(), line: word.into(), ..Evidence::default() };
    let (target, agent, kind) = (word.to_owned(), agent.to_owned(), kind.map(str::to_owned));
    Happened::Event(EventKind::Transition { pane_id: PaneId(pane), target, agent, from, to, kind, evidence })
}

fn acted(act: ActKind, ok: bool, word: &str) -> Happened {
    let (target, agent, sent, result) = (word.into(), word.into(), word.into(), word.into());
    Happened::Event(EventKind::Acted(Acted { pane_id: PaneId(1), target, agent, act, sent, ok, result }))
}

fn turn(agent: &str, word: &str) -> Happened {
    let tokens = Tokens { input_tokens: 4000, output_tokens: 300, cache_read_tokens: 9000, cache_write_tokens: 1000 };
    Happened::Standing(Standing::Turn {
        pane_id: PaneId(1),
        target: word.to_owned(),
        agent: agent.to_owned(),
        model: Some(word.to_owned()),
        tokens: Some(tokens),
        cost_usd: Some(0.25),
        worked: 42.0,
        waited: 7.0,
    })
}

/// The sums of these records, one second after another.
fn sums(records: impl IntoIterator<Item = Happened>) -> Totals {
    let (mut totals, mut account) = (Totals::default(), Account::new(Timestamp::MIN));
    for (second, what) in records.into_iter().enumerate() {
        let record = Record::new(at(i64::try_from(second).unwrap()), "/s", 7, what);
        totals.take(&record);
        account.take(&record);
    }
    for report in account.drain(None) {
        totals.add(&report);
    }
    totals
}

/// Everything that can happen to each of these programs.
fn everything(programs: &[String], word: &str) -> Vec<Happened> {
    let mut all = Vec::new();
    for (pane, agent) in programs.iter().enumerate() {
        let pane = u32::try_from(pane).unwrap() + 1;
        for from in AgentState::iter() {
            for to in AgentState::iter() {
                all.push(transition(agent, pane, from, to, Some("permission"), word));
            }
        }
        for kind in KINDS {
            all.push(transition(agent, pane, AgentState::Working, AgentState::Waiting, kind, word));
            all.push(transition(agent, pane, AgentState::Waiting, AgentState::Working, None, word));
        }
        all.push(turn(agent, word));
    }
    for act in [ActKind::Jump, ActKind::Answer, ActKind::Reply, ActKind::Interrupt, ActKind::Kill] {
        all.extend([acted(act, true, word), acted(act, false, word)]);
    }
    all
}

/// A snapshot with an agent of each program in each state, and everything known of each.
fn full(programs: &[String]) -> Snapshot {
    let mut snapshot = test_snapshot();
    for (at, (program, state)) in
        programs.iter().flat_map(|program| AgentState::iter().map(move |state| (program, state))).enumerate()
    {
        let mut agent = test_agent(u32::try_from(at).unwrap(), state);
        agent.agent.clone_from(program);
        agent.context_percent = Some(40.0);
        agent.health = [Health::Warning, Health::Critical, Health::Unresponsive][at % 3];
        agent.tokens =
            AgentTokens { session: Some(Tokens { input_tokens: 5, ..Tokens::default() }), ..AgentTokens::default() };
        agent.cost_usd = Some(1.5);
        snapshot.agents.push(agent);
    }
    let limit = |minutes| Limit { minutes, used_percent: 81.0, resets_at: Some(at(9000)), at: Some(at(0)) };
    let account = |program: &String| crate::monitor::Account {
        program: program.clone(),
        name: "~/.secret".to_owned(),
        limits: vec![limit(Some(300)), limit(Some(10_080)), limit(None)],
    };
    snapshot.accounts = programs.iter().map(account).collect();
    snapshot.server.status = ServerStatus::Reachable;
    snapshot.server.version = Some("3.3a".into());
    snapshot.engine.version = "0.1.0".into();
    snapshot.health_summary = HealthSummary::of(&snapshot.agents);
    snapshot.base_status.last_cycle_time = Some(0.004);
    snapshot.cost.cpu_percent = Some(0.3);
    snapshot.cost.memory_bytes = Some(18 << 20);
    snapshot
}

fn series(totals: &Totals, snapshot: &Snapshot, detail: Detail) -> usize {
    let all = families(&[Measured { totals, snapshot, dropped: Some(3) }], detail, &Words::load(None));
    all.iter().map(crate::app::metrics::Family::series).sum()
}

#[test]
fn a_server_stays_under_its_limit_whatever_happens_on_it() {
    let all = names();
    assert!(all.len() > 20, "{all:?}");
    let mut most = 0;
    for count in 0..=all.len() {
        let programs = &all[..count];
        let (totals, snapshot) = (sums(everything(programs, "x")), full(programs));
        let series = series(&totals, &snapshot, Detail::Totals);
        assert!(series <= SERIES_LIMIT, "{count} programs: {series}");
        let written = text(
            &[Measured { totals: &totals, snapshot: &snapshot, dropped: Some(3) }],
            Detail::Totals,
            &Words::load(None),
        );
        assert_eq!(
            written.lines().filter(|line| !line.starts_with('#')).count(),
            series,
            "what is counted is what is written"
        );
        most = most.max(series);
    }
    assert!(most > 80, "it is not cut to nothing: {most}");
}

#[test]
fn what_many_run_is_told_apart_by_name() {
    // Three programs whose tokens are known, as they are after weeks: five states, answers and a failed act.
    let programs = ["claude", "codex", "gemini"].map(str::to_owned);
    let mut all = Vec::new();
    for (pane, agent) in (1..).zip(&programs) {
        use AgentState::{Exited, Idle, Starting, Waiting, Working};
        for (from, to) in [
            (Starting, Idle),
            (Idle, Working),
            (Working, Waiting),
            (Waiting, Working),
            (Working, Exited),
            (Exited, Working),
        ] {
            all.push(transition(agent, pane, from, to, Some("permission"), "x"));
        }
        all.push(turn(agent, "x"));
    }
    all.extend([
        acted(ActKind::Answer, true, "x"),
        acted(ActKind::Answer, false, "x"),
        acted(ActKind::Jump, true, "x"),
    ]);
    let (totals, snapshot) = (sums(all), full(&programs));
    let written = text(
        &[Measured { totals: &totals, snapshot: &snapshot, dropped: Some(3) }],
        Detail::Totals,
        &Words::load(None),
    );
    for program in programs {
        assert!(written.contains(&format!("agent=\"{program}\"")), "{program}: {written}");
    }
    assert!(!written.contains("agent=\"other\""), "{written}");
}

#[test]
fn sums_over_the_labels_are_the_same_in_both_details() {
    let programs = names();
    let (totals, snapshot) = (sums(everything(&programs, "x")), full(&programs));
    let of = |detail| {
        families(&[Measured { totals: &totals, snapshot: &snapshot, dropped: Some(3) }], detail, &Words::load(None))
    };
    let (few, many) = (of(Detail::Totals), of(Detail::Agents));
    for one in &few {
        // What is a largest or a least is no sum.
        if ["tmux_orc_limit_used_ratio", "tmux_orc_context_remaining_ratio", "tmux_orc_oldest_wait_timestamp_seconds"]
            .contains(&one.spec.name)
        {
            continue;
        }
        let other = many.iter().find(|family| family.spec == one.spec).unwrap_or_else(|| panic!("{}", one.spec.name));
        let sum = |family: &crate::app::metrics::Family| -> (f64, u64) {
            family.samples.iter().fold((0.0, 0), |(sum, count), sample| match &sample.value {
                Value::Number(number) => (sum + number, count),
                Value::Times(times) => (sum + times.sum(), count + times.count()),
            })
        };
        let (a, b) = (sum(one), sum(other));
        assert!((a.0 - b.0).abs() < 1e-6 && a.1 == b.1, "{}: {a:?} {b:?}", one.spec.name);
    }
}

/// Puts a canary into every text of a snapshot that may be any text, but not where `spare` says that it is shown.
fn with_canaries(snapshot: &Snapshot, spare: &[&str]) -> (Snapshot, usize) {
    fn places(value: &serde_json::Value, at: &str, all: &mut Vec<String>) {
        match value {
            serde_json::Value::String(_) => all.push(at.to_owned()),
            serde_json::Value::Array(list) => {
                list.iter().enumerate().for_each(|(i, v)| places(v, &format!("{at}/{i}"), all))
            }
            serde_json::Value::Object(map) => map.iter().for_each(|(k, v)| places(v, &format!("{at}/{k}"), all)),
            _ => {}
        }
    }
    let mut tree = serde_json::to_value(snapshot).unwrap();
    let mut all = Vec::new();
    places(&tree, "", &mut all);
    let words = ["state", "health", "status", "source", "from", "to"];
    let mut filled = 0;
    for place in all {
        let name = place.rsplit('/').find(|part| part.parse::<usize>().is_err()).unwrap_or("").to_owned();
        if words.contains(&name.as_str()) || spare.contains(&name.as_str()) {
            continue;
        }
        let mut other = tree.clone();
        *other.pointer_mut(&place).unwrap() = serde_json::Value::String(format!("CANARY-{name}"));
        // A time stays a time.
        if serde_json::from_value::<Snapshot>(other.clone()).is_ok() {
            (tree, filled) = (other, filled + 1);
        }
    }
    (serde_json::from_value(tree).unwrap(), filled)
}

/// A snapshot in which every text is there.
fn wordy() -> Snapshot {
    let mut snapshot = full(&["claude".to_owned()]);
    let word = || "x".to_owned();
    for agent in &mut snapshot.agents {
        let Agent { version, kind, cwd, repository, repository_path, worktree, branch, doing, asks, model, .. } = agent;
        for text in [version, kind, cwd, repository, repository_path, worktree, branch, doing, model] {
            *text = Some(word());
        }
        *asks = Some(crate::monitor::Asks { line: word(), full: word() });
        (agent.title, agent.places, agent.usage_source) = (word(), vec![word()], Some(word()));
        (agent.session_id, agent.tokens.shown) = (Some(word()), Some(word()));
        agent.choices = vec![crate::monitor::Choice { label: word(), keys: vec![word()], selected: true }];
        let (from, to) = (AgentState::Idle, AgentState::Working);
        agent.transitions = vec![crate::monitor::Transition { at: at(1), from, to, kind: Some(word()) }];
    }
    snapshot.server.problem = Some(word());
    snapshot.server.transport = Some(word());
    snapshot.notes = vec![word()];
    let event = crate::monitor::Event { seq: 1, at: at(1), what: EventKind::Notice { text: word(), problem: true } };
    snapshot.events = std::sync::Arc::new(vec![event]);
    let preview = crate::monitor::Preview { pane_id: PaneId(1), text: word(), captured_at: at(1), above: 0 };
    snapshot.preview = Some(std::sync::Arc::new(preview));
    snapshot.strategies = vec![crate::monitor::StrategyInfo { name: word(), origin: word(), ..Default::default() }];
    snapshot
}

#[test]
fn no_text_of_a_snapshot_or_a_record_is_in_any_measure() {
    // The socket's own name is the label `server`: the folder that it is in must not be.
    let (mut snapshot, filled) = with_canaries(&wordy(), &["socket"]);
    snapshot.server.socket = "/CANARY/folder/main".into();
    assert!(filled > 150, "{filled}");
    let word = "CANARY word";
    let totals = sums(everything(&[word.to_owned(), "claude".to_owned()], word).into_iter().chain([
        transition(word, 90, AgentState::Working, AgentState::Waiting, Some(word), word),
        transition(word, 90, AgentState::Waiting, AgentState::Working, Some(word), word),
    ]));
    let measured = [Measured { totals: &totals, snapshot: &snapshot, dropped: Some(3) }];
    let words = Words::load(None);
    for format in [Format::Prometheus, Format::OpenMetrics] {
        let written = render(&families(&measured, Detail::Totals, &words), format);
        assert!(!written.contains("CANARY"), "{written}");
        assert!(written.contains("server=\"main\"") && written.contains("agent=\"other\""), "{written}");
    }
    // With `agents` the name of the session is shown, and nothing else.
    let written = text(&measured, Detail::Agents, &words);
    assert!(written.contains("session=\"CANARY-session\""), "{written}");
    assert!(!written.replace("session=\"CANARY-session\"", "").contains("CANARY"), "{written}");
    // A canary that is shown is found.
    assert!(text(&measured, Detail::Totals, &Words::of(["canary".to_owned()])).contains("other"));
}

#[test]
fn both_formats_are_as_their_readers_want_them() {
    let programs = names();
    let (totals, mut snapshot) = (sums(everything(&programs, "x")), full(&programs));
    let mut other = snapshot.clone();
    other.server.socket = "/elsewhere/s".into();
    for (socket, detail) in [("/s", Detail::Totals), ("/odd \"na\\me\"", Detail::Agents)] {
        snapshot.server.socket = socket.into();
        let measured =
            [&snapshot, &other, &other].map(|snapshot| Measured { totals: &totals, snapshot, dropped: Some(3) });
        for format in [Format::Prometheus, Format::OpenMetrics] {
            let mut all = families(&measured, detail, &Words::load(None));
            let host = |name: &str, up, rtt| HostMeasured { name: name.into(), up, rtt, last_heard: up.then(|| at(0)) };
            let rtt = std::time::Duration::from_millis(24);
            all.extend(hosts(&[host("box", true, Some(rtt)), host("ci", false, None)]));
            let written = render(&all, format);
            assert_eq!(lint(&written, format), [""; 0], "{written}");
        }
    }
    let empty = text(
        &[Measured { totals: &Totals::default(), snapshot: &test_snapshot(), dropped: None }],
        Detail::Totals,
        &Words::load(None),
    );
    assert_eq!(lint(&empty, Format::Prometheus), [""; 0], "{empty}");
}

#[test]
fn the_text_is_as_people_read_it() {
    let mut snapshot = full(&["claude".to_owned()]);
    snapshot.agents.retain(|agent| matches!(agent.state, AgentState::Waiting | AgentState::Idle));
    snapshot.health_summary = HealthSummary::of(&snapshot.agents);
    let totals = sums([
        transition("claude", 1, AgentState::Idle, AgentState::Working, None, "x"),
        transition("claude", 1, AgentState::Working, AgentState::Waiting, Some("permission"), "x"),
        transition("claude", 1, AgentState::Waiting, AgentState::Working, None, "x"),
        turn("claude", "x"),
        acted(ActKind::Answer, true, "x"),
    ]);
    let measured = [Measured { totals: &totals, snapshot: &snapshot, dropped: Some(3) }];
    insta::assert_snapshot!("text", text(&measured, Detail::Totals, &Words::load(None)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    /// Buckets only grow, from the lowest bound up and from one moment to the next; counters never go back.
    #[test]
    fn counters_and_buckets_never_go_back(steps in prop::collection::vec((0_u32..3, 0_usize..8, 0_usize..8, 0_usize..6), 1..30)) {
        let states: Vec<AgentState> = AgentState::iter().collect();
        let programs = ["claude", "codex", "nobody knows it"];
        let (mut totals, mut account) = (Totals::default(), Account::new(Timestamp::MIN));
        let snapshot = full(&["claude".to_owned()]);
        let words = Words::load(None);
        let mut before: std::collections::BTreeMap<String, f64> = std::collections::BTreeMap::new();
        for (second, (pane, from, to, kind)) in steps.into_iter().enumerate() {
            let at = at(0) + SignedDuration::from_secs(i64::try_from(second).unwrap() * 40);
            let what = transition(programs[pane as usize], pane, states[from], states[to], KINDS[kind], "x");
            let record = Record::new(at, "/s", 7, what);
            totals.take(&record);
            account.take(&record);
            account.drain(Some(("/s", 7, at))).iter().for_each(|report| totals.add(report));
            let now = text(&[Measured { totals: &totals, snapshot: &snapshot, dropped: Some(3) }], Detail::Agents, &words);
            let (mut bucket, mut family) = (0.0, String::new());
            for line in now.lines().filter(|line| !line.starts_with('#')) {
                let (name, value) = line.rsplit_once(' ').unwrap();
                let value: f64 = value.parse().unwrap();
                if name.contains("_bucket{") {
                    let of = name.split("le=").next().unwrap().to_owned();
                    prop_assert!(of != family || value >= bucket, "{line}");
                    (bucket, family) = (value, of);
                }
                if ["_total{", "_bucket{", "_count{", "_sum{"].iter().any(|end| name.contains(end)) {
                    let old = before.insert(name.to_owned(), value).unwrap_or(0.0);
                    prop_assert!(value >= old, "{line}, before {old}");
                }
            }
        }
        prop_assert!(totals.is_sound());
    }
}
