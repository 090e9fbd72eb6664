//! Hosts by a real ssh and a real sshd: several at once, each part ended in turn, a black hole, keys that are not known.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tmux_orc::monitor::{Connector, HostConfig, LinkState, LinkedHost, Links, link::open};

use crate::place::{Place, member, processes, wait, within};
use crate::sshd::{Proxy, Sshd, program};
use crate::stage::IDLE;
use crate::support::{PATIENCE, alive, signal, wait_for};

/// The ssh of this process that goes to a host.
fn ssh_to(name: &str) -> Vec<u32> {
    let ours = format!("/config-{name}-");
    processes(|arguments, _| {
        arguments.first().is_some_and(|program| program == "ssh") && arguments.iter().any(|word| word.contains(&ours))
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hosts_each_by_itself_whatever_ends() {
    let Some(program) = program() else { return };
    let places: Vec<(&str, Place)> = ["box", "gpu", "web"].map(|name| (name, Place::new())).into();
    let _agents: Vec<_> = places.iter().map(|(_, place)| place.stage.agent("one", IDLE)).collect();
    let named: Vec<(&str, &Place)> = places.iter().map(|(name, place)| (*name, place)).collect();
    let sshd = Sshd::start(&program, &named);
    let links = Links::new(None, false);
    let link = |name: &str, place: &Place| {
        let bridge = sshd.bridge_of(name, place);
        open(sshd.config(name, sshd.port(), Some(&bridge)), links.clone())
    };
    let hosts: Vec<LinkedHost> = named.iter().map(|(name, place)| link(name, place)).collect();
    for (host, (name, _)) in hosts.iter().zip(&named) {
        wait(host, "it is up", LinkState::is_up).await;
        let snapshot = member(host, 1).await.handle.snapshots.borrow();
        assert_eq!(snapshot.agents[0].host.as_deref(), Some(*name));
    }
    let others_stay = |but: usize| {
        for (at, host) in hosts.iter().enumerate().filter(|(at, _)| *at != but) {
            let state = host.state().borrow().clone();
            assert!(state.is_up(), "{}: {state:?}", named[at].0);
        }
    };
    // ssh here, the bridge there, the engine there.
    ssh_to("box").into_iter().for_each(|pid| signal(pid, Signal::KILL));
    wait(&hosts[0], "it is lost", |state| !state.is_up()).await;
    others_stay(0);
    wait(&hosts[0], "it is back", LinkState::is_up).await;
    places[1].1.kill("bridge");
    wait(&hosts[1], "it is lost", |state| !state.is_up()).await;
    others_stay(1);
    wait(&hosts[1], "it is back", LinkState::is_up).await;
    places[2].1.kill("--daemon");
    member(&hosts[2], 1).await;
    others_stay(3);
    // The bridge is stopped: late, then lost, and the others do not notice.
    let stopped = places[0].1.processes("bridge");
    stopped.iter().for_each(|pid| signal(*pid, Signal::STOP));
    wait(&hosts[0], "it is late", |state| matches!(state, LinkState::Late { .. })).await;
    let lost = within(&hosts[0], "it is lost", Duration::from_secs(15), |state| state.why().is_some()).await;
    assert!(lost.why().is_some_and(|why| why.starts_with("nothing for")), "{lost:?}");
    others_stay(0);
    stopped.iter().for_each(|pid| signal(*pid, Signal::CONT));
    wait(&hosts[0], "it is back", LinkState::is_up).await;
    wait_for("the end of the one that was stopped", PATIENCE * 2, || stopped.iter().all(|pid| !alive(*pid)));
    // Nothing is left on either side.
    let bridges: Vec<u32> = places.iter().flat_map(|(_, place)| place.processes("bridge")).collect();
    drop(hosts);
    wait_for("the end of all", PATIENCE, || {
        ["box", "gpu", "web"].iter().all(|name| ssh_to(name).is_empty()) && bridges.iter().all(|pid| !alive(*pid))
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_black_hole_is_known_within_fifteen_seconds_and_nothing_lingers_there() {
    let Some(program) = program() else { return };
    let place = Place::new();
    let _agent = place.stage.agent("one", IDLE);
    let sshd = Sshd::start(&program, &[("box", &place)]);
    let proxy = Proxy::start(sshd.port());
    sshd.trust("127.0.0.1", proxy.port());
    let bridge = sshd.bridge_of("box", &place);
    let host = open(sshd.config("box", proxy.port(), Some(&bridge)), Links::new(None, false));
    member(&host, 1).await;
    let bridges = place.processes("bridge");
    proxy.cut(true);
    let begun = Instant::now();
    within(&host, "it is known", Duration::from_secs(16), |state| state.why().is_some()).await;
    assert!(begun.elapsed() < Duration::from_secs(16), "{:?}", begun.elapsed());
    let stale = member_is_stale(&host);
    assert!(stale, "its agents are the last known");
    wait_for("the bridge's end", Duration::from_secs(45), || bridges.iter().all(|pid| !alive(*pid)));
    proxy.cut(false);
    host.retry();
    wait(&host, "it is back", LinkState::is_up).await;
}

fn member_is_stale(host: &LinkedHost) -> bool {
    let members = host.members().borrow().clone();
    let mut stale = false;
    wait_for("they are marked", PATIENCE, || {
        stale = members[0].handle.snapshots.borrow().agents.iter().all(|agent| agent.stale);
        stale
    });
    stale
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_only_a_person_can_mend_is_told_as_that() {
    let Some(program) = program() else { return };
    let place = Place::new();
    let sshd = Sshd::start(&program, &[("box", &place)]);
    let links = Links::new(None, false);
    // A key that the host does not know.
    let stranger = open(sshd.config("stranger", sshd.port(), None), links.clone());
    let state = wait(&stranger, "it needs a login", |state| state.why().is_some()).await;
    assert!(matches!(&state, LinkState::NeedsLogin { why, .. } if why.contains("Permission denied")), "{state:?}");
    // A host whose key is not known here: never taken for the user.
    let other = Proxy::start(sshd.port());
    let unknown = open(sshd.config("box", other.port(), None), links.clone());
    let state = wait(&unknown, "it needs a login", |state| state.why().is_some()).await;
    assert!(matches!(&state, LinkState::NeedsLogin { why, .. } if why.contains("Host key")), "{state:?}");
    // tmux-orc is in none of the usual places there.
    let bare = open(sshd.config("box", sshd.port(), None), links.clone());
    let state = wait(&bare, "it is not installed", |state| state.why().is_some()).await;
    assert!(matches!(state, LinkState::NotInstalled { .. }), "{state:?}");
    // And then in one of them.
    let bin = place.stage.server.home().join(".local/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::os::unix::fs::symlink(sshd.bridge_of("box", &place), bin.join("tmux-orc")).unwrap();
    bare.retry();
    wait(&bare, "it is found", LinkState::is_up).await;
    // Nobody listens.
    let closed = open(sshd.config("box", 1, None), links);
    let state = wait(&closed, "it is down", |state| state.why().is_some()).await;
    assert!(matches!(&state, LinkState::Down { why, .. } if why.contains("refused")), "{state:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_hosts_behind_one_door_are_all_let_in() {
    let Some(program) = program() else { return };
    let place = Place::new();
    let sshd = Sshd::start(&program, &[("box", &place)]);
    let bridge = sshd.bridge_of("box", &place);
    let links = Links::new(None, false);
    let config = sshd.config("box", sshd.port(), Some(&bridge));
    // One among them connects and says nothing more: it has one of the eight places for as long as it may.
    let words = ["sh", "-c", "exec sleep 100"].map(str::to_owned).to_vec();
    let hung = open(HostConfig { connector: Connector::Command(words), ..config.clone() }, links.clone());
    let begun = Instant::now();
    let hosts: Vec<LinkedHost> = (0..50)
        .map(|number| open(HostConfig { name: format!("h{number}"), ..config.clone() }, links.clone()))
        .collect();
    for host in &hosts {
        let state = within(host, "it is up", PATIENCE * 2, |state| *state != LinkState::Connecting).await;
        assert!(state.is_up(), "none is turned away: {state:?}");
    }
    // How long that takes is the machine's: 50 connections and programs cost it their time.
    eprintln!("all {} are up after {:.1} s", hosts.len(), begun.elapsed().as_secs_f64());
    assert!(!hung.state().borrow().is_up());
}
