//! The day of the agents: strips below an axis, the sums and the waits of the selected one, and what stands there instead.

use std::sync::Arc;

use tmux_orc::app::core::message::Message;

use super::sample;
use super::sample::stage::Stage;

fn stage(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::new(sample::snapshot(sample::at_work()), columns, rows);
    stage.keys("h");
    stage
}

#[test]
fn a_day_is_a_strip_for_each_and_its_waits_for_the_selected_one() {
    for (columns, rows) in [(200, 55), (120, 35), (80, 24), (60, 20), (40, 30), (24, 8)] {
        let mut stage = stage(columns, rows);
        stage.tell(Message::Day(Ok(Arc::new(sample::day(16)))));
        insta::assert_snapshot!(format!("day-{columns}x{rows}"), stage.text());
    }
    let mut stage = stage(80, 24);
    stage.tell(Message::Ascii(true));
    stage.tell(Message::Day(Ok(Arc::new(sample::day(40)))));
    stage.keys("G");
    insta::assert_snapshot!("day-ascii-gone", stage.text());
}

#[test]
fn what_cannot_be_shown_is_said() {
    let mut stage = stage(80, 24);
    assert!(stage.text().contains("Reading the journal"));
    stage.tell(Message::Day(Ok(Arc::new(sample::day(0)))));
    assert!(stage.text().contains("Nothing was watched today"), "{}", stage.text());
    let why = "/home/u/.tmux_orchestrator/events: cannot list the journal: Permission denied (os error 13); free space or set \
               TMUX_ORC_HOME to a directory that you can write";
    stage.tell(Message::Day(Err(why.into())));
    insta::assert_snapshot!("day-not-read", stage.text());
    assert!(stage.text().contains("Permission"));
}
