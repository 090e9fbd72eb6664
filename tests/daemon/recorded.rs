//! What engines of other versions said is read for ever: recorded streams, and one of an engine that is yet to come.
//!
//! `0.1.0.jsonl` is what the engine of version 0.1.0, protocol 1, said to a client that keeps history (`tail`), of the demo's
//! twelve agents; folders are masked. `first.jsonl` has the fields that the very first socket had, which said no `oldest`.
//! `newer.jsonl` has words, fields, kinds of lines and shapes that no version has.

use std::sync::Arc;

use tmux_orc::monitor::{AgentState, Client, EventKind, Health, ServerStatus, Snapshot, Wishes};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    time::timeout,
};

use super::support::PATIENCE;

/// What a client shows of a stream, and what it said itself.
async fn played(stream: &'static str, wishes: Wishes) -> (u32, Vec<Arc<Snapshot>>, String) {
    let (ours, mut theirs) = UnixStream::pair().expect("a pair");
    let engine = tokio::spawn(async move {
        theirs.write_all(stream.as_bytes()).await.expect("taken");
        theirs.shutdown().await.expect("ended");
        let mut said = String::new();
        theirs.read_to_string(&mut said).await.expect("text");
        said
    });
    let watch = async {
        let mut client = Client::over(ours, wishes).await.expect("a hello");
        let mut shown = Vec::new();
        while let Ok(snapshot) = client.snapshot().await {
            shown.push(snapshot);
        }
        (client.protocol, shown)
    };
    let (protocol, shown) = timeout(PATIENCE, watch).await.expect("in time");
    (protocol, shown, engine.await.expect("played"))
}

fn states(snapshot: &Snapshot) -> Vec<String> {
    snapshot.agents.iter().map(|agent| format!("{} {}", agent.pane_id, agent.state)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_0_1_0() {
    for wishes in [Wishes::local(true), Wishes::remote()] {
        let (protocol, shown, said) = played(include_str!("recorded/0.1.0.jsonl"), wishes).await;
        assert_eq!((protocol, shown.len()), (1, 3));
        assert!(!said.contains("again"), "{said}");
        let [first, second, third] = &shown[..] else { panic!("three") };
        assert_eq!(first.agents.len(), 12);
        assert!(states(first).contains(&"%6 working".to_owned()) && states(second).contains(&"%6 error".to_owned()));
        assert!(states(third).contains(&"%10 idle".to_owned()));
        assert_eq!((first.events.len(), second.events.len()), (12, 13), "what is new is put to what was there");
        let EventKind::Transition { to, evidence, .. } = &second.events[12].what else { panic!("{second:?}") };
        assert_eq!((*to, evidence.rule.as_str()), (AgentState::Error, "codex/error.turn"));
        let retries = first.agents.iter().find(|agent| agent.pane_id.0 == 6).expect("there");
        assert_eq!((retries.kind.as_deref(), retries.version.as_deref()), (Some("retrying"), Some("0.169.0")));
        assert_eq!(retries.cwd.as_deref(), Some("/home/user/src/docs"));
        assert_eq!((first.server.status, &*first.settings.transport), (ServerStatus::Reachable, "auto"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_the_first_socket() {
    let (protocol, shown, _) = played(include_str!("recorded/first.jsonl"), Wishes::local(true)).await;
    assert_eq!((protocol, shown.len()), (1, 1));
    let agents = &shown[0].agents;
    assert_eq!((agents.len(), agents[0].tokens.shown.as_deref()), (4, Some("1.2k")));
    assert_eq!((agents[0].state, agents[1].state), (AgentState::Working, AgentState::Error));
    assert_eq!(shown[0].engine.started, jiff::Timestamp::UNIX_EPOCH, "it did not say");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_an_engine_that_is_yet_to_come() {
    let (protocol, shown, said) = played(include_str!("recorded/newer.jsonl"), Wishes::local(true)).await;
    assert_eq!((protocol, shown.len()), (2, 3), "{said}");
    let [first, second, third] = &shown[..] else { panic!("three") };
    assert_eq!(
        states(first),
        ["%0 unknown", "%1 error", "%2 working", "%6 working", "%7 waiting", "%8 working", "%9 waiting"]
    );
    assert_eq!((first.agents[1].health, &*first.agents[1].target), (Health::Healthy, "api:1.0"));
    assert_eq!((&*first.agents[3].agent, first.agents[3].tokens.shown.as_ref()), ("codex", None));
    assert_eq!((&*first.agents[5].target, &*first.agents[5].session), ("", "docs"), "the field alone is left out");
    assert_eq!(first.agents[6].transitions[0].to, AgentState::Idle);
    let words: Vec<String> = first.events.iter().map(|event| format!("{:?}", event.what)).collect();
    assert_eq!(words.len(), 4, "one had no number");
    assert!(words[0].contains("levitated") && words[1].contains("acted"), "{words:?}");
    assert_eq!((first.server.status, &*first.current_strategy), (ServerStatus::Unreachable, "clairvoyant"));
    assert_eq!(states(second)[1], "%1 unknown");
    assert_eq!(
        (second.agents.len(), &*second.agents[1].target, &second.notes[..]),
        (7, "new:0.0", &["later".to_owned()][..])
    );
    assert!(format!("{:?}", second.events.last()).contains("rained"));
    assert_eq!((third.agents.len(), &*third.current_strategy, third.engine.uptime), (6, "polling", 9.0));
}
