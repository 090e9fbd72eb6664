//! The hosts of the settings: each is linked to, and its tmux servers come and go as members.

use std::{collections::HashMap, path::PathBuf, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};
use tokio_util::task::AbortOnDropHandle;

use crate::app::core::fleet::{Host, Label, MemberId};
use crate::app::members::{Doer, Joined, There, WeakMembers};
use crate::monitor::link::open;
use crate::monitor::{HostConfig, Link, LinkState, LinkedHost, Links, RemoteMember};

/// How often the settings are asked for hosts, and a link for how long its answers take.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// A host that is wanted, and which of its servers; none: all that its bridge serves.
pub(crate) type Wanted = (HostConfig, Vec<String>);

/// Links to the hosts that `wanted` names at each moment, whose connections by `hosts login` are in `run`, until what is
/// returned is dropped or the members are.
pub(crate) fn link(
    members: WeakMembers,
    (links, run): (Links, PathBuf),
    wanted: impl Fn() -> Vec<Wanted> + Send + 'static,
) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(async move {
        let mut linked: Vec<(Wanted, AbortOnDropHandle<()>)> = Vec::new();
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let wanted = wanted();
            // One whose settings changed is another one.
            linked.retain(|(one, _)| wanted.contains(one));
            for one in wanted {
                if linked.iter().all(|(other, _)| *other != one) {
                    let host = Arc::new(open(one.0.clone(), links.clone()));
                    let kept = Keeping::new(host, one.1.clone(), run.clone(), members.clone());
                    let Some(keeping) = kept else { return };
                    linked.push((one, AbortOnDropHandle::new(tokio::spawn(keeping.run()))));
                }
            }
        }
    }))
}

/// One host, and what of it has joined. Dropped, it has left.
struct Keeping {
    host: Arc<LinkedHost>,
    only: Vec<String>,
    run: PathBuf,
    members: WeakMembers,
    joined: HashMap<String, MemberId>,
}

impl Keeping {
    fn new(host: Arc<LinkedHost>, only: Vec<String>, run: PathBuf, members: WeakMembers) -> Option<Self> {
        members.upgrade()?.set_host(Self::seen(&host, &LinkState::Connecting), Arc::clone(&host));
        Some(Self { host, only, run, members, joined: HashMap::new() })
    }

    async fn run(mut self) {
        let (mut state, mut shown) = (self.host.state(), self.host.members());
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let now = (state.borrow_and_update().clone(), shown.borrow_and_update().clone());
            if !self.take_in(&now.0, now.1) {
                return;
            }
            tokio::select! {
                Ok(()) = state.changed() => {}
                Ok(()) = shown.changed() => {}
                _ = tick.tick() => {}
            }
        }
    }

    /// Whether somebody still wants it.
    fn take_in(&mut self, state: &LinkState, mut shown: Vec<RemoteMember>) -> bool {
        let Some(members) = self.members.upgrade() else { return false };
        shown.retain(|member| self.only.is_empty() || self.only.contains(&member.server));
        members.set_host(Self::seen(&self.host, state), Arc::clone(&self.host));
        self.joined.retain(|key, id| {
            let there = shown.iter().any(|member| member.key == *key);
            if !there {
                members.leave(*id);
            }
            there
        });
        for RemoteMember { key, server, handle } in shown {
            if self.joined.contains_key(&key) {
                continue;
            }
            let label = Label { host: Some(self.host.config().name.as_str().into()), server: server.as_str().into() };
            let (host, run) = (Arc::clone(&self.host), self.run.clone());
            let doer = Doer::There(Arc::new(There { host, key: key.clone(), server, run }));
            let joined = Joined { label, handle, link: watch::channel(Link::default()).1, doer: Some(doer) };
            if let Some(id) = members.join(joined) {
                self.joined.insert(key, id);
            }
        }
        true
    }

    /// The host as it is shown. While it is up nothing of it goes with the clock: what goes by itself would be drawn anew
    /// each second.
    fn seen(host: &LinkedHost, state: &LinkState) -> Host {
        let up = matches!(state, LinkState::Up { .. });
        Host {
            name: host.config().name.as_str().into(),
            state: if up { LinkState::Up { rtt: host.rtt().map(rounded) } } else { state.clone() },
            version: host.version(),
            last_heard: host.last_heard().filter(|_| !up),
            read_only: host.read_only(),
        }
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        let Some(members) = self.members.upgrade() else { return };
        self.joined.values().for_each(|id| members.leave(*id));
        members.drop_host(&self.host);
    }
}

/// To steps that differ to a person, so that the number stands still.
fn rounded(took: Duration) -> Duration {
    let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let step = match ms {
        // Shown as one.
        0..10 => return Duration::from_millis(1),
        10..100 => 5,
        100..1000 => 20,
        _ => 200,
    };
    Duration::from_millis((ms + step / 2) / step * step)
}
