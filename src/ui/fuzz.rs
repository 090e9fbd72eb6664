//! The terminal's side fed with bytes: previews, themes, snapshots of an engine, keys.

use std::{collections::BTreeMap, sync::Arc};

use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use crate::app::core::action::ACTIONS;
use crate::app::core::column::SHOWN;
use crate::app::core::grouping::Grouping;
use crate::app::core::key::Key;
use crate::app::core::keymap::Keymap;
use crate::app::core::message::Message;
use crate::app::core::plain;
use crate::app::settings::theme;
use crate::fuzzing::Feed;
use crate::monitor::Link;
use crate::monitor::{AgentState, Preview, ServerStatus, Snapshot};
use crate::ui::colour::Depth;
use crate::ui::terminal::input;
use crate::ui::theme::Theme;

#[path = "../../tests/sample/mod.rs"]
mod sample;

use sample::stage::Stage;

/// A snapshot with the twelve agents of the samples.
pub(crate) fn twelve() -> Snapshot {
    sample::snapshot(sample::twelve())
}

/// Draws it, and looks at what a terminal would get: nothing that it obeys.
fn draw(stage: &Stage) {
    let buffer = stage.buffer("dark");
    assert_eq!(buffer.area.area(), u32::from(stage.columns) * u32::from(stage.rows));
    for cell in buffer.content() {
        assert!(!cell.symbol().contains(|c: char| c.is_control()), "{:?}", cell.symbol());
    }
}

/// A capture in its colours, as the preview draws it.
pub(crate) fn preview(colours: String) {
    let mut stage = Stage::new(twelve(), 100, 30);
    let id = stage.state.selected().expect("an agent").pane_id;
    stage.publish(|next| next.preview = Some(Arc::new(Preview { pane_id: id, text: colours, ..sample::preview() })));
    draw(&stage);
}

/// A theme file.
pub(crate) fn theme(text: &[u8]) {
    match theme::read(&String::from_utf8_lossy(text), "x.yaml") {
        Ok(file) => drop([Depth::True, Depth::Ansi, Depth::None].map(|depth| Theme::of(&file, depth))),
        Err(error) => {
            let said = error.to_string();
            assert_eq!(crate::tmux::clean(&said), said, "it is printed on a terminal");
        }
    }
}

/// What an engine published, in the dashboard and as plain text.
pub(crate) fn show(snapshot: Arc<Snapshot>) {
    let _ = plain::frame(&snapshot, &jiff::tz::TimeZone::UTC);
    let mut stage = Stage::new(twelve(), 120, 40);
    for (columns, rows) in [(120, 40), (44, 12)] {
        (stage.columns, stage.rows) = (columns, rows);
        stage.tell(Message::Resize(columns, rows));
        stage.show(Arc::clone(&snapshot));
        let buffer = stage.buffer("dark");
        assert_eq!(buffer.area.area(), u32::from(columns) * u32::from(rows));
        stage.keys("t");
        stage.buffer("mono");
    }
}

/// Remapped keys, then things that happen in any order at any size.
pub(crate) fn keys(data: &[u8]) {
    let mut feed = Feed::new(data);
    let keymap = keymap(&mut feed);
    let mut stage = Stage::new(twelve(), 1 + feed.number() % 200, 1 + feed.number() % 60);
    stage.tell(Message::Configured {
        keymap: Box::new(keymap),
        theme: None,
        mouse: true,
        act: true,
        glyphs: "auto".into(),
        limit_threshold: 80,
        reduced_motion: false,
        columns: SHOWN.to_vec(),
        grouping: Some(Grouping::Program),
    });
    stage.check();
    for _ in 0..200 {
        if feed.is_empty() {
            break;
        }
        step(&mut stage, &mut feed);
    }
    stage.check();
}

/// Keys as a user could name them. A clash or a wrong name is an error, not a keymap.
fn keymap(feed: &mut Feed<'_>) -> Keymap {
    let mut overrides = BTreeMap::new();
    for _ in 0..feed.below(6) {
        let action = match feed.below(8) {
            0 => feed.text(),
            _ => ACTIONS[feed.below(ACTIONS.len())].name.to_owned(),
        };
        let keys: Vec<String> = (0..feed.below(3)).map(|_| feed.text()).collect();
        for text in &keys {
            if let Ok(key) = text.parse::<Key>() {
                assert_eq!(key.to_string().parse(), Ok(key), "{text:?}");
                assert!(!key.label().is_empty());
            }
        }
        overrides.insert(action, keys);
    }
    match Keymap::new(&overrides) {
        Ok(keymap) => {
            for entry in ACTIONS {
                for key in keymap.keys(entry.action) {
                    assert_eq!(keymap.action_in(&[entry.scope], *key), Some(entry.action), "a key does one thing");
                }
            }
            keymap
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            Keymap::default()
        }
    }
}

fn step(stage: &mut Stage, feed: &mut Feed<'_>) {
    match feed.below(16) {
        0..=6 => {
            let event = key_event(feed);
            happen(stage, event);
        }
        7 => happen(stage, Event::Paste(feed.text())),
        8 | 9 => {
            let kind = match feed.below(4) {
                0 => MouseEventKind::Down(MouseButton::Left),
                1 => MouseEventKind::ScrollDown,
                2 => MouseEventKind::ScrollUp,
                _ => MouseEventKind::Moved,
            };
            let (column, row) = (u16::from(feed.byte()), u16::from(feed.byte()));
            happen(stage, Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }));
        }
        10 => {
            (stage.columns, stage.rows) = (1 + u16::from(feed.byte()), 1 + u16::from(feed.byte()) % 70);
            happen(stage, Event::Resize(stage.columns, stage.rows));
        }
        11 => drop(stage.wait(feed.below(12) as i64)),
        12 => publish(stage, feed),
        13 => {
            let link = [Link::Embedded, Link::Attached(7), Link::Lost(7)][feed.below(3)];
            stage.reach(link);
        }
        14 => drop(stage.tell(Message::ActionResult { text: crate::tmux::clean(&feed.text()), ok: feed.flag() })),
        _ => stage.check(),
    }
}

/// As the loop does with an event of the terminal.
fn happen(stage: &mut Stage, event: Event) {
    let layout = stage.layout();
    if let Some(message) = input::message(event, &stage.state, &layout) {
        stage.tell(message);
    }
}

fn key_event(feed: &mut Feed<'_>) -> Event {
    const NAMED: [KeyCode; 18] = [
        KeyCode::Enter,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::BackTab,
        KeyCode::Backspace,
        KeyCode::Delete,
        KeyCode::Up,
        KeyCode::Down,
        KeyCode::Left,
        KeyCode::Right,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageUp,
        KeyCode::PageDown,
        KeyCode::F(5),
        KeyCode::Insert,
        KeyCode::CapsLock,
        KeyCode::Null,
    ];
    let byte = feed.byte();
    let code = match byte {
        b' '..=b'~' => KeyCode::Char(char::from(byte)),
        0..b' ' => NAMED[usize::from(byte) % NAMED.len()],
        _ => KeyCode::Char(feed.text().chars().next().unwrap_or('é')),
    };
    let modifiers = KeyModifiers::from_bits_truncate(if feed.flag() { feed.byte() } else { 0 });
    let kind = if feed.below(16) == 15 { KeyEventKind::Release } else { KeyEventKind::Press };
    Event::Key(KeyEvent::new_with_kind(code, modifiers, kind))
}

fn publish(stage: &mut Stage, feed: &mut Feed<'_>) {
    const STATES: [AgentState; 5] =
        [AgentState::Waiting, AgentState::Working, AgentState::Idle, AgentState::Exited, AgentState::Unknown];
    const STATUSES: [ServerStatus; 4] =
        [ServerStatus::Connecting, ServerStatus::Reachable, ServerStatus::NoServer, ServerStatus::Unreachable];
    match feed.below(4) {
        0 => {
            let (count, which) = (feed.below(60), feed.number());
            stage.publish(|next| {
                next.agents = sample::many(count as u32).into();
                next.agents.retain(|agent| which >> (agent.pane_id.0 % 16) & 1 == 1);
            });
        }
        1 => {
            let (at, state) = (feed.below(60), STATES[feed.below(5)]);
            let doing = crate::tmux::clean(&feed.text());
            stage.publish(|next| {
                let (now, count) = (next.timestamp, next.agents.len().max(1));
                if let Some(agent) = next.agents.get_mut(at % count) {
                    (agent.state, agent.since, agent.doing) = (state, now, Some(doing));
                    next.preview = Some(Arc::new(Preview { pane_id: agent.pane_id, ..sample::preview() }));
                }
            });
        }
        2 => {
            let status = STATUSES[feed.below(4)];
            stage.publish(|next| next.server.status = status);
        }
        _ => drop(stage.publish(|next| next.agents = sample::foreign().into())),
    }
}
