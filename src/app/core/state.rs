//! All that the dashboard knows: the newest snapshot, what is looked at and how, and the time. No clock is read here.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};
use tui_input::Input;

use crate::app::core::act::Seen;
use crate::app::core::action::Scope;
use crate::app::core::asked::Asked;
use crate::app::core::column::{COLUMNS, Column, SHOWN};
use crate::app::core::fleet::{AgentKey, Fleet, Host, Member, MemberId, address};
use crate::app::core::keymap::Keymap;
use crate::app::core::list::List;
use crate::app::core::pending::Pending;
use crate::app::core::tidy;
use crate::app::core::view::{Capabilities, Main, Panel, Shown, Viewport};
use crate::app::core::widths::Widths;
use crate::app::core::words::{TONES, Tone, tone};
use crate::{
    monitor::{Agent, EventReader, Link, Preview, ServerStatus, Snapshot},
    tmux::PaneId,
};

/// Who has the keys.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// The panels.
    #[default]
    Normal,
    /// The filter's line.
    Filter(Input),
    /// The help.
    Help {
        /// What is searched.
        input: Input,
        /// First row shown.
        top: usize,
    },
    /// The palette.
    Palette {
        /// What is searched.
        input: Input,
        /// The row that Enter takes.
        at: usize,
    },
    /// The list to pick an agent from, over all of the screen.
    Pick {
        /// What is searched.
        input: Input,
        /// The agent under the cursor; `None` where none is listed.
        key: Option<AgentKey>,
        /// The dashboard is there for nothing else, and ends with it.
        only: bool,
    },
    /// The answers of a prompt.
    Answer {
        /// The agent.
        key: AgentKey,
        /// The prompt as it was seen.
        seen: Seen,
        /// The answer that Enter takes; none until the person moves to one.
        at: Option<usize>,
        /// What is asked, and how much of it was in view.
        asked: Asked,
    },
    /// A message to an agent.
    Reply {
        /// The agent.
        key: AgentKey,
        /// What it showed.
        seen: Seen,
        /// The text so far.
        input: Input,
    },
    /// Is the agent to be interrupted, or its pane to be closed?
    Confirm {
        /// The agent.
        key: AgentKey,
        /// What it showed.
        seen: Seen,
        /// Close the pane rather than interrupt.
        kill: bool,
    },
    /// For how long an agent is snoozed.
    Snooze {
        /// The agent.
        key: AgentKey,
        /// The choice that Enter takes, of [`crate::app::core::tidy::SNOOZES`].
        at: usize,
    },
    /// A name and a note for an agent.
    Describe {
        /// The agent.
        key: AgentKey,
        /// Its name so far.
        name: Input,
        /// The note so far.
        note: Input,
        /// The note is typed, and not the name.
        in_note: bool,
    },
    /// One message to several agents: first who, then what.
    Broadcast {
        /// Those who may get it, in the order of the list.
        to: Vec<Recipient>,
        /// The one that the space key marks.
        at: usize,
        /// The text so far; `None` while they are being marked.
        input: Option<Input>,
    },
}

impl Mode {
    /// Where its keys count.
    #[must_use]
    pub fn scopes(&self) -> &'static [Scope] {
        match self {
            Self::Normal => &[Scope::Panels],
            Self::Filter(_) | Self::Help { .. } | Self::Palette { .. } | Self::Pick { .. } => {
                &[Scope::Text, Scope::Open]
            }
            Self::Reply { .. } | Self::Broadcast { input: Some(_), .. } => &[Scope::Message, Scope::Text, Scope::Open],
            Self::Describe { .. } => &[Scope::Form, Scope::Text, Scope::Open],
            Self::Answer { .. } | Self::Snooze { .. } => &[Scope::Answers, Scope::Open],
            Self::Confirm { .. } => &[Scope::Question, Scope::Open],
            Self::Broadcast { input: None, .. } => &[Scope::Recipients, Scope::Open],
        }
    }

    /// The line that is typed into.
    pub(crate) fn input(&mut self) -> Option<&mut Input> {
        match self {
            Self::Filter(input)
            | Self::Help { input, .. }
            | Self::Palette { input, .. }
            | Self::Pick { input, .. }
            | Self::Reply { input, .. }
            | Self::Describe { name: input, in_note: false, .. }
            | Self::Describe { note: input, in_note: true, .. }
            | Self::Broadcast { input: Some(input), .. } => Some(input),
            Self::Normal
            | Self::Answer { .. }
            | Self::Confirm { .. }
            | Self::Snooze { .. }
            | Self::Broadcast { input: None, .. } => None,
        }
    }
}

/// An agent that may get a message which goes to several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The agent.
    pub key: AgentKey,
    /// What it showed.
    pub seen: Seen,
    /// It gets the message.
    pub marked: bool,
}

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
    /// The columns that are shown, beside those that always are.
    pub columns: Vec<Column>,
    /// Filter of the events.
    pub events_filter: String,
    /// The host under the cursor of their panel, counted from 0.
    pub host: usize,
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
            columns: SHOWN.to_vec(),
            events_filter: String::new(),
            host: 0,
            events_up: 0,
            preview_up: 0,
            mode: Mode::Normal,
            toasts: VecDeque::new(),
            pending: Vec::new(),
            selected_at: Duration::ZERO,
            input_at: Timestamp::UNIX_EPOCH,
            swallows: None,
            focused: true,
            behind: false,
            drawn: None,
            sent: Sent { focus: HashMap::new(), instruments: HashSet::new(), seen: None, command: 0 },
            widths,
            news,
        };
        state.list.rebuild(&state.fleet, Duration::ZERO, true);
        state
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

    /// The host under the cursor of their panel, while that is open.
    #[must_use]
    pub fn selected_host(&self) -> Option<&Host> {
        let hosts = self.fleet.hosts();
        (self.view.main == Main::Hosts).then(|| hosts.get(self.host.min(hosts.len().saturating_sub(1)))).flatten()
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
