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
    let write = |name: &str, stage: &Stage, theme: &str| {
        std::fs::write(folder.join(format!("{name}.ansi")), stage.ansi(theme)).unwrap();
    };
    for (columns, rows) in
        [(80, 24), (120, 35), (140, 42), (200, 55), (60, 20), (40, 30), (100, 40), (140, 24), (19, 12)]
    {
        write(&format!("{columns}x{rows}"), &Stage::new(sample::snapshot(sample::twelve()), columns, rows), "dark");
    }
    let scene = |keys: &str| {
        let mut stage = Stage::new(sample::snapshot(sample::twelve()), 140, 42);
        if !keys.is_empty() {
            stage.keys(keys);
        }
        stage
    };
    for theme in ["light", "high-contrast", "colour-blind", "mono"] {
        write(theme, &scene(""), theme);
    }
    write("help", &scene("?"), "dark");
    write("palette", &scene(": p o o"), "dark");
    write("tune", &scene("t + s"), "dark");
    write("answer", &scene("y"), "dark");
    write("grouped", &scene("b"), "dark");
    write("zoom-cycle", &scene("tab tab tab tab z"), "dark");
    write("zoom-cache", &scene("tab tab tab z"), "dark");
    let mut stage = Stage::new(sample::snapshot(sample::twelve()), 80, 24);
    stage.keys("p");
    write("preview80", &stage, "dark");
    write("none", &Stage::new(sample::blank(tmux_orc::monitor::ServerStatus::NoServer), 120, 35), "dark");
    write("foreign", &Stage::new(sample::snapshot(sample::foreign()), 120, 35), "dark");
    write("many", &Stage::new(sample::snapshot(sample::many(100)), 200, 55), "dark");
}
