//! Acts over a bridge: done there, on what was seen, refused as here, kept in the journal there, and never twice.

use tmux_orc::app::core::act::{Act, Seen};
use tmux_orc::monitor::{ActLost, Agent, HostConfig, Interest, LinkState, LinkedHost, Links, link::open};

use crate::place::{Place, member, wait};
use crate::stage::{ASKS, Actress, IDLE, WORKS};
use crate::support::{PATIENCE, signal, wait_for};

async fn perform(host: &LinkedHost, key: &str, act: &Act) -> (bool, String) {
    let answer = host.act(key, serde_json::to_value(act).expect("JSON")).await.expect("an answer");
    (answer["ok"].as_bool().expect("ok"), answer["text"].as_str().expect("text").to_owned())
}

/// What a dashboard here sees of the agent there.
async fn seen(host: &LinkedHost, claude: &Actress, state: &str) -> (String, Seen) {
    let member = member(host, 1).await;
    member.handle.commands.set_interest(Interest { focus: Some(claude.pane), watched: true, ..Interest::default() });
    let mut snapshots = member.handle.snapshots.clone();
    let found = snapshots.wait_for(|all| {
        let is_so = |agent: &Agent| agent.pane_id == claude.pane && agent.state.to_string() == state;
        all.agents.iter().any(is_so) && all.preview.as_ref().is_some_and(|preview| preview.pane_id == claude.pane)
    });
    let snapshot = tokio::time::timeout(PATIENCE, found).await.expect(state).expect("it lives");
    (member.key, Seen::of(&snapshot.agents[0], snapshot.preview.as_deref()))
}

fn answer(claude: &Actress, seen: &Seen, label: &str) -> Act {
    let choice = seen.choices.iter().position(|choice| choice.label == label).expect(label);
    Act::Answer { pane: claude.pane, choice, seen: seen.clone() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_given_there_and_a_changed_prompt_gets_nothing() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let host = place.link();
    let (key, shown) = seen(&host, &claude, "waiting").await;
    let reaction = claude.react("4", WORKS);
    let (ok, text) = perform(&host, &key, &answer(&claude, &shown, "No")).await;
    assert!(ok && text == "main:1.0: answered 'No', now working", "{text}");
    reaction.join().expect("the stand-in got its key");
    // Answered by now: what was seen is no more.
    let (ok, text) = perform(&host, &key, &answer(&claude, &shown, "Yes")).await;
    assert!(!ok && text.contains("working now"), "{text}");
    assert_eq!(claude.input(), "4", "nothing more was sent");
    let journal =
        tmux_orc::app::journal::read_since(&place.stage.server.home().join("orc/events"), jiff::Timestamp::MIN);
    let acts =
        journal.expect("a journal there").into_iter().filter(|record| format!("{record:?}").contains("Acted(")).count();
    assert_eq!(acts, 2, "both are kept there");
    // A pane that is gone.
    place.stage.server.run(&["kill-pane", "-t", &claude.pane.to_string()]);
    let (ok, text) = perform(&host, &key, &Act::Interrupt { pane: claude.pane, seen: shown }).await;
    assert!(!ok && text.contains("gone"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_arrives_there_as_it_was_written() {
    let place = Place::new();
    let claude = place.stage.agent("one", IDLE);
    let host = place.link();
    let (key, shown) = seen(&host, &claude, "idle").await;
    let text = "go on; $(rm -rf /) 'äöü'\nsecond line".to_owned();
    let wanted = place.stage.pasted(&claude, &text);
    perform(&host, &key, &Act::Reply { pane: claude.pane, text, seen: shown }).await;
    wait_for("the message", PATIENCE, || claude.input().contains(&wanted));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_holds_at_each_of_three_places() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let links = Links::new(None, false);
    let refusal = |text: &str| text.contains("--read-only or dashboard.read_only");
    // By the bridge's option.
    let host = open(place.config(&["--read-only"]), links.clone());
    let (key, shown) = seen(&host, &claude, "waiting").await;
    let act = answer(&claude, &shown, "Yes");
    assert!(host.read_only(), "and it says so");
    let (ok, text) = perform(&host, &key, &act).await;
    assert!(!ok && refusal(&text), "{text}");
    drop(host);
    // By our settings: it is not even asked.
    let config = HostConfig { read_only: true, ..place.config(&[]) };
    let host = open(config, links.clone());
    wait(&host, "it is up", LinkState::is_up).await;
    let refused = host.act(&key, serde_json::to_value(&act).unwrap()).await;
    assert!(matches!(refused, Err(ActLost::NotSent(_))), "{refused:?}");
    drop(host);
    // By the host's own settings.
    let orc = place.stage.server.home().join("orc");
    std::fs::write(orc.join("config.yaml"), "dashboard: { read_only: true }\n").unwrap();
    let host = open(place.config(&[]), links);
    let (key, _) = seen(&host, &claude, "waiting").await;
    let (ok, text) = perform(&host, &key, &act).await;
    assert!(!ok && refusal(&text), "{text}");
    assert_eq!(claude.input(), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_whose_answer_is_lost_is_not_done_again() {
    let place = Place::new();
    let claude = place.stage.agent("one", ASKS);
    let host = place.link();
    let (key, shown) = seen(&host, &claude, "waiting").await;
    // The stand-in does not react: what follows is waited for, and meanwhile the bridge is killed.
    let act = serde_json::to_value(answer(&claude, &shown, "No")).unwrap();
    let bridges = place.processes("bridge");
    let acting = tokio::spawn(host.act(&key, act));
    wait_for("the key", PATIENCE, || claude.input() == "4");
    bridges.into_iter().for_each(|pid| signal(pid, rustix::process::Signal::KILL));
    assert_eq!(acting.await.unwrap(), Err(ActLost::Unknown));
    wait(&host, "it is up again", LinkState::is_up).await;
    member(&host, 1).await;
    assert_eq!(claude.input(), "4", "pressed once");
}
