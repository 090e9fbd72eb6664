//! What runs in a pane: its processes, the agent program among them, and when to look at them again.

use std::time::{Duration, Instant};

use crate::monitor::detect::{Process, Profiles, Published, Recognised, is_shell, may_hide_agent, recognise};
use crate::monitor::facts::process;
use crate::monitor::facts::process::ProcessStatus;
use crate::monitor::facts::published::{SessionFile, Watch};
use crate::monitor::facts::transcripts::watch::Transcript;
use crate::monitor::panes::load::Load;
use crate::monitor::usage::Spending;
use crate::tmux::Pulse;

/// Shortest time between two walks of a pane's process tree.
const WALK_AGAIN: Duration = Duration::from_secs(1);

/// Longest time between two walks: what starts without any output is found in the end.
pub(super) const WALK_ANYWAY: Duration = Duration::from_secs(10);

/// The same where an agent is known: its own process is checked more often.
const WALK_KNOWN: Duration = Duration::from_secs(30);

/// Time between two checks of whether a quiet agent's process still runs as it did.
pub(super) const CHECK_ALIVE: Duration = Duration::from_secs(5);

/// What runs in one pane.
#[derive(Debug, Default)]
pub struct Program {
    looked: Looked,
    /// The processes as they were seen last, parents before children.
    processes: Vec<Process>,
    holds: Holds,
    /// Stamp of the profiles that an agent was looked for with; `None` before the first look.
    profiles: Option<u64>,
    load: Load,
}

/// How far what is known of the processes can be relied on.
#[derive(Clone, Copy, Debug, Default)]
enum Looked {
    /// Nobody has looked since the pane's process was started.
    #[default]
    Never,
    /// In the second of the last output: what wrote it may have started after the look.
    Unsettled(Times),
    /// After that second; output of another one is news.
    Settled {
        times: Times,
        /// The second of the last output: [`Pulse::activity`].
        activity: i64,
    },
}

#[derive(Clone, Copy, Debug)]
struct Times {
    /// The last walk of the whole tree.
    walked: Instant,
    /// The last check of the agent's process, or the walk.
    checked: Instant,
}

#[derive(Debug, Default)]
enum Holds {
    #[default]
    NoAgent,
    /// An agent may run out of sight: over ssh, in a container, in a nested tmux.
    MayHide,
    Agent {
        found: Recognised,
        /// The file in which it publishes its state; most panes have none.
        file: Option<Box<Watch>>,
        /// What it writes down of what it spends.
        transcript: Option<Box<Transcript>>,
    },
}

/// What a walk brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Walked {
    /// All is as it was.
    AsBefore,
    /// The same processes, looked at with other profiles.
    OtherProfiles,
    /// Other processes.
    OtherProcesses,
}

impl Looked {
    fn times(self) -> Option<Times> {
        match self {
            Self::Never => None,
            Self::Unsettled(times) | Self::Settled { times, .. } => Some(times),
        }
    }

    fn at(times: Times, pulse: &Pulse, settled: bool) -> Self {
        if settled { Self::Settled { times, activity: pulse.activity } } else { Self::Unsettled(times) }
    }

    /// Whether the pane may have written since.
    fn wrote_since(self, pulse: &Pulse) -> bool {
        !matches!(self, Self::Settled { activity, .. } if activity == pulse.activity)
    }
}

impl Program {
    /// The pane's process was replaced or has ended: it is walked anew.
    pub fn replaced(&mut self) {
        self.looked = Looked::Never;
    }

    /// Walks the process tree if there is reason to, and looks for an agent program in it. `elsewhere`: the processes are
    /// out of sight. `settled`: the second of the last output is over.
    pub fn walk(&mut self, profiles: &Profiles, pulse: &Pulse, elsewhere: bool, settled: bool, now: Instant) -> Walked {
        // Other profiles may know what runs here already.
        let other_profiles = self.profiles.is_some_and(|stamp| stamp != profiles.stamp());
        let walked = if self.is_due(pulse, settled, now) && self.look(pulse, elsewhere, settled, now) {
            Walked::OtherProcesses
        } else if other_profiles {
            Walked::OtherProfiles
        } else {
            return Walked::AsBefore;
        };
        self.recognise(profiles);
        walked
    }

    fn is_due(&mut self, pulse: &Pulse, settled: bool, now: Instant) -> bool {
        let Some(times) = self.looked.times() else { return true };
        let age = now.saturating_duration_since(times.walked);
        let wrote = self.looked.wrote_since(pulse);
        let Some(pid) = self.agent().and_then(|found| found.pid) else {
            return age >= WALK_ANYWAY || (wrote && age >= WALK_AGAIN);
        };
        // A known agent's own process is checked instead of the whole tree: one file of `/proc` instead of three for each
        // process (docs/performance.md, "What else keeps it cheap").
        let check = wrote || now.saturating_duration_since(times.checked) >= CHECK_ALIVE;
        if check {
            self.looked = Looked::at(Times { checked: now, ..times }, pulse, settled);
        }
        age >= WALK_KNOWN || (check && self.has_changed(pid))
    }

    /// Reads the processes. Says whether others are there.
    fn look(&mut self, pulse: &Pulse, elsewhere: bool, settled: bool, now: Instant) -> bool {
        let first = matches!(self.looked, Looked::Never);
        self.looked = Looked::at(Times { walked: now, checked: now }, pulse, settled);
        let processes = match (pulse.dead, elsewhere) {
            (true, _) => Vec::new(),
            (false, true) => vec![Process::out_of_sight()],
            (false, false) => process::under(pulse.pid),
        };
        if processes == self.processes && !first {
            return false;
        }
        self.processes = processes;
        true
    }

    /// Whether the agent's process has ended, stopped or left the foreground since the walk.
    fn has_changed(&self, pid: u32) -> bool {
        let known = self.processes.iter().find(|process| process.pid == pid);
        known.is_some_and(|known| process::status(pid) != Some(ProcessStatus::from(known)))
    }

    /// Looks for an agent program among the processes as they were seen last.
    fn recognise(&mut self, profiles: &Profiles) {
        self.profiles = Some(profiles.stamp());
        match recognise(profiles, &self.processes) {
            Some(found) if self.agent() == Some(&found) => {}
            Some(found) => {
                let process = self.processes.iter().find(|process| Some(process.pid) == found.pid);
                let known = profiles.get(&found.agent).zip(process);
                let file = known.and_then(|(profile, process)| SessionFile::of(profile, process));
                let file = file.map(|file| Box::new(Watch::new(file)));
                let transcript = known.and_then(|(profile, process)| Transcript::of(profile, process)).map(Box::new);
                self.holds = Holds::Agent { found, file, transcript };
            }
            None if may_hide_agent(&self.processes) => self.holds = Holds::MayHide,
            None => self.holds = Holds::NoAgent,
        }
    }

    /// The processes as they were seen last, parents before children.
    #[must_use]
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// The agent program among them.
    #[must_use]
    pub fn agent(&self) -> Option<&Recognised> {
        match &self.holds {
            Holds::Agent { found, .. } => Some(found),
            Holds::NoAgent | Holds::MayHide => None,
        }
    }

    /// Whether an agent may run here out of sight.
    #[must_use]
    pub fn may_hide(&self) -> bool {
        matches!(self.holds, Holds::MayHide)
    }

    /// Whether nobody has looked since the pane's process was started.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        matches!(self.looked, Looked::Never)
    }

    /// Whether a program that is no shell is in front.
    #[must_use]
    pub fn serves_another(&self) -> bool {
        self.processes.iter().any(|process| process.foreground && !process.zombie && !is_shell(&process.comm))
    }

    /// Checks now and then whether the agent has published something new of itself.
    pub fn publishes_news(&mut self, now: Instant) -> bool {
        match &mut self.holds {
            Holds::Agent { file: Some(file), .. } => file.has_news(now, CHECK_ALIVE),
            _ => false,
        }
    }

    /// What the agent publishes of itself.
    pub async fn read_published(&mut self) -> Option<Published> {
        match &mut self.holds {
            Holds::Agent { file: Some(file), .. } => file.now().await,
            _ => None,
        }
    }

    /// What the agent has spent, as far as its transcript was read.
    #[must_use]
    pub fn spending(&self) -> Option<&Spending> {
        Some(self.transcript()?.known())
    }

    /// Its transcript; `None` where its program writes none that is known.
    #[must_use]
    pub fn transcript(&self) -> Option<&Transcript> {
        match &self.holds {
            Holds::Agent { transcript, .. } => transcript.as_deref(),
            Holds::NoAgent | Holds::MayHide => None,
        }
    }

    /// The same, to look at it.
    pub fn transcript_mut(&mut self) -> Option<&mut Transcript> {
        match &mut self.holds {
            Holds::Agent { transcript, .. } => transcript.as_deref_mut(),
            Holds::NoAgent | Holds::MayHide => None,
        }
    }

    /// The same, with the session that it says it has.
    pub fn transcript_and_session(&mut self) -> Option<(&mut Transcript, Option<&str>)> {
        match &mut self.holds {
            Holds::Agent { transcript: Some(transcript), file, .. } => {
                Some((transcript, file.as_ref().and_then(|file| file.session())))
            }
            _ => None,
        }
    }

    /// The session that it says it has.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        match &self.holds {
            Holds::Agent { file: Some(file), .. } => file.session(),
            _ => None,
        }
    }

    /// Samples CPU and memory of the processes now and then.
    pub fn sample_load(&mut self, now: Instant) {
        if self.load.is_due(now) {
            let used = self.processes.iter().map(|process| (process.pid, process::usage([process.pid])));
            self.load.take(used.collect(), now);
        }
    }

    /// What the processes use.
    #[must_use]
    pub fn load(&self) -> &Load {
        &self.load
    }
}

#[cfg(test)]
impl Program {
    /// In which these processes were seen, and no agent.
    pub(super) fn seen(processes: Vec<Process>) -> Self {
        Self { processes, ..Self::default() }
    }

    /// In which an agent may hide.
    pub(super) fn hiding() -> Self {
        Self { holds: Holds::MayHide, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::facts::process::sleeper::Sleeper;

    fn walked_at(program: &Program) -> Option<Instant> {
        program.looked.times().map(|times| times.walked)
    }

    #[test]
    fn a_known_agent_is_checked_and_walked_again_when_it_ended() {
        let mut child = Sleeper::start();
        let now = Instant::now();
        let profiles = Profiles::embedded();
        let pulse = Pulse { pid: child.id(), activity: 10, ..Pulse::default() };
        let mut program = Program::default();
        assert!(program.is_unseen());
        assert_eq!(program.walk(&profiles, &pulse, false, true, now), Walked::OtherProcesses);
        assert_eq!(program.processes().len(), 1);
        program.holds = Holds::Agent {
            found: Recognised {
                agent: "claude".into(),
                pid: Some(child.id()),
                by: String::new(),
                stopped: false,
                headless: false,
                unproven: false,
            },
            file: None,
            transcript: None,
        };
        assert_eq!(program.walk(&profiles, &pulse, false, true, now + CHECK_ALIVE), Walked::AsBefore);
        assert_eq!(walked_at(&program), Some(now), "it is as it was: no walk");
        child.end();
        assert_eq!(program.walk(&profiles, &pulse, false, true, now + CHECK_ALIVE * 2), Walked::OtherProcesses);
        assert_eq!((program.processes().len(), program.agent()), (0, None));
    }

    #[test]
    fn without_output_a_pane_is_walked_now_and_then_and_with_output_soon() {
        let (now, profiles) = (Instant::now(), Profiles::embedded());
        // No process has this id, so each walk finds none.
        let pulse = |activity| Pulse { pid: 4_000_000_000, activity, ..Pulse::default() };
        let mut program = Program::default();
        let mut walk = |activity, settled, after| {
            program.walk(&profiles, &pulse(activity), false, settled, now + after);
            walked_at(&program) == Some(now + after)
        };
        let ms = Duration::from_millis;
        assert!(walk(10, true, ms(0)), "nobody has looked");
        assert!(!walk(10, true, ms(9_000)), "it has written nothing");
        assert!(!walk(11, true, ms(900)), "it wrote, and was walked just now");
        assert!(walk(11, false, ms(2_000)), "it wrote");
        assert!(walk(11, true, ms(3_000)), "the walk was in the second of the output");
        assert!(!walk(11, true, ms(12_900)));
        assert!(walk(11, true, ms(13_000)), "what starts without output is found in the end");
    }

    #[test]
    fn other_profiles_look_at_the_same_processes_again() {
        let (now, pulse) = (Instant::now(), Pulse { pid: 4_000_000_000, ..Pulse::default() });
        let mut program = Program::default();
        let user = |text: &str| Profiles::with(vec![("hal.yaml".into(), text.to_owned())]);
        let hal = user("name: hal\nrecognise:\n  names: [hal9000]\n").unwrap();
        program.walk(&Profiles::embedded(), &pulse, false, true, now);
        program.processes =
            vec![Process { pid: 7, comm: "hal9000".into(), args: vec!["hal9000".into()], ..Process::default() }];
        assert_eq!(program.walk(&Profiles::embedded(), &pulse, false, true, now), Walked::AsBefore);
        assert_eq!(program.agent(), None);
        assert_eq!(program.walk(&hal, &pulse, false, true, now), Walked::OtherProfiles);
        assert_eq!(program.agent().map(|found| found.agent.as_str()), Some("hal"));
        assert_eq!(program.walk(&hal, &pulse, false, true, now), Walked::AsBefore);
    }

    #[test]
    fn a_replaced_process_is_walked_at_once() {
        let (now, profiles) = (Instant::now(), Profiles::embedded());
        let pulse = Pulse { pid: 4_000_000_000, ..Pulse::default() };
        let mut program = Program::default();
        program.walk(&profiles, &pulse, false, true, now);
        assert_eq!(program.walk(&profiles, &pulse, false, true, now), Walked::AsBefore);
        program.replaced();
        assert!(program.is_unseen());
        assert_eq!(
            program.walk(&profiles, &pulse, false, true, now),
            Walked::OtherProcesses,
            "also where they look the same"
        );
    }
}
