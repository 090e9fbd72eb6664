//! The walls: what each room may know, what the pure rooms may not touch, and what a file must say of itself.

use crate::{
    source::Source,
    tree::{Tree, is_in},
};

/// The layers from the bottom; each may know itself and those before it. What fuzzing calls and what is counted stand on top
/// of all of them, and the reader of fuzzing's bytes, which their own `fuzz.rs` use, below. So does what wraps a library.
const LAYERS: [&str; 8] = ["fuzzing/feed", "yaml", "tmux", "monitor", "app", "ui", "fuzzing", "counts"];

/// Libraries that one file alone knows, so that another can take their place.
const WRAPPED: [(&str, &str); 1] = [("serde_yaml", "src/yaml.rs")];

/// The rooms of the engine, and which others each may know.
const ROOMS: &[(&str, &[&str])] = &[
    ("monitor/clock", &[]),
    ("monitor/snapshot", &[]),
    ("monitor/usage", &["monitor/snapshot"]),
    ("monitor/detect", &["monitor/snapshot", "monitor/usage"]),
    ("monitor/strategy", &["monitor/snapshot", "monitor/clock"]),
    ("monitor/scripts", &["monitor/strategy", "monitor/snapshot", "monitor/facts", "monitor/clock"]),
    ("monitor/facts", &["monitor/snapshot", "monitor/usage", "monitor/detect", "monitor/clock"]),
    ("monitor/panes", &["monitor/snapshot", "monitor/usage", "monitor/detect", "monitor/facts", "monitor/clock"]),
    ("monitor/meter", &["monitor/snapshot", "monitor/clock"]),
    ("monitor/access", &["monitor/snapshot", "monitor/meter"]),
    (
        "monitor/cycle",
        &[
            "monitor/snapshot",
            "monitor/usage",
            "monitor/detect",
            "monitor/strategy",
            "monitor/scripts",
            "monitor/facts",
            "monitor/panes",
            "monitor/meter",
            "monitor/access",
            "monitor/clock",
        ],
    ),
    ("monitor/engine", &["monitor"]),
    ("monitor/clients", &["monitor"]),
    // Other hosts stand on the clients' wire; nothing of this machine's engine needs them.
    ("monitor/link", &["monitor"]),
    // The words of the engine's orders are a leaf of their own; its other rooms are no business of the core.
    ("app/core", &["monitor/snapshot", "monitor/engine/command", "tmux"]),
    ("app/settings", &["app/core", "monitor", "tmux"]),
    ("app/act", &["app/core", "app/journal", "monitor", "tmux"]),
    ("app/journal", &["app/core", "monitor", "tmux"]),
    ("app/notify", &["app/core", "app/settings", "app/act", "monitor", "tmux"]),
    ("app/usage", &["monitor"]),
    ("app/metrics", &["app/settings", "app/journal", "monitor", "tmux"]),
    ("app/demo", &["app/core", "monitor", "tmux"]),
    ("app/members", &["app/core", "app/act", "monitor", "tmux"]),
    ("ui", &["app/core", "app/settings", "app/members", "monitor", "tmux"]),
];

/// Rooms without files, processes, sockets, clocks and time zones of their own: data in, data out.
const PURE: [&str; 10] = [
    "app/core",
    "app/metrics/budget",
    "app/metrics/histogram",
    "app/metrics/measure",
    "app/metrics/specs",
    "app/metrics/text",
    "app/metrics/totals",
    "monitor/detect",
    "monitor/strategy",
    "monitor/usage",
];

/// What a pure room names nowhere: a path that begins so.
const TOUCHES: [&str; 10] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::os",
    "std::thread",
    "tokio",
    "rustix",
    "jiff::Zoned::now",
    "println!",
];
/// ... a path that ends so.
const ENDS: [&str; 7] = [
    "Timestamp::now",
    "Instant::now",
    "SystemTime::now",
    "Zoned::now",
    "TimeZone::system",
    "TimeZone::try_system",
    "io::stdin",
];
/// ... a method that reads a clock or a disk.
const CALLS: [&str; 8] =
    ["elapsed", "exists", "try_exists", "is_file", "is_dir", "metadata", "read_dir", "canonicalize"];

/// What pure rooms may touch nevertheless: the file, what, and the reason.
const EXCEPTIONS: &[(&str, &str, &str)] = &[(
    "src/monitor/strategy/mod.rs",
    "tokio::sync::oneshot",
    "the type of a plan that a script's thread makes: nothing here waits for it",
)];

/// Most lines of a file that gives no reason.
const LONGEST: usize = 400;
/// With this a file's first lines give the reason.
const REASON: &str = "Long because";

/// Something that a wall forbids.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// File and line.
    pub at: String,
    /// What is wrong.
    pub what: String,
}

impl Breach {
    fn new(at: &str, what: String) -> Self {
        Self { at: at.to_owned(), what }
    }
}

/// Layers that know one above them.
pub fn layers(tree: &Tree) -> Vec<Breach> {
    let rank = |module: &str| LAYERS.iter().position(|layer| is_in(module, layer));
    let breach = |used: &crate::tree::Use| {
        let (from, to) = (rank(&used.from)?, rank(&used.to)?);
        (to > from).then(|| Breach::new(&used.at, format!("{} must not know {}", LAYERS[from], used.to)))
    };
    tree.uses.iter().filter_map(breach).collect()
}

/// Rooms that know another that they should not. Tests may play with the rooms above.
pub fn rooms(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for used in tree.uses.iter().filter(|used| !used.test) {
        let Some((room, knows)) = ROOMS.iter().find(|(room, _)| is_in(&used.from, room)) else { continue };
        // Layers are a wall of their own; what is taken out of a layer's root is seen where it is defined.
        if !used.to.contains('/') {
            continue;
        }
        let layer = room.split('/').next().unwrap_or(room);
        let same_layer = is_in(&used.to, layer) || *room == "app/core" || *room == "ui";
        if same_layer && !is_in(&used.to, room) && !knows.iter().any(|known| is_in(&used.to, known)) {
            breaches.push(Breach::new(&used.at, format!("{room} must not know {}", used.to)));
        }
    }
    breaches
}

/// Folders of monitor and of app that no row tells about. The verbs of the command line may know all of app.
pub fn untold(folders: &[String]) -> Vec<&String> {
    folders.iter().filter(|folder| **folder != "app/cli" && !ROOMS.iter().any(|(room, _)| room == folder)).collect()
}

/// Circles that go through several rooms.
pub fn circles(tree: &Tree) -> Vec<Breach> {
    let several = |circle: &Vec<String>| circle.iter().any(|module| room(module) != room(&circle[0]));
    let circles = tree.circles().into_iter().filter(several);
    circles.map(|circle| Breach::new(&circle[0], format!("files import each other: {}", circle.join(", ")))).collect()
}

/// `monitor/cycle` for all that is in it.
fn room(module: &str) -> &str {
    module.match_indices('/').nth(1).map_or(module, |(at, _)| &module[..at])
}

/// Pure rooms that touch the world.
pub fn purity(tree: &Tree) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (module, source) in &tree.sources {
        if !PURE.iter().any(|room| is_in(module, room)) || tree.is_test(module) {
            continue;
        }
        for (line, what) in touches(source) {
            if !EXCEPTIONS.iter().any(|(file, allowed, _)| *file == source.file && what.contains(allowed)) {
                breaches.push(Breach::new(&format!("{}:{line}", source.file), format!("{what} in a pure room")));
            }
        }
    }
    breaches
}

/// Files that know a library which another file wraps.
pub fn wrapped(source: &Source) -> Vec<Breach> {
    let knows =
        |library: &str| source.names.iter().find(|name| name.path.first().is_some_and(|first| first == library));
    let others = WRAPPED.iter().filter(|(_, file)| *file != source.file);
    let breach = |(library, file): &(&str, &str)| {
        knows(library).map(|name| {
            Breach::new(&format!("{}:{}", source.file, name.line), format!("{library} is known by {file} alone"))
        })
    };
    others.filter_map(breach).collect()
}

/// Exceptions that nothing needs any more.
pub fn stale_exceptions(tree: &Tree) -> Vec<&'static str> {
    let needed = |file: &str, allowed: &str| {
        let mut sources = tree.sources.values().filter(|source| source.file == file);
        sources.any(|source| touches(source).iter().any(|(_, what)| what.contains(allowed)))
    };
    EXCEPTIONS.iter().filter(|(file, allowed, _)| !needed(file, allowed)).map(|(file, ..)| *file).collect()
}

fn touches(source: &Source) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for name in source.names.iter().filter(|name| !name.test) {
        let path = name.path.join("::");
        let begins =
            |start: &str| path.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"));
        let ends = |end: &str| path.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with("::"));
        if TOUCHES.iter().any(|start| begins(start)) || ENDS.iter().any(|end| ends(end)) {
            found.push((name.line, path));
        }
    }
    let calls = source.calls.iter().filter(|(_, method, test)| !test && CALLS.contains(&method.as_str()));
    found.extend(calls.map(|(line, method, _)| (*line, format!(".{method}()"))));
    found
}

/// Types and functions that are imported under another name.
pub fn aliases(source: &Source) -> Vec<Breach> {
    // A platform's module may stand for another's: `use linux as system`.
    let of_type = |path: &[String]| path.len() > 1;
    let renamed = source.names.iter().filter(|name| name.alias.as_ref().is_some_and(|alias| alias != "_"));
    renamed
        .filter(|name| of_type(&name.path))
        .map(|name| {
            let alias = name.alias.as_deref().unwrap_or_default();
            Breach::new(
                &format!("{}:{}", source.file, name.line),
                format!("{} is imported as {alias}", name.path.join("::")),
            )
        })
        .collect()
}

/// A first line that does not say what the file is, and a length without a reason.
pub fn first_lines(file: &str, text: &str) -> Vec<Breach> {
    let mut breaches = Vec::new();
    if !text.starts_with("//! ") {
        breaches.push(Breach::new(file, "the first line of a file says what it is (`//! ...`)".to_owned()));
    }
    let lines = text.lines().count();
    let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
    if lines > LONGEST && !head.contains(REASON) {
        breaches.push(Breach::new(file, format!("{lines} lines; say in its first lines why: `//! {REASON} ...`")));
    }
    breaches
}
