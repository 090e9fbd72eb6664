//! What watching costs, in counts that need no quiet machine: tmux requests, captures, allocations, bytes. Fleets that a
//! script plays under a paused clock give the same counts on every machine; `make counts` holds them against those of the
//! commit before, which stand in `benches/counts.json`.

mod compare;
mod soak;
mod stage;

use std::{alloc::System, collections::BTreeMap, fs, time::Duration};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use crate::counts::compare::{better, worse};
use crate::counts::stage::Stage;
use crate::monitor::AgentState;
use crate::monitor::engine::paused::{PERMISSION, WORKING, write};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Counts of one scenario by their names.
type Counts = BTreeMap<String, u64>;

/// How long each scenario lasts.
const SPAN: Duration = Duration::from_secs(10);
/// Time between two redraws of a busy agent.
const REDRAWS: Duration = Duration::from_millis(100);

#[tokio::test(start_paused = true)]
#[ignore = "counts what the whole process allocates, so it runs alone: make counts"]
async fn no_count_rises() {
    let now = BTreeMap::from([
        ("100 agents at rest, 10 s".to_owned(), at_rest(100).await),
        ("30 of 100 redraw ten times a second, 10 s".to_owned(), busy(100, 30).await),
        ("one of 100 at rest asks, 10 s".to_owned(), asks(100).await),
        ("1000 agents at rest, 10 s".to_owned(), at_rest(1000).await),
    ]);
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/counts.json");
    if std::env::var_os("UPDATE").is_some_and(|update| !update.is_empty()) {
        let text = serde_json::to_string_pretty(&now).expect("JSON") + "\n";
        return fs::write(file, text).expect("benches/counts.json is written");
    }
    let text = fs::read_to_string(file).expect("benches/counts.json is there; `make counts UPDATE=1` makes it");
    let before = serde_json::from_str(&text).expect("benches/counts.json is read");
    println!("{}", serde_json::to_string_pretty(&now).expect("JSON"));
    for better in better(&before, &now) {
        println!("better: {better}");
    }
    let worse = worse(&before, &now);
    assert!(worse.is_empty(), "worse than before (`make counts UPDATE=1` takes it):\n{}", worse.join("\n"));
}

/// Nothing happens.
async fn at_rest(agents: u32) -> Counts {
    Stage::start(agents).await.count(SPAN).await
}

/// Some work and show it.
async fn busy(agents: u32, busy: usize) -> Counts {
    let stage = Stage::start(agents).await;
    let script = stage.script.clone();
    // Of one length, so that the script allocates nothing.
    let screens = ["1", "2"].map(|sign| format!("{sign}{WORKING}"));
    let redraws = tokio::spawn(async move {
        for screen in screens.iter().cycle() {
            (0..busy).for_each(|index| write(&script, index, screen));
            tokio::time::sleep(REDRAWS).await;
        }
    });
    tokio::time::sleep(SPAN).await;
    let counts = stage.count(SPAN).await;
    redraws.abort();
    let seen = stage.snapshot().agents.iter().filter(|agent| agent.state == AgentState::Working).count();
    assert_eq!(seen, busy, "what was counted was the work of seeing them");
    counts
}

/// One comes to ask.
async fn asks(agents: u32) -> Counts {
    let stage = Stage::start(agents).await;
    write(&stage.script, 7, PERMISSION);
    let shows = stage.shows(|snapshot| snapshot.agents[7].state == AgentState::Waiting);
    let (mut counts, shown) = tokio::join!(stage.count(SPAN), shows);
    counts.insert("ms until a client shows it".to_owned(), u64::try_from(shown.as_millis()).expect("short"));
    counts
}
