//! Each wall seen to stand: made-up sources with one breach of each kind, and the like that is none.

use crate::{
    source::Source,
    tree::Tree,
    walls::{self, Breach},
};

/// A crate of these files, with an empty one for each folder's root.
fn tree(files: &[(&str, &str)]) -> Tree {
    let mut all: Vec<(String, String)> =
        files.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect();
    for (file, _) in files {
        for (at, _) in file.match_indices('/') {
            let root = format!("{}/mod.rs", &file[..at]);
            if !all.iter().any(|(file, _)| *file == root) {
                all.push((root, String::new()));
            }
        }
    }
    all.push(("lib.rs".to_owned(), String::new()));
    Tree::new(&all)
}

fn said(breaches: Vec<Breach>) -> Vec<String> {
    breaches.into_iter().map(|breach| format!("{}: {}", breach.at, breach.what)).collect()
}

#[test]
fn a_layer_that_knows_one_above_it_is_seen_however_it_names_it() {
    let upward = "\
use crate::ui::Theme;
use crate::{
    tmux::Pane,
    app,
};
fn f() { crate::app::run(\"crate::ui\") } // crate::ui in a comment
pub use super::super::ui;
/// [`crate::ui`] in the documentation
fn g() -> [tmux_orc::ui::Theme; 1] { vec![crate::app::core::X] }
";
    let found = said(walls::layers(&tree(&[
        ("monitor/cycle.rs", upward),
        ("tmux/mod.rs", "pub struct Pane;"),
        ("app/core.rs", ""),
        ("ui/mod.rs", "pub struct Theme; use crate::app::core;"),
    ])));
    assert_eq!(
        found,
        [
            "src/monitor/cycle.rs:1: monitor must not know ui",
            "src/monitor/cycle.rs:4: monitor must not know app",
            "src/monitor/cycle.rs:6: monitor must not know app",
            "src/monitor/cycle.rs:7: monitor must not know ui",
            "src/monitor/cycle.rs:9: monitor must not know ui",
            "src/monitor/cycle.rs:9: monitor must not know app/core",
        ]
    );
}

#[test]
fn fuzzing_is_no_way_round_the_layers() {
    let found = said(walls::layers(&tree(&[
        ("fuzzing/mod.rs", "mod feed; pub use feed::Feed; use crate::ui;"),
        ("fuzzing/feed.rs", "pub struct Feed;"),
        ("tmux/fuzz.rs", "use crate::fuzzing::Feed;\nuse crate::fuzzing::TARGETS;\nuse crate::monitor::fuzz;"),
        ("monitor/fuzz.rs", ""),
        ("ui/mod.rs", ""),
    ])));
    assert_eq!(
        found,
        ["src/tmux/fuzz.rs:2: tmux must not know fuzzing", "src/tmux/fuzz.rs:3: tmux must not know monitor/fuzz"]
    );
}

#[test]
fn a_room_that_knows_one_above_it_is_seen_through_every_export() {
    let found = said(walls::rooms(&tree(&[
        ("monitor/mod.rs", "pub use crate::monitor::engine::core::Core; pub use snapshot::*;"),
        ("monitor/engine/core.rs", "pub struct Core; use crate::monitor::cycle::run;"),
        ("monitor/snapshot/mod.rs", "pub struct Agent;"),
        (
            "monitor/cycle/mod.rs",
            "use crate::monitor::{Agent, Core};\nuse super::engine;\nfn f() { engine::core::go() }",
        ),
        ("monitor/strategy/mod.rs", "use crate::monitor::Agent;\nuse crate::monitor::panes::Fleet;"),
        ("monitor/panes/mod.rs", "pub struct Fleet;\n#[cfg(test)] mod tests { use crate::monitor::Core; }"),
        ("monitor/detect/mod.rs", "pub(in crate::monitor) fn f() {}\nuse crate::monitor;\ntype A = monitor::Core;"),
        ("app/core/mod.rs", "use crate::app::act::Act;\nuse crate::monitor::clients;"),
        ("app/act/mod.rs", "pub struct Act; use crate::monitor::clients;"),
        ("monitor/clients/mod.rs", ""),
    ])));
    assert_eq!(
        found,
        [
            "src/app/core/mod.rs:1: app/core must not know app/act",
            "src/app/core/mod.rs:2: app/core must not know monitor/clients",
            "src/monitor/cycle/mod.rs:1: monitor/cycle must not know monitor/engine/core",
            "src/monitor/cycle/mod.rs:2: monitor/cycle must not know monitor/engine",
            "src/monitor/cycle/mod.rs:3: monitor/cycle must not know monitor/engine/core",
            "src/monitor/detect/mod.rs:3: monitor/detect must not know monitor/engine/core",
            "src/monitor/strategy/mod.rs:2: monitor/strategy must not know monitor/panes",
        ]
    );
}

#[test]
fn a_circle_is_seen_when_it_leaves_its_room() {
    let circle = |last: &str| {
        said(walls::circles(&tree(&[
            ("monitor/panes/a.rs", "use crate::monitor::panes::b::B; pub struct A;"),
            ("monitor/panes/b.rs", "use crate::monitor::facts::C; pub struct B;"),
            ("monitor/facts/mod.rs", "pub use crate::monitor::facts::c::C; mod c;"),
            ("monitor/facts/c.rs", last),
        ])))
    };
    assert_eq!(circle("pub struct C;"), Vec::<String>::new());
    assert_eq!(
        circle("pub struct C; #[cfg(test)] mod tests { use crate::monitor::panes::a::A; }"),
        Vec::<String>::new()
    );
    assert_eq!(
        circle("pub struct C; use crate::monitor::panes::a::A;"),
        ["monitor/facts/c: files import each other: monitor/facts/c, monitor/panes/a, monitor/panes/b"]
    );
    let inside = [
        ("monitor/panes/a.rs", "use crate::monitor::panes::b::B; pub struct A;"),
        ("monitor/panes/b.rs", "use crate::monitor::panes::a::A; pub struct B;"),
    ];
    assert_eq!(said(walls::circles(&tree(&inside))), Vec::<String>::new(), "a room may keep its own");
}

#[test]
fn a_pure_room_that_touches_the_world_is_seen() {
    let impure = "\
use std::{env, fs::File};
use std::net::UdpSocket;
use tokio::sync::mpsc;
fn f() { std::process::exit(1) }
fn g() -> Timestamp { Timestamp::now() }
fn h() { jiff::tz::TimeZone::system(); began.elapsed(); path.exists() }
fn i() { std::time::Instant::now(); println!(\"x\") }
fn fine(state: &State) { state.elapsed; \"std::fs\"; } // Timestamp::now
#[test]
fn j() { std::fs::read(\"x\"); }
#[cfg(test)]
mod tests { use std::env; fn k() { a.exists() } }
#[cfg(not(test))]
use std::thread;
";
    let found = said(walls::purity(&tree(&[
        ("app/core/state.rs", impure),
        ("app/act/mod.rs", impure),
        ("monitor/detect/mod.rs", "#[cfg(any(test, fuzzing))] pub mod fixture;"),
        ("monitor/detect/fixture.rs", impure),
    ])));
    let at = |line: usize, what: &str| format!("src/app/core/state.rs:{line}: {what} in a pure room");
    assert_eq!(
        found,
        [
            at(1, "std::env"),
            at(1, "std::fs::File"),
            at(2, "std::net::UdpSocket"),
            at(3, "tokio::sync::mpsc"),
            at(4, "std::process::exit"),
            at(5, "Timestamp::now"),
            at(6, "jiff::tz::TimeZone::system"),
            at(7, "std::time::Instant::now"),
            at(7, "println!"),
            at(14, "std::thread"),
            at(6, ".elapsed()"),
            at(6, ".exists()"),
        ]
    );
}

#[test]
fn another_name_is_seen_but_for_traits_and_platforms() {
    let source = "\
use crate::monitor::{Command as Order, State};
pub use report::SCHEMA as REPORT;
use std::fmt::Write as _;
use linux as system;
fn f() { let a = b as u64; }
";
    assert_eq!(
        said(walls::aliases(&Source::parse(&[], "x.rs", source))),
        ["x.rs:1: crate::monitor::Command is imported as Order", "x.rs:2: report::SCHEMA is imported as REPORT"]
    );
}

#[test]
fn first_lines_are_asked_for_what_they_must_say() {
    let long = "fn f() {}\n".repeat(401);
    let of = |head: &str| walls::first_lines("x.rs", &format!("{head}{long}")).len();
    assert_eq!(walls::first_lines("x.rs", "use a;\n").len(), 1);
    assert_eq!(walls::first_lines("x.rs", "//! What it is.\n").len(), 0);
    assert_eq!(of("//! What it is.\n"), 1);
    assert_eq!(of("//! What it is.\n//!\n//! Long because all of it is one table.\n"), 0);
    assert_eq!(of("//! What it is.\nuse a; // Long because I say so\n"), 1);
}
