//! Script strategies: `NAME.rhai` in the user's folder, planned in a sandbox on a thread of their own.
//!
//! A script defines `fn plan(view)` and returns a map. What it sees and what it may return is told in
//! docs/strategies.md; `const BASED_ON = "adaptive";` names the built-in strategy that goes on if it fails. A script that
//! only lies in the folder is compiled and never run.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, mpsc},
    time::Duration,
};

use rhai::{AST, Dynamic, Engine, Map, Scope};
use tokio::sync::oneshot;

use crate::monitor::facts::file;
use crate::monitor::scripts::exchange::{read_plan, view_map};
use crate::monitor::scripts::sandbox::{Meter, fits, lines_of_loops, sandbox, told};
use crate::monitor::strategy::{BUILT_IN, Known, Plan, Strategy, View, built_in};

/// Largest script that is read, bytes.
const LARGEST: u64 = 256 << 10;

/// Stack of the thread that plans: values nested some thousand levels deep are taken apart on it.
const STACK: usize = 16 << 20;

/// Longest wait for a plan. The sandbox ends one much sooner, unless the machine gives its thread no time.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

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
    planner: Planner,
}

/// What plans, before and after its thread is started: a script that is only listed needs none.
enum Planner {
    Compiled(Box<Compiled>),
    Running(mpsc::Sender<Question>),
    /// No thread could be started for it.
    Failed(String),
}

struct Compiled {
    engine: Engine,
    ast: AST,
    meter: Arc<Meter>,
    /// Lines where its loops begin.
    loops: Vec<usize>,
}

/// A view, owned, and where the plan is wanted.
struct Question {
    view: View<'static>,
    panes: Vec<Known>,
    answer: oneshot::Sender<Result<Plan, String>>,
}

impl std::fmt::Debug for Script {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Script").field("name", &self.name).field("path", &self.path).finish_non_exhaustive()
    }
}

impl Script {
    /// Reads and compiles `NAME.rhai` in `dir`. Nothing of it is run.
    ///
    /// # Errors
    /// If it cannot be read, does not compile, has no `plan(view)`, or is based on no built-in strategy.
    pub fn load(dir: &Path, name: &str) -> Result<Self, ScriptError> {
        let path = dir.join(format!("{name}.rhai"));
        let error = |problem: String| ScriptError { path: path.clone(), problem };
        let text = file::read_own(&path, LARGEST).map_err(|e| error(e.to_string()))?;
        let meter = Meter::new();
        let engine = sandbox(Arc::clone(&meter));
        let ast = engine.compile(&text).map_err(|e| error(e.to_string()))?;
        if !ast.iter_functions().any(|f| f.name == "plan" && f.params.len() == 1) {
            return Err(error("it defines no `fn plan(view)`".to_owned()));
        }
        let based_on = based_on(&ast).map_err(error)?;
        let planner = Planner::Compiled(Box::new(Compiled { engine, ast, meter, loops: lines_of_loops(&text) }));
        Ok(Self { name: name.to_owned(), path, based_on, planner })
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

    /// Hands the view to the script's thread.
    fn ask(&mut self, view: &View<'_>) -> oneshot::Receiver<Result<Plan, String>> {
        let (answer, plan) = oneshot::channel();
        let question = Question { view: View { panes: &[], ..*view }, panes: view.panes.to_vec(), answer };
        self.planner.start();
        match &self.planner {
            // A thread that has ended drops the question, and who waits for its answer learns of that.
            Planner::Running(questions) => drop(questions.send(question)),
            Planner::Failed(why) => drop(question.answer.send(Err(why.clone()))),
            Planner::Compiled(_) => {}
        }
        plan
    }
}

impl Planner {
    fn start(&mut self) {
        let not_started = Self::Failed(String::new());
        let compiled = match std::mem::replace(self, not_started) {
            Self::Compiled(compiled) => compiled,
            other => return *self = other,
        };
        let (questions, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name("script".to_owned()).stack_size(STACK);
        *self = match thread.spawn(move || answer_all(&compiled, &inbox)) {
            Ok(_) => Self::Running(questions),
            Err(error) => Self::Failed(format!("no thread can be started for it: {error}")),
        };
    }
}

/// The thread that plans: it ends when nobody can ask any more.
fn answer_all(compiled: &Compiled, inbox: &mpsc::Receiver<Question>) {
    let mut state: Dynamic = Map::new().into();
    while let Ok(Question { view, panes, answer }) = inbox.recv() {
        let plan = plan(compiled, &mut state, &View { panes: &panes, ..view });
        let _ = answer.send(plan);
    }
}

fn plan(compiled: &Compiled, state: &mut Dynamic, view: &View<'_>) -> Result<Plan, String> {
    let Compiled { engine, ast, meter, loops } = compiled;
    let mut map = view_map(view);
    map.insert("state".into(), state.clone());
    meter.begin();
    let answer: Dynamic = engine.call_fn(&mut Scope::new(), ast, "plan", (map,)).map_err(|e| told(&e, loops))?;
    let mut answer: Map = answer.try_cast().ok_or("`plan` returned no map")?;
    let plan = read_plan(&answer, view)?;
    if let Some(kept) = answer.remove("state") {
        fits(&kept)?;
        *state = kept;
    }
    Ok(plan)
}

/// What a plan's thread answers, waited for as long as is fit.
pub(in crate::monitor) async fn answer_of(plan: oneshot::Receiver<Result<Plan, String>>) -> Result<Plan, String> {
    match tokio::time::timeout(LONGEST_WAIT, plan).await {
        Ok(Ok(plan)) => plan,
        Ok(Err(_)) => Err("the interpreter failed".to_owned()),
        Err(_) => Err(format!("it had no plan after {} s", LONGEST_WAIT.as_secs())),
    }
}

/// The built-in strategy that the script names, read off its text.
fn based_on(ast: &AST) -> Result<String, String> {
    let constant = ast.iter_literal_variables(true, false).find(|(name, ..)| *name == "BASED_ON");
    let Some((.., value)) = constant else { return Ok("adaptive".to_owned()) };
    match value.into_string() {
        Ok(name) if BUILT_IN.contains(&name.as_str()) => Ok(name),
        Ok(name) => Err(format!("BASED_ON is \"{name}\"; it takes {}", BUILT_IN.join(", "))),
        Err(kind) => Err(format!("BASED_ON is of type {kind}; it takes {}", BUILT_IN.join(", "))),
    }
}

impl Strategy for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn plan(&mut self, view: &View<'_>) -> Result<Plan, String> {
        self.ask(view).blocking_recv().unwrap_or_else(|_| Err("the interpreter failed".to_owned()))
    }

    fn plan_apart(&mut self, view: &View<'_>) -> Option<oneshot::Receiver<Result<Plan, String>>> {
        Some(self.ask(view))
    }

    fn based_on(&self) -> &str {
        &self.based_on
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::monitor::AgentState;
    use crate::monitor::strategy::testing::{known, view};

    fn load(text: &str) -> Result<Script, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine.rhai"), text).unwrap();
        Script::load(dir.path(), "mine").map_err(|e| e.problem)
    }

    fn plan_for(script: &mut Script, panes: u32) -> Result<Plan, String> {
        let now = Instant::now();
        let panes: Vec<_> = (0..panes).map(|id| known(id, AgentState::Working, now)).collect();
        script.plan(&view(&panes, now))
    }

    fn plan(text: &str) -> Result<Plan, String> {
        plan_for(&mut load(text)?, 5)
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
            let panes: Vec<_> = (0..5).map(|id| known(id, AgentState::Working, now)).collect();
            Script::load(Path::new(dir), &name).unwrap().plan(&view(&panes, now)).unwrap();
        }
        assert_eq!(Script::names(Path::new(dir)), ["calm"]);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (text, phrase) in [
            ("fn plan(view) {\n  let x = ;\n}", "line 2"),
            ("fn other() {}", "fn plan(view)"),
            ("fn plan(view) {\n  loop {}\n}", "line 2"),
            ("fn plan(view) {\n\n  let n = 0;\n  while n >= 0 {\n    n += 1;\n  }\n}", "line"),
            ("let x = 1;\nloop {}\nfn plan(view) { #{} }", "line 2"),
            ("fn plan(view) {\n\n  view.nothing.at_all\n}", "line 3"),
            ("fn plan(view) { 7 }", "no map"),
            ("fn plan(view) { #{ next: -1 } }", "`next`"),
            ("fn plan(view) { #{ panes: [\"rm\"] } }", "no pane id"),
            ("const BASED_ON = \"magic\";\nfn plan(view) { #{} }", "BASED_ON"),
            ("fn plan(view) { let s = \"x\"; loop { s += s; } }", "ength of string"),
            ("fn f(n) { f(n + 1) }\nfn plan(view) { f(0) }", "Stack overflow"),
            ("fn plan(view) {\n  sleep(1000000);\n  #{}\n}", "cannot `sleep`"),
            ("fn plan(view) {\n  sleep(1e6);\n  #{}\n}", "line 2"),
            ("fn plan(view) {\n  let f = Fn(\"sleep\");\n  f.call(1000000);\n  #{}\n}", "cannot `sleep`"),
            ("fn plan(view) { let f = |x| x; #{ state: #{ f: f } } }", "`state`"),
            ("const BASED_ON = 7;\nfn plan(view) { #{} }", "BASED_ON"),
            ("import \"other\" as o;\nfn plan(view) { #{} }", "odule"),
        ] {
            let problem = plan(text).unwrap_err();
            assert!(problem.contains(phrase), "{text}\n-> {problem}");
        }
    }

    #[test]
    fn native_loops_are_ended_by_the_clock() {
        for text in [
            "fn plan(view) { let a = []; for i in 0..20000 { a.push(20000 - i); } loop { a.reverse(); a.sort(); } }",
            "fn plan(view) { let a = []; a.pad(20000, \"x\"); loop { a.index_of(\"y\"); } }",
            "fn plan(view) { let s = \"\"; s.pad(4000, \"y\"); loop { let t = s; t.replace(\"y\", \"zz\"); } }",
        ] {
            let mut script = load(text).unwrap();
            let began = Instant::now();
            let problem = plan_for(&mut script, 5).unwrap_err();
            // The scale weighs the process, and other tests take memory meanwhile.
            let ended = ["computed for more than", "steps", "MiB"].iter().any(|why| problem.contains(why));
            assert!(ended, "{text}\n-> {problem}");
            assert!(began.elapsed() < Duration::from_secs(20), "{text}: {:?}", began.elapsed());
        }
    }

    #[test]
    fn what_is_nested_is_weighed_as_a_whole() {
        let maps = "fn plan(view) { let a = []; a.pad(20000, 0); let m = #{};
            for i in 0..100000 { m[\"k\" + i] = a; m[\"k\" + i].push(1); } #{} }";
        let texts = "fn plan(view) { let s = \"\"; s.pad(1000000, \"y\"); let a = []; a.pad(5000, 0);
            for i in 0..5000 { let t = s; t.crop(1); a[i] = t; } #{} }";
        for text in [maps, texts] {
            let problem = plan(text).unwrap_err();
            assert!(problem.contains("MiB") || problem.contains("computed"), "{text}\n-> {problem}");
        }
        for text in [
            "fn plan(view) { let a = []; a.pad(20000, \"0123456789\"); #{ state: [a, a, a, a, a, a] + [0] } }",
            "fn plan(view) { let a = []; a.pad(100000, 0); let m = #{}; for i in 0..20 { m[\"k\" + i] = a; } #{ state: m } }",
            "fn plan(view) { let a = []; for i in 0..500 { let b = []; b.push(a); a = b; } #{ state: a } }",
        ] {
            let problem = plan(text).unwrap_err();
            let weighed = ["`state` is more than", "too large"].iter().any(|words| problem.contains(words));
            assert!(weighed, "{text}\n-> {problem}");
        }
    }

    #[test]
    fn what_grows_from_plan_to_plan_has_an_end() {
        let text = "fn plan(view) { let s = view.state; if type_of(s.a) == \"()\" { s.a = []; }
            s.a.push(\"0123456789\".sub_string(0)); s.a.append(s.a); #{ state: s } }";
        let mut script = load(text).unwrap();
        let ended = (0..200).find_map(|_| plan_for(&mut script, 5).err()).expect("it grows for ever");
        assert!(ended.contains("`state`") || ended.contains("Size") || ended.contains("ength"), "{ended}");
    }

    #[test]
    fn deep_values_end_the_plan_and_not_the_program() {
        for text in [
            "fn plan(view) { let a = []; for i in 0..5000 { a = [a]; } #{ state: a } }",
            "fn plan(view) { let m = #{}; for i in 0..5000 { let n = #{}; n.x = m; m = n; } #{ state: m } }",
        ] {
            plan(text).unwrap_err();
        }
    }

    #[test]
    fn a_script_that_lies_in_the_folder_is_not_run() {
        for text in ["loop {}\nfn plan(view) { #{} }", "throw \"run\";\nfn plan(view) { #{} }"] {
            load(text).expect("it compiles");
        }
    }

    #[test]
    fn what_is_no_script_hangs_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe.rhai");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        std::fs::write(dir.path().join("large.rhai"), vec![b' '; 300 << 10]).unwrap();
        std::fs::create_dir(dir.path().join("folder.rhai")).unwrap();
        std::fs::write(dir.path().join("deep.rhai"), "{".repeat(100_000)).unwrap();
        for (name, phrase) in [("pipe", "not a file"), ("folder", "folder"), ("large", "bytes"), ("deep", "")] {
            let problem = Script::load(dir.path(), name).unwrap_err().problem;
            assert!(problem.contains(phrase), "{name}: {problem}");
        }
    }

    #[test]
    fn thousands_of_panes_are_planned() {
        let filtered =
            "#{ panes: view.panes.filter(|p| p.may_have_changed).map(|p| p.id), state: view.panes.map(|p| p.id) }";
        let pushed = "let due = []; for p in view.panes { if p.may_have_changed { due.push(p.id); } } #{ panes: due }";
        for (text, panes) in [(filtered, 3000), (pushed, 500)] {
            let mut script = load(&format!("fn plan(view) {{ {text} }}")).unwrap();
            for _ in 0..2 {
                let plan = plan_for(&mut script, panes).unwrap();
                assert_eq!(plan.batches.iter().map(Vec::len).sum::<usize>(), panes as usize);
            }
        }
    }
}
