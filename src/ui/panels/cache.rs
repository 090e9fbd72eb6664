//! The cache: hit rates of its four layers.

use ratatui::{layout::Rect, style::Style};

use crate::app::core::action::Action;
use crate::app::core::explain;
use crate::app::core::format;
use crate::app::core::state::State;
use crate::app::core::text::right;
use crate::app::core::view::Panel;
use crate::monitor::{CacheInfo, LayerInfo};
use crate::ui::canvas::{Canvas, Frame};
use crate::ui::panels::page;
use crate::ui::panels::page::{Chart, Page, Row};
use crate::ui::panels::{DrawContext, Section, padded};
use crate::ui::slot::Slot;
use crate::ui::theme::Theme;

/// The layers with a long and a short name.
pub(super) fn layers(cache: &CacheInfo) -> [(&'static str, &'static str, &LayerInfo); 4] {
    [
        ("pane_content", "content", &cache.pane_content),
        ("agent_status", "status", &cache.agent_status),
        ("session_info", "session", &cache.session_info),
        ("config", "config", &cache.config),
    ]
}

/// Hit rate over all layers; `None` before the first lookup.
#[expect(clippy::cast_precision_loss, reason = "shown as whole percent")]
pub(super) fn overall(cache: &CacheInfo) -> Option<f64> {
    let (hits, all) = layers(cache)
        .iter()
        .fold((0, 0), |(hits, all), (_, _, layer)| (hits + layer.hits, all + layer.hits + layer.misses));
    (all > 0).then(|| hits as f64 / all as f64)
}

/// How the cache works now, or will when what is pending is done.
pub(super) fn mode(state: &State, theme: &Theme) -> (String, Option<Style>) {
    let settings = &state.snapshot().settings;
    let now = if settings.cache_enabled { settings.cache_policy.as_str() } else { "off" };
    let asked = match (state.pending_cache(), state.pending_policy()) {
        (Some(false), _) => Some("off"),
        (Some(true), None) => Some("on"),
        (_, Some(policy)) => Some(policy),
        (None, None) => None,
    };
    match asked {
        Some(asked) => (format!("{now} → {asked} …"), Some(theme.pending)),
        None => (now.to_owned(), None),
    }
}

/// Its place, its border and what it draws.
pub(super) const SECTION: Section = Section {
    keys: &[Action::ClearCache, Action::ToggleCache, Action::CachePolicy],
    ..Section::new(Some(Panel::Cache), Slot::Box(Panel::Cache, 26), "Cache", draw)
};

/// ```text
/// ╭ Cache ttl ──────────── 94% ╮
/// │ pane_content ━━━━━━━╸─ 96% │
/// │ agent_status ━━━━━━━── 88% │
/// │ session_info ━━━━━━━━━ 99% │
/// │ config       ━━━━━━━━━100% │
/// ╰────────────────── c C e ───╯
/// ```
fn draw(c: &mut Canvas, area: Rect, context: &DrawContext) {
    let state = context.state;
    let theme = c.theme;
    let cache = &state.snapshot().cache_performance;
    let (mode, pending) = mode(state, theme);
    let hits =
        overall(cache).map_or_else(|| format::NONE.to_owned(), |share| format!("{} hits", format::share(Some(share))));
    let inner = SECTION.frame(
        c,
        area,
        state,
        Frame {
            note: if pending.is_some() { "" } else { &mode },
            value: if pending.is_some() { &mode } else { &hits },
            value_style: pending,
            ..Frame::default()
        },
    );
    let inner = padded(inner);
    if page::is_open(state, inner) {
        page::draw(c, inner, state, &page_of(state, theme));
        return;
    }
    let long = inner.width >= 24;
    let label = if long { 13 } else { 8 };
    for (row, (name, short, layer)) in layers(cache).into_iter().enumerate() {
        let y = inner.y + u16::try_from(row).unwrap_or(0);
        if y >= inner.bottom() {
            return;
        }
        c.text(inner.x, y, label, if long { name } else { short }, theme.muted);
        let bar = inner.width.saturating_sub(label + 5);
        // Only verdicts are expected to be found again: a screen that changes has to be read.
        let expected = name == "agent_status" && layer.hits + layer.misses >= 20;
        let style = if expected && layer.hit_rate < Some(0.6) { theme.warn } else { theme.gauge };
        c.gauge(inner.x + label, y, bar, layer.hit_rate, style);
        let value = right(&format::share(layer.hit_rate), 5);
        c.text(inner.x + label + bar, y, 5, &value, theme.value);
    }
}

/// The panel as a page.
fn page_of(state: &State, theme: &Theme) -> Page {
    let cache = &state.snapshot().cache_performance;
    let words = |name: &str| match name {
        "pane_content" => "screens of panes that did not change",
        "agent_status" => "verdicts on screens seen before",
        "session_info" => "sessions, windows and panes",
        _ => "profiles and settings, compiled",
    };
    let mut rows = Vec::new();
    for (name, _, layer) in layers(cache) {
        let row = Row::new(name, format::share(layer.hit_rate), theme.value, words(name));
        rows.push(row.with_gauge(layer.hit_rate));
        let n = format::count;
        let counts = format!(
            "{} hit, {} miss, {} expired, {} evicted, {}/{}",
            n(layer.hits),
            n(layer.misses),
            n(layer.expirations),
            n(layer.evictions),
            n(layer.size),
            n(layer.capacity)
        );
        rows.push(Row::new("", String::new(), theme.muted, &counts));
    }
    let (policy, style) = mode(state, theme);
    let words = match state.snapshot().settings.cache_policy.as_str() {
        "lru" => "what was unused for the longest is evicted first",
        "lfu" => "what is used least often is evicted first",
        _ => "all is kept for cache.default_ttl seconds",
    };
    rows.push(Row::new("policy", policy, style.unwrap_or(theme.value), words));
    Page {
        chart: Chart {
            what: "hit rate",
            of: (|point| (point.lookups > 0).then(|| rate(point.hits, point.lookups)), |point| point.hit_rate),
            show: |top| format::share(Some(top)),
            top: Some(1.0),
        },
        rows,
        words: explain::cache(state.snapshot(), &state.keymap.label(Action::ToggleCache)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "drawn in eighths of a cell")]
fn rate(hits: u64, all: u64) -> f32 {
    hits as f32 / all as f32
}
