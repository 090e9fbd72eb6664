//! The fleet: the tmux servers that are watched, here and on other hosts. Each is a member with its newest snapshot; an
//! agent is known by its member and its pane, since two servers give their panes the same numbers.

use std::{borrow::Cow, fmt, sync::Arc};

use jiff::Timestamp;

use crate::{
    monitor::{Agent, Link, LinkState, Preview, Snapshot},
    tmux::PaneId,
};

/// A member, for as long as this process runs: a number is never given to another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MemberId(pub u16);

impl MemberId {
    /// The usual server of this machine, or the one that was named. It is always there.
    pub const FIRST: Self = Self(0);
}

/// An agent of the fleet: all that is chosen, ordered, asked and done goes by this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentKey {
    /// Which member watches it.
    pub member: MemberId,
    /// Its pane there.
    pub pane: PaneId,
}

impl AgentKey {
    /// A pane of the first member.
    #[must_use]
    pub fn first(pane: PaneId) -> Self {
        Self { member: MemberId::FIRST, pane }
    }
}

/// The pane alone: whose it is the caller knows to say where that matters.
impl fmt::Display for AgentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pane.fmt(f)
    }
}

/// Where a member is. Those of this machine come first.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label {
    /// The host, as the settings call it; `None` on this machine.
    pub host: Option<Arc<str>>,
    /// Its tmux server: the name of the socket.
    pub server: Arc<str>,
}

/// Name of the socket of the server that tmux takes where none is named.
const USUAL: &str = "default";

/// Where an agent is, in a word: its host, with its tmux server unless that is the usual one; `·` is the usual one of
/// this machine.
#[must_use]
pub fn host_of(agent: &Agent) -> Cow<'_, str> {
    name(agent.host.as_deref(), &agent.server)
}

fn name<'a>(host: Option<&'a str>, server: &'a str) -> Cow<'a, str> {
    match (host, server) {
        (None, USUAL) => "·".into(),
        (None, server) => server.into(),
        (Some(host), USUAL) => host.into(),
        (Some(host), server) => format!("{host}/{server}").into(),
    }
}

/// The place of an agent as it is written for the command line: `api:2.0` on the usual server of this machine,
/// `api:2.0@box`, `api:2.0@box/work`, and `api:2.0@/work` on another server of this machine.
#[must_use]
pub fn address(agent: &Agent) -> String {
    let target = &agent.target;
    match (agent.host.as_deref(), &*agent.server) {
        (None, USUAL) => target.clone(),
        (None, server) => format!("{target}@/{server}"),
        (Some(host), USUAL) => format!("{target}@{host}"),
        (Some(host), server) => format!("{target}@{host}/{server}"),
    }
}

impl Label {
    /// Before what is told of it among what is told of others: `box `, nothing of the usual server of this machine.
    #[must_use]
    pub fn prefix(&self) -> String {
        match self.name() {
            name if name == "·" => String::new(),
            name => format!("{name} "),
        }
    }

    /// Whose engine it is, where that stands alone.
    #[must_use]
    pub fn whose(&self) -> Cow<'_, str> {
        match self.name() {
            name if name == "·" => "here".into(),
            name => name,
        }
    }

    /// In a word, as [`host_of`].
    #[must_use]
    pub fn name(&self) -> Cow<'_, str> {
        name(self.host.as_deref(), &self.server)
    }
}

/// A tmux server that is watched.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its number.
    pub id: MemberId,
    /// Where it is.
    pub label: Label,
    /// How its engine is reached.
    pub link: Link,
    /// What it published last.
    pub snapshot: Arc<Snapshot>,
}

/// Where an agent stands in the snapshots of one fleet: its member and its place there, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    member: u16,
    agent: u32,
}

/// A host of the settings, as it is seen from here.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    /// What the settings call it.
    pub name: Arc<str>,
    /// How it is reached.
    pub state: LinkState,
    /// The version of its tmux-orc.
    pub version: Option<String>,
    /// When anything came of it last, while it is not up.
    pub last_heard: Option<Timestamp>,
    /// Nothing is typed into its panes.
    pub read_only: bool,
}

impl Host {
    /// What is shown of it is of now.
    #[must_use]
    pub fn answers(&self) -> bool {
        matches!(self.state, LinkState::Up { .. } | LinkState::Late { .. })
    }
}

/// All members, the first one always among them, and the hosts that some of them are on. A clone holds the same snapshots.
#[derive(Clone, Debug)]
pub struct Fleet {
    members: Vec<Member>,
    hosts: Arc<[Host]>,
}

impl From<Arc<Snapshot>> for Fleet {
    fn from(snapshot: Arc<Snapshot>) -> Self {
        let label = Label { host: None, server: snapshot.server.name().into() };
        Self {
            members: vec![Member { id: MemberId::FIRST, label, link: Link::default(), snapshot }],
            hosts: Arc::default(),
        }
    }
}

impl Fleet {
    /// A fleet of these, in their order; `first` is the first.
    #[must_use]
    pub fn new(first: Member, others: impl IntoIterator<Item = Member>) -> Self {
        Self { members: std::iter::once(first).chain(others).collect(), hosts: Arc::default() }
    }

    /// The same with these hosts.
    #[must_use]
    pub fn with_hosts(self, hosts: Vec<Host>) -> Self {
        Self { hosts: hosts.into(), ..self }
    }

    /// The hosts of the settings.
    #[must_use]
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// What a member shows is of now: it is here, or its host answers.
    #[must_use]
    pub fn answers(&self, member: &Member) -> bool {
        let Some(name) = &member.label.host else { return true };
        self.hosts.iter().any(|host| host.name == *name && host.answers())
    }

    /// The agents of which what is shown is of now: they are counted, and called for.
    pub fn present(&self) -> impl Iterator<Item = (AgentKey, &Agent)> + Clone {
        self.members.iter().filter(|member| self.answers(member)).flat_map(|member| {
            let key = |agent: &Agent| AgentKey { member: member.id, pane: agent.pane_id };
            member.snapshot.agents.iter().map(move |agent| (key(agent), agent))
        })
    }

    /// The members.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// There is more than one: what is shown says which.
    #[must_use]
    pub fn several(&self) -> bool {
        self.members.len() > 1 || !self.hosts.is_empty()
    }

    /// The first member.
    #[must_use]
    pub fn first(&self) -> &Member {
        &self.members[0]
    }

    /// A member; `None` when it is gone.
    #[must_use]
    pub fn member(&self, id: MemberId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// All agents, those of one member after those of the other.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> + Clone {
        self.members.iter().flat_map(|member| &member.snapshot.agents)
    }

    /// All agents, with what they are known by.
    pub fn keyed(&self) -> impl Iterator<Item = (AgentKey, &Agent)> + Clone {
        self.members.iter().flat_map(|member| {
            let key = |agent: &Agent| AgentKey { member: member.id, pane: agent.pane_id };
            member.snapshot.agents.iter().map(move |agent| (key(agent), agent))
        })
    }

    /// All places, in the order of [`Self::agents`].
    pub fn places(&self) -> impl Iterator<Item = Place> + Clone + '_ {
        let agents = |member: &Member| 0..u32::try_from(member.snapshot.agents.len()).unwrap_or(u32::MAX);
        (0..).zip(&self.members).flat_map(move |(member, of)| agents(of).map(move |agent| Place { member, agent }))
    }

    /// How many agents there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.iter().map(|member| member.snapshot.agents.len()).sum()
    }

    /// There is no agent.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.iter().all(|member| member.snapshot.agents.is_empty())
    }

    /// The agent at a place of this fleet.
    #[must_use]
    pub fn at(&self, place: Place) -> Option<(AgentKey, &Agent)> {
        let member = self.members.get(usize::from(place.member))?;
        let agent = member.snapshot.agents.get(usize::try_from(place.agent).ok()?)?;
        Some((AgentKey { member: member.id, pane: agent.pane_id }, agent))
    }

    /// The agent of this key; `None` when it is gone.
    #[must_use]
    pub fn agent(&self, key: AgentKey) -> Option<&Agent> {
        self.member(key.member)?.snapshot.agents.iter().find(|agent| agent.pane_id == key.pane)
    }

    /// The newest screen of this agent's pane, if its member was asked for it.
    #[must_use]
    pub fn preview(&self, key: AgentKey) -> Option<&Arc<Preview>> {
        self.member(key.member)?.snapshot.preview.as_ref().filter(|preview| preview.pane_id == key.pane)
    }

    /// The newest screen of this agent's pane, or the last rows of it, if its member was asked for that.
    #[must_use]
    pub fn tile(&self, key: AgentKey) -> Option<&Arc<Preview>> {
        let Snapshot { preview, previews, .. } = &*self.member(key.member)?.snapshot;
        previews.iter().chain(preview).find(|shown| shown.pane_id == key.pane)
    }

    /// The same with another snapshot of a member.
    #[must_use]
    pub fn with_snapshot(&self, id: MemberId, snapshot: Arc<Snapshot>) -> Self {
        self.with(id, |member| member.snapshot = snapshot)
    }

    /// The same with a member reached in another way.
    #[must_use]
    pub fn with_link(&self, id: MemberId, link: Link) -> Self {
        self.with(id, |member| member.link = link)
    }

    fn with(&self, id: MemberId, change: impl FnOnce(&mut Member)) -> Self {
        let mut fleet = self.clone();
        if let Some(member) = fleet.members.iter_mut().find(|member| member.id == id) {
            change(member);
        }
        fleet
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::{test_agent, test_snapshot};
    use crate::monitor::AgentState;

    fn member(id: u16, panes: &[u32]) -> Member {
        let agents = panes.iter().map(|pane| test_agent(*pane, AgentState::Idle)).collect();
        let snapshot = Arc::new(Snapshot { agents, ..test_snapshot() });
        Member { id: MemberId(id), label: Label::default(), link: Link::default(), snapshot }
    }

    #[test]
    fn panes_of_the_same_number_are_two_agents() {
        let fleet = Fleet::new(member(0, &[1, 2]), [member(7, &[]), member(3, &[2, 9])]);
        let keys: Vec<(u16, u32)> = fleet.keyed().map(|(key, _)| (key.member.0, key.pane.0)).collect();
        assert_eq!(keys, [(0, 1), (0, 2), (3, 2), (3, 9)]);
        let at: Vec<_> =
            fleet.places().map(|place| fleet.at(place).map(|(key, _)| (key.member.0, key.pane.0))).collect();
        assert_eq!(at.into_iter().flatten().collect::<Vec<_>>(), keys);
        assert_eq!((fleet.len(), fleet.is_empty(), fleet.agents().count()), (4, false, 4));
        let two = |member| fleet.agent(AgentKey { member: MemberId(member), pane: PaneId(2) });
        assert!(two(0).is_some() && two(3).is_some() && two(7).is_none() && two(1).is_none());
        assert!(!std::ptr::eq(two(0).unwrap(), two(3).unwrap()));
    }

    #[test]
    fn a_place_says_host_and_server_where_they_are_not_the_usual_ones() {
        let said = |host: Option<&str>, server: &str| {
            let mut agent = test_agent(1, AgentState::Idle);
            (agent.host, agent.server, agent.target) = (host.map(Into::into), server.into(), "a:1.0".into());
            (host_of(&agent).into_owned(), address(&agent))
        };
        let pair = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        assert_eq!(said(None, "default"), pair("·", "a:1.0"));
        assert_eq!(said(None, "work"), pair("work", "a:1.0@/work"));
        assert_eq!(said(Some("box"), "default"), pair("box", "a:1.0@box"));
        assert_eq!(said(Some("box"), "work"), pair("box/work", "a:1.0@box/work"));
    }

    #[test]
    fn a_screen_is_that_of_its_own_member() {
        let shown = |pane| {
            let preview =
                Preview { pane_id: PaneId(pane), text: "x".into(), captured_at: jiff::Timestamp::UNIX_EPOCH, above: 0 };
            Arc::new(Snapshot { preview: Some(Arc::new(preview)), ..test_snapshot() })
        };
        let fleet = Fleet::new(member(0, &[2]), [member(3, &[2])]).with_snapshot(MemberId(3), shown(2));
        let of = |member, pane| fleet.preview(AgentKey { member: MemberId(member), pane: PaneId(pane) }).is_some();
        assert!(of(3, 2) && !of(0, 2) && !of(3, 1));
    }
}
