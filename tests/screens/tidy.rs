//! What a user puts on agents, as it is shown: pinned, muted, named, with a note; parked and snoozed ones folded and open.

use tmux_orc::monitor::{Agent, Snapshot};

use super::sample;
use super::sample::stage::Stage;

/// The twelve at work, some of them tidied.
fn tidied() -> Snapshot {
    let mut snapshot = sample::snapshot(sample::at_work());
    let until = snapshot.timestamp + jiff::SignedDuration::from_secs(540);
    let mut tidy = |at: usize, change: &dyn Fn(&mut Agent)| change(snapshot.agents.get_mut(at).unwrap());
    tidy(2, &|agent| agent.parked = true);
    tidy(5, &|agent| agent.parked = true);
    tidy(6, &|agent| (agent.snoozed, agent.snoozed_until) = (true, Some(until)));
    tidy(8, &|agent| agent.pinned = true);
    tidy(1, &|agent| {
        (agent.name, agent.given_name) = ("parser".into(), Some("parser".into()));
        agent.note = Some("rewrites the lexer; ask before it merges".into());
        agent.muted = true;
    });
    snapshot
}

#[test]
fn who_is_tidied_says_so_and_who_is_out_of_the_way_has_one_line() {
    for (columns, rows) in [(200, 55), (120, 35), (80, 24)] {
        let mut stage = Stage::new(tidied(), columns, rows);
        insta::assert_snapshot!(format!("tidy-{columns}x{rows}"), stage.text());
        stage.keys("a");
        insta::assert_snapshot!(format!("tidy-open-{columns}x{rows}"), stage.text());
    }
    let mut stage = Stage::new(tidied(), 40, 30);
    stage.keys("a");
    insta::assert_snapshot!("tidy-open-40x30", stage.text());
    let mut stage = Stage::new(tidied(), 120, 35);
    stage.keys("b");
    insta::assert_snapshot!("tidy-grouped", stage.text());
}

#[test]
fn the_choice_of_a_snooze_and_the_form_stand_over_the_list() {
    for (columns, rows) in [(120, 35), (80, 24)] {
        let mut stage = Stage::new(tidied(), columns, rows);
        stage.keys("Z j");
        insta::assert_snapshot!(format!("tidy-snooze-{columns}x{rows}"), stage.text());
        stage.keys("esc N");
        stage.types("parser");
        stage.keys("tab");
        stage.types("rewrites the lexer");
        insta::assert_snapshot!(format!("tidy-form-{columns}x{rows}"), stage.text());
    }
}
