//! Script strategies: `NAME.rhai` in the user's folder, in a sandbox without files, network or unbounded work.
//!
//! A script defines `fn plan(view)` and returns a map. What it sees and what it may return is told in
//! docs/strategies.md; `const BASED_ON = "adaptive";` names the built-in strategy that goes on if it fails.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    time::Duration,
};

use rhai::{AST, Array, Dynamic, Engine, INT, Map, Scope};

use super::{BUILT_IN, Plan, Strategy, View, built_in};
use crate::{
    monitor::{
        file,
        settings::{MAX_INTERVAL, MIN_INTERVAL},
    },
    tmux::PaneId,
};

/// Most steps of one `plan`: about 50 ms.
const MAX_OPERATIONS: u64 = 2_000_000;

/// Most bytes of a script.
const LARGEST_FILE: u64 = 1 << 20;

/// Why a script cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct ScriptError {
    /// The script.
    pub path: PathBuf,
    /// What is wrong, with its line.
    pub problem: String,
}

/// A strategy in a script.
pub struct Script {
    name: String,
    path: PathBuf,
    based_on: String,
    engine: Engine,
    ast: AST,
    /// What the script keeps between its plans.
    state: Dynamic,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("name", &self.name).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Script {
    /// Reads and compiles `NAME.rhai` in `dir`.
    ///
    /// # Errors
    /// If it cannot be read, does not compile, has no `plan(view)`, or is based on no built-in strategy.
    pub fn load(dir: &Path, name: &str) -> Result<Self, ScriptError> {
        let path = dir.join(format!("{name}.rhai"));
        let error = |problem: String| ScriptError { path: path.clone(), problem };
        let text = file::read_own(&path, LARGEST_FILE).map_err(|e| error(e.to_string()))?;
        let engine = sandbox();
        let ast = engine.compile(&text).map_err(|e| error(e.to_string()))?;
        if !ast.iter_functions().any(|f| f.name == "plan" && f.params.len() == 1) {
            return Err(error("it defines no `fn plan(view)`".to_owned()));
        }
        let mut scope = Scope::new();
        engine.run_ast_with_scope(&mut scope, &ast).map_err(|e| error(e.to_string()))?;
        let based_on = scope.get_value::<String>("BASED_ON").unwrap_or_else(|| "adaptive".to_owned());
        if !BUILT_IN.contains(&based_on.as_str()) {
            return Err(error(format!("BASED_ON is \"{based_on}\"; it takes {}", BUILT_IN.join(", "))));
        }
        Ok(Self { name: name.to_owned(), path, based_on, engine, ast, state: Map::new().into() })
    }

    /// Names of the scripts in `dir`, sorted. A folder that is not there has none.
    #[must_use]
    pub fn names(dir: &Path) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(dir) else { return Vec::new() };
        let mut names: Vec<String> = entries
            .filter_map(|entry| {
                let path = entry.ok()?.path();
                let name = path.file_stem()?.to_str()?.to_owned();
                (path.extension()? == "rhai" && built_in(&name).is_none()).then_some(name)
            })
            .collect();
        names.sort();
        names
    }
}

fn sandbox() -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(32)
        .set_max_expr_depths(64, 32)
        .set_max_string_size(4096)
        .set_max_array_size(20_000)
        .set_max_map_size(20_000)
        .set_max_modules(0)
        .disable_symbol("eval")
        .on_print(|_| {})
        .on_debug(|_, _, _| {});
    engine
}

fn seconds(duration: Duration) -> Dynamic {
    duration.as_secs_f64().into()
}

/// The view as the script sees it.
fn view_map(view: &View<'_>) -> Map {
    let age = |at: Option<std::time::Instant>| -> Dynamic {
        at.map_or(Dynamic::UNIT, |at| seconds(view.now.saturating_duration_since(at)))
    };
    let panes: Array = view
        .panes
        .iter()
        .map(|known| {
            let mut map = Map::new();
            map.insert("id".into(), known.pane.to_string().into());
            map.insert("state".into(), known.state.map_or(Dynamic::UNIT, |state| state.to_string().into()));
            map.insert("may_have_changed".into(), known.may_have_changed.into());
            map.insert("read_ago".into(), age(known.read_at));
            map.insert("changed_ago".into(), age(known.changed_at));
            map.insert("focused".into(), known.focused.into());
            map.into()
        })
        .collect();
    let mut map = Map::new();
    map.insert("panes".into(), panes.into());
    map.insert("interval".into(), seconds(view.interval));
    map.insert("pool_size".into(), (view.pool_size as INT).into());
    map.insert("probe_time".into(), seconds(view.measured.probe));
    map.insert("batch_time".into(), view.measured.batch.map_or(Dynamic::UNIT, seconds));
    map.insert("batch_panes".into(), (view.measured.batch_panes as INT).into());
    map.insert("tmux_cpu_percent".into(), view.measured.tmux_cpu_percent.map_or(Dynamic::UNIT, Dynamic::from));
    map.insert("watched".into(), view.watched.into());
    map
}

fn number(value: &Dynamic) -> Option<f64> {
    value.as_float().ok().or_else(|| value.as_int().ok().map(|n| n as f64)).filter(|n| n.is_finite())
}

/// Reads the script's answer; what it leaves out is as `concurrent` does it.
fn read_plan(answer: &Map, view: &View<'_>) -> Result<Plan, String> {
    let next = match answer.get("next") {
        None => view.interval,
        Some(value) => {
            let seconds = number(value).filter(|s| *s > 0.0).ok_or("`next` is not a number of seconds above 0")?;
            Duration::from_secs_f64(seconds.min(MAX_INTERVAL.as_secs_f64())).max(MIN_INTERVAL)
        }
    };
    let whole = |key: &str, default: usize| -> Result<usize, String> {
        match answer.get(key) {
            None => Ok(default),
            Some(value) => match value.as_int() {
                Ok(n) if n >= 1 => Ok(usize::try_from(n).unwrap_or(usize::MAX)),
                _ => Err(format!("`{key}` is not a whole number of at least 1")),
            },
        }
    };
    let width = whole("width", view.pool_size.max(1))?.min(view.pool_size.max(1));
    let batch = whole("batch", 100)?.min(250);
    let known: HashSet<PaneId> = view.panes.iter().map(|p| p.pane).collect();
    let due: Vec<PaneId> = match answer.get("panes") {
        None => view.panes.iter().filter(|p| p.may_have_changed).map(|p| p.pane).collect(),
        Some(panes) => {
            let panes = panes.read_lock::<Array>().ok_or("`panes` is not an array")?;
            let mut due = Vec::with_capacity(panes.len());
            let mut seen = HashSet::new();
            for pane in panes.iter() {
                let text = pane.clone().into_string().map_err(|_| "`panes` holds something that is no text")?;
                let id: PaneId = text.parse().map_err(|_| format!("`panes` holds '{text}', which is no pane id"))?;
                if known.contains(&id) && seen.insert(id) {
                    due.push(id);
                }
            }
            due
        }
    };
    Ok(Plan { batches: due.chunks(batch).map(<[PaneId]>::to_vec).collect(), width, next, early: None })
}

impl Strategy for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String> {
        let mut map = view_map(view);
        map.insert("state".into(), self.state.clone());
        let answer: Dynamic =
            self.engine.call_fn(&mut Scope::new(), &self.ast, "plan", (map,)).map_err(|e| e.to_string())?;
        let answer: Map = answer.try_cast().ok_or("`plan` returned no map")?;
        if let Some(state) = answer.get("state") {
            self.state = state.clone();
        }
        read_plan(&answer, view)
    }

    fn based_on(&self) -> &str {
        &self.based_on
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{
        super::testing::{known, view},
        *,
    };
    use crate::monitor::State;

    fn plan(text: &str) -> Result<Plan, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine.rhai"), text).unwrap();
        let mut script = Script::load(dir.path(), "mine").map_err(|e| e.problem)?;
        let now = Instant::now();
        let panes: Vec<_> = (0..5).map(|id| known(id, State::Working, now)).collect();
        script.plan(&view(&panes, now))
    }

    #[test]
    fn a_script_plans() {
        let text = r#"
            const BASED_ON = "polling";
            fn plan(view) {
                let due = view.panes.filter(|p| p.may_have_changed && p.id != "%2").map(|p| p.id);
                #{ panes: due, batch: 2, width: 99, next: view.interval / 4.0 }
            }"#;
        let plan = plan(text).unwrap();
        assert_eq!(plan.batches.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        assert_eq!(plan.width, 4, "never wider than the pool");
        assert_eq!(plan.next, Duration::from_millis(250));
    }

    #[test]
    fn the_shipped_example_plans() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/strategies");
        for name in Script::names(Path::new(dir)) {
            let now = Instant::now();
            let panes: Vec<_> = (0..5).map(|id| known(id, State::Working, now)).collect();
            Script::load(Path::new(dir), &name).unwrap().plan(&view(&panes, now)).unwrap();
        }
        assert_eq!(Script::names(Path::new(dir)), ["calm"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, phrase) in [
            ("fn plan(view) {\n  let x = ;\n}", "line 2"),
            ("fn other() {}", "fn plan(view)"),
            ("fn plan(view) {\n  loop {}\n}", "Too many operations"),
            ("fn plan(view) {\n\n  view.nothing.at_all\n}", "line 3"),
            ("fn plan(view) { 7 }", "no map"),
            ("fn plan(view) { #{ next: -1 } }", "`next`"),
            ("fn plan(view) { #{ panes: [\"rm\"] } }", "no pane id"),
            ("const BASED_ON = \"magic\";\nfn plan(view) { #{} }", "BASED_ON"),
            ("fn plan(view) { let s = \"x\"; loop { s += s; } }", "ength of string"),
            ("import \"other\" as o;\nfn plan(view) { #{} }", "odule"),
        ] {
            let problem = plan(text).unwrap_err();
            assert!(problem.contains(phrase), "{text}\n-> {problem}");
        }
    }
}
