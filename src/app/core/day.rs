//! A day of the agents: what each did when, as spans, as cells of a bar, and as sums. What happened is read elsewhere.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::app::core::fleet::{AgentKey, Fleet};
use crate::app::core::words::Tone;
use crate::monitor::AgentState;
use crate::tmux::PaneId;

/// The day begins so long ago at the latest, however late it is: what was just before midnight is of interest after it.
const LEAST: SignedDuration = SignedDuration::from_hours(6);

/// A bar shows so much at least: what began a minute ago is not drawn over all of it.
const SHORTEST: SignedDuration = SignedDuration::from_mins(5);

/// Time in which an agent was in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Its begin, as far as it was watched.
    pub from: Timestamp,
    /// Its end, or the last time that it was seen.
    pub to: Timestamp,
    /// The state.
    pub state: AgentState,
    /// Kind of the state.
    pub kind: Option<String>,
    /// When the state was entered: before its begin, where nobody watched then.
    pub since: Timestamp,
}

impl Span {
    /// What it means for the person who looks.
    #[must_use]
    pub fn tone(&self) -> Tone {
        Tone::of(self.state, self.kind.as_deref())
    }

    /// How long it is, seconds.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        self.to.as_second().saturating_sub(self.from.as_second()).max(0)
    }
}

/// One agent's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
    /// Path of its tmux server's socket.
    pub server: String,
    /// Its pane.
    pub pane: PaneId,
    /// Its last known place.
    pub target: String,
    /// Which program.
    pub agent: String,
    /// It was there when the day was read.
    pub present: bool,
    /// What it did, oldest first; between two of them nobody watched.
    pub spans: Vec<Span>,
}

impl Track {
    /// Its waits, each once however often who watched it changed: the oldest first.
    #[must_use]
    pub fn waits(&self) -> Vec<Span> {
        let mut waits: Vec<Span> = Vec::new();
        for span in self.spans.iter().filter(|span| span.state == AgentState::Waiting) {
            match waits.last_mut().filter(|last| (last.since, &last.kind) == (span.since, &span.kind)) {
                Some(last) => last.to = span.to,
                None => waits.push(Span { from: span.since, ..span.clone() }),
            }
        }
        waits
    }

    /// Seconds in a state.
    #[must_use]
    pub fn seconds(&self, state: AgentState) -> i64 {
        self.spans.iter().filter(|span| span.state == state).map(Span::seconds).sum()
    }

    /// The cells of its bar between two moments: what it did for most of the time of each, `None` where nobody watched. A
    /// wait shows where it takes a quarter of a cell: it is what one looks for.
    #[must_use]
    pub fn cells(&self, (from, to): (Timestamp, Timestamp), cells: usize) -> Vec<Option<Tone>> {
        let length = to.duration_since(from).as_millis().max(1);
        let count = |cells: usize| i128::try_from(cells).unwrap_or(0);
        let edge = |cell: usize| length * count(cell) / count(cells).max(1);
        let since = |at: Timestamp| at.duration_since(from).as_millis().clamp(0, length);
        let mut bar = Vec::with_capacity(cells);
        // The spans are in their order: each cell begins where the one before it ended.
        let mut first = 0;
        for cell in 0..cells {
            let (begin, end) = (edge(cell), edge(cell + 1));
            while self.spans.get(first).is_some_and(|span| since(span.to) <= begin && since(span.to) < length) {
                first += 1;
            }
            let mut times: Vec<(Tone, i128)> = Vec::new();
            for span in self.spans[first..].iter().take_while(|span| since(span.from) < end) {
                let time = since(span.to).min(end) - since(span.from).max(begin);
                if time <= 0 {
                    continue;
                }
                match times.iter_mut().find(|(tone, _)| *tone == span.tone()) {
                    Some((_, sum)) => *sum += time,
                    None => times.push((span.tone(), time)),
                }
            }
            let waited = times.iter().find(|(tone, time)| *tone == Tone::NeedsYou && *time * 4 >= end - begin);
            let most = times.iter().max_by_key(|(_, time)| *time);
            bar.push(waited.or(most).map(|(tone, _)| *tone));
        }
        bar
    }
}

/// The day of all agents of the servers of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// From when on it is told.
    pub since: Timestamp,
    /// Up to when.
    pub until: Timestamp,
    /// Those who were watched in it.
    pub tracks: Vec<Track>,
}

impl Day {
    /// The tracks of the servers that are watched here, those that are there now in the order of the list, then those that
    /// are gone, the latest first.
    #[must_use]
    pub fn of_fleet<'a>(&'a self, fleet: &Fleet, order: &[AgentKey]) -> Vec<(Option<AgentKey>, &'a Track)> {
        let here = fleet.members().iter().filter(|member| member.label.host.is_none());
        let members: Vec<(&str, _)> = here.map(|member| (member.snapshot.server.socket.as_str(), member.id)).collect();
        let member = |track: &Track| members.iter().find(|(socket, _)| *socket == track.server).map(|(_, id)| *id);
        let key_of = |track: &Track| {
            let key = AgentKey { member: member(track)?, pane: track.pane };
            fleet.agent(key).filter(|agent| track.present && agent.agent == track.agent).map(|_| key)
        };
        let mut tracks: Vec<(Option<AgentKey>, &Track)> =
            self.tracks.iter().filter(|track| member(track).is_some()).map(|track| (key_of(track), track)).collect();
        let last = |track: &Track| track.spans.last().map(|span| span.to);
        let places: HashMap<AgentKey, usize> = order.iter().copied().zip(0..).collect();
        let place =
            |key: &Option<AgentKey>| key.map_or(usize::MAX, |key| places.get(&key).copied().unwrap_or(usize::MAX - 1));
        tracks.sort_by(|(a, x), (b, y)| place(a).cmp(&place(b)).then_with(|| last(y).cmp(&last(x))));
        tracks
    }
}

/// From when on a day is read: from midnight of its user's clock, and for some hours at least.
#[must_use]
pub fn begin(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let midnight = now.to_zoned_datetime(zone.clone()).start_of_day().map_or(now, |zoned| zoned.timestamp());
    midnight.min(now.checked_sub(LEAST).unwrap_or(now))
}

/// What the bars of these tracks show: from the first time that anybody was watched.
#[must_use]
pub fn shown<'a>(day: &Day, tracks: impl IntoIterator<Item = &'a Track>) -> (Timestamp, Timestamp) {
    let first = tracks.into_iter().filter_map(|track| Some(track.spans.first()?.from)).min();
    let latest = day.until.checked_sub(SHORTEST).unwrap_or(day.until);
    (first.unwrap_or(day.since).max(day.since).min(latest).max(day.since), day.until)
}

/// Marks of an axis of so many cells: the cell and the time of day of each, at whole steps of its user's clock.
#[must_use]
pub fn axis((from, to): (Timestamp, Timestamp), cells: usize, zone: &TimeZone) -> Vec<(usize, String)> {
    const STEPS: [i64; 10] = [60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600];
    /// Cells of a mark and the gap behind it.
    const MARK: i64 = 8;
    let length = to.as_second().saturating_sub(from.as_second()).max(1);
    let cells = i64::try_from(cells).unwrap_or(1).max(1);
    let fits = |step: &&i64| **step * cells >= MARK * length;
    let step = STEPS.iter().find(fits).or(STEPS.last()).copied().unwrap_or(3600);
    let offset = i64::from(zone.to_offset(from).seconds());
    let first = (from.as_second() + offset).div_euclid(step) * step - offset;
    let marks = (0..=length / step + 1).map(|n| first + n * step).filter(|at| *at >= from.as_second());
    let cell = |at: i64| usize::try_from((at - from.as_second()) * cells / length).unwrap_or(0);
    let words = |at: i64| {
        let at = Timestamp::from_second(at).unwrap_or(from).to_zoned_datetime(zone.clone());
        at.strftime("%H:%M").to_string()
    };
    marks.map(|at| (cell(at), words(at))).filter(|(cell, _)| cell + 5 <= usize::try_from(cells).unwrap_or(0)).collect()
}

/// What is known of the day.
#[derive(Clone, Debug, Default)]
pub enum Known {
    /// Nobody has asked.
    #[default]
    Nothing,
    /// It is being read; what was known before is shown till then.
    Reading(Option<std::sync::Arc<Day>>),
    /// It was read.
    Read(std::sync::Arc<Day>),
    /// It cannot be read: why.
    Failed(String),
}

impl Known {
    /// The day, as far as one is known.
    #[must_use]
    pub fn day(&self) -> Option<&std::sync::Arc<Day>> {
        match self {
            Self::Read(day) | Self::Reading(Some(day)) => Some(day),
            Self::Nothing | Self::Reading(None) | Self::Failed(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};
    use crate::monitor::Snapshot;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minute * 60).unwrap()
    }

    fn span(from: i64, to: i64, state: AgentState) -> Span {
        Span { from: at(from), to: at(to), state, kind: None, since: at(from) }
    }

    fn track(pane: u32, spans: Vec<Span>) -> Track {
        let (server, target, agent) = ("/s".to_owned(), "a:1.0".to_owned(), "claude".to_owned());
        Track { server, pane: PaneId(pane), target, agent, present: true, spans }
    }

    fn drawn(track: &Track, span: (i64, i64), cells: usize) -> String {
        let sign = |tone: Option<Tone>| match tone {
            None => ' ',
            Some(Tone::Working) => 'w',
            Some(Tone::NeedsYou) => '!',
            Some(Tone::Idle) => 'i',
            Some(_) => '?',
        };
        track.cells((at(span.0), at(span.1)), cells).into_iter().map(sign).collect()
    }

    #[test]
    fn a_cell_is_what_was_for_most_of_it_and_a_wait_shows_from_a_quarter_on() {
        use AgentState::{Idle, Waiting, Working};
        let day = track(
            1,
            vec![
                span(0, 20, Working),
                span(20, 30, Waiting),
                span(40, 58, Idle),
                span(58, 60, Waiting),
                span(90, 120, Working),
            ],
        );
        assert_eq!(drawn(&day, (0, 120), 12), "ww! ii   www");
        assert_eq!(drawn(&day, (0, 120), 6), "w!i ww");
        assert_eq!(drawn(&day, (0, 120), 3), "!iw", "10 of 40 minutes, and 2 of 40");
        assert_eq!(drawn(&day, (50, 60), 5), "iiii!");
        assert_eq!(drawn(&day, (0, 120), 0), "");
        assert_eq!(drawn(&track(1, vec![]), (0, 10), 4), "    ");
        // Every length has as many cells as were asked for, whatever rounding does.
        for cells in 1..50 {
            assert_eq!(drawn(&day, (0, 119), cells).chars().count(), cells);
        }
        assert_eq!((day.seconds(Waiting), day.seconds(Working)), (12 * 60, 50 * 60));
    }

    #[test]
    fn a_wait_is_one_whoever_watched_it_and_longer_than_the_day() {
        let mut early = span(0, 5, AgentState::Waiting);
        early.since = at(-30);
        let goes_on = Span { from: at(7), to: at(9), ..early.clone() };
        let day = track(1, vec![early, goes_on, span(9, 12, AgentState::Working), span(12, 13, AgentState::Waiting)]);
        let waits: Vec<i64> = day.waits().iter().map(Span::seconds).collect();
        assert_eq!(waits, [39 * 60, 60]);
    }

    #[test]
    fn the_axis_has_whole_times_of_its_users_clock_that_fit() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let from = "2026-03-01T05:50:00Z".parse::<Timestamp>().unwrap();
        let to = "2026-03-01T11:50:00Z".parse::<Timestamp>().unwrap();
        let words = |cells| axis((from, to), cells, &zone).into_iter().map(|(_, words)| words).collect::<Vec<_>>();
        assert_eq!(words(60), ["08:00", "09:00", "10:00", "11:00", "12:00", "13:00"]);
        assert_eq!(words(24), ["08:00", "10:00", "12:00"]);
        assert_eq!(axis((from, to), 60, &zone)[0], (1, "08:00".to_owned()));
        for cells in 0..120 {
            let marks = axis((from, to), cells, &zone);
            assert!(marks.windows(2).all(|pair| pair[0].0 + 6 <= pair[1].0), "{cells}: {marks:?}");
            assert!(marks.iter().all(|(cell, _)| cell + 5 <= cells), "{cells}: {marks:?}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_or_some_hours_ago_and_a_bar_with_the_first_who_was_watched() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let begin = |text: &str| begin(text.parse().unwrap(), &zone).to_string();
        assert_eq!(begin("2026-03-01T20:00:00Z"), "2026-02-28T22:00:00Z");
        assert_eq!(begin("2026-03-01T23:00:00Z"), "2026-03-01T17:00:00Z", "an hour after midnight");
        let day = Day { since: at(0), until: at(600), tracks: vec![track(1, vec![span(300, 600, AgentState::Idle)])] };
        assert_eq!(shown(&day, &day.tracks), (at(300), at(600)));
        let new = Day { tracks: vec![track(1, vec![span(599, 600, AgentState::Idle)])], ..day.clone() };
        assert_eq!(shown(&new, &new.tracks), (at(595), at(600)));
        assert_eq!(shown(&day, []), (at(0), at(600)).min((at(595), at(600))));
    }

    #[test]
    fn who_is_there_comes_in_the_order_of_the_list_and_who_is_gone_after_them() {
        let agents = [1, 2].map(|pane| test_agent(pane, AgentState::Idle)).into_iter().collect();
        let fleet = Fleet::from(std::sync::Arc::new(Snapshot { agents, ..test_snapshot() }));
        let gone = |pane, to| Track { present: false, ..track(pane, vec![span(0, to, AgentState::Idle)]) };
        let tracks = vec![
            gone(2, 10),
            gone(9, 30),
            track(1, vec![]),
            track(2, vec![]),
            Track { server: "/other".to_owned(), ..track(1, vec![]) },
            Track { agent: "codex".to_owned(), ..gone(1, 20) },
        ];
        let day = Day { since: at(0), until: at(60), tracks };
        let order = [2, 1].map(|pane| AgentKey::first(PaneId(pane)));
        let rows: Vec<(Option<u32>, u32)> =
            day.of_fleet(&fleet, &order).iter().map(|(key, track)| (key.map(|key| key.pane.0), track.pane.0)).collect();
        assert_eq!(rows, [(Some(2), 2), (Some(1), 1), (None, 9), (None, 1), (None, 2)]);
    }
}
