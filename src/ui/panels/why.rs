//! Why the selected agent is said to be in its state, and how it came there.

use ratatui::layout::Rect;

use crate::app::core::message::Hit;
use crate::app::core::view::Panel;
use crate::app::core::words::{Tone, answer_by, state_and_kind, tone, word};
use crate::app::core::{format, text, tidy};
use crate::monitor::{Health, Source};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::{DrawContext, Section, padded};
use crate::ui::slot::Slot;

/// Its place, its border and what it draws.
pub(super) const SECTION: Section =
    Section { hit: |_, _, _, _| Some(Hit::Panel(Panel::Preview)), ..Section::new(None, Slot::BelowSide, "Why", draw) };

/// The same in few words.
pub(super) const DETAIL: Section = Section::new(None, Slot::Detail, "", detail);

/// ```text
/// ╭ Why ──────────────────────────────── read 14:03:27 ╮
/// │ ▲ waiting (permission)        claude/dialog.proceed │
/// │ "Do you want to proceed?"                 in dialog │
/// │ 14:01:13 working → waiting (permission)             │
/// │ 13:58:40 idle → working                             │
/// ╰─────────────────────────────────────────────────────╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let agent = state.selected();
    let read =
        agent.and_then(|a| a.read_at).map_or_else(String::new, |at| format!("read {}", format::clock(at, &state.zone)));
    let inner =
        SECTION.frame(c, area, state, Frame { value: &read, value_style: Some(theme.muted), ..Frame::default() });
    let inner = padded(inner);
    let Some(agent) = agent else { return };
    let mut y = inner.y;
    let toned = theme.tone(tone(agent));
    let said = format!("{} {}", tone(agent).glyph(), state_and_kind(agent.state, agent.kind.as_deref()));
    if y < inner.bottom() {
        let x = c.text(inner.x, y, inner.width, &said, toned) + 2;
        c.right(inner.right(), y, inner.right().saturating_sub(x), &agent.evidence.rule, theme.muted);
        y += 1;
    }
    if y < inner.bottom() && !agent.evidence.line.is_empty() {
        let place = match (&agent.evidence.source, &agent.evidence.region) {
            (Source::Screen, Some(region)) => format!("in {region}"),
            (source, _) => format!("by {source}"),
        };
        let x = c.right(inner.right(), y, inner.width / 3, &place, theme.muted);
        c.text(inner.x, y, x.saturating_sub(inner.x + 1), agent.evidence.line.trim(), theme.text);
        y += 1;
    }
    let mut extra = Vec::new();
    extra.extend(agent.note.clone());
    extra.extend(tidy::marks(agent, state.now));
    if agent.stale {
        extra.push("the last read failed".to_owned());
    }
    if agent.health != Health::Healthy {
        extra.push(format!("health {}", agent.health));
    }
    extra.extend(answer_by(agent, state.now, &state.zone));
    if let Some(reset) = agent.reset_at {
        extra.push(format!("limit ends {}", format::coming(reset, state.now, &state.zone)));
    }
    if agent.background > 0 {
        extra.push(format!("{} in background", agent.background));
    }
    if let Some(model) = &agent.model {
        extra.push(model.clone());
    }
    // The turn as its screen counts it, which is not what the transcript says of the session.
    extra.extend(agent.tokens.shown.as_ref().map(|shown| format!("turn {shown} tokens")));
    if let Some(branch) = &agent.branch {
        let lines = format::lines(agent.added, agent.removed).map_or_else(String::new, |lines| format!(" {lines}"));
        extra.push(format!("{branch}{lines}"));
    }
    if let Some(cwd) = &agent.cwd {
        extra.push(cwd.clone());
    }
    if y < inner.bottom() && !extra.is_empty() {
        let words = extra.join(" · ");
        let style = if agent.stale || agent.health != Health::Healthy { theme.warn } else { theme.muted };
        c.text(inner.x, y, inner.width, &text::fit(&words, inner.width.into()), style);
        y += 1;
    }
    for transition in agent.transitions.iter().rev() {
        if y >= inner.bottom() {
            return;
        }
        let time = format::clock(transition.at, &state.zone);
        let to = Tone::of(transition.to, transition.kind.as_deref());
        let from = format!(" {} → ", transition.from);
        let words = state_and_kind(transition.to, transition.kind.as_deref());
        c.pieces(inner.x, y, inner.width, &[(&time, theme.muted), (&from, theme.muted), (&words, theme.tone(to))]);
        y += 1;
    }
}

/// The selected agent in words, for the narrow column.
fn detail(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    c.text(area.x, area.y, area.width, &"─".repeat(area.width.into()), theme.border);
    let Some(agent) = state.selected() else { return };
    let toned = theme.tone(tone(agent));
    let said = word(agent.state, agent.kind.as_deref());
    c.pieces(
        area.x + 1,
        area.y + 1,
        area.width.saturating_sub(1),
        &[(&agent.agent, theme.text), (" ", theme.text), (&said, toned)],
    );
    let mut words = agent.doing.as_deref().unwrap_or(agent.evidence.line.trim()).to_owned();
    if let Some(by) = answer_by(agent, state.now, &state.zone) {
        words = format!("{by}: {words}");
    }
    let room = usize::from(area.width.saturating_sub(2));
    for (i, line) in text::wrap(&words, room, usize::from(area.height.saturating_sub(2))).iter().enumerate() {
        c.text(area.x + 1, area.y + 2 + u16::try_from(i).unwrap_or(0), area.width - 1, line, theme.muted);
    }
}
