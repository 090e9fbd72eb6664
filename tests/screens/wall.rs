//! The wall at every size, and what its tiles say of themselves.

use ratatui::style::{Color, Modifier};
use tmux_orc::app::core::message::Message;
use tmux_orc::monitor::Snapshot;
use tmux_orc::ui::colour::Depth;

use super::sample::{self, stage::Stage};

fn wall(agents: Vec<tmux_orc::monitor::Agent>, columns: u16, rows: u16, keys: &str) -> Stage {
    let mut stage = Stage::new(sample::on_the_wall(agents), columns, rows);
    stage.keys(keys);
    stage.check();
    stage
}

#[test]
fn as_many_screens_as_can_be_read_stand_side_by_side() {
    for (columns, rows) in [(250, 70), (200, 55), (140, 42), (120, 35), (80, 24), (60, 20), (40, 30), (24, 8), (19, 12)]
    {
        let stage = wall(sample::twelve(), columns, rows, "w");
        insta::assert_snapshot!(format!("{columns}x{rows}"), stage.text());
    }
    for (name, agents, keys) in [
        ("one", sample::many(1), "w"),
        ("three", sample::many(3), "w"),
        ("sixty-at-the-end", sample::many(60), "w G"),
        ("second-page", sample::many(60), "w pagedown"),
        ("zoomed", sample::twelve(), "w l z"),
        ("grouped", sample::at_work(), "w b b b"),
        ("filtered", sample::twelve(), "w / c o d e x enter"),
        ("without-match", sample::twelve(), "w / z z z enter"),
        ("answer", sample::asking(), "w y"),
        ("message", sample::twelve(), "w m h i"),
        ("names", sample::foreign(), "w"),
    ] {
        insta::assert_snapshot!(name, wall(agents, 120, 35, keys).text());
    }
    let mut stage = wall(sample::twelve(), 120, 35, "w");
    stage.state.ascii = true;
    insta::assert_snapshot!("ascii", stage.text());
}

#[test]
fn a_tile_whose_screen_is_not_of_now_says_so() {
    let changed = |change: fn(&mut Snapshot)| {
        let mut stage = wall(sample::twelve(), 120, 35, "w");
        stage.publish(change);
        stage.text()
    };
    let stale = changed(|next| next.agents.iter_mut().for_each(|agent| agent.stale = true));
    assert_eq!(stale.matches("stale, as of 14:03:27").count(), 4, "{stale}");
    let paused = changed(|next| next.engine.paused = true);
    assert_eq!(paused.matches("paused, as of 14:03:27").count(), 4, "{paused}");
    let unread = changed(|next| next.previews.clear());
    assert_eq!(unread.matches("Reading the pane …").count(), 4, "{unread}");
    let old = changed(|next| {
        next.engine.tiles = 0;
        next.previews.truncate(0);
    });
    assert_eq!(old.matches("Its engine shows one screen at a time,").count(), 4, "{old}");
    assert!(old.contains("that of the cursor; it is tmux-orc 0.1.0."), "{old}");
    let mut lost = Stage::new(sample::blank(tmux_orc::monitor::ServerStatus::Connecting), 200, 55);
    lost.tell(Message::Fleet(sample::fleet()));
    lost.keys("w");
    lost.check();
    insta::assert_snapshot!("hosts", lost.text());
}

#[test]
fn a_tile_has_the_colours_of_its_pane_and_the_cursor_needs_none() {
    let stage = wall(sample::twelve(), 120, 35, "w");
    let buffer = stage.buffer("dark");
    let text = stage.text();
    let at = |words: &str| {
        let (y, line) = text.lines().enumerate().find(|(_, line)| line.contains(words)).expect(words);
        let x = line[..line.find(words).unwrap()].chars().count();
        &buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())]
    };
    assert_eq!(at("❯ 1. Yes").fg, Color::Indexed(153), "as the pane has it");
    assert!(at("Bash(cargo").modifier.contains(Modifier::BOLD), "as the pane has it");
    // Heavy lines around the one with the cursor alone.
    assert_eq!(text.matches('┏').count(), 1, "{text}");
    // Who needs their user has a border of that colour, the others have not.
    let corner = |n: usize| {
        let found = text.lines().enumerate().flat_map(|(y, line)| {
            line.chars().enumerate().filter(|(_, c)| matches!(c, '┏' | '╭')).map(move |(x, _)| (x, y))
        });
        let (x, y) = found.into_iter().filter(|(x, y)| [0, 60].contains(x) && [2, 18].contains(y)).nth(n).unwrap();
        buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())].fg
    };
    assert_eq!(corner(0), corner(1));
    assert_ne!(corner(1), corner(3));
    for (theme, depth) in [("mono", Depth::True), ("dark", Depth::None)] {
        let plain = stage.buffer_at(theme, depth);
        assert!(plain.content().iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset), "{theme}");
    }
}

#[test]
fn no_size_is_too_small() {
    for columns in (1..8).chain([18, 19, 20, 21, 55, 56, 57, 59, 60, 111, 112, 120, 200, 500]) {
        for rows in (1..9).chain([11, 12, 13, 24, 30, 55, 300]) {
            for keys in ["w", "w z", "w G b"] {
                let mut stage = Stage::new(sample::on_the_wall(sample::many(40)), columns, rows);
                stage.keys(keys);
                stage.check();
            }
        }
    }
}

#[test]
fn with_reduced_motion_nothing_blinks_and_screens_stand_still() {
    let screens = |still| {
        let mut stage = wall(sample::many(3), 120, 35, "w");
        stage.state.reduced_motion = still;
        let mut write = |seconds, words: &str| {
            stage.publish(|next| {
                next.timestamp = sample::now() + jiff::SignedDuration::from_secs(seconds);
                for shown in &mut next.previews {
                    let shown = std::sync::Arc::make_mut(shown);
                    shown.captured_at = next.timestamp;
                    shown.text.push_str(words);
                }
            });
            let blink = Modifier::SLOW_BLINK | Modifier::RAPID_BLINK;
            let blinks = stage.buffer("dark").content().iter().any(|cell| cell.modifier.intersects(blink));
            (stage.text().matches(&format!("it is {seconds}")).count(), blinks)
        };
        [write(9, "\x1b[5mit is 9\x1b[0m\n"), write(11, "it is 11\n"), write(15, "it is 15\n")]
    };
    let (moving, still) = (screens(false), screens(true));
    assert!(
        moving.iter().all(|(_, blinks)| *blinks) && still.iter().all(|(_, blinks)| !blinks),
        "{moving:?} {still:?}"
    );
    assert!(moving.iter().all(|(shown, _)| *shown > 0), "{moving:?}");
    assert_eq!(still.map(|(shown, _)| shown > 0), [true, false, true], "five seconds after the last one");
}
