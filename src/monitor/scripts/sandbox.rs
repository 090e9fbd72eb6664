//! The sandbox of a script: no files, no network, no modules, no waiting; a clock and a scale end what takes too much.
//!
//! rhai counts steps and weighs single values, but a step may be a native call (`sort` of a long array), and a map that
//! is filled by index is not weighed as a whole. So the time that the thread has computed and the memory that it has
//! taken are looked at as well, every few steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use regex::{Captures, Regex};
use rhai::{Dynamic, Engine, EvalAltResult, FLOAT, INT, OptimizationLevel, Position};

/// Most steps of one plan: about 50 ms.
const MAX_OPERATIONS: u64 = 2_000_000;

/// Most time that one plan computes. CPU time, so that a busy machine fails no script.
pub(super) const MAX_CPU: Duration = Duration::from_millis(500);

/// Most memory that one plan may take while it computes.
const MAX_GROWTH: u64 = 64 << 20;

/// Most entries of arrays and of maps in one value, those inside counted too. The view has seven for a pane.
const MAX_ENTRIES: usize = 200_000;

/// Most bytes of text in one value.
const MAX_TEXT: usize = 1 << 20;

/// Most that a script may keep between its plans: entries and bytes of text together.
const MAX_KEPT: usize = 1 << 20;

/// Deepest nesting of what a script keeps.
const MAX_DEPTH: usize = 64;

/// The clock is asked once in so many steps.
const LOOK_EVERY: u64 = 8;

/// The expensive measures are taken once in so much time.
const MEASURE_EVERY: Duration = Duration::from_millis(1);

/// What one plan has used so far. Belongs to the thread that plans.
#[derive(Debug)]
pub(super) struct Meter {
    epoch: Instant,
    /// Microseconds from the epoch to the last measures.
    measured: AtomicU64,
    /// CPU time of the thread when the plan began, microseconds.
    cpu: AtomicU64,
    /// Memory of the process when the plan began.
    memory: AtomicU64,
}

impl Meter {
    /// A meter at zero.
    pub fn new() -> Arc<Self> {
        let zero = AtomicU64::default;
        Arc::new(Self { epoch: Instant::now(), measured: zero(), cpu: zero(), memory: zero() })
    }

    /// A plan begins, on this thread.
    pub fn begin(&self) {
        self.cpu.store(thread_cpu_micros(), Relaxed);
        self.memory.store(memory().unwrap_or(0), Relaxed);
    }

    /// Why the plan must end now, if it must.
    fn too_much(&self, step: u64) -> Option<Dynamic> {
        if !step.is_multiple_of(LOOK_EVERY) {
            return None;
        }
        let now = micros(self.epoch.elapsed());
        if now.saturating_sub(self.measured.load(Relaxed)) < micros(MEASURE_EVERY) {
            return None;
        }
        self.measured.store(now, Relaxed);
        if thread_cpu_micros().saturating_sub(self.cpu.load(Relaxed)) > micros(MAX_CPU) {
            return Some(format!("it computed for more than {} ms", MAX_CPU.as_millis()).into());
        }
        let before = self.memory.load(Relaxed);
        let grown = memory().unwrap_or(0).saturating_sub(before);
        (before > 0 && grown > MAX_GROWTH).then(|| format!("it took more than {} MiB", MAX_GROWTH >> 20).into())
    }
}

/// An engine that can do nothing but compute, and not much of that.
pub(super) fn sandbox(meter: Arc<Meter>) -> Engine {
    let mut engine = Engine::new();
    engine
        .set_max_operations(MAX_OPERATIONS)
        .set_max_call_levels(32)
        .set_max_expr_depths(64, 32)
        .set_max_variables(256)
        .set_max_functions(256)
        .set_max_string_size(MAX_TEXT)
        .set_max_array_size(MAX_ENTRIES)
        .set_max_map_size(MAX_ENTRIES)
        .set_max_modules(0)
        // What is computed when a script is compiled has no clock.
        .set_optimization_level(OptimizationLevel::None)
        .disable_symbol("eval")
        // Its own ones wait, and no clock is looked at meanwhile.
        .register_fn("sleep", |_: INT| no_sleep())
        .register_fn("sleep", |_: FLOAT| no_sleep())
        .on_print(|_| {})
        .on_debug(|_, _, _| {})
        .on_progress(move |step| meter.too_much(step));
    engine
}

fn no_sleep() -> Result<(), Box<EvalAltResult>> {
    Err("a script cannot `sleep`: return `next`, the seconds to the next plan".into())
}

/// What went wrong, with its line: that which the interpreter knows, else those of the loops.
pub(super) fn told(error: &EvalAltResult, loops: &[usize]) -> String {
    let inner = error.unwrap_inner();
    let why = match inner {
        EvalAltResult::ErrorTerminated(why, _) => why.to_string(),
        EvalAltResult::ErrorTooManyOperations(_) => format!("it took more than {MAX_OPERATIONS} steps"),
        _ => return error.to_string(),
    };
    let lines = line_of(error).map_or_else(|| loops.to_vec(), |line| vec![line]);
    let lines: Vec<String> = lines.iter().take(5).map(ToString::to_string).collect();
    if lines.is_empty() { why } else { format!("{why} (line {})", lines.join(" or ")) }
}

/// The line of the innermost call whose place is known.
fn line_of(error: &EvalAltResult) -> Option<usize> {
    let inner = match error {
        EvalAltResult::ErrorInFunctionCall(.., inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => line_of(inner),
        _ => None,
    };
    inner.or_else(|| Position::line(error.position()))
}

/// The lines where a script's loops begin, for what goes on for ever at a place that the interpreter does not know.
pub(super) fn lines_of_loops(text: &str) -> Vec<usize> {
    let Ok(unread) = Regex::new(r#"//[^\n]*|(?s:/\*.*?\*/)|"(?:\\.|[^"\\])*""#) else { return Vec::new() };
    let blank = |found: &Captures<'_>| found[0].replace(|c| c != '\n', " ");
    let read = unread.replace_all(text, blank);
    let Ok(loops) = Regex::new(r"\b(?:loop|while|for|do)\b") else { return Vec::new() };
    let mut lines: Vec<usize> =
        loops.find_iter(&read).map(|found| read[..found.start()].matches('\n').count() + 1).collect();
    lines.dedup();
    lines
}

/// Whether a script may keep this: how much it is in all, and how deep.
pub(super) fn fits(kept: &Dynamic) -> Result<(), String> {
    let mut left = MAX_KEPT;
    weigh(kept, MAX_DEPTH, &mut left).ok_or_else(|| {
        format!("`state` is more than {MAX_KEPT} entries and letters, or nested deeper than {MAX_DEPTH}")
    })
}

fn weigh(value: &Dynamic, depth: usize, left: &mut usize) -> Option<()> {
    *left = left.checked_sub(1)?;
    if let Ok(text) = value.as_immutable_string_ref() {
        *left = left.checked_sub(text.len())?;
    } else if let Ok(blob) = value.as_blob_ref() {
        *left = left.checked_sub(blob.len())?;
    } else if let Ok(array) = value.as_array_ref() {
        let depth = depth.checked_sub(1)?;
        array.iter().try_for_each(|inner| weigh(inner, depth, left))?;
    } else if let Ok(map) = value.as_map_ref() {
        let depth = depth.checked_sub(1)?;
        for (key, inner) in map.iter() {
            *left = left.checked_sub(key.len())?;
            weigh(inner, depth, left)?;
        }
    } else if value.is_fnptr() || value.is_variant() {
        // A pointer to a function holds values that cannot be weighed.
        return None;
    }
    Some(())
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// CPU time of this thread.
fn thread_cpu_micros() -> u64 {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanos) = (u64::try_from(spent.tv_sec).unwrap_or(0), u64::try_from(spent.tv_nsec).unwrap_or(0));
    seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000)
}

/// Resident memory of this process, bytes; not known elsewhere than on Linux, where the clock alone holds it down.
fn memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
mod tests {
    use super::lines_of_loops;

    #[test]
    fn loops_are_found_but_not_in_texts_and_comments() {
        assert_eq!(lines_of_loops("fn plan(view) {\n  loop { /* a\n for b */ }\n while true {} }"), [2, 4]);
        assert_eq!(lines_of_loops("// loop {}\nlet s = \"loop {}\"; let former = 1;"), Vec::<usize>::new());
    }
}
