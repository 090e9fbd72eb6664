//! Which changes are told of, and when nothing is.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use crate::app::notify::{AgentNotice, LimitNotice};
use crate::{
    app::settings::Notifications,
    monitor::{Agent, AgentState, Event, EventKind},
};

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Whether a word is in a list of those that count; in an empty one all do.
fn listed(list: &[String], word: &str) -> bool {
    list.is_empty() || list.iter().any(|listed| listed == word)
}

/// Which changes are told of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    on: Vec<String>,
    agents: Vec<String>,
    sessions: Vec<String>,
    quiet: Option<(u16, u16)>,
    reminders: Vec<Duration>,
}

impl Rules {
    /// As the settings say.
    #[must_use]
    pub fn new(settings: &Notifications) -> Self {
        Self {
            on: settings.on.clone(),
            agents: settings.agents.clone(),
            sessions: settings.sessions.clone(),
            quiet: settings.quiet_minutes(),
            reminders: settings.reminders(),
        }
    }

    /// The notice of a limit of which much is used, if it is one to tell of.
    #[must_use]
    pub fn limit(&self, server: &str, event: &Event) -> Option<LimitNotice> {
        let EventKind::Limit { program, account, percent, limit } = &event.what else { return None };
        let wanted = self.on.iter().any(|on| on == "limit") && listed(&self.agents, program);
        wanted.then(|| LimitNotice {
            at: event.at,
            server: server.to_owned(),
            agent: program.clone(),
            account: account.clone(),
            percent: *percent,
            limit: limit.clone(),
        })
    }

    /// The notice of an event, if it is one to tell of. `agent` is the event's agent as it is now.
    #[must_use]
    pub fn notice(&self, server: &str, event: &Event, agent: &Agent) -> Option<AgentNotice> {
        let EventKind::Transition { pane_id, target, agent: program, from, to, kind, .. } = &event.what else {
            return None;
        };
        let wanted = self.wants(*to, kind.as_deref())
            && listed(&self.agents, program)
            && self.may_tell(agent)
            // A prompt that follows a prompt is one more to answer; any other state told of once is told.
            && (from != to || *to == AgentState::Waiting);
        wanted.then(|| AgentNotice {
            at: event.at,
            host: agent.host.as_deref().map(ToOwned::to_owned),
            server: server.to_owned(),
            pane_id: *pane_id,
            target: target.clone(),
            name: agent.name.clone(),
            agent: program.clone(),
            from: *from,
            state: *to,
            kind: kind.clone(),
            asks: agent.asks.clone(),
            doing: agent.doing.clone(),
            waited: None,
        })
    }

    /// The notice of an agent that is snoozed no longer, if its state is one to tell of: it lasts still.
    #[must_use]
    pub fn woken(&self, server: &str, at: Timestamp, agent: &Agent) -> Option<AgentNotice> {
        self.lasting(server, at, agent)
    }

    /// The notice of a state that lasts, if it is one to tell of.
    fn lasting(&self, server: &str, at: Timestamp, agent: &Agent) -> Option<AgentNotice> {
        let wanted = self.wants(agent.state, agent.kind.as_deref())
            && listed(&self.agents, &agent.agent)
            && self.may_tell(agent);
        wanted.then(|| AgentNotice {
            at,
            host: agent.host.as_deref().map(ToOwned::to_owned),
            server: server.to_owned(),
            pane_id: agent.pane_id,
            target: agent.target.clone(),
            name: agent.name.clone(),
            agent: agent.agent.clone(),
            from: agent.state,
            state: agent.state,
            kind: agent.kind.clone(),
            asks: agent.asks.clone(),
            doing: agent.doing.clone(),
            waited: None,
        })
    }

    /// Whether its user wants to be told of this agent at all.
    fn may_tell(&self, agent: &Agent) -> bool {
        listed(&self.sessions, &agent.session) && !agent.is_aside() && !agent.muted
    }

    fn wants(&self, state: AgentState, kind: Option<&str>) -> bool {
        let word = match state {
            AgentState::Idle if kind == Some("done") => "done",
            AgentState::Idle | AgentState::Working | AgentState::Starting | AgentState::Unknown => return false,
            AgentState::Waiting => "waiting",
            AgentState::Exited => "exited",
            AgentState::Limited => "limited",
            AgentState::Error => "error",
        };
        self.on.iter().any(|on| on == word)
    }

    /// How long a wait lasts when its notice is given again, the shortest first.
    #[must_use]
    pub fn reminders(&self) -> &[Duration] {
        &self.reminders
    }

    /// The notice of an agent that has waited so long, if waits of this one are told of.
    #[must_use]
    pub fn reminder(&self, server: &str, agent: &Agent, waited: Duration) -> Option<AgentNotice> {
        let lasting = self.lasting(server, agent.since, agent).filter(|_| agent.state == AgentState::Waiting)?;
        Some(AgentNotice { waited: Some(waited.as_secs()), ..lasting })
    }

    /// Whether it is a time of the day without notices.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp, zone: &TimeZone) -> bool {
        self.quiet_for(now, zone).is_some()
    }

    /// How much longer there are no notices by the clock on the wall; `None`: there are.
    #[must_use]
    pub fn quiet_for(&self, now: Timestamp, zone: &TimeZone) -> Option<Duration> {
        let (from, to) = self.quiet?;
        let time = now.to_zoned_datetime(zone.clone()).time();
        let minute = u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        // A span may go over midnight; one from a time to the same is none.
        let is_quiet = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
        // Of quiet hours a whole minute is left at least: its seconds can be taken off.
        is_quiet.then(|| {
            let minutes = (to + DAY - minute) % DAY;
            Duration::from_secs(u64::from(minutes) * 60 - u64::from(time.second().unsigned_abs()))
        })
    }
}
