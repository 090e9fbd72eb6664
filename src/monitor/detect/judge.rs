//! Weighs what is known of a pane and gives the verdict: one authority decides, and it is named.
//!
//! In this order: the process facts (ended, stopped); a prompt, work, a limit or an error that the screen proves; a
//! fresh word of the program itself (its hook, then the file in which it publishes its state) where the screen shows
//! nothing that speaks against it; the rest of the screen; else `unknown`.

use jiff::Timestamp;

use crate::monitor::detect::hook::Hook;
use crate::monitor::detect::profile::Says;
use crate::monitor::detect::profiles::{Profile, Profiles};
use crate::monitor::detect::recognise::{Recognised, by_screen, may_hide_agent, nested_tmux, recognise, shows_sign};
use crate::monitor::detect::rules::{Hit, Step, first_hit};
use crate::monitor::detect::view::View;
use crate::monitor::detect::{Observation, Process, Verdict, extract, request};
use crate::{
    monitor::{AgentState, Evidence, NamedAgent, Source},
    tmux::{Pane, Screen},
};

/// Seconds after which a hook's word is no longer fresh, when the screen shows nothing that supports it.
const HOOK_FRESH: i64 = 600;

/// What an agent in this pane is doing and why; `None` when no agent is in it. The engine, `why`, the acts and the demo
/// all ask this.
#[must_use]
pub fn judge(profiles: &Profiles, seen: &Observation<'_>) -> Option<Verdict> {
    judge_with(profiles, seen, None)
}

/// As [`judge`], and notes in `trail` what it looked at. The profile that the settings name judges the screen where the
/// process tree does not show the program, and a pane that they name is an agent in any case.
pub(super) fn judge_with(profiles: &Profiles, seen: &Observation<'_>, trail: Option<&mut Trail>) -> Option<Verdict> {
    judge_by_profile(profiles, seen, trail).or_else(|| seen.named.map(|named| said_so(named, seen)))
}

/// The verdict for a pane that only the settings call an agent: what it does is not known, and said so.
fn said_so(named: &NamedAgent, seen: &Observation<'_>) -> Verdict {
    let line = format!("the settings name {} an agent; nothing that is known runs there", named.target);
    let state = if seen.pane.dead { AgentState::Exited } else { AgentState::Unknown };
    Verdict::blank(named.agent.as_deref().unwrap_or("other"), "the settings", None).say(
        state,
        None,
        "settings/agents",
        &line,
        Source::None,
    )
}

/// What the judge looked at, for people.
#[derive(Default)]
pub(super) struct Trail {
    pub recognised: Option<Recognised>,
    pub steps: Vec<Step>,
    pub notes: Vec<String>,
    pub regions: Vec<String>,
}

fn judge_by_profile(profiles: &Profiles, seen: &Observation<'_>, mut trail: Option<&mut Trail>) -> Option<Verdict> {
    let assumed = seen.named.and_then(|named| named.agent.as_deref());
    let found = if seen.pane.dead { None } else { recognise(profiles, seen.processes) };
    // One that is not proven is another program of that name: as if it were not there.
    let found = found.filter(|found| !found.unproven || is_proven(profiles, seen, &found.agent));
    let (found, inner_status) = match found {
        Some(found) => (Some(found), 0),
        None => out_of_sight(profiles, seen),
    };
    let found =
        found.or_else(|| Some(Recognised::without_process(assumed.filter(|_| !seen.pane.dead)?, "the settings")));
    let Some(found) = found else {
        return gone(profiles, seen, trail);
    };
    if let Some(trail) = trail.as_deref_mut() {
        trail.recognised = Some(found.clone());
    }
    let profile = profiles.get(&found.agent)?;
    let mut verdict = Verdict::blank(&found.agent, &found.by, found.pid);
    let process = seen.processes.iter().find(|process| Some(process.pid) == found.pid);
    verdict.start = process.map(|process| process.start);
    let view = View::new(profile, seen.pane, seen.screen, inner_status);
    let mut steps = trail.as_deref_mut().map(|trail| &mut trail.steps);
    let hit = seen.screen.and_then(|_| first_hit(profile, &view, steps.take()));
    if found.stopped {
        let line = format!("process {} is stopped", found.pid.unwrap_or_default());
        return Some(verdict.say(AgentState::Unknown, Some("suspended"), "process/stopped", &line, Source::Process));
    }
    if found.headless {
        // What it prints is no screen of its own, whatever it looks like.
        let line = format!("process {} was started to do one thing and end", found.pid.unwrap_or_default());
        return Some(verdict.say(AgentState::Working, Some("headless"), "process/headless", &line, Source::Process));
    }
    weigh(seen, profile, hit.as_ref(), &mut verdict, trail.as_deref_mut());
    let same_state = hit.as_ref().filter(|hit| hit.says == Says::State(verdict.state));
    extract::fill(profile, &view, same_state, seen.now, seen.zone, &mut verdict);
    if let Some(hit) = same_state.filter(|_| verdict.state == AgentState::Waiting) {
        let rows = request::of_rule(profile, &view, hit.rule).rows;
        let row = |row: usize| u16::try_from(row).unwrap_or(u16::MAX);
        verdict.evidence.rows = Some((row(rows.start), row(rows.end)));
    }
    let published = seen.published.and_then(|file| profile.session_file.as_ref()?.meaning(file));
    verdict.background = verdict.background.max(published.map_or(0, |meaning| meaning.background));
    if let Some(trail) = trail {
        trail.regions = view.describe();
    }
    Some(verdict)
}

/// Whether a process of which only the name tells is the program `agent`: it was known before, its title tells, or its
/// screen shows one of the program's parts (a start that shows nothing of it proves nothing).
fn is_proven(profiles: &Profiles, seen: &Observation<'_>, agent: &str) -> bool {
    let Some(profile) = profiles.get(agent) else { return false };
    let view = View::new(profile, seen.pane, seen.screen, 0);
    let titled = profile.recognise.title.as_ref().is_some_and(|title| title.matches(&seen.pane.title));
    let part = |hit: Hit<'_>| {
        hit.says != Says::State(AgentState::Starting)
            && hit.rule.place != crate::monitor::detect::profiles::Where::Screen
    };
    // Where the name is the agent's alone it is a script of that name: of its rules some fit many a screen.
    let shown = seen.screen.is_some()
        && if profile.recognise.common_name || profile.signs.is_empty() {
            first_hit(profile, &view, None).is_some_and(part)
        } else {
            shows_sign(profile, &view)
        };
    seen.known_agent == Some(profile.name.as_str()) || titled || shown
}

impl Verdict {
    /// A verdict before anything is known of the agent but that it is there.
    pub(in crate::monitor) fn blank(agent: &str, recognised_by: &str, pid: Option<u32>) -> Self {
        Self {
            agent: agent.to_owned(),
            recognised_by: recognised_by.to_owned(),
            pid,
            start: None,
            version: None,
            state: AgentState::Unknown,
            kind: None,
            evidence: Evidence {
                rule: String::new(),
                line: String::new(),
                source: Source::None,
                region: None,
                rows: None,
            },
            doing: None,
            asks: None,
            context_percent: None,
            reset_at: None,
            deadline: None,
            model: None,
            tokens: None,
            background: 0,
            choices: Vec::new(),
        }
    }

    /// The same with a state and what tells it.
    pub(in crate::monitor) fn say(
        mut self,
        state: AgentState,
        kind: Option<&str>,
        rule: &str,
        line: &str,
        source: Source,
    ) -> Self {
        self.set(state, kind, rule, line, source);
        self
    }

    fn set(&mut self, state: AgentState, kind: Option<&str>, rule: &str, line: &str, source: Source) {
        self.state = state;
        self.kind = kind.map(str::to_owned);
        self.evidence =
            Evidence { rule: rule.to_owned(), line: line.trim().to_owned(), source, region: None, rows: None };
    }
}

/// Most rows of a status line (tmux's `status` is `off`, `on` or 2 to 5).
const MOST_STATUS_ROWS: usize = 5;

/// An agent whose processes are out of sight, known by its screen; and how many of that screen's last rows are the
/// status line of a tmux inside.
fn out_of_sight(profiles: &Profiles, seen: &Observation<'_>) -> (Option<Recognised>, usize) {
    let Some(screen) = seen.screen.filter(|_| !seen.pane.dead && may_hide_agent(seen.processes)) else {
        return (None, 0);
    };
    // With or without a status line: only the one that is right shows the program's parts in their places.
    let usual = if nested_tmux(seen.processes) { [1, 0] } else { [0, 1] };
    for way in usual.into_iter().chain(2..=MOST_STATUS_ROWS) {
        if let Some(profile) = by_screen(profiles, seen.pane, screen, way) {
            let by = "its screen (its processes are out of sight)".to_owned();
            return (Some(Recognised::without_process(&profile.name, &by)), way);
        }
    }
    (None, 0)
}

/// An agent that ran here and is no more.
fn gone(profiles: &Profiles, seen: &Observation<'_>, trail: Option<&mut Trail>) -> Option<Verdict> {
    let (agent, by) = match seen.known_agent {
        // Its profile may be gone: then nothing is known of it any more.
        Some(agent) => (profiles.get(agent)?.name.clone(), "it ran here before".to_owned()),
        None => match dead_program(profiles, seen) {
            Some(profile) => (profile.name.clone(), "the dead pane's program".to_owned()),
            None => (left_behind(profiles, seen)?.name.clone(), "the screen it left behind".to_owned()),
        },
    };
    if may_hide_agent(seen.processes) && !seen.pane.dead {
        // What ran in another place may still run there: its screen shows nothing that is known.
        let found = Recognised::without_process(&agent, &by);
        return Some(Verdict::blank(&found.agent, &found.by, found.pid).say(
            AgentState::Unknown,
            None,
            "none",
            "",
            Source::None,
        ));
    }
    let line = match (seen.pane.dead, seen.pane.dead_signal, seen.pane.dead_status) {
        (true, Some(signal), _) => format!("the pane's program was ended by signal {signal}"),
        (true, None, Some(status)) => format!("the pane's program ended with status {status}"),
        (true, None, None) => "the pane's program ended".to_owned(),
        _ => format!("no {agent} process is left, {} is in front", seen.pane.command),
    };
    let found = Recognised::without_process(&agent, &by);
    if let Some(trail) = trail {
        trail.recognised = Some(found.clone());
    }
    Some(Verdict::blank(&found.agent, &found.by, found.pid).say(
        AgentState::Exited,
        None,
        "process/ended",
        &line,
        Source::Process,
    ))
}

/// The program that a dead pane ran, as tmux names it.
fn dead_program<'p>(profiles: &'p Profiles, seen: &Observation<'_>) -> Option<&'p Profile> {
    let ran = |profile: &&Profile| profile.recognise.names.contains(&seen.pane.command);
    if seen.pane.dead { profiles.list().find(ran) } else { None }
}

/// The program that was killed and could not clear its screen: the alternate screen is still on, and only a shell is
/// left that would never use it.
fn left_behind<'p>(profiles: &'p Profiles, seen: &Observation<'_>) -> Option<&'p Profile> {
    let shell_in_front = is_shell(&seen.pane.command);
    if !seen.pane.alternate_on || !only_shells(seen.processes) || !(shell_in_front || seen.pane.dead) {
        return None;
    }
    by_screen(profiles, seen.pane, seen.screen?, 0)
}

/// Whether a screen could show that an agent ended in this pane before anybody looked: nothing that runs draws it.
#[must_use]
pub fn may_be_left_behind(pane: &Pane, processes: &[Process]) -> bool {
    pane.dead || (pane.alternate_on && only_shells(processes))
}

fn only_shells(processes: &[Process]) -> bool {
    processes.iter().all(|p| p.zombie || is_shell(&p.comm))
}

/// Whether a process of this name is a shell, which serves its user and nothing else.
#[must_use]
pub fn is_shell(comm: &str) -> bool {
    SHELLS.contains(&comm.trim_start_matches('-'))
}

const SHELLS: &[&str] =
    &["bash", "sh", "zsh", "fish", "dash", "ksh", "mksh", "nu", "elvish", "xonsh", "tcsh", "csh", "ash", "pwsh"];

/// Decides between the screen, the program's own word and the state before.
fn weigh(
    seen: &Observation<'_>,
    profile: &Profile,
    hit: Option<&Hit<'_>>,
    verdict: &mut Verdict,
    trail: Option<&mut Trail>,
) {
    let screen = hit.and_then(|hit| match hit.says {
        Says::State(state) => Some((state, hit)),
        Says::Keep => None,
    });
    let word = own_word(seen, profile);
    let mut note = None;
    match (screen, word) {
        // The screen proves it.
        (Some((_, hit)), _) if hit.rule.rule.is_proof() => from_screen(verdict, profile, hit),
        // The program says that it works or waits; a mere prompt box does not speak against it.
        (Some((state, hit)), Some(word)) if word.state != state && word.beats(state) => {
            note =
                Some(format!("{} shows {state}, {} says {}: the latter decides", hit.rule.id, word.rule, word.state));
            word.decide(verdict);
        }
        (Some((_, hit)), _) => from_screen(verdict, profile, hit),
        (None, Some(word)) if !(word.vague && hit.is_some()) => word.decide(verdict),
        (None, _) => keep_or_unknown(seen, hit, verdict),
    }
    if let (Some(trail), Some(note)) = (trail, note) {
        trail.notes.push(note);
    }
}

fn from_screen(verdict: &mut Verdict, profile: &Profile, hit: &Hit<'_>) {
    let Says::State(state) = hit.says else { return };
    let title = hit.rule.place == crate::monitor::detect::profiles::Where::Title;
    let source = if title { Source::Title } else { Source::Screen };
    verdict.set(state, hit.rule.rule.kind.as_deref(), &hit.rule.id, hit.line, source);
    verdict.evidence.region = Some(profile.place_name(hit.rule.place).to_owned());
}

fn keep_or_unknown(seen: &Observation<'_>, hit: Option<&Hit<'_>>, verdict: &mut Verdict) {
    match (hit, seen.previous) {
        (Some(hit), Some((state, kind))) if state != AgentState::Exited => {
            verdict.set(state, kind, &hit.rule.id, hit.line, Source::Kept);
        }
        (Some(hit), _) => {
            let state = hit.rule.rule.cold.unwrap_or(AgentState::Unknown);
            verdict.set(state, None, &hit.rule.id, hit.line, Source::Screen);
        }
        // A blank screen is that of a program that has just started; later it is one between two pictures.
        (None, previous) if seen.screen.is_some_and(is_blank) => match previous {
            Some((state, kind)) if !matches!(state, AgentState::Exited | AgentState::Unknown) => {
                verdict.set(state, kind, "screen/blank", "nothing is on the screen", Source::Kept);
            }
            _ => {
                verdict.set(AgentState::Starting, None, "screen/blank", "nothing is on the screen yet", Source::Screen)
            }
        },
        (None, _) => verdict.set(AgentState::Unknown, None, "none", "", Source::None),
    }
}

fn is_blank(screen: &Screen) -> bool {
    screen.rows().all(str::is_empty)
}

/// What the program says of itself outside its screen.
struct Word {
    state: AgentState,
    kind: Option<String>,
    rule: String,
    line: String,
    source: Source,
    /// It names no state of its own (a dialog of any sort is open): the screen should tell.
    vague: bool,
}

impl Word {
    /// Whether it decides against a screen that shows `state` without proof.
    fn beats(&self, state: AgentState) -> bool {
        !self.vague || state == AgentState::Unknown || state == AgentState::Idle
    }

    fn decide(self, verdict: &mut Verdict) {
        verdict.set(self.state, self.kind.as_deref(), &self.rule, &self.line, self.source);
    }
}

fn own_word(seen: &Observation<'_>, profile: &Profile) -> Option<Word> {
    let hook = Hook::parse(&seen.pane.hook)
        // The process runs, so its last word of an end is not about this one.
        .filter(|hook| hook.agent == profile.name && hook.state != AgentState::Exited && fresh(hook.at, seen.now));
    let file = seen.published.and_then(|file| {
        let meaning = profile.session_file.as_ref()?.meaning(file)?;
        let line = match &file.detail {
            Some(what) => format!("its session file says {}: {what}", file.status),
            None => format!("its session file says {}", file.status),
        };
        let rule = format!("{}/session-file", profile.name);
        let (state, kind, vague) = (meaning.state, meaning.kind.clone(), meaning.vague);
        Some((Word { state, kind, rule, line, source: Source::File, vague }, file.at))
    });
    let hook = hook.map(|hook| {
        let line = format!("its hook said {} at {}", hook.state, hook.at);
        let rule = format!("{}/hook", profile.name);
        (Word { state: hook.state, kind: hook.kind, rule, line, source: Source::Hook, vague: false }, hook.at)
    });
    match (hook, file) {
        // Of two words the newer counts: no hook fires on Esc, the file knows of it.
        (Some((_, hook_at)), Some((word, Some(at)))) if at > hook_at => Some(word),
        (Some((word, _)), _) => Some(word),
        (None, Some((word, _))) => Some(word),
        (None, None) => None,
    }
}

fn fresh(at: Timestamp, now: Timestamp) -> bool {
    let age = now.as_second() - at.as_second();
    (-60..HOOK_FRESH).contains(&age)
}
