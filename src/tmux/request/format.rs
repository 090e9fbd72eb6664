//! The formats that we ask tmux for, and the parsers of what it prints: typed, and clean of anything hostile.

use std::collections::{HashMap, hash_map::Entry};

use crate::tmux::pane::{HOOK_END, hash, hook_mark};
use crate::tmux::request::mark;
use crate::tmux::request::places::{Listing, Rank, merge};
use crate::tmux::{Features, Fields, Pane, PaneId, Pulse, clean};

/// The pulse: numbers, and at the end what is only hashed, so that nothing hostile can come of it. Each field costs the
/// server 0.6 microseconds a pane. The end of the hook's word holds its time.
pub(crate) fn pulse(features: Features, places: bool) -> String {
    let activity = activity(features);
    let place = if places { " #{window_index} #{window_active_clients} #{session_name}" } else { "" };
    format!(
        "#{{pane_id}} #{{{activity}}} #{{pane_pid}} #{{pane_width}} #{{pane_height}} #{{pane_dead}} \
         #{{=-{HOOK_END}:{HOOK_OPTION}}}.{place}"
    )
}

macro_rules! hook_option {
    () => {
        "@tmux_orc_hook"
    };
}

/// The pane option that an agent's own hooks write.
pub const HOOK_OPTION: &str = hook_option!();

/// Name of the format that tells when a pane last wrote: the narrowest that the server has.
pub(crate) fn activity(features: Features) -> &'static str {
    if features.pane_last_output_time { "pane_last_output_time" } else { "window_activity" }
}

/// Terminal of each pane, to find the first one's.
pub(crate) const TTYS: &str = "#{pane_id} #{pane_tty}";

/// Height and terminal of each pane: heads a request of many captures.
pub(crate) const HEIGHTS: &str = "#{pane_id} #{pane_tty} #{pane_height}";

/// Longest free text (name, title, path, hook) that is kept, in characters.
const MAX_TEXT: usize = 1000;

/// Reads the lines of [`crate::tmux::Command::list_pulses`]. A line that is not one is skipped; a pane that is listed at several
/// places comes out once.
#[must_use]
pub fn parse_pulses(output: &[u8]) -> Vec<Pulse> {
    let mut pulses: Vec<Pulse> = Vec::new();
    let mut known: HashMap<PaneId, usize> = HashMap::new();
    for pulse in output.split(|byte| *byte == b'\n').filter_map(parse_pulse) {
        match known.entry(pulse.id) {
            Entry::Vacant(new) => {
                new.insert(pulses.len());
                pulses.push(pulse);
            }
            Entry::Occupied(at) => {
                let first = &mut pulses[*at.get()];
                // In whatever order the places are listed.
                first.place = first.place.zip(pulse.place).map(|(one, other)| one.wrapping_add(other));
            }
        }
    }
    pulses
}

fn parse_pulse(line: &[u8]) -> Option<Pulse> {
    let line = String::from_utf8_lossy(line);
    let mut fields = line.splitn(7, ' ');
    let mut pulse = Pulse {
        id: fields.next()?.parse().ok()?,
        // Empty for a pane that has never written.
        activity: Some(fields.next()?).filter(|field| !field.is_empty()).map_or(Ok(0), str::parse).ok()?,
        pid: number(fields.next()?),
        width: fields.next()?.parse().ok()?,
        height: fields.next()?.parse().ok()?,
        dead: fields.next()? == "1",
        ..Pulse::default()
    };
    let (hook, place) = fields.next()?.rsplit_once('.')?;
    pulse.hook = hook_mark(hook);
    pulse.place = place.strip_prefix(' ').map(hash);
    Some(pulse)
}

/// Reads lines of [`TTYS`].
pub(crate) fn parse_ttys(text: &str) -> Vec<(PaneId, &str)> {
    text.lines()
        .filter_map(|line| {
            let (id, tty) = line.split_once(' ')?;
            Some((id.parse().ok()?, tty))
        })
        .collect()
}

/// Reads lines of [`HEIGHTS`]; `None` when one is not as it should be.
pub(crate) fn parse_heights(text: &str) -> Option<Vec<(PaneId, &str, usize)>> {
    text.lines()
        .map(|line| {
            let mut fields = line.split(' ');
            Some((fields.next()?.parse().ok()?, fields.next()?, fields.next()?.parse().ok()?))
        })
        .collect()
}

/// The terminal of the pane with the lowest id, if it looks like one.
pub(crate) fn first_tty<'a>(ttys: impl IntoIterator<Item = (PaneId, &'a str)>) -> Option<String> {
    let (_, tty) = ttys.into_iter().filter(|(_, tty)| !tty.is_empty()).min_by_key(|(id, _)| *id)?;
    (tty.starts_with("/dev/") && tty.len() < 64).then(|| tty.into())
}

const NUMBERS: &str = "#{pane_id} #{window_index} #{pane_index} #{pane_pid} #{pane_width} #{pane_height} \
     #{ACTIVITY} #{pane_dead} #{pane_in_mode} #{alternate_on} #{cursor_flag} #{cursor_x} #{cursor_y} \
     #{pane_active} #{window_active} #{window_active_clients} #{session_attached} #{session_id} .#{pane_dead_status}.";
/// Fields for which the server reads `/proc`: each costs 5 to 12 times any other.
const DEAR: [&str; 2] = ["#{pane_current_command}", "#{pane_current_path}"];
const TEXTS: &[&str] = &[
    "#{pane_tty}",
    "#{pane_current_command}",
    "#{session_name}",
    "#{window_name}",
    "#{pane_title}",
    "#{pane_current_path}",
    concat!("#{", hook_option!(), "}"),
];

/// Format of everything about a pane: numbers in one field, then each text in its own.
///
/// A fresh mark separates the fields: free text may hold anything, newlines too, but not this. The output starts with
/// it, so the parser needs no telling.
pub(crate) fn pane(features: Features, fields: Fields) -> String {
    let separator = &mark::fresh();
    let mut format = format!("{separator}{}", NUMBERS.replace("ACTIVITY", activity(features)));
    if features.pane_dead_signal {
        format.push_str("#{pane_dead_signal}");
    }
    for text in TEXTS {
        format.push_str(separator);
        if fields == Fields::All || !DEAR.contains(text) {
            format.push_str(text);
        }
    }
    // The end is marked too: a text that ends in a newline keeps its record whole.
    format.push_str(separator);
    format
}

/// Reads the output of [`crate::tmux::Command::list_panes`] or [`crate::tmux::Command::pane_details`]. A record that is not whole is
/// skipped. Texts come out without controls, escapes and bidi marks, cut at 1000 characters. A pane that is listed at
/// several places comes out once.
#[must_use]
pub fn parse_panes(output: &[u8]) -> Vec<Pane> {
    let Some((separator, _)) = output.split_at_checked(mark::LENGTH) else { return Vec::new() };
    if !mark::is_mark(separator) {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(output);
    let separator = String::from_utf8_lossy(separator);
    // SEP numbers SEP text SEP ... SEP \n SEP numbers ...: fields between separators, records of a fixed count.
    let fields: Vec<&str> = text.split(&*separator).skip(1).collect();
    merge(fields.chunks(TEXTS.len() + 2).filter(|record| record.len() == TEXTS.len() + 2).filter_map(record))
}

fn record(fields: &[&str]) -> Option<Listing> {
    let [numbers, tty, command, session, window, title, path, hook, _end] = fields else { return None };
    let (numbers, dead) = numbers.split_once(" .")?;
    let (status, signal) = dead.split_once('.')?;
    let numbers: Vec<&str> = numbers.split(' ').collect();
    let [
        id,
        window_index,
        pane_index,
        pid,
        width,
        height,
        activity,
        dead,
        mode,
        alternate,
        cursor,
        x,
        y,
        active,
        front,
        watching,
        attached,
        session_id,
    ] = numbers[..]
    else {
        return None;
    };
    let text = |field: &&str| clean(field).chars().take(MAX_TEXT).collect::<String>();
    let some = |count: &str| count != "0" && !count.is_empty();
    let shown_here = active == "1" && front == "1" && some(attached);
    let rank = Rank {
        out_of_view: !shown_here,
        detached: !some(attached),
        session: number(session_id.trim_start_matches('$')),
        window_index: number(window_index),
    };
    let pane = Pane {
        id: id.parse::<PaneId>().ok()?,
        session: text(session),
        window_index: number(window_index),
        window: text(window),
        pane_index: number(pane_index),
        pid: number(pid),
        tty: text(tty),
        width: width.parse().ok()?,
        height: height.parse().ok()?,
        activity: activity.parse().unwrap_or(0),
        dead: dead == "1",
        dead_status: status.parse().ok(),
        dead_signal: signal_number(signal),
        in_mode: some(mode),
        alternate_on: alternate == "1",
        cursor_shown: cursor == "1",
        cursor: (x.parse().unwrap_or(0), y.parse().unwrap_or(0)),
        command: text(command),
        path: text(path),
        title: text(title),
        hook: text(hook),
        // A client may show the window in another session than that of this line.
        in_view: shown_here || (active == "1" && some(watching)),
        places: Vec::new(),
    };
    Some(Listing { pane, rank })
}

fn number(text: &str) -> u32 {
    text.parse().unwrap_or(0)
}

/// tmux prints a signal by number or by name (`TERM`), as its system does (tmux.c, `sig2name`).
fn signal_number(text: &str) -> Option<i32> {
    const NAMES: &[(&str, i32)] = &[
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ILL", 4),
        ("TRAP", 5),
        ("ABRT", 6),
        ("BUS", 7),
        ("FPE", 8),
        ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11),
        ("USR2", 12),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
    ];
    let name = text.trim();
    if name.is_empty() {
        return None;
    }
    let bare = name.strip_prefix("SIG").unwrap_or(name);
    name.parse().ok().or_else(|| NAMES.iter().find(|(known, _)| bare.eq_ignore_ascii_case(known)).map(|(_, n)| *n))
}
