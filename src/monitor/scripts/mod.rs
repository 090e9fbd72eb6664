//! Strategies that are scripts of the user: read from a folder, each run on a thread of its own with limits.

mod exchange;
mod sandbox;
mod script;

use std::path::Path;

pub use script::Script;
pub(crate) use script::ScriptError;
pub(super) use script::answer_of;

use crate::monitor::StrategyInfo;
use crate::monitor::strategy::BUILT_IN;

/// All strategies that can be switched to: the built-in ones, then the scripts of `dir` by name. A script that cannot be
/// used carries its problem.
#[must_use]
pub fn list(dir: Option<&Path>) -> Vec<StrategyInfo> {
    let built_in = BUILT_IN.iter().map(|name| StrategyInfo {
        name: (*name).to_owned(),
        origin: "built in".to_owned(),
        ..StrategyInfo::default()
    });
    let scripts = dir.into_iter().flat_map(|dir| {
        Script::names(dir).into_iter().map(move |name| StrategyInfo {
            origin: dir.join(format!("{name}.rhai")).display().to_string(),
            problem: Script::load(dir, &name).err().map(|error| error.problem),
            name,
            p50_ms: None,
        })
    });
    built_in.chain(scripts).collect()
}
