//! The top line: what is watched, how many agents are in which state, and how it is watched.

use ratatui::{
    layout::{Position, Rect},
    style::{Modifier, Style},
};

use crate::app::core::action::Action;
use crate::app::core::fleet::Host;
use crate::app::core::state::State;
use crate::app::core::words::{TONES, Tone};
use crate::app::core::{format, hosts, limits, text};
use crate::ui::canvas::Canvas;

/// Longest name of an account, cells.
const LONGEST_ACCOUNT: usize = 24;

type Words = (String, Style);

/// A count in words, and whose it is; `None`: of those that are out of the way.
type Count = (String, Option<Tone>);

/// ```text
///  tmux-orc · main    ▲ 2 need you  ● 5 working  ○ 3 idle     adaptive · dial · tmux 3.3a · every 1s  14:03
///  tmux-orc · main    ▲ 2 need you  ● 5 working  ○ 3 idle     claude 5h 87% · 16:30   adaptive · every 1s  14:03
/// ```
/// In two lines where it is narrow: what and how, then the counts.
pub fn draw(c: &mut Canvas, area: Rect, state: &State) {
    let theme = c.theme;
    let [name, dot, server, simulated] = name(state);
    let styles = [theme.title.add_modifier(Modifier::BOLD), theme.faint, theme.muted, theme.warn];
    let words = [(&*name, styles[0]), (&dot, styles[1]), (&server, styles[2]), (&simulated, styles[3])];
    let end = c.pieces(area.x + 1, area.y, area.width.saturating_sub(1), &words);
    if area.height > 1 {
        let right = beside(state, theme, area.right().saturating_sub(end + 1).into(), true);
        put_right(c, area, &right);
        counts(c, area.x + 1, area.y + 1, area.right(), state, false);
        return;
    }
    let after = counts(c, end + 3, area.y, area.right(), state, true);
    let right = beside(state, theme, area.right().saturating_sub(after + 3).into(), false);
    put_right(c, area, &right);
}

/// The program and what it watches, in pieces.
fn name(state: &State) -> [String; 4] {
    let simulated = if state.snapshot().server.simulated { " · simulated" } else { "" };
    ["tmux-orc".to_owned(), " · ".to_owned(), watched(state), simulated.to_owned()]
}

/// What is watched: the server's name, or how many hosts and servers there are.
fn watched(state: &State) -> String {
    let members = state.fleet.members();
    if state.snapshot().server.simulated {
        return "demo".to_owned();
    }
    if !state.fleet.several() {
        return state.snapshot().server.name().to_owned();
    }
    let count = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    // Where hosts alone are shown, something without a name stands in until one of them has shown itself.
    let servers = members.iter().filter(|member| !member.label.server.is_empty()).count();
    match state.fleet.hosts().len() {
        0 => count(members.len(), "server"),
        hosts => format!("{} {}", count(hosts, "host"), count(servers, "server")),
    }
}

/// The counts of the states that occur; gives the column after them.
fn counts(c: &mut Canvas, x: u16, y: u16, end: u16, state: &State, wide: bool) -> u16 {
    let (words, gap) = count_words(state, end.saturating_sub(x).into(), wide);
    let mut at = x;
    for (words, tone) in &words {
        if at >= end {
            break;
        }
        let style = tone.map_or(c.theme.muted, |tone| style(c.theme.tone(tone), tone));
        at = c.text(at, y, end - at, words, style) + gap;
    }
    at.saturating_sub(gap).max(x)
}

/// The counts of the states that occur, with their words where all of them fit, and the blanks between them.
fn count_words(state: &State, room: usize, wide: bool) -> (Vec<Count>, u16) {
    let present: Vec<_> = TONES.iter().zip(state.counts()).filter(|(_, count)| *count > 0).collect();
    let long: Vec<Count> =
        present.iter().map(|(t, n)| (format!("{} {n} {}", t.glyph(), t.counted(*n)), Some(**t))).collect();
    let short: Vec<Count> = present.iter().map(|(t, n)| (format!("{} {n}", t.glyph()), Some(**t))).collect();
    let cells = |words: &[Count], gap: usize| words.iter().map(|(w, _)| text::width(w) + gap).sum::<usize>();
    // The word stays longest where it matters most.
    let needy = present.first().is_some_and(|(tone, _)| **tone == Tone::NeedsYou);
    let mixed: Vec<Count> = match long.first().filter(|_| needy) {
        Some(first) => std::iter::once(first).chain(&short[1..]).cloned().collect(),
        None => short.clone(),
    };
    // Those that are out of the way are counted apart, in fewer words where there is little room.
    let aside = state.fleet.present().filter(|(_, agent)| agent.is_aside()).count();
    let told = |words: String| (aside > 0).then_some((words, None));
    let (in_words, in_one) = (told(state.aside()), told(format!("{aside} aside")));
    let with = |words: &[Count], more: &Option<Count>| words.iter().chain(more).cloned().collect::<Vec<_>>();
    // Room is left for what runs and for the clock, or for the clock alone.
    let after = if wide { 24 } else { 0 };
    let ways = [
        (with(&long, &in_words), 3, after),
        (with(&long, &in_one), 3, after),
        (with(&mixed, &in_words), 2, after / 2),
        (with(&mixed, &in_one), 2, after / 2),
    ];
    let fits = |(words, gap, after): &(Vec<Count>, usize, usize)| cells(words, *gap) + after <= room;
    let (words, gap) = ways
        .into_iter()
        .find(fits)
        .map_or_else(|| (with(&short, &in_one), 2), |(words, gap, _)| (words, u16::try_from(gap).unwrap_or(2)));
    (words, gap)
}

/// What stands under the mouse: who needs you is gone to, those that are out of the way are shown, and the hosts.
pub fn hit(state: &State, area: Rect, at: Position) -> Option<Action> {
    let end = area.x + 1 + u16::try_from(name(state).iter().map(|word| text::width(word)).sum::<usize>()).unwrap_or(0);
    if at.y == area.y && at.x < end {
        return Some(Action::Hosts);
    }
    let two = area.height > 1;
    let (mut x, y) = if two { (area.x + 1, area.y + 1) } else { (end + 3, area.y) };
    let (words, gap) = count_words(state, area.right().saturating_sub(x).into(), !two);
    for (word, tone) in &words {
        let cells = u16::try_from(text::width(word)).unwrap_or(0);
        if at.y == y && (x..x.saturating_add(cells)).contains(&at.x) {
            return match tone {
                Some(Tone::NeedsYou) => Some(Action::NextNeedy),
                Some(_) => None,
                None => Some(Action::Aside),
            };
        }
        x = x.saturating_add(cells + gap);
    }
    None
}

fn style(style: Style, tone: Tone) -> Style {
    if tone == Tone::NeedsYou { style.add_modifier(Modifier::BOLD) } else { style }
}

/// What stands at the right end: the hosts, and how it is watched as far as there is room for that too.
fn beside(state: &State, theme: &crate::ui::theme::Theme, room: usize, narrow: bool) -> Vec<Words> {
    for hosts in hosts(state, theme) {
        let cells: usize = hosts.iter().map(|(text, _)| text::width(text)).sum();
        if cells <= room {
            return hosts.into_iter().chain(engine(state, theme, room - cells, narrow)).collect();
        }
    }
    engine(state, theme, room, narrow)
}

/// How each host is reached, in the longest way first: all of them, those that do not answer, how many do.
fn hosts(state: &State, theme: &crate::ui::theme::Theme) -> Vec<Vec<Words>> {
    let all = state.fleet.hosts();
    if all.is_empty() {
        return Vec::new();
    }
    let one = |host: &Host| {
        let style = theme.tone(hosts::tone(host));
        let words = format!(" {} {}  ", host.name, hosts::short(host, state.now));
        [(hosts::glyph(host).to_owned(), style), (words, if host.answers() { theme.muted } else { style })]
    };
    let up = all.iter().filter(|host| host.answers()).count();
    let counted = (format!("hosts {up}/{}   ", all.len()), theme.muted);
    let lost: Vec<Words> = all.iter().filter(|host| !host.answers()).flat_map(one).collect();
    vec![all.iter().flat_map(one).collect(), lost.into_iter().chain([counted.clone()]).collect(), vec![counted]]
}

/// How it is watched: the longest of several ways to say it that fits.
fn engine(state: &State, theme: &crate::ui::theme::Theme, room: usize, narrow: bool) -> Vec<Words> {
    let s = state.snapshot();
    let strategy: Words = match state.pending_strategy() {
        Some(asked) => (format!("{} → {asked} …", s.current_strategy), theme.pending),
        None => (s.current_strategy.clone(), theme.muted),
    };
    let known = s.instruments;
    let strategy = if known { strategy } else { (String::new(), theme.muted) };
    let every: Words = match state.pending_interval() {
        Some(asked) => (format!("every {} …", format::interval(asked)), theme.pending),
        None if !known => (format!("every {}", format::NONE), theme.muted),
        None => (format!("every {}", format::interval(s.settings.interval)), theme.muted),
    };
    let paused = match (s.engine.paused, state.pending_pause()) {
        (_, Some(true)) => Some(("pausing …".to_owned(), theme.pending)),
        (_, Some(false)) => Some(("resuming …".to_owned(), theme.pending)),
        (true, None) => Some(("PAUSED".to_owned(), theme.limited.add_modifier(Modifier::BOLD))),
        (false, None) => None,
    };
    let read_only = (!state.can.act).then(|| ("read-only".to_owned(), theme.warn));
    let muted = |text: Option<String>| text.map(|text| (text, theme.muted));
    let transport = muted(s.server.transport.clone());
    let version = muted(s.server.version.as_ref().map(|v| format!("tmux {v}")));
    let sync = (s.engine.mode == "sync").then(|| ("sync".to_owned(), theme.warn));
    // The first look at many new panes is not over.
    let reading = s.cycle.reading.filter(|_| known).map(|r| (format!("reading {} of {}", r.read, r.of), theme.pending));
    let clock = (format::minute(state.now, &state.zone), theme.muted);
    let (strategy, every) = (Some(strategy), Some(every));
    // The clock goes before the interval does: the keys of the interval change nothing else that is in view.
    let clocks = if narrow { [false, false] } else { [true, false] };
    let ways: [(&[&Option<Words>], bool); 7] = [
        (&[&strategy, &sync, &transport, &version, &every], clocks[0]),
        (&[&strategy, &sync, &transport, &every], clocks[0]),
        (&[&strategy, &sync, &every], clocks[0]),
        (&[&strategy, &every], clocks[0]),
        (&[&strategy, &every], clocks[1]),
        (&[&every], clocks[0]),
        (&[], clocks[0]),
    ];
    // What was asked for with a key goes before it.
    let asked = state.pending_interval().is_some();
    for limit in limit(state, theme) {
        let alone = (limit.is_some() && !asked).then_some((&[][..], false));
        for (way, with_clock) in ways.into_iter().chain(alone) {
            let mut words: Vec<Words> = Vec::new();
            let said = [&read_only, &paused, &reading].into_iter().chain(way.iter().copied()).cloned();
            for part in said.flatten().filter(|(text, _)| !text.is_empty()) {
                if !words.is_empty() {
                    words.push((" · ".to_owned(), theme.faint));
                }
                words.push(part);
            }
            let gap = |words: &[Words]| (if words.is_empty() { String::new() } else { "   ".to_owned() }, theme.muted);
            if with_clock {
                words.push(gap(&words));
                words.push(clock.clone());
            }
            if let Some(limit) = limit.clone() {
                let gap = gap(&words);
                words.splice(..0, [limit, gap]);
            }
            words.push((" ".to_owned(), theme.muted));
            if words.iter().map(|(text, _)| text::width(text)).sum::<usize>() <= room {
                return words;
            }
        }
    }
    Vec::new()
}

/// The limit of an account of which much is used, `claude 5h 87% · 14:30`: its end goes first where there is little room,
/// then all of it.
fn limit(state: &State, theme: &crate::ui::theme::Theme) -> Vec<Option<Words>> {
    let Some((account, limit)) = limits::highest(state.snapshot(), state.limit_threshold, state.now) else {
        return vec![None];
    };
    let name = text::fit(&limits::name(account, &state.snapshot().accounts), LONGEST_ACCOUNT).into_owned();
    let short = format!("{name} {} {}", limits::span(&limit), limits::percent(&limit));
    let end = limits::ends(&limit, state.now, &state.zone).map(|end| format!("{short} · {end}"));
    let words = |text: String| Some((text, theme.tone(Tone::Limited)));
    end.into_iter().map(words).chain([words(short), None]).collect()
}

fn put_right(c: &mut Canvas, area: Rect, words: &[Words]) {
    let cells: usize = words.iter().map(|(text, _)| text::width(text)).sum();
    let mut x = area.right().saturating_sub(u16::try_from(cells).unwrap_or(u16::MAX));
    for (words, style) in words {
        x = c.text(x, area.y, area.right().saturating_sub(x), words, *style);
    }
}

/// One line about the whole.
pub fn banner(c: &mut Canvas, area: Rect, state: &State) {
    let Some((tone, words)) = state.banner() else { return };
    let style = c.theme.tone(tone);
    let room = area.width.saturating_sub(2);
    let words = text::fit_sentence(&words, room.saturating_sub(2).into());
    c.pieces(area.x + 1, area.y, room, &[(tone.glyph(), style), (" ", style), (&words, style)]);
}
