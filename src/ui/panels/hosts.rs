//! The hosts: how each is reached, and what to do about one that is not.

use ratatui::layout::{Margin, Position, Rect};

use crate::app::core::action::Action;
use crate::app::core::heights::Room;
use crate::app::core::message::Hit;
use crate::app::core::state::State;
use crate::app::core::text::{fit_sentence, left, right, width};
use crate::app::core::view::{Main, Panel};
use crate::app::core::{format, hosts};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::{DrawContext, Section, hints};
use crate::ui::slot::{Class, Slot};

/// It has the place of the agents while it is open.
pub(super) const SECTION: Section = Section {
    shows: |state| state.view.main == Main::Hosts,
    room: |_, _, rect| Room { rows: rect.height.saturating_sub(3).into(), ..Room::default() },
    hit,
    ..Section::new(Some(Panel::Agents), Slot::Main, "Hosts", draw)
};

/// Cells of the columns after the name, each with its head. The last one, why, has what is left.
const COLUMNS: [(&str, usize); 6] =
    [("STATE", 13), ("RTT", 6), ("VERSION", 9), ("SERVERS", 7), ("AGENTS", 6), ("WAITING", 7)];

/// ```text
/// ╭ Hosts ───────────────────────────────────────────────────────────────────── 4 ╮
/// │   HOST  STATE            RTT  VERSION  SERVERS  AGENTS  WAITING  HEARD  WHY    │
/// │▌● box   up              24ms  0.2.0          1      12        1    now         │
/// │ ✕ ci    down               -  0.2.0          1      12        0    14m  Connec…│
/// ╰───────────────────────────────────────────────────── enter try now  H back ─╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let does = match state.selected_host().and_then(|host| host.state.mend()) {
        Some("login") => "log in",
        Some(_) => "install",
        None => "try now",
    };
    let keys = hints(&state.keymap, &[(&[Action::Jump], does), (&[Action::Hosts], "back")]);
    let all = state.fleet.hosts();
    let words = Frame { value: &all.len().to_string(), keys: &keys, ..Frame::default() };
    let inner = if context.class == Class::Sidebar { area } else { SECTION.frame(c, area, state, words) };
    if inner.height == 0 || inner.width < 4 {
        return;
    }
    let name = all.iter().map(|host| width(&host.name)).max().unwrap_or(0).clamp(4, 32);
    let shown = columns(inner.width, name);
    let mut head = format!("   {}", left("HOST", name));
    for (title, cells) in &COLUMNS[..shown] {
        head.push_str("  ");
        head.push_str(&if *title == "STATE" { left(title, *cells) } else { right(title, *cells) });
    }
    head.push_str("  HEARD  WHY");
    c.text(inner.x, inner.y, inner.width, &head, c.theme.muted);
    let selected = state.selected_host().map(|host| &host.name);
    for (host, y) in all.iter().zip(inner.y + 1..inner.bottom()) {
        let style = c.theme.tone(hosts::tone(host));
        let servers = hosts::members(host, &state.fleet).count();
        let waiting = hosts::waiting(host, &state.fleet);
        let rtt = match host.state {
            crate::monitor::LinkState::Up { .. } => hosts::short(host, state.now),
            _ => format::NONE.to_owned(),
        };
        let known = hosts::is_known(host, &state.fleet);
        let count = |count: usize| if known { count.to_string() } else { format::NONE.to_owned() };
        let values = [
            hosts::word(host).to_owned(),
            rtt,
            host.version.as_deref().and_then(|version| version.split(' ').next()).unwrap_or(format::NONE).to_owned(),
            count(servers),
            count(hosts::agents(host, &state.fleet)),
            count(waiting),
        ];
        let heard = match host.last_heard {
            _ if host.answers() => "now".to_owned(),
            Some(at) => hosts::minutes(at, state.now).unwrap_or_else(|| "<1m".to_owned()),
            None => format::NONE.to_owned(),
        };
        let mut x = c.pieces(
            inner.x + 1,
            y,
            inner.width - 1,
            &[(hosts::glyph(host), style), (" ", style), (&left(&host.name, name), c.theme.text)],
        );
        for (at, ((_, cells), value)) in COLUMNS[..shown].iter().zip(&values).enumerate() {
            let text = if at == 0 { left(value, *cells) } else { right(value, *cells) };
            let style = match at {
                0 => style,
                5 if waiting > 0 => c.theme.tone(crate::app::core::words::Tone::NeedsYou),
                _ => c.theme.muted,
            };
            x = c.text(x + 2, y, inner.right().saturating_sub(x + 2), &text, style);
        }
        x = c.text(x + 2, y, inner.right().saturating_sub(x + 2), &right(&heard, 5), c.theme.muted);
        let room = usize::from(inner.right().saturating_sub(x + 3));
        let read_only = if host.read_only { "read-only" } else { "" };
        let why = host.state.why().unwrap_or(read_only);
        c.text(x + 2, y, inner.right().saturating_sub(x + 2), &fit_sentence(why, room), c.theme.muted);
        if selected == Some(&host.name) {
            c.style(Rect { y, height: 1, ..inner }, c.theme.select);
            c.text(inner.x, y, 1, "▌", c.theme.focus);
        }
    }
}

/// How many of the columns have room beside the name, when and why.
fn columns(room: u16, name: usize) -> usize {
    let mut used = 3 + name + 7 + 10;
    COLUMNS
        .iter()
        .take_while(|(_, cells)| {
            used += cells + 2;
            used <= room.into()
        })
        .count()
}

fn hit(state: &State, class: Class, rect: Rect, at: Position) -> Option<Hit> {
    let inner = if class == Class::Sidebar { rect } else { rect.inner(Margin::new(1, 1)) };
    let row = usize::from(at.y.checked_sub(inner.y + 1)?);
    (row < state.fleet.hosts().len() && inner.contains(at)).then_some(Hit::Host(row))
}
