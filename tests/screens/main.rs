//! What the dashboard shows: a picture in text for each state and size, and the colours of each theme.

#[path = "../sample/mod.rs"]
mod sample;

mod stage;

use stage::Stage;

/// Writes pictures with colours for a person to look at: `PAINT=DIR cargo test --test screens paint -- --ignored`.
#[test]
#[ignore = "for a person to look at"]
fn paint() {
    let Ok(folder) = std::env::var("PAINT") else { return };
    let folder = std::path::Path::new(&folder);
    for (columns, rows) in [(80, 24), (120, 35), (140, 42), (200, 55), (60, 20), (40, 30), (100, 40), (140, 24)] {
        let stage = Stage::new(sample::snapshot(sample::twelve()), columns, rows);
        std::fs::write(folder.join(format!("{columns}x{rows}.ansi")), stage.ansi("dark")).unwrap();
    }
}
