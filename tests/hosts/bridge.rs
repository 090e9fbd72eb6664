//! A bridge over a pipe: what runs there is shown as if it ran here, it comes back after each loss, and it lives no longer
//! than its hub.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use tmux_orc::app::core::act::{Act, Seen};
use tmux_orc::monitor::{Command, Connector, HostConfig, Interest, LinkState, Links, link::open};
use tokio::time::timeout;

use crate::place::{Place, member, wait};
use crate::stage::{ASKS, IDLE, WORKS};
use crate::support::{PATIENCE, alive, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_runs_there_is_shown_as_if_it_ran_here() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let host = place.link();
    wait(&host, "it is up", LinkState::is_up).await;
    let member = member(&host, 1).await;
    let snapshot = member.handle.snapshots.borrow();
    assert_eq!((snapshot.agents[0].host.as_deref(), snapshot.agents[0].pane_id), (Some("box"), claude.pane));
    assert_eq!(&*member.server, "s", "the name of the socket");
    // A screen that is looked at comes along, and a command is answered by the engine there.
    member.handle.commands.set_interest(Interest { focus: Some(claude.pane), watched: true, ..Interest::default() });
    let mut snapshots = member.handle.snapshots.clone();
    let shown = snapshots.wait_for(|snapshot| snapshot.preview.as_ref().is_some_and(|p| p.pane_id == claude.pane));
    timeout(PATIENCE, shown).await.expect("a screen").expect("the engine lives");
    member.handle.commands.ask(Command::PoolSize(7)).await.expect("the engine does it");
    let refused = member.handle.commands.ask(Command::Strategy("nowhere".to_owned())).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("nowhere")), "and says when it does not");
    // What changes there is seen here.
    place.stage.show(&claude, IDLE);
    let idle = snapshots.wait_for(|snapshot| snapshot.agents.iter().all(|agent| agent.state.to_string() == "idle"));
    timeout(PATIENCE, idle).await.expect("the change").expect("the engine lives");
    assert!(host.skew().is_some_and(|skew| skew.abs().as_secs() < 5) && !host.read_only());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn engine_and_bridge_are_lost_and_found() {
    let place = Place::new();
    let claude = place.stage.agent("one", IDLE);
    let host = place.link();
    let watched = member(&host, 1).await;
    let interest = Interest { focus: Some(claude.pane), watched: true, ..Interest::default() };
    watched.handle.commands.set_interest(interest);
    // The engine is killed: its agents are the last known until another one runs, behind the same handle.
    place.kill("--daemon");
    let mut snapshots = watched.handle.snapshots.clone();
    let stale = snapshots.wait_for(|snapshot| snapshot.agents.iter().all(|agent| agent.stale));
    timeout(PATIENCE, stale).await.expect("marked as such").expect("the handle stays");
    let again = member(&host, 1).await;
    assert!(host.state().borrow().is_up() && again.key == watched.key);
    let seen = snapshots.wait_for(|snapshot| snapshot.preview.is_some());
    timeout(PATIENCE, seen).await.expect("what was looked at still is").expect("the handle stays");
    // The bridge is killed.
    place.kill("bridge");
    wait(&host, "it is lost", |state| state.why().is_some()).await;
    let refused = watched.handle.commands.ask(Command::Refresh).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("box is not reached")));
    wait(&host, "it is up again", LinkState::is_up).await;
    member(&host, 1).await;
    assert_eq!(host.members().borrow().len(), 1);
    // And nothing of it is left when it is not wanted any more.
    let bridges = place.processes("bridge");
    drop(host);
    wait_for("the bridge's end", PATIENCE, || bridges.iter().all(|pid| !alive(*pid)));
}

/// What a host has is shown as a server of it, and is acted on through it; hosts that name each other do not go round.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bridge_serves_its_own_hosts_and_no_further() {
    let (bastion, inner) = (Place::new(), Place::new());
    let claude = inner.stage.agent("one", ASKS);
    for (place, name, other) in [(&bastion, "box", &inner), (&inner, "bastion", &bastion)] {
        let Connector::Command(words) = other.config(&[]).connector else { panic!("a command") };
        let hosts = serde_json::json!({ "hosts": [{ "name": name, "connect": words }] });
        let orc = place.stage.server.home().join("orc");
        std::fs::create_dir_all(&orc).unwrap();
        std::fs::write(orc.join("config.yaml"), hosts.to_string()).unwrap();
    }
    let config = HostConfig { name: "bastion".to_owned(), ..bastion.config(&[]) };
    let host = open(config, Links::new(None, false));
    let mut members = host.members();
    let both =
        timeout(PATIENCE * 2, members.wait_for(|members| members.iter().any(|member| member.server == "box"))).await;
    let through = both.expect("the host's own host").unwrap().iter().find(|m| m.server == "box").unwrap().clone();
    through.handle.commands.set_interest(Interest { focus: Some(claude.pane), watched: true, ..Interest::default() });
    let mut snapshots = through.handle.snapshots.clone();
    let asks = snapshots.wait_for(|all| all.preview.is_some() && all.agents.iter().any(|a| !a.choices.is_empty()));
    let snapshot = timeout(PATIENCE, asks).await.expect("its agent").unwrap();
    let agent = &snapshot.agents[0];
    assert_eq!((agent.host.as_deref(), &*agent.server), (Some("bastion"), "box"));
    let seen = Seen::of(agent, snapshot.preview.as_deref());
    let choice = seen.choices.iter().position(|choice| choice.label == "No").expect("an answer");
    let act = serde_json::to_value(Act::Answer { pane: claude.pane, choice, seen }).unwrap();
    let reaction = claude.react("4", WORKS);
    let answer = host.act(&through.key, act).await.expect("an answer");
    assert_eq!(answer["ok"], true, "{answer}");
    reaction.join().expect("the key came");
    assert_eq!((bastion.processes("bridge").len(), inner.processes("bridge").len()), (1, 1));
    // The host behind is lost: its agents are the last known, the way to the first is as it was.
    inner.kill("bridge");
    let stale = snapshots.wait_for(|all| all.agents.iter().all(|agent| agent.stale));
    timeout(PATIENCE, stale).await.expect("marked").unwrap();
    assert!(host.state().borrow().is_up());
    let back = snapshots.wait_for(|all| all.agents.iter().any(|agent| !agent.stale));
    timeout(PATIENCE, back).await.expect("back").unwrap();
}

/// A bridge with a test in the place of its hub.
struct Spoken {
    child: Child,
    lines: std::sync::mpsc::Receiver<String>,
}

impl Spoken {
    fn start(place: &Place, options: &[&str]) -> Self {
        let mut command = place.stage.server.orc(&[&["bridge"], options].concat()).command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("the bridge starts");
        let (tell, lines) = std::sync::mpsc::channel();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        Self { child, lines }
    }

    fn line(&self, what: &str, good: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let line = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())).expect(what);
            if good(&line) {
                return line;
            }
        }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("its input"), "{line}").expect("it reads");
    }

    fn member(&self) -> String {
        let line = self.line("its members", |line| line.starts_with("- {\"members\":[{"));
        let json: serde_json::Value = serde_json::from_str(&line[2..]).expect("JSON");
        json["members"][0]["key"].as_str().expect("a key").to_owned()
    }
}

impl Drop for Spoken {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn the_same_number_is_done_once_and_what_is_not_understood_is_said() {
    let place = Place::new();
    let claude = place.stage.agent("one", IDLE);
    let mut bridge = Spoken::start(&place, &[]);
    let key = bridge.member();
    bridge.say("- {\"ping\":41}");
    bridge.line("an answer", |line| line == "- {\"pong\":41}");
    let act = format!("{key} {{\"act\":{{\"id\":5,\"act\":{{\"jump\":{{\"pane\":\"{}\"}}}}}}}}", claude.pane);
    for (line, said) in [
        (act.as_str(), "a jump to another host"),
        (act.as_str(), "this was asked for before"),
        (&format!("{key} {{\"act\":{{\"id\":6,\"act\":{{\"dance\":1}}}}}}"), "does not understand"),
    ] {
        bridge.say(line);
        let answer = bridge.line("an answer", |line| line.contains("{\"acted\":"));
        assert!(answer.contains("\"ok\":false") && answer.contains(said), "{answer}");
    }
    // What is no line of ours, or for nobody, is passed over.
    for line in ["", "x", "\u{1b}[2J", "nobody {\"ping\":null}", "- {\"new\":1}", &format!("{key} \u{0}")] {
        bridge.say(line);
    }
    bridge.say("- {\"ping\":42}");
    bridge.line("it goes on", |line| line == "- {\"pong\":42}");
    // Its hub is gone.
    drop(bridge.child.stdin.take());
    wait_for("its end", PATIENCE, || bridge.child.try_wait().expect("a child").is_some());
}

#[test]
fn a_hub_that_falls_silent_or_reads_nothing_is_not_waited_for() {
    let place = Place::new();
    let mut silent = Spoken::start(&place, &[]);
    silent.member();
    let begun = Instant::now();
    wait_for("its end", PATIENCE * 2, || silent.child.try_wait().expect("a child").is_some());
    let took = begun.elapsed();
    assert!((Duration::from_secs(25)..Duration::from_secs(45)).contains(&took), "{took:?}");
    assert!(silent.lines.try_iter().any(|line| line.contains("nothing came for 30 s")), "it says why");
}

#[test]
fn an_engine_that_was_started_for_a_hub_ends_when_it_was_idle_for_long() {
    let place = Place::new();
    let said = place.stage.server.orc(&["monitor", "start", "--until-idle", "6s"]).stdout();
    assert!(said.contains("monitoring started"), "{said}");
    let engines = place.processes("--daemon");
    assert_eq!(engines.len(), 1);
    let client = Spoken::start(&place, &[]);
    client.member();
    client.line("the engine's hello", |line| line.contains(" {\"hello\":"));
    let begun = Instant::now();
    wait_for("some time with a client", PATIENCE, || begun.elapsed() > Duration::from_secs(9));
    assert!(alive(engines[0]), "somebody is there");
    drop(client);
    wait_for("its end", PATIENCE, || !alive(engines[0]));
}

#[test]
fn all_servers_are_members_for_as_long_as_they_run() {
    let place = Place::new();
    // In tmux's own directory, as TMUX_TMPDIR has it.
    for name in ["default", "work"] {
        let mut command = std::process::Command::new(crate::support::tmux_program());
        command.args(["-f", "/dev/null", "-L", name, "new-session", "-d", "exec sh"]);
        assert!(place.stage.server.isolate(&mut command).status().expect("tmux").success());
    }
    let bridge = Spoken::start(&place, &["--server", "all"]);
    let line = bridge.line("both", |line| line.contains("\"name\":\"default\"") && line.contains("\"name\":\"work\""));
    assert!(line.starts_with("- {\"members\":["), "{line}");
    for name in ["default", "work"] {
        let mut command = std::process::Command::new(crate::support::tmux_program());
        command.args(["-L", name, "kill-server"]);
        place.stage.server.isolate(&mut command).status().expect("tmux");
    }
    bridge.line("neither", |line| line == "- {\"members\":[]}");
}
