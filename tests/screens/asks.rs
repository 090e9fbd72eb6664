//! Rows of agents that ask something, and the box of their answers.

use super::sample::{self, stage::Stage};

#[test]
fn who_needs_its_user_shows_what_is_asked() {
    let asking = || sample::snapshot(sample::asking());
    for (columns, rows) in [(80, 24), (100, 30), (120, 35), (200, 55), (250, 70), (40, 30)] {
        let mut stage = Stage::new(asking(), columns, rows);
        stage.check();
        insta::assert_snapshot!(format!("{columns}x{rows}"), stage.text());
        stage.keys("y");
        stage.check();
        insta::assert_snapshot!(format!("answer-{columns}x{rows}"), stage.text());
    }
    for (name, keys) in [("zoomed", "z"), ("grouped", "b"), ("filtered", "/ c l a u d e enter")] {
        let mut stage = Stage::new(asking(), 200, 55);
        stage.keys(keys);
        stage.check();
        insta::assert_snapshot!(name, stage.text());
    }
    let mut stage = Stage::new(asking(), 120, 35);
    stage.state.ascii = true;
    insta::assert_snapshot!("ascii", stage.text());
    // With very many agents who needs its user is read in full all the same.
    let mut many = sample::many(56);
    many.extend(sample::asking().into_iter().filter(|agent| agent.state.needs_user()));
    many.retain(|agent| agent.state.needs_user() || agent.pane_id.0 % 2 == 0);
    let stage = Stage::new(sample::snapshot(many), 120, 35);
    insta::assert_snapshot!("among-many", stage.text());
}
