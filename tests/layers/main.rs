//! The walls of the house: layers and rooms that each know only those below them, rooms without files and clocks, no
//! circles; and what every file says first.

mod made_up;
mod source;
mod tree;
mod walls;

use std::{fs, path::Path};

use crate::{source::Source, tree::Tree, walls::Breach};

/// Fails with every breach.
fn none(wall: &str, breaches: Vec<Breach>) {
    let mut breaches: Vec<String> =
        breaches.into_iter().map(|breach| format!("{}: {}", breach.at, breach.what)).collect();
    breaches.dedup();
    assert!(breaches.is_empty(), "{wall}:\n{}", breaches.join("\n"));
}

#[test]
fn each_layer_knows_only_those_before_it() {
    none("tmux <- monitor <- app <- ui <- main", walls::layers(Tree::of_this_crate()));
}

#[test]
fn each_room_knows_only_those_that_it_may() {
    none("the rooms are not as tests/layers/walls.rs says", walls::rooms(Tree::of_this_crate()));
}

#[test]
fn every_room_has_its_row() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let folders = |layer: &str| -> Vec<String> {
        let entries = fs::read_dir(root.join(layer)).expect("a layer").map(|entry| entry.expect("an entry"));
        let folders = entries.filter(|entry| entry.path().is_dir());
        folders.map(|entry| format!("{layer}/{}", entry.file_name().to_string_lossy())).collect()
    };
    let all = [folders("monitor"), folders("app")].concat();
    assert!(all.len() > 10);
    assert_eq!(walls::untold(&all), Vec::<&String>::new(), "rooms without a row in tests/layers/walls.rs");
    let new = ["monitor/attic".to_owned()];
    assert_eq!(walls::untold(&new), [&new[0]]);
}

#[test]
fn no_circle_goes_through_several_rooms() {
    none("a circle of imports", walls::circles(Tree::of_this_crate()));
}

#[test]
fn pure_rooms_touch_no_file_no_process_and_no_clock() {
    let tree = Tree::of_this_crate();
    none("data in, data out", walls::purity(tree));
    assert_eq!(walls::stale_exceptions(tree), Vec::<&str>::new(), "exceptions that nothing needs any more");
}

#[test]
fn every_file_says_first_what_it_is_and_why_it_is_long() {
    none("the first lines", every_file().iter().flat_map(|(file, text)| walls::first_lines(file, text)).collect());
}

#[test]
fn one_thing_has_one_name() {
    let of = |(file, text): &(String, String)| walls::aliases(&Source::parse(&[], file, text));
    none("imported under another name", every_file().iter().flat_map(of).collect());
}

#[test]
fn what_one_file_wraps_no_other_knows() {
    let of = |file: &str, text: &str| walls::wrapped(&Source::parse(&[], file, text));
    none("wrapped libraries", every_file().iter().flat_map(|(file, text)| of(file, text)).collect());
    assert_eq!(of("src/other.rs", "fn f() { serde_yaml::from_str(text) }").len(), 1);
    let own = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/yaml.rs")).expect("there");
    assert!(!of("src/other.rs", &own).is_empty() && of("src/yaml.rs", &own).is_empty());
}

/// Path and text of every Rust file of the repository.
fn every_file() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["src", "tests", "benches", "fuzz/fuzz_targets"];
    let files: Vec<_> = folders.iter().flat_map(|folder| tree::files(&root.join(folder))).collect();
    assert!(files.len() > 200, "the sources are not found: {}", files.len());
    let read = |file: &std::path::PathBuf| {
        let relative = file.strip_prefix(root).expect("a path of the repository");
        (relative.display().to_string(), fs::read_to_string(file).expect("a readable source"))
    };
    files.iter().map(read).collect()
}
