//! The sources as a graph: which file uses which, followed through re-exports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use crate::source::{Name, Source};

/// Every file of a crate by its module: `monitor/cycle`, for both `monitor/cycle.rs` and `monitor/cycle/mod.rs`.
pub struct Tree {
    /// The sources.
    pub sources: BTreeMap<String, Source>,
    /// Which file uses which, each once for each line.
    pub uses: Vec<Use>,
    /// Modules that are built for tests or fuzzing only, with all that is in them.
    tests: Vec<String>,
}

/// One file uses another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Use {
    /// The module that uses.
    pub from: String,
    /// The module that defines what is used.
    pub to: String,
    /// File and line, for messages.
    pub at: String,
    /// Only tests or fuzzing do.
    pub test: bool,
}

impl Tree {
    /// From files: path under `src`, text.
    pub fn new(files: &[(String, String)]) -> Self {
        let mut sources = BTreeMap::new();
        let mut tests = Vec::new();
        for (file, text) in files {
            let path = file.strip_suffix(".rs").unwrap_or(file);
            let path = path.strip_suffix("/mod").unwrap_or(path);
            let segments: Vec<&str> = if path == "lib" { Vec::new() } else { path.split('/').collect() };
            let source = Source::parse(&segments, &format!("src/{file}"), text);
            tests.extend(source.test_modules.iter().map(|name| join(&source.module, name)));
            sources.insert(segments.join("/"), source);
        }
        let mut tree = Self { sources, uses: Vec::new(), tests };
        tree.uses = tree.all_uses();
        tree
    }

    /// The sources of this crate, read once.
    pub fn of_this_crate() -> &'static Self {
        static TREE: OnceLock<Tree> = OnceLock::new();
        TREE.get_or_init(Self::read)
    }

    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files: Vec<(String, String)> = files(&root)
            .into_iter()
            .map(|file| {
                let relative = file.strip_prefix(&root).expect("a path under src");
                (relative.display().to_string(), fs::read_to_string(&file).expect("a readable source"))
            })
            .collect();
        Self::new(&files)
    }

    /// Whether a module is built for tests or fuzzing only.
    pub fn is_test(&self, module: &str) -> bool {
        self.tests.iter().any(|test| is_in(module, test))
    }

    fn all_uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        let mut seen = BTreeSet::new();
        for (from, source) in &self.sources {
            for name in &source.names {
                let Some(to) = self.defined_in(source, name) else { continue };
                if to == *from {
                    continue;
                }
                let at = format!("{}:{}", source.file, name.line);
                let found = Use { from: from.clone(), to, at, test: name.test || self.is_test(from) };
                if seen.insert(found.clone()) {
                    uses.push(found);
                }
            }
        }
        uses
    }

    /// The module that defines what a name means; `None` for what is not of this crate.
    fn defined_in(&self, source: &Source, name: &Name) -> Option<String> {
        let mut from = source.module.clone();
        let mut path = name.path.as_slice();
        match path.first()?.as_str() {
            "crate" | "tmux_orc" => {
                from.clear();
                path = &path[1..];
            }
            "self" => path = &path[1..],
            "super" => {
                let ups = path.iter().take_while(|segment| *segment == "super").count();
                let out_of_the_file = ups.saturating_sub(name.inline);
                from.truncate(from.len().checked_sub(out_of_the_file)?);
                path = &path[ups..];
            }
            first if self.sources.contains_key(&join(&from, first)) => {}
            // `monitor::Agent` after `use crate::monitor`.
            first if !name.import && path.len() > 1 => {
                from = split(&self.module_called(source, first)?);
                path = &path[1..];
            }
            _ => return None,
        }
        self.resolve(from, path, 8)
    }

    /// The module of this crate that a source imports under this name.
    fn module_called(&self, source: &Source, called: &str) -> Option<String> {
        let mut imports = source.names.iter().filter(|name| name.import && name.path.len() > 1);
        let import =
            imports.find(|name| name.alias.as_ref().or(name.path.last()).is_some_and(|last| last == called))?;
        let module = self.defined_in(source, import)?;
        (module.rsplit('/').next() == import.path.last().map(String::as_str)).then_some(module)
    }

    fn resolve(&self, mut module: Vec<String>, path: &[String], depth: usize) -> Option<String> {
        for (index, segment) in path.iter().enumerate() {
            if segment == "*" {
                break;
            }
            if self.sources.contains_key(&join(&module, segment)) {
                module.push(segment.clone());
                continue;
            }
            let source = self.sources.get(&module.join("/"))?;
            if depth == 0 || source.defines.contains(segment) {
                break;
            }
            if let Some(found) = self.exported(source, segment, depth - 1) {
                let found_path: Vec<String> = split(&found);
                // What is exported may itself be a module.
                return self.resolve(found_path, &path[index + 1..], depth - 1);
            }
            break;
        }
        Some(module.join("/"))
    }

    /// Where a name comes from that a module imports or exports again.
    fn exported(&self, source: &Source, segment: &str, depth: usize) -> Option<String> {
        let imports = source.names.iter().filter(|name| name.import && name.inline == 0);
        let named = imports.clone().find(|name| {
            name.alias.as_ref().or(name.path.last()).is_some_and(|last| last == segment) && name.path.len() > 1
        });
        if let Some(name) = named {
            return self.defined_in(source, name);
        }
        imports.filter(|name| name.path.last().is_some_and(|last| last == "*")).find_map(|glob| {
            let module = self.defined_in(source, glob)?;
            let inside = self.sources.get(&module)?;
            if inside.defines.iter().any(|name| name == segment) {
                return Some(module);
            }
            if depth == 0 { None } else { self.exported(inside, segment, depth - 1) }
        })
    }

    /// Groups of files that use each other in a circle, tests left out.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let mut next: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for used in self.uses.iter().filter(|used| !used.test) {
            next.entry(&used.from).or_default().insert(&used.to);
        }
        let reached = |start: &str| {
            let mut seen = BTreeSet::new();
            let mut open = vec![start.to_owned()];
            while let Some(module) = open.pop() {
                for to in next.get(module.as_str()).into_iter().flatten() {
                    if seen.insert((*to).to_owned()) {
                        open.push((*to).to_owned());
                    }
                }
            }
            seen
        };
        let all: BTreeMap<&str, BTreeSet<String>> = next.keys().map(|module| (*module, reached(module))).collect();
        let mut circles: Vec<Vec<String>> = all
            .iter()
            .filter(|(module, reached)| reached.contains(**module))
            .map(|(module, reached)| {
                reached
                    .iter()
                    .filter(|to| all.get(to.as_str()).is_some_and(|back| back.contains(*module)))
                    .cloned()
                    .collect()
            })
            .collect();
        circles.sort();
        circles.dedup();
        circles
    }
}

/// Whether a module is a room, or in it.
pub fn is_in(module: &str, room: &str) -> bool {
    module.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn join(module: &[String], name: &str) -> String {
    module.iter().map(String::as_str).chain([name]).collect::<Vec<_>>().join("/")
}

fn split(module: &str) -> Vec<String> {
    module.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

/// All Rust files under a folder, recursively; none when there is no such folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}
