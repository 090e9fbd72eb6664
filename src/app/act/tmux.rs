//! What acting asks of tmux: a few commands in one request, and one fresh look at a pane.

use jiff::{Timestamp, tz::TimeZone};

use crate::app::act::Refusal;
use crate::app::act::prompt::blinks;
use crate::app::core::act::Seen;
use crate::monitor::NamedAgent;
use crate::monitor::detect::{Observation, Profiles, Verdict, judge};
use crate::monitor::facts::{process, published};
use crate::tmux::{
    Batch, Command, CommandError, Expect, Fields, Guard, Pane, PaneId, Pool, Screen, TmuxError, parse_panes,
};

/// Output of each command of a request, or why it failed.
pub(super) type Parts = Vec<Result<String, CommandError>>;

/// Runs commands in order, in one request; one that fails does not stop the others.
pub(super) async fn run(pool: &Pool, commands: impl IntoIterator<Item = Command>) -> Result<Parts, TmuxError> {
    let mut batch = Batch::new();
    for command in commands {
        batch.push(command, Expect::Any);
    }
    let reply = pool.acquire().await?.request(&batch).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok(reply.parts.into_iter().map(|part| part.map(|bytes| text(&bytes))).collect())
}

/// A pane as it is at this moment.
pub(super) struct Look {
    /// tmux's fields.
    pub pane: Pane,
    /// Its screen.
    pub screen: Screen,
    /// The same as tmux printed it.
    pub captured: Vec<u8>,
    /// What its agent does; `None` when no agent runs in it.
    pub verdict: Option<Verdict>,
    /// Keys for it would go to other panes too.
    pub synchronized: bool,
    /// It takes no input.
    pub input_off: bool,
    /// Its program takes a paste in brackets; `None` where tmux does not tell (before 3.7).
    pub brackets: Option<bool>,
}

/// Reads a pane anew, past every cache. `known` is the agent that is known to have run in it.
/// `named`: panes that the settings call agents.
pub(super) async fn look(
    pool: &Pool,
    profiles: &Profiles,
    named: &[NamedAgent],
    pane: PaneId,
    known: &str,
) -> Result<Look, Refusal> {
    pool.transport().await;
    let features = pool.version().map(|version| version.features()).unwrap_or_default();
    let mut batch = Batch::new();
    batch.push(Command::pane_and_places(features, pane, Fields::All), Expect::Any);
    batch.push(Command::print(pane, "#{pane_synchronized} #{pane_input_off} #{bracket_paste_flag}"), Expect::Any);
    // With its colours: some programs tell the marked answer by nothing else.
    batch.push(Command::capture(pane, true), Expect::Any);
    let reply = pool.acquire().await?.request(&batch).await?;
    let mut parts = reply.parts.into_iter();
    let mut part = || match parts.next() {
        Some(Ok(bytes)) => Ok(bytes),
        Some(Err(error)) => Err(Refusal::command(pane, &error)),
        None => Err(Refusal::gone(pane)),
    };
    let (details, flags, captured) = (part()?, part()?, part()?);
    // tmux takes another pane for one that is gone when only its format is asked for (`CMD_FIND_CANFAIL` in
    // cmd-display-message.c).
    let details = parse_panes(&details).into_iter().next().filter(|found| found.id == pane);
    let Some(details) = details else { return Err(Refusal::gone(pane)) };
    let screen = Screen::styled(&captured);
    let processes = if details.pid == 0 { Vec::new() } else { process::under(details.pid) };
    let flags = String::from_utf8_lossy(&flags).into_owned();
    let zone = TimeZone::system();
    let seen = Observation {
        pane: &details,
        screen: Some(&screen),
        processes: &processes,
        published: None,
        known_agent: (!known.is_empty()).then_some(known),
        named: NamedAgent::of(named, &details),
        previous: None,
        now: Timestamp::now(),
        zone: Some(&zone),
    };
    // The program's own file may know of a prompt that the screen does not tell.
    let published = published::read(profiles, &seen).await;
    let verdict = judge(profiles, &Observation { published: published.as_ref(), ..seen });
    let mut flags = flags.split_whitespace();
    let synchronized = flags.next() == Some("1");
    let input_off = flags.next() == Some("1");
    let brackets = flags.next().map(|flag| flag == "1");
    Ok(Look { pane: details, screen, captured: captured.to_vec(), verdict, synchronized, input_off, brackets })
}

impl Look {
    /// Whether the agent that was seen is the one that is there: its process, not its name. Why not, in words.
    pub fn same_agent(&self, seen: &Seen) -> Result<(), String> {
        let Some(verdict) = &self.verdict else { return Err("no agent runs in it any more".to_owned()) };
        if verdict.agent != seen.agent && !seen.agent.is_empty() {
            return Err(format!("{} runs in it now and not {}", verdict.agent, seen.agent));
        }
        let started_anew = matches!((seen.start, verdict.start), (Some(then), Some(now)) if then != now);
        let pane_anew = seen.pane_pid != 0 && seen.pane_pid != self.pane.pid;
        match (seen.pid, verdict.pid) {
            (Some(_), None) => Err(format!("its {} has ended", verdict.agent)),
            (then, now) if then != now || started_anew || pane_anew => {
                Err(format!("another {} runs in it now", verdict.agent))
            }
            _ => Ok(()),
        }
    }

    /// The agent that runs in it; empty when none does.
    pub fn agent(&self) -> &str {
        self.verdict.as_ref().map_or("", |verdict| verdict.agent.as_str())
    }

    /// What must hold at the moment in which keys are sent: the pane's program is the same, and these rows of its screen
    /// are as they were at this look.
    pub fn guard(&self, rows: std::ops::Range<usize>) -> Guard {
        let loose = |row: usize| blinks(self.screen.row(row));
        Guard::new(self.pane.id, self.pane.pid).showing(&self.captured, rows, loose)
    }

    /// Whether keys for this pane would reach its program, and only it.
    pub fn takes_keys(&self, name: &str) -> Result<(), Refusal> {
        let problem = if self.pane.dead {
            "its program has ended"
        } else if self.pane.in_mode {
            "it is in copy mode, which would take the keys: leave that mode first"
        } else if self.synchronized {
            "its window has synchronize-panes on, so other panes would get the keys too: turn that off first"
        } else if self.input_off {
            "its input is turned off (select-pane -d): turn it on first"
        } else {
            return Ok(());
        };
        Err(Refusal(format!("{name}: nothing was sent, {problem}")))
    }
}
