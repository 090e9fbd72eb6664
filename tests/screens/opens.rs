//! What the dashboard may open with: the list to pick an agent from, and the tour.

use tmux_orc::app::core::tour::STEPS;

use super::{sample::stage::Stage, twelve};

#[test]
fn the_list_to_pick_from_at_every_size() {
    for (columns, rows) in [(80, 24), (120, 35), (200, 55), (40, 12)] {
        let mut stage = Stage::new(twelve(), columns, rows);
        stage.keys("J down");
        insta::assert_snapshot!(format!("pick-{columns}x{rows}"), stage.text());
    }
    let mut stage = Stage::new(twelve(), 120, 35);
    stage.keys("J");
    stage.types("claude");
    insta::assert_snapshot!("pick-typed", stage.text());
}

#[test]
fn every_step_of_the_tour_has_its_box() {
    for (columns, rows) in [(80, 24), (120, 35)] {
        let mut stage = Stage::new(twelve(), columns, rows);
        for (at, step) in STEPS.iter().enumerate() {
            stage.state.tour = Some(at);
            let text = stage.text();
            assert!(text.contains(step.then) && text.contains("end the tour"), "{columns}x{rows}:\n{text}");
            insta::assert_snapshot!(format!("tour-{columns}x{rows}-{}", at + 1), text);
        }
    }
}
