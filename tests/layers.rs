//! The law of the layers: tmux <- monitor <- app <- ui <- main, each importing only those before it; and the house
//! rule that a file's first line says what it is.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The layers from the bottom; a layer may name itself and those before it.
const LAYERS: [&str; 4] = ["tmux", "monitor", "app", "ui"];

#[test]
fn each_layer_imports_only_those_before_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut broken = Vec::new();
    for file in sources(&root) {
        let relative = file.strip_prefix(&root).expect("a path under src");
        let Some(rank) = rank_of(relative) else { continue };
        let text = fs::read_to_string(&file).expect("a readable source");
        for (line, name) in imports(&text) {
            if LAYERS.iter().position(|layer| *layer == name).is_some_and(|imported| imported > rank) {
                broken.push(format!("src/{}:{line}: {} must not know {name}", relative.display(), LAYERS[rank]));
            }
        }
    }
    assert!(broken.is_empty(), "the law of the layers is broken:\n{}", broken.join("\n"));
}

#[test]
fn every_file_says_first_what_it_is() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let silent: Vec<_> = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| sources(&root.join(folder)))
        .filter(|file| !fs::read_to_string(file).expect("a readable source").starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "the first line of a file says what it is (`//! ...`), but not in {silent:?}");
}

#[test]
fn the_check_sees_every_way_to_name_a_layer() {
    let source = "\
use crate::ui::Theme;
use crate::{
    tmux::{Pane, PaneId},
    app,
};
fn f() { crate::monitor::run() } // crate::ui in a comment
pub use super::super::ui;
/// [`crate::ui`] in the documentation
use tmux_orc::main;
";
    let found = imports(source);
    assert_eq!(
        found,
        [
            (1, "ui".into()),
            (3, "tmux".into()),
            (4, "app".into()),
            (6, "monitor".into()),
            (7, "ui".into()),
            (9, "main".into()),
        ]
    );
    assert_eq!(rank_of(Path::new("ui/panels/pool.rs")), Some(3));
    assert_eq!(rank_of(Path::new("tmux/mod.rs")), Some(0));
    assert_eq!(rank_of(Path::new("main.rs")), None);
}

/// All Rust files under a folder, recursively; none when there is no such folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Which layer a path under `src` belongs to; `None` for the crate's roots, which may see all.
fn rank_of(relative: &Path) -> Option<usize> {
    let first = relative.components().next()?.as_os_str().to_str()?;
    LAYERS.iter().position(|layer| *layer == first.trim_end_matches(".rs"))
}

/// Every first segment after `crate::`, `tmux_orc::` or a chain of `super::`, with its line from 1. Comments don't count.
fn imports(source: &str) -> Vec<(usize, String)> {
    let text: String = source
        .lines()
        .map(|line| line.split_once("//").map_or(line, |(code, _)| code))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for marker in ["crate::", "tmux_orc::", "super::"] {
        for (at, _) in text.match_indices(marker) {
            let before = text[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &text[at + marker.len()..];
            for (offset, name) in first_segments(rest) {
                let line = text[..at + marker.len() + offset].matches('\n').count() + 1;
                if name != "super" {
                    found.push((line, name));
                }
            }
        }
    }
    found.sort();
    found
}

/// The name at the start of `rest`, or all names one level into a group `{a::b, c}`, with their byte offsets.
fn first_segments(rest: &str) -> Vec<(usize, String)> {
    if !rest.starts_with('{') {
        return vec![(0, name_at(rest))];
    }
    let mut names = Vec::new();
    let (mut depth, mut expects_name) = (0_usize, false);
    for (at, c) in rest.char_indices() {
        match c {
            '{' => {
                depth += 1;
                expects_name = depth == 1;
            }
            '}' if depth == 1 => break,
            '}' => depth -= 1,
            ',' => expects_name = depth == 1,
            c if expects_name && !c.is_whitespace() => {
                names.push((at, name_at(&rest[at..])));
                expects_name = false;
            }
            _ => {}
        }
    }
    names
}

/// The identifier that `text` starts with.
fn name_at(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}
