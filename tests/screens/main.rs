//! What the dashboard shows: a picture in text for each state and size, and the colours of each theme.
//!
//! Long because it names every screen that is held.

mod asks;
mod day;
mod opens;
mod pages;
#[path = "../sample/mod.rs"]
mod sample;
mod tidy;
mod wall;

use std::sync::Arc;

use sample::stage::Stage;
use tmux_orc::app::core::column::Column;
use tmux_orc::app::core::fleet::{Fleet, Host, Label, Member, MemberId};
use tmux_orc::app::core::message::{Hit, Message, Mouse};
use tmux_orc::monitor::{Account, Limit, Link, LinkState, ServerStatus, Snapshot};
use tmux_orc::ui::colour::Depth;

fn twelve() -> Snapshot {
    sample::snapshot(sample::twelve())
}

#[test]
fn every_size_has_its_arrangement() {
    for (columns, rows) in
        [(200, 55), (140, 42), (120, 35), (140, 24), (100, 40), (80, 24), (60, 20), (40, 30), (19, 12), (30, 3)]
    {
        let stage = Stage::new(twelve(), columns, rows);
        insta::assert_snapshot!(format!("size-{columns}x{rows}"), stage.text());
    }
}

#[test]
fn columns_give_way_and_groups_have_heads() {
    let at_work = || sample::snapshot(sample::at_work());
    for (columns, rows) in [(200, 55), (120, 35), (80, 24)] {
        let mut stage = Stage::new(at_work(), columns, rows);
        insta::assert_snapshot!(format!("columns-{columns}x{rows}"), stage.text());
        stage.keys("z");
        insta::assert_snapshot!(format!("columns-{columns}x{rows}-zoomed"), stage.text());
    }
    for (keys, name) in [("b b", "folder"), ("b b b", "repository"), ("b b b b", "program")] {
        let mut stage = Stage::new(at_work(), 120, 35);
        stage.keys(keys);
        insta::assert_snapshot!(format!("grouped-by-{name}"), stage.text());
    }
    let mut stage = Stage::new(at_work(), 80, 24);
    stage.state.columns = vec![Column::Branch, Column::Diff];
    stage.keys("b b b");
    insta::assert_snapshot!("columns-chosen", stage.text());
}

#[test]
fn the_usage_view_says_what_each_spends_and_what_they_spend_together() {
    let at_work = || sample::snapshot(sample::at_work());
    for (columns, rows) in [(200, 55), (120, 35), (80, 24), (60, 20), (40, 30), (24, 8)] {
        let mut stage = Stage::new(at_work(), columns, rows);
        stage.keys("u");
        insta::assert_snapshot!(format!("usage-{columns}x{rows}"), stage.text());
    }
    for (keys, name) in [("u z", "zoomed"), ("u b b b b", "by-program"), ("u / c o d e x enter", "filtered")] {
        let mut stage = Stage::new(at_work(), 120, 35);
        stage.keys(keys);
        insta::assert_snapshot!(format!("usage-{name}"), stage.text());
    }
    let mut stage = Stage::new(at_work(), 120, 35);
    stage.keys("u");
    stage.state.ascii = true;
    insta::assert_snapshot!("usage-ascii", stage.text());
    for (columns, rows) in [(200, 55), (120, 35), (80, 24), (40, 30), (24, 12)] {
        let mut stage = with_limits(columns, rows);
        stage.publish(|next| next.agents = sample::at_work().into());
        stage.keys("u");
        insta::assert_snapshot!(format!("usage-with-limits-{columns}x{rows}"), stage.text());
    }
    let mut stage = Stage::new(sample::snapshot(sample::many(1000)), 80, 24);
    stage.keys("u G");
    insta::assert_snapshot!("usage-of-a-thousand", stage.text());
}

#[test]
fn every_state_of_the_whole_says_what_it_is_and_what_to_do() {
    for status in [ServerStatus::Connecting, ServerStatus::NoTmux, ServerStatus::NoServer, ServerStatus::Reachable] {
        let stage = Stage::new(sample::blank(status), 80, 24);
        insta::assert_snapshot!(format!("whole-{status}"), stage.text());
    }
    let mut lost = twelve();
    lost.server.status = ServerStatus::Unreachable;
    lost.server.problem = Some("lost server".into());
    for agent in &mut lost.agents {
        agent.stale = true;
    }
    insta::assert_snapshot!("whole-unreachable", Stage::new(lost, 100, 24).text());

    let mut paused = twelve();
    paused.engine.paused = true;
    insta::assert_snapshot!("whole-paused", Stage::new(paused, 80, 24).text());

    let mut stage = Stage::new(twelve(), 120, 35);
    stage.reach(Link::Attached(41873));
    insta::assert_snapshot!("whole-attached", stage.text());
    stage.reach(Link::Lost(41873));
    insta::assert_snapshot!("whole-engine-lost", stage.text());
}

#[test]
fn names_in_any_script_keep_the_columns_straight() {
    insta::assert_snapshot!("names", Stage::new(sample::snapshot(sample::foreign()), 120, 35).text());
    insta::assert_snapshot!("names-sidebar", Stage::new(sample::snapshot(sample::foreign()), 40, 20).text());
}

#[test]
fn several_hosts_of_which_one_is_lost() {
    for (columns, rows) in [(200, 55), (140, 42), (100, 30), (80, 24), (40, 30)] {
        let mut stage = Stage::new(sample::blank(ServerStatus::Connecting), columns, rows);
        stage.tell(Message::Fleet(sample::fleet()));
        stage.keys("g");
        stage.check();
        insta::assert_snapshot!(format!("hosts-{columns}x{rows}"), stage.text());
        stage.keys("b b");
        insta::assert_snapshot!(format!("hosts-grouped-{columns}x{rows}"), stage.text());
        stage.keys("H j");
        insta::assert_snapshot!(format!("hosts-panel-{columns}x{rows}"), stage.text());
    }
}

#[test]
fn one_agent_and_a_thousand() {
    insta::assert_snapshot!("one", Stage::new(sample::snapshot(sample::many(1)), 80, 24).text());
    let mut stage = Stage::new(sample::snapshot(sample::many(1000)), 80, 24);
    stage.keys("G");
    insta::assert_snapshot!("thousand-at-the-end", stage.text());
}

#[test]
fn views_and_overlays() {
    for (name, keys) in [
        ("tune", "t"),
        ("tune-pending", "t + s C >"),
        ("grouped-by-session", "b"),
        ("sorted-by-agent", "o o"),
        ("without-preview", "p"),
        ("without-events", "l"),
        ("zoomed-agents", "z"),
        ("zoomed-preview", "tab z"),
        ("zoomed-pool", "tab tab z"),
        ("zoomed-cache", "tab tab tab z"),
        ("zoomed-cycle", "tab tab tab tab z"),
        ("zoomed-cost", "tab tab tab tab tab z"),
        ("zoomed-strategy", "tab tab tab tab tab tab z"),
        ("zoomed-events", "backtab z"),
        ("help", "?"),
        ("help-searched", "? p o o l"),
        ("palette", ":"),
        ("palette-searched", ": t h e m e"),
        ("answer", "y"),
        ("message", "m h i"),
        ("interrupt", "x"),
        ("filter-typed", "/ c o d e x"),
        ("filter-kept", "/ c o d e x enter"),
        ("filter-without-match", "/ z z z enter"),
        ("pool-pending", "+ +"),
    ] {
        let mut stage = Stage::new(twelve(), 120, 35);
        stage.keys(keys);
        insta::assert_snapshot!(name, stage.text());
    }
    let mut stage = Stage::new(twelve(), 80, 24);
    stage.keys("p");
    insta::assert_snapshot!("preview-below", stage.text());
    let mut stage = Stage::new(twelve(), 40, 30);
    stage.keys("p l");
    insta::assert_snapshot!("sidebar-with-preview-and-events", stage.text());
}

#[test]
fn what_was_not_measured_is_a_dash() {
    let mut snapshot = sample::blank(ServerStatus::Reachable);
    snapshot.agents = sample::twelve().into();
    for agent in &mut snapshot.agents {
        agent.cpu_percent = None;
        agent.memory_bytes = None;
        agent.context_percent = None;
        agent.version = None;
        agent.activity.clear();
    }
    insta::assert_snapshot!("not-measured", Stage::new(snapshot, 140, 42).text());
}

#[test]
fn instruments_say_whose_they_are_and_what_a_host_has_not_said_is_a_dash() {
    for (columns, rows) in [(140, 42), (100, 30), (40, 30)] {
        let mut stage = Stage::new(twelve(), columns, rows);
        let far = Snapshot { instruments: false, preview: None, ..twelve() };
        let label = Label { host: Some("box".into()), server: "default".into() };
        let other = Member { id: MemberId(1), label, link: Link::default(), snapshot: Arc::new(far) };
        let state = LinkState::Up { rtt: Some(std::time::Duration::from_millis(24)) };
        let host = Host { name: "box".into(), state, version: None, last_heard: None, read_only: false };
        let fleet = Fleet::new(stage.state.fleet.first().clone(), [other]).with_hosts(vec![host]);
        stage.tell(Message::Fleet(fleet));
        let key = stage.state.fleet.keyed().find(|(key, _)| key.member == MemberId(1)).unwrap().0;
        stage.tell(Message::Mouse(Mouse::Click, Some(Hit::Agent(key))));
        insta::assert_snapshot!(format!("instruments-not-said-{columns}x{rows}"), stage.text());
        let far = Snapshot { preview: None, ..twelve() };
        stage.tell(Message::Fleet(stage.state.fleet.with_snapshot(MemberId(1), Arc::new(far))));
        insta::assert_snapshot!(format!("instruments-of-a-host-{columns}x{rows}"), stage.text());
    }
}

#[test]
fn a_prompt_that_counts_down_says_by_when_it_wants_its_answer() {
    let after = |seconds| {
        let mut snapshot = twelve();
        let deadline = snapshot.timestamp + jiff::SignedDuration::from_secs(seconds);
        snapshot.agents.iter_mut().find(|agent| agent.target == "api:2.0").expect("it asks").deadline = Some(deadline);
        snapshot
    };
    let mut stage = Stage::new(after(42), 120, 35);
    let why = stage.text();
    assert!(why.contains("│ answer by 14:04:09 · "), "{why}");
    stage.keys("y");
    let answers = stage.text();
    let title = answers.lines().find(|line| line.contains("Answer api:2.0")).expect("its box");
    assert!(title.contains(" answer by 14:04:09 ╮"), "{title}");
    let narrow = Stage::new(after(42), 40, 30).text();
    assert!(narrow.contains("answer by 14:04:09: "), "{narrow}");
    let over = Stage::new(after(-1), 120, 35).text();
    assert!(!over.contains("answer by"), "its time is over");
}

/// Two accounts of which one has used much of its limits.
fn with_limits(columns: u16, rows: u16) -> Stage {
    let mut snapshot = twelve();
    let now = snapshot.timestamp;
    let limit = |minutes, used_percent, hours: i64| Limit {
        minutes: Some(minutes),
        used_percent,
        resets_at: Some(now + jiff::SignedDuration::from_hours(hours)),
        at: Some(now),
    };
    let account = |program: &str, name: &str, limits| Account { program: program.into(), name: name.into(), limits };
    snapshot.accounts = vec![
        account("claude", "~/.claude", vec![limit(300, 87.4, 2), limit(10_080, 42.0, 71)]),
        account("codex", "~/.codex", vec![limit(300, 61.0, -1), limit(10_080, 12.0, 30)]),
    ];
    Stage::new(snapshot, columns, rows)
}

#[test]
fn a_limit_of_which_much_is_used_is_in_the_header_and_all_of_them_in_the_zoomed_panel() {
    for (columns, rows) in [(80, 24), (120, 35), (40, 30)] {
        insta::assert_snapshot!(format!("limits-{columns}x{rows}"), with_limits(columns, rows).text());
    }
    let mut stage = with_limits(120, 35);
    stage.keys("tab tab tab tab tab z");
    insta::assert_snapshot!("limits-zoomed", stage.text());
    stage.state.ascii = true;
    insta::assert_snapshot!("limits-zoomed-ascii", stage.text());
    let mut stage = with_limits(80, 24);
    stage.keys("tab z");
    let zoomed = stage.text();
    for columns in [200, 140, 100, 60, 30, 12] {
        let header = with_limits(columns, 35).text();
        let first = header.lines().next().expect("a row").to_owned();
        assert!(columns < 80 || first.contains("claude 5h 87%"), "{columns}: {first}");
        assert!(!first.contains("5h 8…") && !first.contains("· 1…"), "{columns}: {first}");
    }
    assert!(!zoomed.contains("codex 5h 61%"), "it has ended");
    let mut quiet = with_limits(120, 35);
    quiet.state.limit_threshold = 90;
    assert!(!quiet.text().contains("5h 87%"), "below the threshold");
    let mono = with_limits(120, 35).buffer("mono");
    assert!(mono.content().iter().all(|cell| cell.fg == ratatui::style::Color::Reset), "mono has no colour");
}

#[test]
fn every_theme_has_its_colours() {
    let mut snapshot = twelve();
    snapshot.preview = None;
    let stage = Stage::new(snapshot, 60, 20);
    for theme in ["dark", "light", "high-contrast", "colour-blind", "mono"] {
        insta::assert_snapshot!(format!("theme-{theme}"), format!("{:?}", stage.buffer(theme)));
    }
    for (name, depth) in [("256", Depth::Indexed), ("16", Depth::Ansi), ("no-colour", Depth::None)] {
        insta::assert_snapshot!(format!("dark-with-{name}"), format!("{:?}", stage.buffer_at("dark", depth)));
    }
}

#[test]
fn without_colours_no_cell_has_one() {
    for keys in ["z", "t", "u", "?", ":", "y"] {
        let mut stage = Stage::new(sample::snapshot(sample::at_work()), 140, 42);
        stage.keys(keys);
        for (theme, depth) in [("mono", Depth::True), ("dark", Depth::None), ("high-contrast", Depth::None)] {
            let buffer = stage.buffer_at(theme, depth);
            let reset = ratatui::style::Color::Reset;
            let coloured = buffer.content().iter().filter(|cell| cell.fg != reset || cell.bg != reset).count();
            assert_eq!(coloured, 0, "{theme} {depth:?} after {keys}");
        }
    }
}

#[test]
fn a_screen_is_the_same_for_the_same_state() {
    let stage = Stage::new(twelve(), 140, 42);
    assert_eq!(stage.buffer("dark"), stage.buffer("dark"));
}

#[test]
fn the_plain_frame_has_the_lines_people_look_for() {
    let frame = tmux_orc::app::core::plain::frame(&twelve(), &jiff::tz::TimeZone::UTC);
    insta::assert_snapshot!("plain-frame", frame);
    for line in [
        "=== TMux Orchestrator Performance Dashboard ===",
        "Connection Pool: 3/20 (15% used)",
        "├─ Acquisitions: 1234 (98% reused)",
        "Cache Performance: ttl",
        "Monitoring: 120 cycles, last: 0.004s",
    ] {
        assert!(frame.lines().any(|l| l == line), "{line}\n{frame}");
    }
    // `grep -A5 Cache` shows the four layers.
    let after: Vec<&str> = frame.lines().skip_while(|line| !line.contains("Cache")).skip(1).take(5).collect();
    for layer in ["pane_content", "agent_status", "session_info", "config"] {
        assert!(after.iter().any(|line| line.contains(layer)), "{after:?}");
    }
    assert!(!frame.contains('\x1b'));
    insta::assert_snapshot!(
        "plain-frame-nothing-yet",
        tmux_orc::app::core::plain::frame(&sample::blank(ServerStatus::NoServer), &jiff::tz::TimeZone::UTC)
    );
}

#[test]
fn hostile_text_reaches_no_cell_as_control() {
    let mut snapshot = twelve();
    for agent in &mut snapshot.agents {
        agent.doing = Some("\x1b[31mred\x07\r\n\u{9b}31m".into());
        agent.target = "a\x1b]0;x\x07:1.0".into();
    }
    snapshot.preview = Some(Arc::new(tmux_orc::monitor::Preview {
        text: "\x1b[2J\x1b]0;evil\x07\x1b[31mred\x1b[0m\u{9b}2J ok\u{8}".into(),
        ..sample::preview()
    }));
    for (columns, rows) in [(140, 42), (40, 30), (10, 3)] {
        let buffer = Stage::new(snapshot.clone(), columns, rows).buffer("dark");
        for cell in buffer.content() {
            assert!(!cell.symbol().chars().any(char::is_control), "{:?}", cell.symbol());
        }
    }
}

/// Writes pictures with colours for a person to look at: `PAINT=DIR cargo test --test screens paint -- --ignored`.
#[test]
#[ignore = "for a person to look at"]
fn paint() {
    let Ok(folder) = std::env::var("PAINT") else { return };
    let folder = std::path::Path::new(&folder);
    let write = |name: &str, stage: &Stage, theme: &str| {
        std::fs::write(folder.join(format!("{name}.ansi")), stage.ansi(theme)).unwrap();
    };
    for (columns, rows) in
        [(80, 24), (120, 35), (140, 42), (200, 55), (60, 20), (40, 30), (100, 40), (140, 24), (19, 12)]
    {
        write(&format!("{columns}x{rows}"), &Stage::new(sample::snapshot(sample::twelve()), columns, rows), "dark");
    }
    let scene = |keys: &str| {
        let mut stage = Stage::new(sample::snapshot(sample::twelve()), 140, 42);
        if !keys.is_empty() {
            stage.keys(keys);
        }
        stage
    };
    for theme in ["light", "high-contrast", "colour-blind", "mono"] {
        write(theme, &scene(""), theme);
    }
    for (columns, rows) in [(80, 24), (100, 30), (120, 35), (200, 55), (250, 70), (40, 30)] {
        let mut stage = Stage::new(sample::snapshot(sample::asking()), columns, rows);
        write(&format!("asks-{columns}x{rows}"), &stage, "dark");
        stage.keys("y");
        write(&format!("asks-answer-{columns}x{rows}"), &stage, "dark");
    }
    for theme in ["light", "high-contrast", "colour-blind", "mono"] {
        write(&format!("asks-{theme}"), &Stage::new(sample::snapshot(sample::asking()), 140, 42), theme);
    }
    write("help", &scene("?"), "dark");
    write("palette", &scene(": p o o"), "dark");
    write("tune", &scene("t + s"), "dark");
    write("answer", &scene("y"), "dark");
    write("grouped", &scene("b"), "dark");
    write("zoom-cycle", &scene("tab tab tab tab z"), "dark");
    write("zoom-cache", &scene("tab tab tab z"), "dark");
    let mut stage = Stage::new(sample::snapshot(sample::twelve()), 80, 24);
    stage.keys("p");
    write("preview80", &stage, "dark");
    write("none", &Stage::new(sample::blank(tmux_orc::monitor::ServerStatus::NoServer), 120, 35), "dark");
    write("foreign", &Stage::new(sample::snapshot(sample::foreign()), 120, 35), "dark");
    write("many", &Stage::new(sample::snapshot(sample::many(100)), 200, 55), "dark");
}
