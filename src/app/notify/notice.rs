//! What is told, and in which words.

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::{
    app::core::limits,
    monitor::{AgentState, Asks, Limit},
    tmux::{PaneId, clean},
};

/// Longest text of a notice, in characters: what shows it has one line.
const LONGEST: usize = 120;

/// What is told; as JSON, the input of the command hook.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Notice {
    /// An agent has changed.
    Agent(AgentNotice),
    /// Much of an account's limit is used.
    Limit(LimitNotice),
}

impl Notice {
    /// The pane that it is about.
    #[must_use]
    pub fn pane(&self) -> Option<PaneId> {
        self.agent().map(|notice| notice.pane_id)
    }

    /// The change of an agent that it is.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentNotice> {
        match self {
            Self::Agent(notice) => Some(notice),
            Self::Limit(_) => None,
        }
    }

    /// Who, and what with them, without what is asked.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Agent(notice) => clip(&notice.title()),
            Self::Limit(notice) => clip(&format!("{} {}", notice.agent, notice.account)),
        }
    }

    /// The input of a program that is run for it: all that is known, and the same as a title and as a line.
    #[must_use]
    pub fn input(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Input<'n> {
            #[serde(flatten)]
            notice: &'n Notice,
            title: String,
            text: String,
        }
        let text = summary(std::slice::from_ref(self));
        serde_json::to_vec(&Input { notice: self, title: self.title(), text }).unwrap_or_default()
    }
}

/// Much of an account's limit is used.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LimitNotice {
    /// When that was seen.
    pub at: Timestamp,
    /// The tmux server's socket.
    pub server: String,
    /// Which program.
    pub agent: String,
    /// The account: the folder in which the program keeps it.
    pub account: String,
    /// The percentage that was reached: 80 or 95.
    pub percent: u8,
    /// The limit.
    pub limit: Limit,
}

impl LimitNotice {
    /// One line for people.
    #[must_use]
    pub fn text(&self) -> String {
        let end = limits::ends(&self.limit, self.at, &TimeZone::system());
        let end = end.map(|end| format!(", it ends {end}")).unwrap_or_default();
        let (used, of) = (limits::percent(&self.limit), limits::of(&self.limit));
        clip(&format!("{} {}: {used} of {of} used{end}", self.agent, self.account))
    }
}

/// A change of an agent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AgentNotice {
    /// When it changed.
    pub at: Timestamp,
    /// The host, as the settings call it; `None` on this machine.
    pub host: Option<String>,
    /// The tmux server's socket.
    pub server: String,
    /// The pane.
    pub pane_id: PaneId,
    /// Its place.
    pub target: String,
    /// What it is called.
    pub name: String,
    /// Which program.
    pub agent: String,
    /// State before.
    pub from: AgentState,
    /// State now.
    pub state: AgentState,
    /// Kind of the state now.
    pub kind: Option<String>,
    /// What it asks, where it asks something.
    pub asks: Option<Asks>,
    /// What it has said last.
    pub doing: Option<String>,
    /// Seconds that it has waited by now, where the same wait is told of again.
    pub waited: Option<u64>,
}

impl AgentNotice {
    /// Its place as a person writes it.
    fn place(&self) -> String {
        match &self.host {
            Some(host) => format!("{}@{host}", self.target),
            None => self.target.clone(),
        }
    }

    /// Who, and what with them.
    fn title(&self) -> String {
        let kind = self.kind.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
        let what = match (self.state, self.waited) {
            (AgentState::Waiting, None) => format!("waits for you{kind}"),
            (AgentState::Waiting, Some(waited)) => format!("still waits for you after {}{kind}", span(waited)),
            (AgentState::Idle, _) => "is done".to_owned(),
            (AgentState::Exited, _) => "has ended".to_owned(),
            (AgentState::Limited, _) => "has hit its limit".to_owned(),
            (AgentState::Error, _) => "has stopped with an error".to_owned(),
            (state, _) => format!("is {state}"),
        };
        format!("{} {} {what}", self.place(), self.agent)
    }

    /// One line for people: who, and what they ask.
    #[must_use]
    pub fn text(&self) -> String {
        let asks = self.asks.as_ref().map(|asks| asks.line.as_str());
        let said = [asks, self.doing.as_deref()].into_iter().flatten().map(clean);
        let said = said.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).find(|text| !text.is_empty());
        clip(&[Some(self.title()), said].into_iter().flatten().collect::<Vec<_>>().join(": "))
    }
}

/// How long a wait is: `10 min`, `1 h 30 min`.
fn span(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Several notices as one line: who needs you first, then who is done, and the rest, of each the first ones by name; then
/// the limits.
#[must_use]
pub fn summary(notices: &[Notice]) -> String {
    let order = [AgentState::Waiting, AgentState::Error, AgentState::Limited, AgentState::Exited, AgentState::Idle];
    let agents: Vec<&AgentNotice> = notices.iter().filter_map(Notice::agent).collect();
    let of = |state: AgentState| agents.iter().copied().filter(|notice| notice.state == state).collect::<Vec<_>>();
    let groups = order.into_iter().map(of).filter(|group| !group.is_empty()).map(|group| several(&group));
    let limits = notices.iter().filter_map(|notice| match notice {
        Notice::Limit(limit) => Some(limit.text()),
        Notice::Agent(_) => None,
    });
    clip(&groups.chain(limits).collect::<Vec<_>>().join("; "))
}

/// Those of one state in words.
fn several(group: &[&AgentNotice]) -> String {
    if let [one] = group {
        return one.text();
    }
    let named: Vec<String> = group.iter().take(3).map(|notice| notice.place()).collect();
    let rest = match group.len().saturating_sub(named.len()) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = match group.first().map(|notice| notice.state) {
        Some(AgentState::Waiting) => "wait for you",
        Some(AgentState::Idle) => "are done",
        Some(AgentState::Exited) => "have ended",
        Some(AgentState::Limited) => "have hit their limit",
        _ => "have stopped with an error",
    };
    format!("{} agents {what}: {}{rest}", group.len(), named.join(", "))
}

fn clip(text: &str) -> String {
    let text = clean(text);
    if text.chars().count() <= LONGEST {
        return text;
    }
    text.chars().take(LONGEST - 1).chain(['…']).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::app::notify::Rules;
    use crate::app::settings::Notifications;
    use crate::monitor::{Event, EventKind};
    use crate::{
        app::{core::fixture::test_agent, settings},
        monitor::{Evidence, Source},
    };

    pub(crate) fn event(seq: u64, pane: u32, from: AgentState, to: AgentState, kind: Option<&str>) -> Event {
        let evidence =
            Evidence { rule: "r".into(), line: String::new(), source: Source::Screen, region: None, rows: None };
        let (target, agent) = (format!("s:0.{pane}"), "claude".into());
        let kind = kind.map(str::to_owned);
        let what = EventKind::Transition { pane_id: PaneId(pane), target, agent, from, to, kind, evidence };
        Event { seq, at: Timestamp::UNIX_EPOCH, what }
    }

    fn rules(change: impl FnOnce(&mut Notifications)) -> Rules {
        let mut settings = settings::defaults().notifications;
        settings.on = ["waiting", "exited", "done"].map(str::to_owned).into();
        change(&mut settings);
        Rules::new(&settings)
    }

    #[test]
    fn only_what_was_asked_for_is_told() {
        let agent = test_agent(1, AgentState::Waiting);
        let told = |rules: &Rules, from, to, kind| rules.notice("/s", &event(1, 1, from, to, kind), &agent).is_some();
        let all = rules(|_| {});
        assert!(told(&all, AgentState::Working, AgentState::Waiting, Some("permission")));
        assert!(told(&all, AgentState::Waiting, AgentState::Waiting, Some("question")), "another prompt");
        assert!(told(&all, AgentState::Working, AgentState::Idle, Some("done")));
        assert!(!told(&all, AgentState::Waiting, AgentState::Idle, None));
        assert!(!told(&all, AgentState::Working, AgentState::Error, None), "not in the list");
        assert!(!told(&all, AgentState::Exited, AgentState::Exited, Some("crash")));
        assert!(!told(&rules(|s| s.agents = vec!["codex".into()]), AgentState::Working, AgentState::Waiting, None));
        assert!(told(&rules(|s| s.agents = vec!["claude".into()]), AgentState::Working, AgentState::Waiting, None));
        assert!(!told(&rules(|s| s.sessions = vec!["other".into()]), AgentState::Working, AgentState::Waiting, None));
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        let zone = TimeZone::fixed(jiff::tz::offset(1));
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let night = rules(|s| s.quiet_hours = "22:00-07:00".into());
        assert!(night.is_quiet(at("2026-03-01T21:00:00Z"), &zone));
        assert!(night.is_quiet(at("2026-03-01T05:59:00Z"), &zone));
        assert!(
            !night.is_quiet(at("2026-03-01T06:00:00Z"), &zone) && !night.is_quiet(at("2026-03-01T06:00:30Z"), &zone)
        );
        let noon = rules(|s| s.quiet_hours = "12:00-13:00".into());
        assert!(noon.is_quiet(at("2026-03-01T11:30:00Z"), &zone) && !noon.is_quiet(at("2026-03-01T12:00:00Z"), &zone));
        assert!(!rules(|_| {}).is_quiet(at("2026-03-01T12:00:00Z"), &zone));
        let left = |text| night.quiet_for(at(text), &zone).map(|left| left.as_secs());
        assert_eq!((left("2026-03-01T21:00:00Z"), left("2026-03-01T05:58:30Z")), (Some(9 * 3600), Some(90)));
    }

    #[test]
    fn many_are_one_line_and_hostile_text_is_tame() {
        let mut agent = test_agent(1, AgentState::Waiting);
        agent.doing = Some("\x1b]0;x\x07 rm -rf / \x1b[2J?".into());
        let one = rules(|_| {}).notice(
            "/s",
            &event(1, 1, AgentState::Working, AgentState::Waiting, Some("permission")),
            &agent,
        );
        let one = one.unwrap();
        assert_eq!(one.text(), "s:0.1 claude waits for you (permission): rm -rf / ?");
        let many: Vec<AgentNotice> =
            (0..5).map(|n| AgentNotice { target: format!("s:0.{n}"), ..one.clone() }).collect();
        let summary =
            |notices: &[AgentNotice]| summary(&notices.iter().cloned().map(Notice::Agent).collect::<Vec<_>>());
        assert_eq!(summary(&many), "5 agents wait for you: s:0.0, s:0.1, s:0.2 and 2 more");
        let done = |target: &str| AgentNotice {
            target: target.into(),
            state: AgentState::Idle,
            kind: Some("done".into()),
            doing: None,
            ..one.clone()
        };
        let mixed = [done("s:0.8"), many[0].clone(), done("s:0.9"), many[1].clone()];
        assert_eq!(summary(&mixed), "2 agents wait for you: s:0.0, s:0.1; 2 agents are done: s:0.8, s:0.9");
        let two = [AgentNotice { doing: None, ..many[0].clone() }, done("s:0.8")];
        assert_eq!(summary(&two), "s:0.0 claude waits for you (permission); s:0.8 claude is done");
        let asks = Some(Asks { line: "  rm -rf\n\tbuild \x1b[1m".into(), full: String::new() });
        assert_eq!(
            AgentNotice { asks, waited: Some(5400), ..one.clone() }.text(),
            "s:0.1 claude still waits for you after 1 h 30 min (permission): rm -rf build"
        );
        agent.doing = Some("x".repeat(500));
        let long =
            rules(|_| {}).notice("/s", &event(1, 1, AgentState::Working, AgentState::Waiting, None), &agent).unwrap();
        assert_eq!(long.text().chars().count(), LONGEST);
    }
    #[test]
    fn a_limit_is_told_of_in_a_line_if_it_was_asked_for() {
        let at = Timestamp::from_second(1_800_000_000).unwrap();
        let limit = Limit { minutes: Some(10_080), used_percent: 95.4, resets_at: None, at: Some(at) };
        let what = EventKind::Limit { program: "codex".into(), account: "~/.codex".into(), percent: 95, limit };
        let event = Event { seq: 1, at, what };
        let told = |change: fn(&mut Notifications)| rules(change).limit("/s", &event);
        assert_eq!(told(|_| {}), None, "not in the list");
        assert_eq!(told(|s| (s.on, s.agents) = (vec!["limit".into()], vec!["claude".into()])), None);
        let notice = told(|s| s.on = vec!["limit".into()]).unwrap();
        assert_eq!(summary(&[Notice::Limit(notice.clone())]), "codex ~/.codex: 95% of its weekly limit used");
        let json: serde_json::Value = serde_json::from_slice(&Notice::Limit(notice).input()).unwrap();
        assert_eq!((&json["title"], &json["server"]), (&"codex ~/.codex".into(), &"/s".into()));
        assert_eq!(
            (&json["agent"], &json["percent"], &json["limit"]["minutes"]),
            (&"codex".into(), &95.into(), &10_080.into())
        );
    }
}
