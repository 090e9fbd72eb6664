//! Snapshots made by hand: what an engine could publish, the same every time.
//!
//! Long because it is one literal of every field that a snapshot has.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(clippy::unwrap_used, reason = "a sample that cannot be made fails its test")]

pub mod stage;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use tmux_orc::app::core::day::{Day, Span, Track};
use tmux_orc::app::core::fleet::{Fleet, Host, Label, Member, MemberId};
use tmux_orc::app::core::state::State;
use tmux_orc::app::core::view::Capabilities;
use tmux_orc::monitor::*;
use tmux_orc::tmux::PaneId;

/// The moment at which every sample is.
pub fn now() -> Timestamp {
    "2026-03-04T14:03:27Z".parse().unwrap()
}

pub fn ago(seconds: i64) -> Timestamp {
    now() - SignedDuration::from_secs(seconds)
}

/// What differs from one agent to another.
pub struct Sketch {
    pub id: u32,
    pub target: &'static str,
    pub agent: &'static str,
    pub state: AgentState,
    pub kind: Option<&'static str>,
    pub since: i64,
    pub doing: &'static str,
    pub context: Option<f64>,
    pub activity: &'static [u8],
}

pub fn agent(sketch: &Sketch) -> Agent {
    let session = sketch.target.split(':').next().unwrap_or("main");
    let rule = match sketch.state {
        AgentState::Waiting => "dialog.proceed",
        AgentState::Working => "status.esc_to_interrupt",
        AgentState::Exited => "process/ended",
        _ => "prompt.empty",
    };
    let choices = if sketch.state == AgentState::Waiting {
        vec![
            Choice { label: "Yes".into(), keys: vec!["1".into()], selected: true },
            Choice { label: "Yes, and don't ask again".into(), keys: vec!["2".into()], selected: false },
            Choice { label: "No, and tell it what to do instead".into(), keys: vec!["Escape".into()], selected: false },
        ]
    } else {
        Vec::new()
    };
    Agent {
        host: None,
        server: "main".into(),
        pane_id: PaneId(sketch.id),
        target: sketch.target.into(),
        session: session.into(),
        window: "code".into(),
        name: "code".into(),
        agent: sketch.agent.into(),
        version: Some("2.1".into()),
        state: sketch.state,
        kind: sketch.kind.map(str::to_owned),
        since: ago(sketch.since),
        last_change: ago(sketch.since.min(5)),
        evidence: Evidence {
            rule: format!("{}/{rule}", sketch.agent),
            line: if sketch.doing.is_empty() { "❯".into() } else { sketch.doing.into() },
            source: if sketch.state == AgentState::Exited { Source::Process } else { Source::Screen },
            region: Some("dialog".into()),
            rows: None,
        },
        stale: false,
        health: Health::Healthy,
        context_percent: sketch.context,
        reset_at: None,
        deadline: None,
        title: "title".into(),
        cwd: Some("/home/u/src/parser".into()),
        repository: None,
        repository_path: None,
        worktree: None,
        branch: None,
        added: None,
        removed: None,
        pid: (sketch.state != AgentState::Exited).then_some(4000 + sketch.id),
        start: (sketch.state != AgentState::Exited).then_some(77),
        pane_pid: 3000 + sketch.id,
        cpu_percent: Some(if sketch.state == AgentState::Working { 12.4 } else { 0.1 }),
        memory_bytes: Some((180 + u64::from(sketch.id)) << 20),
        width: 120,
        height: 40,
        doing: (!sketch.doing.is_empty()).then(|| sketch.doing.to_owned()),
        asks: (sketch.state == AgentState::Waiting && !sketch.doing.is_empty()).then(|| match sketch.kind {
            Some("permission") => asks(
                sketch.doing.trim_end_matches('?'),
                &format!(" Bash command\n\n   {}\n   Try it first\n\n Do you want to proceed?", sketch.doing),
            ),
            _ => asks(sketch.doing, &format!(" ☐ Choice\n\n {}", sketch.doing)),
        }),
        model: Some("opus-4".into()),
        tokens: AgentTokens {
            shown: (sketch.state == AgentState::Working).then(|| "12.4k".to_owned()),
            ..AgentTokens::default()
        },
        usage_source: None,
        session_id: None,
        cost_usd: None,
        turns: None,
        tools: None,
        plan: None,
        limits: Vec::new(),
        background: 0,
        choices,
        in_view: false,
        places: Vec::new(),
        activity: sketch.activity.to_vec(),
        transitions: vec![
            Transition { at: ago(sketch.since + 311), from: AgentState::Idle, to: AgentState::Working, kind: None },
            Transition {
                at: ago(sketch.since),
                from: AgentState::Working,
                to: sketch.state,
                kind: sketch.kind.map(str::to_owned),
            },
        ],
        read_at: Some(now()),
        parked: false,
        snoozed: false,
        snoozed_until: None,
        pinned: false,
        muted: false,
        given_name: None,
        note: None,
        tidied_at: None,
    }
}

/// A day: the twelve that are there, each with its own hours, and others that are gone.
pub fn day(tracks: usize) -> Day {
    let states = [AgentState::Idle, AgentState::Working, AgentState::Waiting, AgentState::Working];
    let track = |n: usize, agent: &Agent| {
        let mut spans = Vec::new();
        let mut from = ago(6 * 3600 - 700 * n as i64 % 7000);
        for turn in 0.. {
            let state = states[turn % 4];
            let length = [900, 1300 + 90 * n as i64, 240 + 130 * (turn as i64 * n as i64 % 9), 2200][turn % 4];
            let to = from + SignedDuration::from_secs(length);
            let kind = (state == AgentState::Waiting).then(|| ["permission", "question"][n % 2].to_owned());
            spans.push(Span { from, to: to.min(now()), state, kind, since: from });
            if to >= now() {
                break;
            }
            from = to;
        }
        let (target, agent_name) = (agent.target.clone(), agent.agent.clone());
        let server = "/tmp/tmux-1000/main".to_owned();
        Track { server, pane: agent.pane_id, target, agent: agent_name, present: true, spans }
    };
    let mut all: Vec<Track> = at_work().iter().enumerate().map(|(n, agent)| track(n, agent)).collect();
    for n in 0..tracks.saturating_sub(12) {
        let mut gone = all[n % 12].clone();
        gone.spans.truncate(3 + n % 5);
        if let Some(last) = gone.spans.last_mut() {
            last.state = AgentState::Exited;
            last.kind = None;
        }
        (gone.target, gone.pane, gone.present) = (format!("gone:{n}.0"), PaneId(900 + n as u32), false);
        all.push(gone);
    }
    all.truncate(tracks);
    Day { since: ago(14 * 3600), until: now(), tracks: all }
}

/// What a prompt asks.
pub fn asks(line: &str, full: &str) -> Asks {
    Asks { line: line.into(), full: full.into() }
}

/// The twelve, of which four ask: a long command, an edit, a long question, and a folder to be trusted.
pub fn asking() -> Vec<Agent> {
    let mut agents = at_work();
    let mut ask = |target: &str, kind: &str, since, asks: Asks, labels: &[&str]| {
        let agent = agents.iter_mut().find(|agent| agent.target == target).unwrap();
        (agent.state, agent.kind) = (AgentState::Waiting, Some(kind.to_owned()));
        agent.since = ago(since);
        agent.evidence = Evidence { rule: format!("{}/dialog.{kind}", agent.agent), ..agent.evidence.clone() };
        agent.doing = Some(asks.line.clone());
        agent.asks = Some(asks);
        let choice = |label: &&str| Choice { label: (*label).to_owned(), keys: vec!["1".into()], selected: false };
        agent.choices = labels.iter().map(choice).collect();
    };
    let command = "npm run build --workspace=packages/parser -- --sourcemap 'dist/**/*.js' && npm publish --access public \
                   --registry https://registry.example.com/npm/internal/parser | tee /tmp/publish.log";
    ask(
        "api:2.0",
        "permission",
        134,
        asks(
            command,
            &format!(
                " Bash command\n\n   {command}\n   Build the parser and publish it to the registry\n\n Do you want to proceed?"
            ),
        ),
        &[
            "Yes",
            "Yes, and don't ask again for npm commands in /home/u/src/parser",
            "No, and tell Claude what to do differently (esc)",
        ],
    );
    ask(
        "web:1.0",
        "question",
        41,
        asks(
            "The tests need a database. Which one should they use, given that the CI machines have PostgreSQL 14 already, that \
             SQLite needs nothing, and that production runs on PostgreSQL 16?",
            "Question 1/2 (2 unanswered)\n\nThe tests need a database. Which one should they use, given that the CI machines have\n\
             PostgreSQL 14 already, that SQLite needs nothing, and that production runs on\nPostgreSQL 16?",
        ),
        &["SQLite", "PostgreSQL 14", "PostgreSQL 16"],
    );
    ask(
        "api:3.1",
        "permission",
        20,
        asks(
            "Do you want to make this edit to src/lexer.rs?",
            " Edit file\n src/lexer.rs\n\n 41       let start = self.cursor;\n 42 -     while self.peek().is_some() {\n 42 +     while \
             let Some(next) = self.peek() {\n 43 +         self.take(next);\n 44       }\n\n Do you want to make this edit to \
             src/lexer.rs?",
        ),
        &["Yes", "Yes, allow all edits during this session (shift+tab)", "No"],
    );
    ask(
        "misc:2.0",
        "trust",
        12,
        asks(
            "Do you trust the contents of this directory?",
            "Do you trust the contents of this directory? Working with \
             untrusted\ncontents comes with higher risk of prompt injection.",
        ),
        &["Yes, continue", "No, quit"],
    );
    agents
}

const BUSY: &[u8] = &[5, 7, 6, 7, 5, 7, 7, 6];
const CALM: &[u8] = &[1, 2, 5, 2, 1, 0, 0, 0];
const QUIET: &[u8] = &[0, 0, 0, 0, 0, 0, 0, 0];

/// The twelve, in repositories and out of them, with what they spend.
pub fn at_work() -> Vec<Agent> {
    let branches = ["main", "feature/a-new-parser", "fix/lexer", "43af5ad"];
    let mut agents = twelve();
    for (n, agent) in agents.iter_mut().enumerate() {
        let spent = Tokens { input_tokens: 1_700 * (n as u64 + 1), cache_read_tokens: 31_000, ..Tokens::default() };
        agent.tokens.session = Some(spent);
        agent.cost_usd = (n % 3 != 2).then_some(0.37 * (n + 1) as f64);
        spends(agent, n as u64, spent);
        if n % 5 == 4 {
            agent.cwd = Some("/tmp".into());
            continue;
        }
        // Two repositories of one name.
        let at = ["/home/u/src/parser", "/home/u/src/web", "/srv/web"][n % 3];
        agent.cwd = Some(if n % 4 == 1 { format!("{at}-new") } else { at.to_owned() });
        agent.repository = at.rsplit('/').next().map(str::to_owned);
        agent.repository_path = Some(at.into());
        agent.worktree = (n % 4 == 1).then(|| format!("{}-new", agent.repository.as_deref().unwrap()));
        agent.branch = Some(branches[n % 4].into());
        (agent.added, agent.removed) = (Some([0, 12, 1234][n % 3]), Some([0, 3, 456][n % 3]));
        if n == 3 {
            (agent.added, agent.removed) = (None, None);
        }
    }
    agents
}

/// What the usage view shows of an agent, as far as its program writes it down.
fn spends(agent: &mut Agent, n: u64, session: Tokens) {
    let file = match agent.agent.as_str() {
        "claude" => {
            format!("/home/u/.claude/projects/-home-u-src-parser/{n}.jsonl (its program says that this is its session)")
        }
        "codex" => format!("/home/u/.codex/sessions/2026/03/04/rollout-{n}.jsonl (its process has it open)"),
        "aider" => return agent.tokens.session = None,
        _ => {
            agent.usage_source = Some("no transcript of it was found".into());
            return agent.tokens.session = None;
        }
    };
    let name = if agent.agent == "claude" {
        ["claude-opus-4-5", "claude-sonnet-4-5"][n as usize % 2]
    } else {
        "gpt-5.2-codex"
    };
    let window = if agent.agent == "claude" { 200_000 } else { 272_000 };
    let part = |of: u64| Tokens {
        input_tokens: session.input_tokens / of,
        output_tokens: 41_000 * (n + 1) / of,
        cache_read_tokens: 730_000 * (n + 1) / of,
        cache_write_tokens: 9_000 / of,
    };
    agent.model = Some(name.into());
    agent.usage_source = Some(format!("from {file}"));
    agent.tokens = AgentTokens {
        context_used: agent.context_percent.map(|left| window - window * left as u64 / 100),
        // Of some models it is not known.
        context_window: (n % 4 != 3).then_some(window),
        turn: Some(part(40)),
        session: Some(part(1)),
        today: (n != 2).then(|| part(3)),
        shown: agent.tokens.shown.take(),
    };
    agent.turns = Some(3 * n + 1);
    agent.tools = Some(if agent.state == AgentState::Working { 2 } else { 0 });
    agent.plan = n.is_multiple_of(2).then_some(Plan { done: 3, of: 7 });
}

/// Twelve agents in mixed states.
pub fn twelve() -> Vec<Agent> {
    let sketch = |id, target, agent, state, kind, since, doing, context, activity| Sketch {
        id,
        target,
        agent,
        state,
        kind,
        since,
        doing,
        context,
        activity,
    };
    let mut agents: Vec<Agent> = [
        sketch(11, "api:1.0", "claude", AgentState::Working, None, 182, "Running tests (12 of 40)", Some(12.0), BUSY),
        sketch(
            14,
            "api:2.0",
            "claude",
            AgentState::Waiting,
            Some("permission"),
            134,
            "cargo publish --dry-run?",
            Some(34.0),
            CALM,
        ),
        sketch(
            15,
            "api:3.0",
            "claude",
            AgentState::Working,
            Some("compacting"),
            12,
            "Compacting conversation",
            Some(96.0),
            CALM,
        ),
        sketch(16, "api:3.1", "claude", AgentState::Working, None, 67, "Reading src/lexer.rs", Some(8.0), BUSY),
        sketch(20, "docs:0.0", "gemini", AgentState::Exited, None, 363, "shell prompt", None, QUIET),
        sketch(
            21,
            "docs:1.0",
            "claude",
            AgentState::Limited,
            Some("usage"),
            2400,
            "Limit reached, resets 16:00",
            Some(51.0),
            QUIET,
        ),
        sketch(30, "misc:1.0", "aider", AgentState::Idle, None, 840, "", None, QUIET),
        sketch(31, "misc:2.0", "codex", AgentState::Idle, None, 10_810, "", Some(88.0), QUIET),
        sketch(
            40,
            "ml:0.1",
            "opencode",
            AgentState::Working,
            Some("retrying"),
            8,
            "529 overloaded, attempt 3/10",
            Some(64.0),
            CALM,
        ),
        sketch(41, "ml:1.0", "opencode", AgentState::Working, None, 305, "Editing train.py", Some(45.0), BUSY),
        sketch(
            50,
            "web:1.0",
            "codex",
            AgentState::Waiting,
            Some("question"),
            41,
            "Which database should I use?",
            Some(71.0),
            CALM,
        ),
        sketch(
            51,
            "web:2.0",
            "codex",
            AgentState::Idle,
            Some("done"),
            80,
            "Fixed the lexer, 42 pass",
            Some(58.0),
            CALM,
        ),
    ]
    .iter()
    .map(agent)
    .collect();
    agents[9].background = 2;
    agents
}

/// `n` agents in mixed states.
pub fn many(n: u32) -> Vec<Agent> {
    let base = twelve();
    (0..n)
        .map(|i| {
            let mut agent = base[usize::try_from(i).unwrap() % base.len()].clone();
            agent.pane_id = PaneId(100 + i);
            agent.target = format!("s{}:{}.0", i / 10, i % 10);
            agent.session = format!("s{}", i / 10);
            agent
        })
        .collect()
}

/// Names in several scripts, long and empty ones.
pub fn foreign() -> Vec<Agent> {
    let names = ["解析器:1.0", "👩‍👩‍👧‍👦:2.0", "שלום:0.1", "a-very-long-session-name-indeed:12.3", "é́́:0.0"];
    let doing = [
        "正在编写解析器的单元测试并修复错误",
        "🎉 done 🎉 in the 🏠",
        "קורא קבצים",
        "a line that goes on and on and on until nobody would read it any more, and then some",
        "",
    ];
    names
        .iter()
        .zip(doing)
        .enumerate()
        .map(|(i, (target, doing))| {
            agent(&Sketch {
                id: u32::try_from(i).unwrap(),
                target,
                agent: "claude",
                state: if i % 2 == 0 { AgentState::Waiting } else { AgentState::Working },
                kind: None,
                since: 100,
                doing,
                context: Some(50.0),
                activity: BUSY,
            })
        })
        .collect()
}

pub fn strategies() -> Vec<StrategyInfo> {
    [("concurrent", Some(9.8)), ("polling", Some(31.0)), ("adaptive", Some(4.2)), ("nightly", None)]
        .map(|(name, p50_ms)| StrategyInfo { name: name.into(), origin: "built in".into(), problem: None, p50_ms })
        .to_vec()
}

fn layer(hits: u64, misses: u64, size: u64) -> LayerInfo {
    LayerInfo {
        hits,
        misses,
        evictions: 0,
        expirations: 14,
        size,
        capacity: 1000,
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        hit_rate: (hits + misses > 0).then(|| hits as f64 / (hits + misses) as f64),
    }
}

/// The last hour: something was changed twenty minutes ago.
pub fn hour() -> Vec<HourPoint> {
    (1..=100u32)
        .map(|n| {
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let wave = (n % 7) as f32 / 10.0;
            let ms = if n < 60 { 9.4 } else { 3.6 } + wave;
            HourPoint {
                n: n.into(),
                cycles: 30,
                duration_ms: ms,
                slowest_ms: ms * 2.0,
                discover_ms: 0.5,
                fetch_ms: ms * 0.7,
                detect_ms: ms * 0.15,
                publish_ms: 0.2,
                checked: 360,
                changed: 40,
                requests: 60,
                in_use: 2 + n % 3,
                hits: 930,
                lookups: 1000,
                cpu_percent: Some(0.3 + wave / 4.0),
                tmux_cpu_percent: Some(0.6),
                mark: (n == 60).then(|| "strategy adaptive".into()),
            }
        })
        .collect()
}

pub fn history() -> Vec<CyclePoint> {
    (0..120u32)
        .map(|i| {
            let wave = [3.1, 3.9, 3.4, 4.4, 3.2, 8.1, 3.3, 3.6, 4.2, 3.0][usize::try_from(i % 10).unwrap()];
            let slow = i < 40;
            CyclePoint {
                cycle: u64::from(i) + 1,
                duration_ms: if slow { wave * 2.4 } else { wave },
                checked: 12,
                changed: i % 4,
                in_use: 1 + i % 4,
                hit_rate: Some(if slow { 0.7 } else { 0.95 }),
                cpu_percent: Some(0.2 + wave / 20.0),
                mark: match i {
                    40 => Some("strategy adaptive".into()),
                    97 => Some("pool 20".into()),
                    _ => None,
                },
            }
        })
        .collect()
}

pub fn events() -> Vec<Event> {
    let move_of = |target: &str, id, from, to, kind: Option<&str>| EventKind::Transition {
        pane_id: PaneId(id),
        target: target.into(),
        agent: "claude".into(),
        from,
        to,
        kind: kind.map(str::to_owned),
        evidence: Evidence { rule: "r".into(), line: "l".into(), source: Source::Screen, region: None, rows: None },
    };
    let changed = |setting: &str, from: &str, to: &str| EventKind::Changed {
        setting: setting.into(),
        from: from.into(),
        to: to.into(),
    };
    [
        (500, EventKind::Notice { text: "Watching with dial".into(), problem: false }),
        (363, move_of("docs:0.0", 20, AgentState::Working, AgentState::Exited, None)),
        (134, move_of("api:2.0", 14, AgentState::Working, AgentState::Waiting, Some("permission"))),
        (80, move_of("web:2.0", 51, AgentState::Working, AgentState::Idle, Some("done"))),
        (62, changed("strategy", "concurrent", "adaptive")),
        (41, move_of("web:1.0", 50, AgentState::Working, AgentState::Waiting, Some("question"))),
        (20, changed("pool", "18", "20")),
    ]
    .into_iter()
    .enumerate()
    .map(|(i, (before, what))| Event { seq: u64::try_from(i).unwrap() + 1, at: ago(before), what })
    .collect()
}

pub fn tune() -> Vec<TuneRow> {
    let around = |value: Option<f64>, cycles: u64| {
        value.filter(|_| cycles > 5).map(|value| Between { low: value * 0.92, high: value * 1.08 })
    };
    let row = |strategy: &str, pool_size, cycles, p50, p99, age, cpu, tmux, current| TuneRow {
        strategy: strategy.into(),
        pool_size,
        interval: 1.0,
        cache: "ttl".into(),
        cycles,
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        seconds: cycles as f64,
        p50_ms: p50,
        p99_ms: p99,
        staleness_ms: age,
        cpu_percent: cpu,
        tmux_cpu_percent: tmux,
        cpu_samples: if cpu.is_some() { cycles / 2 } else { 0 },
        p50_between: around(p50, cycles),
        p99_between: around(p99, cycles.saturating_sub(20)),
        cpu_between: around(cpu, cycles),
        tmux_cpu_between: around(tmux, cycles),
        current,
    };
    vec![
        row("adaptive", 20, 80, Some(4.2), Some(8.1), Some(120.0), Some(0.3), Some(0.6), true),
        row("adaptive", 19, 60, Some(4.4), Some(8.0), Some(121.0), Some(0.3), Some(0.6), false),
        row("concurrent", 20, 40, Some(9.8), Some(12.0), Some(510.0), Some(0.8), Some(1.4), false),
        row("polling", 5, 12, Some(31.0), Some(44.0), Some(740.0), Some(0.5), Some(0.5), false),
        row("adaptive", 18, 2, Some(4.6), None, None, None, None, false),
    ]
}

/// The screen of `api:2.0`.
pub fn preview() -> Preview {
    let text = "\x1b[38;2;120;120;120m> add a release workflow\x1b[0m\n\
        \n\
        \x1b[32m●\x1b[0m I'll check the package first.\n\
        \n\
        \x1b[32m●\x1b[0m \x1b[1mBash\x1b[0m(cargo publish --dry-run)\n\
        \x20 ⎿  Running…\n\
        \n\
        \x1b[38;5;153m╭──────────────────────────────────────────╮\x1b[0m\n\
        \x1b[38;5;153m│\x1b[0m \x1b[1mBash command\x1b[0m                             \x1b[38;5;153m│\x1b[0m\n\
        \x1b[38;5;153m│\x1b[0m   cargo publish --dry-run                \x1b[38;5;153m│\x1b[0m\n\
        \x1b[38;5;153m│\x1b[0m Do you want to proceed?                  \x1b[38;5;153m│\x1b[0m\n\
        \x1b[38;5;153m│\x1b[0m \x1b[38;5;153m❯ 1. Yes\x1b[0m                                 \x1b[38;5;153m│\x1b[0m\n\
        \x1b[38;5;153m│\x1b[0m   2. Yes, and don't ask again            \x1b[38;5;153m│\x1b[0m\n\
        \x1b[38;5;153m│\x1b[0m   3. No, and tell it what to do instead  \x1b[38;5;153m│\x1b[0m\n\
        \x1b[38;5;153m╰──────────────────────────────────────────╯\x1b[0m\n\n\n\n";
    Preview { pane_id: PaneId(14), text: text.into(), captured_at: now(), above: 0 }
}

/// The screen of an agent as the wall shows it, which says whose it is.
pub fn screen(agent: &Agent) -> Preview {
    let text = match agent.state {
        AgentState::Waiting => preview().text,
        _ => format!(
            "\x1b[1m> {0}\x1b[0m\n\n\x1b[32m●\x1b[0m On it in {1}.\n\n\x1b[31m✻ Working\x1b[0m (esc to interrupt)\n\n────\n❯ \n────\n",
            agent.doing.as_deref().unwrap_or("hello"),
            agent.target
        ),
    };
    Preview { pane_id: agent.pane_id, text, captured_at: now(), above: 0 }
}

/// A snapshot with these agents and all their screens.
pub fn on_the_wall(agents: Vec<Agent>) -> Snapshot {
    let previews = agents.iter().map(|agent| Arc::new(screen(agent))).collect();
    Snapshot { preview: None, previews, ..snapshot(agents) }
}

/// A snapshot with these agents, everything else measured.
pub fn snapshot(agents: Vec<Agent>) -> Snapshot {
    let count = |wanted: &dyn Fn(&Agent) -> bool| agents.iter().filter(|agent| wanted(agent)).count();
    Snapshot {
        schema: SCHEMA,
        timestamp: now(),
        server: ServerInfo {
            socket: "/tmp/tmux-1000/main".into(),
            version: Some("3.3a".into()),
            transport: Some("dial".into()),
            status: ServerStatus::Reachable,
            problem: None,
            pid: Some(4001),
            started: Some(now().as_second() - 86_400),
            simulated: false,
        },
        engine: EngineInfo {
            mode: "async".into(),
            pid: 41873,
            started: Timestamp::UNIX_EPOCH,
            uptime: 620.0,
            paused: false,
            version: "0.1.0".into(),
            tiles: MOST_TILES,
        },
        current_strategy: "adaptive".into(),
        base_status: BaseStatus {
            is_running: true,
            active_agents: count(&|a| a.state != AgentState::Idle),
            idle_agents: count(&|a| a.state == AgentState::Idle),
            cycle_count: 120,
            last_cycle_time: Some(0.0042),
            errors_detected: 0,
            uptime: 620.0,
        },
        connection_pool: PoolInfo {
            pool_size: 20,
            active_connections: 3,
            idle_connections: 4,
            waiters: 0,
            connections_created: 7,
            connections_reused: 1210,
            connections_recycled: 2,
            total_acquisitions: 1234,
            acquisition_timeouts: 0,
            wait_p50_ms: Some(0.05),
            wait_p99_ms: Some(0.4),
        },
        cache_performance: CacheInfo {
            pane_content: layer(960, 40, 12),
            agent_status: layer(880, 120, 12),
            session_info: layer(990, 10, 5),
            config: layer(0, 0, 0),
        },
        health_summary: HealthSummary { total_agents: agents.len(), healthy: agents.len(), ..HealthSummary::default() },
        cycle: CycleInfo {
            last: Some(CycleStats {
                duration_ms: 4.2,
                discover_ms: 0.5,
                fetch_ms: 2.8,
                detect_ms: 0.5,
                publish_ms: 0.2,
                checked: 4,
                skipped: agents.len().saturating_sub(4),
                changed: 2,
                tmux_commands: 5,
                tmux_requests: 2,
                tmux_processes: 0,
                bytes: 18_400,
            }),
            p50_ms: Some(3.9),
            p95_ms: Some(6.2),
            p99_ms: Some(8.1),
            max_ms: Some(12.0),
            overruns: 0,
            heard: 41,
            rhythm: RhythmInfo { followed: 3, breaks: 61, false_breaks: 17, missed: 1 },
            reading: None,
        },
        cost: CostInfo {
            cpu_percent: Some(0.3),
            memory_bytes: Some(11 << 20),
            threads: Some(4),
            tmux_cpu_percent: Some(0.6),
            watching_percent: Some(0.4),
            held_back: false,
        },
        settings: LiveSettings {
            interval: 1.0,
            transport: "auto".into(),
            pool_min: 5,
            pool_max: 20,
            cache_enabled: true,
            cache_policy: "ttl".into(),
            cache_ttl: 30.0,
            max_failures: 3,
            max_server_percent: 5.0,
            ..LiveSettings::default()
        },
        strategies: strategies(),
        tune: tune(),
        history: Arc::new(history()),
        hour: Arc::new(hour()),
        events: Arc::new(events()),
        notes: Vec::new(),
        backlog: Arc::default(),
        instruments: true,
        preview: Some(Arc::new(preview())),
        tiles: Vec::new(),
        previews: Vec::new(),
        agents: agents.into(),
        accounts: Vec::new(),
    }
}

/// A snapshot before anything was measured.
pub fn blank(status: ServerStatus) -> Snapshot {
    let mut snapshot = snapshot(Vec::new());
    snapshot.server.status = status;
    snapshot.server.transport = None;
    snapshot.server.version = None;
    snapshot.base_status = BaseStatus::default();
    snapshot.connection_pool = PoolInfo { pool_size: 20, ..PoolInfo::default() };
    snapshot.cache_performance = CacheInfo::default();
    snapshot.cycle = CycleInfo::default();
    snapshot.cost = CostInfo::default();
    snapshot.history = Arc::default();
    snapshot.hour = Arc::default();
    snapshot.events = Arc::default();
    snapshot.tune = Vec::new();
    snapshot.preview = None;
    for strategy in &mut snapshot.strategies {
        strategy.p50_ms = None;
    }
    snapshot
}

/// Four hosts beside this machine: two that answer, one that is late, one that is lost.
pub fn fleet() -> Fleet {
    let all = twelve();
    let part = |range: std::ops::Range<usize>, host: Option<&str>, server: &str| {
        let mut snapshot = snapshot(all[range].to_vec());
        snapshot.server.socket = format!("/tmp/tmux-1000/{server}");
        for agent in &mut snapshot.agents {
            (agent.host, agent.server) = (host.map(Into::into), server.into());
            agent.stale |= matches!(host, Some("ci"));
        }
        snapshot.preview = snapshot.preview.filter(|_| host.is_none());
        snapshot.events = if host.is_none() { snapshot.events } else { Arc::default() };
        let label = Label { host: host.map(Into::into), server: server.into() };
        (label, Arc::new(snapshot))
    };
    let member = |id, (label, snapshot)| Member { id: MemberId(id), label, link: Link::default(), snapshot };
    let host = |name: &str, state| Host {
        name: name.into(),
        state,
        version: Some("0.2.0".into()),
        last_heard: Some(ago(240)),
        read_only: name == "gpu",
    };
    let up = |ms| LinkState::Up { rtt: Some(std::time::Duration::from_millis(ms)) };
    let others = [
        member(1, part(3..6, Some("box"), "default")),
        member(2, part(6..8, Some("gpu"), "default")),
        member(3, part(8..9, Some("gpu"), "work")),
        member(4, part(9..10, Some("web"), "default")),
        member(5, part(10..12, Some("ci"), "default")),
    ];
    Fleet::new(member(0, part(0..3, None, "default")), others).with_hosts(vec![
        host("box", up(24)),
        host("gpu", up(150)),
        host("web", LinkState::Late { since: ago(8) }),
        host("ci", LinkState::Down { why: "Connection timed out".into(), since: ago(240), next: now() }),
    ])
}

/// A dashboard that shows this snapshot and can do everything.
pub fn app(snapshot: Snapshot) -> State {
    let mut app = State::new(Arc::new(snapshot).into(), now(), TimeZone::UTC);
    app.can = Capabilities { jump: true, act: true, reload: true, copy: true };
    app.themes = ["dark", "light", "high-contrast", "colour-blind", "mono"].map(str::to_owned).to_vec();
    app
}
