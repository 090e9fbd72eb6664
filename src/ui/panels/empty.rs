//! What stands in the place of the agents when there are none: what is the matter, and what to do.

use ratatui::layout::Rect;

use crate::app::core::state::State;
use crate::app::core::text;
use crate::app::core::view::{Main, Panel};
use crate::monitor::ServerStatus;
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::{DrawContext, Section};
use crate::ui::slot::{Class, Slot};

/// It has the place of the agents when there are none.
pub(super) const SECTION: Section =
    Section { shows: |state| screen(state).is_some(), ..Section::new(Some(Panel::Agents), Slot::Main, "Agents", draw) };

/// A screen without agents.
struct Advice {
    /// What is the matter.
    title: &'static str,
    /// What to do; a line that starts with a space is something to type.
    lines: Vec<String>,
}

/// The screen for the state, if it is one without agents.
fn screen(state: &State) -> Option<Advice> {
    let server = &state.snapshot().server;
    // While agents are kept, as the last that was known of them, they are what the counts count.
    if !state.fleet.is_empty() {
        return None;
    }
    let here =
        state.fleet.members().iter().any(|member| member.label.host.is_none() && !member.label.server.is_empty());
    let problem = || server.problem.clone();
    let own = |line: &str| line.to_owned();
    Some(match server.status {
        _ if !state.fleet.hosts().is_empty() && state.view.main != Main::Hosts => Advice {
            title: if here { "No agents yet, here or on the hosts." } else { "No agents on the hosts yet." },
            lines: state.fleet.hosts().iter().map(|host| format!("  {}  {}", host.name, host.state)).collect(),
        },
        _ if state.view.main == Main::Hosts => return None,
        ServerStatus::Connecting => Advice { title: "Looking for agents …", lines: Vec::new() },
        ServerStatus::NoTmux => Advice {
            title: "tmux is not installed.",
            lines: [
                own("Install it; this screen goes on by itself:"),
                own("  apt install tmux"),
                own("  brew install tmux"),
            ]
            .into(),
        },
        ServerStatus::NoServer => Advice {
            title: "No tmux server runs.",
            lines: [
                Some(format!(
                    "Nothing answers at {}.",
                    if server.socket.is_empty() { "the socket" } else { &server.socket }
                )),
                Some(own("Start one, and an agent in it; this screen goes on by itself:")),
                Some(own("  tmux new -s work claude")),
                Some(own("Or look around with simulated agents, and a tour:")),
                Some(own("  tmux-orc demo --tour")),
            ]
            .into_iter()
            .flatten()
            .collect(),
        },
        ServerStatus::Unreachable => Advice {
            title: "The tmux server does not answer as it should.",
            lines: problem().into_iter().chain([own("Trying again by itself.")]).collect(),
        },
        ServerStatus::Reachable if state.view.main == Main::Tune => return None,
        ServerStatus::Reachable => Advice {
            title: "No agents yet.",
            lines: [
                own("Start one in any pane of this server; it shows up here by itself:"),
                own("  claude    codex    gemini    opencode    aider"),
                own("One runs and is not here? This says why, of any pane:"),
                own("  tmux-orc why TARGET"),
                own("Or look around with simulated agents, and a tour:"),
                own("  tmux-orc demo --tour"),
            ]
            .into(),
        },
    })
}

/// Draws the screen in the middle.
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let Some(screen) = screen(context.state) else { return };
    let theme = c.theme;
    let framed = |c: &mut Canvas| c.frame(area, &Frame { title: SECTION.title, ..Frame::default() });
    let inner = if context.class == Class::Sidebar { area } else { framed(c) };
    let room = usize::from(inner.width.saturating_sub(2));
    let mut rows: Vec<(String, bool)> = Vec::new();
    for line in &screen.lines {
        let typed = line.starts_with(' ');
        let wrapped = if typed { vec![text::fit(line, room).into_owned()] } else { text::wrap(line, room, 3) };
        rows.extend(wrapped.into_iter().map(|line| (line, typed)));
    }
    let widest = rows.iter().map(|(line, _)| text::width(line)).chain([text::width(screen.title)]).max().unwrap_or(0);
    let width = u16::try_from(widest.min(room)).unwrap_or(0);
    let x = inner.x + (inner.width.saturating_sub(width)) / 2;
    let height = u16::try_from(rows.len() + 2).unwrap_or(u16::MAX);
    let mut y = inner.y + inner.height.saturating_sub(height) / 2;
    if y < inner.bottom() {
        c.text(x, y, inner.right().saturating_sub(x), screen.title, theme.value);
    }
    y += 2;
    for (line, typed) in &rows {
        if y >= inner.bottom() {
            return;
        }
        c.text(x, y, inner.right().saturating_sub(x), line, if *typed { theme.key } else { theme.muted });
        y += 1;
    }
}
