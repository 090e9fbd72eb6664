//! All that the dashboard knows: the newest snapshot, what is looked at and how, and the time. No clock is read here.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::app::core::action::Scope;
use crate::app::core::column::{COLUMNS, Column, SHOWN};
use crate::app::core::fleet::{AgentKey, Fleet, Host, Member, MemberId, address, host_of};
use crate::app::core::keymap::Keymap;
use crate::app::core::list::List;
pub use crate::app::core::mode::{Mode, Recipient};
use crate::app::core::pending::Pending;
use crate::app::core::view::{Capabilities, Main, Panel, Shown, Viewport};
use crate::app::core::widths::Widths;
use crate::app::core::words::{TONES, Tone, tone};
use crate::app::core::{day, format, tidy};
use crate::{
    monitor::{Agent, EventReader, Link, Preview, ServerStatus, Snapshot, Tiles},
    tmux::PaneId,
};

/// A line that shows for some seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    /// The words.
    pub text: String,
    /// What it means.
    pub tone: Tone,
    /// When it goes, as [`State::elapsed`].
    pub until: Duration,
    /// It says what a key has changed in the engine.
    pub of_engine: bool,
}

/// What the engine was asked last, so that it is not asked again.
#[derive(Debug)]
pub(crate) struct Sent {
    /// The pane whose screen each member was asked for: none of one that is not here, and the outer `None` of one whose
    /// engine did not get the request.
    pub(crate) focus: HashMap<MemberId, Option<Option<PaneId>>>,
    /// The panes that each member was asked to show side by side; `None` of one whose engine did not get the request.
    pub(crate) tiles: HashMap<MemberId, Option<Tiles>>,
    /// The members on other hosts that were asked for what they say of the watching itself.
    pub(crate) instruments: HashSet<MemberId>,
    /// The finished turn that was said to be seen.
    pub(crate) seen: Option<(AgentKey, Timestamp)>,
    /// Number of the last command.
    pub(crate) command: u64,
}

/// How wide the values of a member's agents are.
pub(crate) fn widths_of(member: &Member) -> Widths {
    Widths::of(COLUMNS, member.snapshot.agents.iter())
}

/// The dashboard's state. Changed only by [`crate::app::core::update::update`].
#[derive(Debug)]
pub struct State {
    /// What the engines published last.
    pub fleet: Fleet,
    /// Now, as told by the last tick or snapshot. For ages and for what is shown; what waits goes by `elapsed`.
    pub now: Timestamp,
    /// Time since the dashboard began, by a clock that nobody can set.
    pub elapsed: Duration,
    /// Where the user's clock is.
    pub zone: TimeZone,
    /// The last switch to another engine, in words, and until when it is told, as `elapsed`.
    pub switched: Option<(String, Duration)>,
    /// What the caller can do.
    pub can: Capabilities,
    /// The keys.
    pub keymap: Keymap,
    /// Names of the themes.
    pub themes: Vec<String>,
    /// The terminal takes signs of ASCII alone.
    pub ascii: bool,
    /// The theme in use, an index of `themes`.
    pub theme: usize,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What the layout shows.
    pub viewport: Viewport,
    /// What is shown and how.
    pub view: Shown,
    /// The agents as they are listed.
    pub list: List,
    /// Percent of an account's limit from which on the header shows it.
    pub limit_threshold: u8,
    /// Nothing blinks, and screens of panes change but now and then.
    pub reduced_motion: bool,
    /// The columns that are shown, beside those that always are.
    pub columns: Vec<Column>,
    /// Filter of the events.
    pub events_filter: String,
    /// The host under the cursor of their panel, counted from 0.
    pub host: usize,
    /// The day of the agents.
    pub day: day::Known,
    /// The row under the cursor of that view, counted from 0.
    pub day_row: usize,
    /// Events scrolled away below the newest.
    pub events_up: usize,
    /// Rows of the preview scrolled away below.
    pub preview_up: usize,
    /// Who has the keys.
    pub mode: Mode,
    /// Lines that show for some seconds, oldest first.
    pub toasts: VecDeque<Toast>,
    /// Commands that the engine has not answered yet.
    pub pending: Vec<Pending>,
    /// When the cursor came to the selected agent.
    pub selected_at: Duration,
    /// When the user last did something, as `now` was then.
    pub input_at: Timestamp,
    /// Words that were meant for an agent are being typed: till then none of them is a key of ours.
    pub swallows: Option<Duration>,
    /// The step of the tour that is shown, from 0.
    pub tour: Option<usize>,
    /// The terminal has the keyboard.
    pub focused: bool,
    /// The instruments on the screen are older than the snapshot; the next tick shows them.
    pub(crate) behind: bool,
    /// The preview that the last frame showed.
    pub(crate) drawn: Option<(MemberId, Arc<Preview>)>,
    /// What the engine was asked last.
    pub(crate) sent: Sent,
    /// How wide the values of each member's agents are.
    pub(crate) widths: HashMap<MemberId, Widths>,
    /// How far the events of each member were looked at for toasts.
    pub(crate) news: HashMap<MemberId, EventReader>,
}

impl State {
    /// The state at the start.
    #[must_use]
    pub fn new(fleet: Fleet, now: Timestamp, zone: TimeZone) -> Self {
        let news = fleet.members().iter().map(|member| (member.id, EventReader::after(&member.snapshot))).collect();
        let widths = fleet.members().iter().map(|member| (member.id, widths_of(member))).collect();
        let mut state = Self {
            fleet,
            now,
            elapsed: Duration::ZERO,
            zone,
            switched: None,
            can: Capabilities::default(),
            keymap: Keymap::default(),
            themes: Vec::new(),
            theme: 0,
            ascii: false,
            size: (80, 24),
            viewport: Viewport::default(),
            view: Shown { preview: None, events: None, zoom: false, main: Main::Agents, focus: Panel::Agents },
            list: List::default(),
            limit_threshold: 80,
            reduced_motion: false,
            columns: SHOWN.to_vec(),
            events_filter: String::new(),
            host: 0,
            day: day::Known::Nothing,
            day_row: 0,
            events_up: 0,
            preview_up: 0,
            mode: Mode::Normal,
            toasts: VecDeque::new(),
            pending: Vec::new(),
            selected_at: Duration::ZERO,
            input_at: Timestamp::UNIX_EPOCH,
            swallows: None,
            tour: None,
            focused: true,
            behind: false,
            drawn: None,
            sent: Sent {
                focus: HashMap::new(),
                tiles: HashMap::new(),
                instruments: HashSet::new(),
                seen: None,
                command: 0,
            },
            widths,
            news,
        };
        state.list.rebuild(&state.fleet, Duration::ZERO, true);
        state
    }

    /// Where keys count now.
    #[must_use]
    pub fn scopes(&self) -> &'static [Scope] {
        match self.mode {
            Mode::Normal if self.view.main == Main::Wall => &[Scope::Wall, Scope::Panels],
            _ => self.mode.scopes(),
        }
    }

    /// The agent under the cursor.
    #[must_use]
    pub fn selected(&self) -> Option<&Agent> {
        self.fleet.agent(self.list.selected?)
    }

    /// How wide the values of all agents are.
    #[must_use]
    pub fn widths(&self) -> Widths {
        self.widths.values().fold(Widths::of(COLUMNS, std::iter::empty()), Widths::and)
    }

    /// The columns of the list: those that are wished for, and on which host they are where there are several.
    #[must_use]
    pub fn columns(&self) -> Cow<'_, [Column]> {
        if self.fleet.several() && !self.columns.contains(&Column::Host) {
            return self.columns.iter().copied().chain([Column::Host]).collect();
        }
        Cow::Borrowed(&self.columns)
    }

    /// What people call an agent's pane: its place, and its host where there are several.
    #[must_use]
    pub fn place(&self, key: AgentKey) -> String {
        match self.fleet.agent(key) {
            Some(agent) if self.fleet.several() => address(agent),
            Some(agent) => agent.target.clone(),
            None => key.pane.to_string(),
        }
    }

    /// What a row calls an agent: its name, where it has one, and its place; its host first where there are several.
    #[must_use]
    pub fn called(&self, agent: &Agent) -> String {
        match host_of(agent) {
            host if self.fleet.several() && host != "·" => format!("{host} {}", format::place(agent)),
            _ => format::place(agent),
        }
    }

    /// The host under the cursor of their panel, while that is open.
    #[must_use]
    pub fn selected_host(&self) -> Option<&Host> {
        let hosts = self.fleet.hosts();
        (self.view.main == Main::Hosts).then(|| hosts.get(self.host.min(hosts.len().saturating_sub(1)))).flatten()
    }

    /// The rows of the day's view: who is there, and what each did.
    #[must_use]
    pub fn day_rows(&self) -> Vec<(Option<AgentKey>, &day::Track)> {
        let Some(day) = self.day.day() else { return Vec::new() };
        let order: Vec<AgentKey> = self.list.agents(&self.fleet).map(|(key, _)| key).collect();
        day.of_fleet(&self.fleet, &order)
    }

    /// The member whose engine is shown and asked: the one that watches the agent under the cursor.
    #[must_use]
    pub fn member(&self) -> &Member {
        self.list.selected.and_then(|key| self.fleet.member(key.member)).unwrap_or_else(|| self.fleet.first())
    }

    /// What that engine published last.
    #[must_use]
    pub fn snapshot(&self) -> &Arc<Snapshot> {
        &self.member().snapshot
    }

    /// The screen of the agent under the cursor, or of the one whose answers are open.
    #[must_use]
    pub fn preview(&self) -> Option<&Arc<Preview>> {
        self.fleet.preview(match &self.mode {
            Mode::Answer { key, .. } => *key,
            Mode::Pick { key, .. } => (*key)?,
            _ => self.list.selected?,
        })
    }

    /// Agents by tone, in the order of [`TONES`]; those that are out of the way are none of them.
    #[must_use]
    pub fn counts(&self) -> [usize; TONES.len()] {
        let mut counts = [0; TONES.len()];
        for (_, agent) in self.fleet.present() {
            counts[tone(agent).rank()] += usize::from(!agent.is_aside());
        }
        counts
    }

    /// How many agents are out of the way, in words; empty where there is none.
    #[must_use]
    pub fn aside(&self) -> String {
        tidy::aside(self.fleet.present().map(|(_, agent)| agent))
    }

    /// The first cycle has not ended.
    #[must_use]
    pub fn loading(&self) -> bool {
        self.fleet.members().iter().all(|member| member.snapshot.server.status == ServerStatus::Connecting)
    }

    /// One line about what is wrong with the whole, if something is.
    #[must_use]
    pub fn banner(&self) -> Option<(Tone, String)> {
        let Member { link, snapshot, .. } = self.member();
        let server = &snapshot.server;
        if matches!(link, Link::Lost(_)) {
            return Some((
                Tone::Error,
                "The engine went away. Looking for it; what is shown is the last it said.".into(),
            ));
        }
        if !snapshot.agents.is_empty() && matches!(server.status, ServerStatus::NoServer | ServerStatus::NoTmux) {
            let what =
                if server.status == ServerStatus::NoTmux { "tmux is not found" } else { "The tmux server is gone" };
            return Some((Tone::Error, format!("{what}. The agents are as last known.")));
        }
        if server.status == ServerStatus::Unreachable {
            let why = server.problem.as_deref().unwrap_or("it does not answer");
            return Some((
                Tone::Error,
                format!("The tmux server is unreachable: {why}. The agents shown are the last known."),
            ));
        }
        if snapshot.engine.paused {
            let key = self.keymap.label(crate::app::core::action::Action::Pause);
            return Some((Tone::Limited, format!("Paused: nothing is read. {key} goes on.")));
        }
        let switched = self.switched.as_ref().map(|(words, _)| words);
        switched.or(snapshot.notes.last()).map(|note| (Tone::Limited, note.clone()))
    }
}
