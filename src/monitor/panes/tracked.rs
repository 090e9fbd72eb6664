//! What is known of one pane, from cycle to cycle: what runs in it, when it was read, whether it must be read again.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

use crate::monitor::detect::{
    Process, Profiles, Published, Recognised, is_shell, may_be_left_behind, may_hide_agent, recognise,
};
use crate::monitor::facts::process::{Glance, Usage};
use crate::monitor::facts::published::SessionFile;
use crate::monitor::facts::writes::Writes;
use crate::monitor::facts::{process, published};
use crate::monitor::panes::cache::Stamp;
use crate::monitor::panes::memory::Remembered;
use crate::monitor::panes::record::Record;
use crate::monitor::{EventKind, NamedAgent, Preview, State};
use crate::tmux::{Fields, Pane, Pulse, Screen};

/// Shortest time between two walks of a pane's process tree.
const WALK_AGAIN: Duration = Duration::from_secs(1);

/// Longest time between two walks: what no output announces is found in the end.
const WALK_ANYWAY: Duration = Duration::from_secs(10);

/// The same where an agent is known: its own process is looked at more often.
const WALK_KNOWN: Duration = Duration::from_secs(30);

/// Time between two looks at whether a quiet agent's process still runs as it did.
const LOOK_ALIVE: Duration = Duration::from_secs(5);

/// Changes in a row that were not heard, after which a pane's program is taken to write past its terminal's file (as one
/// does that opens `/dev/tty`) and is left to the probes.
const DEAF: u8 = 2;

/// How long a pane must be in view to count as seen: one goes through windows faster.
const DWELL: Duration = Duration::from_secs(2);

/// How long an agent's pane must have served another program since it ended.
const SERVES_ANOTHER: Duration = Duration::from_secs(5);

/// Shortest time between two samples of an agent's CPU and memory.
const SAMPLE_USAGE: Duration = Duration::from_secs(5);

/// What a pulse makes out of date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beat {
    /// The pane's process was replaced or has ended.
    pub replaced: bool,
    /// It stands elsewhere, its session has another name, or others look at it.
    pub moved: bool,
}

/// A read that counts for as long as the pane's stamp is the same.
#[derive(Clone, Copy, Debug)]
struct Proof {
    stamp: Stamp,
    at: Instant,
    /// Of the cache: see [`crate::monitor::panes::cache::Layers::generation`].
    generation: u64,
}

/// One pane.
#[derive(Debug)]
pub struct Tracked {
    /// The newest pulse.
    pub pulse: Pulse,
    /// When this activity second was first seen.
    activity_seen: Instant,
    /// All fields, as old as the last read or the last topology.
    pub pane: Pane,
    /// When its fields were read.
    described_at: Option<Instant>,
    /// When the dear fields were read.
    program_at: Option<Instant>,
    /// The processes under it.
    pub processes: Vec<Process>,
    walked_at: Option<Instant>,
    walked_activity: i64,
    /// The walk came after the second of the last output.
    walk_settled: bool,
    glanced_at: Option<Instant>,
    /// The agent program in its process tree.
    pub recognised: Option<Recognised>,
    /// Stamp of the profiles that it was looked for with.
    recognised_with: Option<u64>,
    /// Its process tree may hide an agent (ssh, a container, a nested tmux).
    pub may_hide: bool,
    /// The settings call it an agent.
    pub named: Option<NamedAgent>,
    /// Its agent, once a verdict was made.
    pub record: Option<Record>,
    /// What the engine before this one knew of it, until its first verdict.
    pub remembered: Option<Remembered>,
    /// Its agent has ended and its user knows: what it left behind makes no agent.
    pub over: bool,
    /// Since when every look found it in its user's view.
    in_view_since: Option<Instant>,
    /// It must be read whatever the cache says: its processes changed.
    pub must_read: bool,
    /// The last look at the cache did not vouch for the last read.
    pub behind: bool,
    /// Its next write will be heard.
    announced: bool,
    /// When a write was heard last.
    heard_at: Option<Instant>,
    /// Changes in a row that were not heard.
    unheard: u8,
    /// When it was read last.
    pub read_at: Option<(Instant, Timestamp)>,
    /// When a read last showed something new.
    pub changed_at: Option<Instant>,
    /// Hash of the screen of the last read.
    pub screen_hash: Option<u64>,
    /// What proves that the last read still holds, where the cache had no room for its screen.
    proof: Option<Proof>,
    /// Key of the last verdict in the cache.
    pub verdict_key: Option<u64>,
    /// Its coloured screen, while it has the focus.
    pub preview: Option<Arc<Preview>>,
    published: Option<published::Watch>,
    /// CPU and memory of each process, and when.
    usage: Option<(Instant, HashMap<u32, Usage>)>,
    /// CPU of its process tree, percent of one core.
    pub cpu_percent: Option<f64>,
    /// Resident memory of its process tree, bytes.
    pub memory_bytes: Option<u64>,
}

impl Tracked {
    /// A pane that was just found.
    #[must_use]
    pub fn new(pulse: Pulse, now: Instant) -> Self {
        let pane = Pane { id: pulse.id, pid: pulse.pid, dead: pulse.dead, ..Pane::default() };
        Self {
            activity_seen: now,
            walked_activity: pulse.activity,
            pulse,
            pane,
            described_at: None,
            program_at: None,
            processes: Vec::new(),
            walked_at: None,
            walk_settled: false,
            glanced_at: None,
            recognised: None,
            recognised_with: None,
            may_hide: false,
            named: None,
            record: None,
            remembered: None,
            over: false,
            in_view_since: None,
            must_read: false,
            behind: true,
            announced: false,
            heard_at: None,
            unheard: 0,
            read_at: None,
            changed_at: None,
            screen_hash: None,
            proof: None,
            verdict_key: None,
            preview: None,
            published: None,
            usage: None,
            cpu_percent: None,
            memory_bytes: None,
        }
    }

    /// Takes in its newest pulse. Says what it makes out of date.
    pub fn beat(&mut self, pulse: Pulse, now: Instant) -> Beat {
        let before = std::mem::replace(&mut self.pulse, pulse);
        // What a hook says is heard without any output of the program's.
        if before.hook != self.pulse.hook {
            self.must_read |= self.is_candidate();
        }
        let moved = matches!((before.place, self.pulse.place), (Some(was), Some(is)) if was != is);
        self.pulse.place = self.pulse.place.or(before.place);
        let Pulse { activity, pid, width, height, dead, .. } = self.pulse;
        let replaced = (before.pid, before.dead) != (pid, dead);
        if replaced {
            self.over = false;
            self.walked_at = None;
        }
        // What is drawn anew for a new size is not written by the program alone.
        if replaced || (before.width, before.height) != (width, height) {
            self.announced = false;
        }
        if before.activity != activity {
            self.activity_seen = now;
        }
        let pane = &mut self.pane;
        (pane.pid, pane.dead, pane.activity) = (pid, dead, activity);
        (pane.width, pane.height) = (width, height);
        Beat { replaced, moved }
    }

    /// Whether it holds an agent or may hold one: only such panes are read. A pane in which what was killed before we
    /// came may have left its screen behind is read once.
    #[must_use]
    pub fn is_candidate(&self) -> bool {
        let remains = self.read_at.is_none() && may_be_left_behind(&self.pane, &self.processes);
        let may_be = self.may_hide || self.named.is_some() || self.record.is_some() || remains;
        self.recognised.is_some() || (may_be && !self.over)
    }

    /// Whether nobody has looked yet at what it holds.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.walked_at.is_none() || (self.read_at.is_none() && self.is_candidate())
    }

    /// The stamp that the cache is asked with.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp::from(&self.pulse)
    }

    /// Whether a capture that begins now comes after the second of the last output, so that an equal stamp later
    /// proves that nothing changed. By the wall clock where it is plain; else by the monotonic one, which a clock that
    /// jumps cannot mislead.
    #[must_use]
    pub fn is_settled(&self, at: Timestamp, now: Instant) -> bool {
        let second_over = at.as_second() > self.pulse.activity;
        second_over || now.saturating_duration_since(self.activity_seen) > Duration::from_secs(1)
    }

    /// Whether it may show something else than the last read.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.behind
    }

    /// Watches it for its next write, if it is at rest and a capture that begins now proves so. Says whether a change
    /// that this capture shows should have been heard.
    pub fn announce(&mut self, writes: &mut Writes, at: Timestamp, now: Instant) -> bool {
        let before = self.announced;
        if !before && self.unheard < DEAF && self.is_settled(at, now) && !self.pulse.dead {
            self.announced = writes.watch(self.pulse.id, &self.pane.tty);
        }
        before
    }

    /// Whether its next write will be heard; what is dead writes nothing.
    #[must_use]
    pub fn is_announced(&self) -> bool {
        self.pulse.dead || (self.announced && self.unheard < DEAF)
    }

    /// A write was heard: it is read whatever the cache says.
    pub fn hear(&mut self, now: Instant) {
        self.announced = false;
        self.heard_at = Some(now);
        self.unheard = 0;
        self.must_read |= self.is_candidate();
    }

    /// A read that began at `began` was taken in. `unheard`: it shows a change that should have been heard before.
    pub fn was_read(&mut self, began: Instant, unheard: bool) {
        let heard = self.heard_at.is_some_and(|at| at >= began);
        // What was heard while it was read may not be in it.
        self.must_read = heard;
        self.behind = heard;
        if unheard && !heard {
            self.unheard = self.unheard.saturating_add(1);
        }
    }

    /// Keeps that a settled read with this stamp was taken in, under this generation of the cache.
    pub fn prove(&mut self, stamp: Stamp, at: Instant, generation: u64) {
        self.proof = Some(Proof { stamp, at, generation });
    }

    /// Whether the last read is proven to be right still, for as long as an entry of the cache is good.
    #[must_use]
    pub fn is_proven(&self, now: Instant, ttl: Duration, generation: u64) -> bool {
        self.proof.is_some_and(|proof| {
            (proof.stamp, proof.generation) == (self.stamp(), generation)
                && now.saturating_duration_since(proof.at) < ttl
        })
    }

    /// Takes in fields: those that were not asked for stay as they are.
    pub fn describe(&mut self, mut pane: Pane, fields: Fields, now: Instant) {
        self.described_at = Some(now);
        match fields {
            Fields::All => self.program_at = Some(now),
            Fields::Cheap => {
                pane.command = std::mem::take(&mut self.pane.command);
                pane.path = std::mem::take(&mut self.pane.path);
            }
        }
        if judged_by(&self.pane) != judged_by(&pane) {
            // The verdict in the cache was made from something else.
            self.verdict_key = None;
        }
        self.pane = pane;
        if !self.pane.in_view {
            self.in_view_since = None;
        } else if self.in_view_for(now) >= DWELL
            && let Some(record) = &mut self.record
        {
            record.seen();
        }
    }

    /// Takes in what was listed of this pane alone: such a list tells one place of several, and not always the same, so
    /// the places stay those of the last list of all panes. Says whether it stands where that list did not have it.
    pub fn describe_alone(&mut self, mut pane: Pane, fields: Fields, now: Instant) -> bool {
        let known = &mut self.pane;
        if known.places.is_empty() {
            self.describe(pane, fields, now);
            return false;
        }
        let moved = !known.places.contains(&pane.target());
        pane.session = std::mem::take(&mut known.session);
        pane.places = std::mem::take(&mut known.places);
        (pane.window_index, pane.pane_index) = (known.window_index, known.pane_index);
        self.describe(pane, fields, now);
        moved
    }

    /// How long it has been in its user's view.
    fn in_view_for(&mut self, now: Instant) -> Duration {
        now.saturating_duration_since(*self.in_view_since.get_or_insert(now))
    }

    /// Whether its agent, which its user left in order, is of no interest any more: the pane has served another program
    /// for a moment, or its user has looked at it since.
    #[must_use]
    pub fn has_moved_on(&self, now: Instant) -> bool {
        let Some(left_at) = self.record.as_ref().filter(|r| r.state() == State::Exited).and_then(|r| r.left_at) else {
            return false;
        };
        let serves = !self.pulse.dead
            && now.saturating_duration_since(left_at) >= SERVES_ANOTHER
            && self.processes.iter().any(|p| p.foreground && !p.zombie && !is_shell(&p.comm));
        let seen = self.in_view_since.is_some_and(|since| {
            self.pane.in_view
                && now.saturating_duration_since(since.max(left_at)) >= DWELL
                && self.described_at > Some(left_at + DWELL)
        });
        serves || seen
    }

    /// Its agent is no more. Gives what is to be told of that, if it had one.
    pub fn forget_agent(&mut self) -> Option<EventKind> {
        let agent = self.record.take()?.verdict.agent.clone();
        Some(EventKind::Gone { pane_id: self.pulse.id, target: self.pane.target(), agent })
    }

    /// The same where its user knows, or has to know nothing: what it left behind makes no agent.
    pub fn dismiss_agent(&mut self) -> Option<EventKind> {
        self.over = true;
        self.forget_agent()
    }

    /// Whether its fields are as they were read: it has not written since, and its place was read lately.
    #[must_use]
    pub fn fields_hold(&self, at: Timestamp, now: Instant) -> bool {
        self.described_at.is_some_and(|described| {
            let ago = now.saturating_duration_since(described);
            let second = at.as_second() - i64::try_from(ago.as_secs()).unwrap_or(i64::MAX) - 1;
            ago < LOOK_ALIVE * 6 && second > self.pulse.activity
        })
    }

    /// Whether the dear fields (program in front, its directory) may be out of date: the process tree changed, it is
    /// not to be seen, or time has passed.
    #[must_use]
    pub fn is_program_due(&self, now: Instant) -> bool {
        self.processes.is_empty() || self.program_at.is_none_or(|at| now.saturating_duration_since(at) >= WALK_ANYWAY)
    }

    /// Walks the process tree if there is reason to. Says whether what was recognised changed.
    pub fn walk(&mut self, profiles: &Profiles, at: Timestamp, now: Instant) -> bool {
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        let wrote = self.pulse.activity != self.walked_activity || !self.walk_settled;
        let age = since(self.walked_at);
        let due = match (age, self.recognised.as_ref().and_then(|r| r.pid)) {
            (None, _) => true,
            // A known agent's process tells by itself, at a tenth of a walk's cost.
            (Some(age), Some(pid)) => {
                let look = wrote || since(self.glanced_at).is_none_or(|age| age >= LOOK_ALIVE);
                if look {
                    self.glanced_at = Some(now);
                    self.walked_activity = self.pulse.activity;
                    self.walk_settled = self.is_settled(at, now);
                }
                age >= WALK_KNOWN || (look && self.program_changed(pid))
            }
            (Some(age), None) => age >= WALK_ANYWAY || (wrote && age >= WALK_AGAIN),
        };
        // Other profiles may know what runs here already.
        let renewed = self.recognised_with.is_some_and(|stamp| stamp != profiles.stamp());
        if !due {
            return renewed && self.recognise(profiles);
        }
        self.walked_at = Some(now);
        self.glanced_at = Some(now);
        self.walked_activity = self.pulse.activity;
        self.walk_settled = self.is_settled(at, now);
        let processes = if self.pulse.dead { Vec::new() } else { process::under(self.pulse.pid) };
        if processes == self.processes && age.is_some() {
            return renewed && self.recognise(profiles);
        }
        self.processes = processes;
        self.unheard = 0;
        self.program_at = self.program_at.filter(|at| *at >= now);
        self.recognise(profiles)
    }

    /// Looks for an agent program among the processes as they were seen last. Says whether another one was found.
    fn recognise(&mut self, profiles: &Profiles) -> bool {
        if self.recognised_with.replace(profiles.stamp()) != Some(profiles.stamp()) {
            // Judged by other rules, it may be in another state.
            self.verdict_key = None;
        }
        self.may_hide = may_hide_agent(&self.pane, &self.processes);
        let recognised = recognise(profiles, &self.pane, &self.processes);
        let changed = recognised != self.recognised;
        if changed {
            self.published = recognised.as_ref().and_then(|found| {
                let process = self.processes.iter().find(|process| Some(process.pid) == found.pid)?;
                SessionFile::of(profiles.get(&found.agent)?, process).map(published::Watch::new)
            });
        }
        self.over &= recognised.is_none();
        self.recognised = recognised;
        self.must_read |= self.is_candidate();
        changed
    }

    /// Whether the agent's process has ended, stopped or left the foreground since the walk.
    fn program_changed(&self, pid: u32) -> bool {
        let known = self.processes.iter().find(|p| p.pid == pid);
        known.is_some_and(|known| process::glance(pid) != Some(Glance::from(known)))
    }

    /// Looks now and then whether the program has published something new of itself.
    pub fn publishes_news(&mut self, now: Instant) -> bool {
        self.published.as_mut().is_some_and(|file| file.has_news(now, LOOK_ALIVE))
    }

    /// What the program publishes of itself.
    pub async fn read_published(&mut self) -> Option<Published> {
        self.published.as_mut()?.now().await
    }

    /// Samples CPU and memory of the process tree now and then.
    pub fn sample_usage(&mut self, now: Instant) {
        if self.usage.as_ref().is_some_and(|(at, _)| now.saturating_duration_since(*at) < SAMPLE_USAGE) {
            return;
        }
        let used: HashMap<u32, Usage> = self.processes.iter().map(|p| (p.pid, process::usage([p.pid]))).collect();
        if let Some((at, before)) = &self.usage {
            let wall = now.saturating_duration_since(*at).as_secs_f64();
            // Of each process by itself: what a process used that came or went meanwhile is not of this time.
            let ticks: u64 =
                used.iter().filter_map(|(pid, now)| Some(now.ticks.saturating_sub(before.get(pid)?.ticks))).sum();
            self.cpu_percent = Some(ticks as f64 / ticks_per_second() / wall.max(f64::EPSILON) * 100.0);
        }
        self.memory_bytes = Some(used.values().map(|used| used.memory_bytes).sum());
        self.usage = Some((now, used));
    }
}

/// What a verdict is made from beside the screen and the processes: all that tmux tells of the pane.
pub fn judged_by(pane: &Pane) -> impl PartialEq + Hash {
    (
        (pane.title.clone(), pane.command.clone(), pane.hook.clone()),
        (pane.dead, pane.dead_status, pane.dead_signal),
        (pane.in_mode, pane.alternate_on, pane.cursor_shown, pane.cursor, pane.width, pane.height),
    )
}

/// Clock ticks a second, as the kernel counts CPU time in `/proc`.
fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// A hash of a screen, to tell whether a read showed something new.
#[must_use]
pub fn screen_hash(screen: &Screen) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    screen.text().hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tmux::PaneId;

    fn pulse(id: u32, activity: i64, pid: u32) -> Pulse {
        Pulse { id: PaneId(id), activity, pid, width: 80, height: 24, dead: false, ..Pulse::default() }
    }

    #[test]
    fn a_capture_proves_something_only_after_the_second_of_the_last_output() {
        let now = Instant::now();
        let at = Timestamp::from_second(1_000).unwrap();
        let tracked = Tracked::new(pulse(1, 1_000, 5), now);
        assert!(!tracked.is_settled(at, now));
        assert!(tracked.is_settled(Timestamp::from_second(1_001).unwrap(), now));
        // The clock went back an hour: the output lies in the future, and a monotonic second settles it.
        let back = Timestamp::from_second(1_000 - 3_600).unwrap();
        assert!(!tracked.is_settled(back, now + Duration::from_millis(900)));
        assert!(tracked.is_settled(back, now + Duration::from_millis(1_100)));
    }

    #[test]
    fn fields_hold_until_it_writes_or_half_a_minute_is_over() {
        let (now, at) = (Instant::now(), Timestamp::from_second(1_000).unwrap());
        let mut tracked = Tracked::new(pulse(1, 990, 5), now);
        assert!(!tracked.fields_hold(at, now), "never read");
        tracked.describe(Pane::default(), Fields::All, now);
        assert!(tracked.fields_hold(at, now));
        let later = |seconds: i64| {
            (Timestamp::from_second(1_000 + seconds).unwrap(), now + Duration::from_secs(seconds as u64))
        };
        assert!(tracked.fields_hold(later(20).0, later(20).1));
        assert!(!tracked.fields_hold(later(40).0, later(40).1));
        // It wrote in the second in which they were read.
        tracked.beat(pulse(1, 1_000, 5), now);
        assert!(!tracked.fields_hold(later(2).0, later(2).1));
    }

    #[test]
    fn fields_that_were_not_asked_for_stay_and_come_due_again() {
        let now = Instant::now();
        let mut tracked = Tracked::new(pulse(1, 10, 5), now);
        tracked.processes = vec![Process { pid: 5, ..Process::default() }];
        assert!(tracked.is_program_due(now), "never read");
        let whole = Pane { command: "node".into(), path: "/src".into(), title: "a".into(), ..Pane::default() };
        tracked.describe(whole, Fields::All, now);
        assert!(!tracked.is_program_due(now));
        tracked.describe(Pane { title: "b".into(), ..Pane::default() }, Fields::Cheap, now + WALK_ANYWAY / 2);
        let Pane { command, path, title, .. } = &tracked.pane;
        assert_eq!((command.as_str(), path.as_str(), title.as_str()), ("node", "/src", "b"));
        assert!(tracked.is_program_due(now + WALK_ANYWAY));
        assert!(tracked.is_program_due(now + Duration::from_secs(15)), "what no output announces is found soon");
    }

    #[test]
    fn passing_by_is_not_looking() {
        use crate::monitor::detect::Verdict;
        use crate::monitor::{Source, State};
        let verdict = |state| Arc::new(Verdict::blank("claude", "", None).say(state, None, "", "", Source::Screen));
        let (now, at) = (Instant::now(), Timestamp::from_second(1_000).unwrap());
        let mut tracked = Tracked::new(pulse(1, 10, 5), now);
        let mut record = Record::new(verdict(State::Working), at, now);
        record.judge(verdict(State::Idle), at, now, None, false);
        tracked.record = Some(record);
        let mut look = |in_view, after: u64| {
            let pane = Pane { in_view, ..Pane::default() };
            tracked.describe(pane, Fields::All, now + Duration::from_millis(after));
            tracked.record.as_ref().and_then(|record| record.kind.clone())
        };
        for (in_view, after) in [(true, 0), (true, 500), (false, 1_000), (true, 3_000), (true, 4_500)] {
            assert_eq!(look(in_view, after).as_deref(), Some("done"), "{after}");
        }
        assert_eq!(look(true, 5_100), None, "two seconds are a look");
    }

    #[test]
    fn a_pane_whose_changes_are_not_heard_is_left_to_the_probes() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut tracked = Tracked::new(pulse(1, 10, 5), now);
        tracked.may_hide = true;
        tracked.announced = true;
        tracked.hear(now);
        assert!(!tracked.is_announced() && tracked.must_read, "a watch tells once");
        tracked.was_read(now, true);
        assert!(tracked.must_read, "what was heard since the read began may not be in it");
        tracked.was_read(now + second, false);
        assert!(!tracked.must_read);
        for read in 2..4 {
            tracked.announced = true;
            assert!(tracked.is_announced());
            tracked.was_read(now + second * read, true);
        }
        assert!(!tracked.is_announced());
        tracked.hear(now + second * 5);
        tracked.announced = true;
        assert!(tracked.is_announced(), "one that was heard after all is believed again");
    }

    #[test]
    fn a_known_agent_is_glanced_at_and_walked_again_when_it_ended() {
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let (now, at) = (Instant::now(), Timestamp::from_second(1_000).unwrap());
        let profiles = Profiles::embedded();
        let mut tracked = Tracked::new(pulse(1, 10, child.id()), now);
        tracked.walk(&profiles, at, now);
        let seen = tracked.processes.clone();
        assert_eq!(seen.len(), 1);
        tracked.recognised = Some(Recognised {
            agent: "claude".into(),
            pid: Some(child.id()),
            by: String::new(),
            stopped: false,
            headless: false,
            unproven: false,
        });
        tracked.walk(&profiles, at, now + LOOK_ALIVE);
        assert_eq!(tracked.walked_at, Some(now), "it is as it was: no walk");
        child.kill().unwrap();
        child.wait().unwrap();
        tracked.walk(&profiles, at, now + LOOK_ALIVE * 2);
        assert_eq!((tracked.processes.len(), tracked.recognised.is_none()), (0, true));
    }
}
