//! Instruments that have the whole screen, at the smallest and at a large size.

use super::sample;
use super::sample::stage::Stage;

#[test]
fn an_instrument_is_a_page() {
    for (name, keys) in
        [("pool", "z tab tab"), ("cache", "z tab tab tab"), ("cycle", "z tab tab tab tab"), ("tune", "t")]
    {
        for (columns, rows) in [(80, 24), (200, 55)] {
            let mut stage = Stage::new(sample::snapshot(sample::at_work()), columns, rows);
            stage.keys(keys);
            insta::assert_snapshot!(format!("page-{name}-{columns}x{rows}"), stage.text());
        }
    }
}
