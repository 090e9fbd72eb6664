//! The strategy in force, those that can be switched to, and what was measured for them.

use std::path::Path;

use crate::monitor::cycle::plan::Failed;
use crate::monitor::engine::launch::EngineError;
use crate::monitor::scripts::{self, Script};
use crate::monitor::strategy::{self, BUILT_IN, COULD_NOT_PLAN, Measured, Sequential, Strategy};
use crate::monitor::{EngineSettings, Mode, StrategyInfo};

/// Who plans.
#[derive(Debug)]
pub(crate) struct Strategies {
    strategy: Box<dyn Strategy>,
    list: Vec<StrategyInfo>,
    /// What was measured so far.
    pub(crate) measured: Measured,
}

impl Strategies {
    /// With the strategy that the settings name.
    pub(crate) fn new(settings: &EngineSettings) -> Result<Self, EngineError> {
        let strategy = named(&settings.strategy, settings)?;
        Ok(Self { strategy, list: scripts::list(settings.strategies_dir.as_deref()), measured: Measured::default() })
    }

    /// Name of the strategy in force.
    pub(crate) fn name(&self) -> &str {
        self.strategy.name()
    }

    /// The strategy in force.
    pub(crate) fn strategy(&mut self) -> &mut dyn Strategy {
        &mut *self.strategy
    }

    /// Whether a script plans.
    pub(crate) fn is_scripted(&self) -> bool {
        strategy::built_in(self.name()).is_none()
    }

    /// All that can be switched to.
    pub(crate) fn list(&self) -> &[StrategyInfo] {
        &self.list
    }

    /// Lists anew what can be switched to. Gives what was listed before.
    pub(crate) fn relist(&mut self, dir: Option<&Path>) -> Vec<StrategyInfo> {
        std::mem::replace(&mut self.list, scripts::list(dir))
    }

    /// Another strategy plans from now on. One that cannot be had changes nothing.
    pub(crate) fn switch(&mut self, name: &str, settings: &EngineSettings) -> Result<(), EngineError> {
        self.relist(settings.strategies_dir.as_deref());
        self.strategy = named(name, settings)?;
        Ok(())
    }

    /// This one plans from now on.
    pub(crate) fn set(&mut self, strategy: Box<dyn Strategy>) {
        self.strategy = strategy;
    }

    /// The only strategy of the sync engine plans from now on.
    pub(crate) fn go_sync(&mut self) {
        self.strategy = Box::new(Sequential);
    }

    /// The strategy could not plan: the one that did goes on. Returns a notice to the user.
    pub(crate) fn failed(&mut self, Failed { problem, instead }: Failed) -> String {
        let failed = std::mem::replace(&mut self.strategy, instead);
        let name = failed.name();
        if let Some(info) = self.list.iter_mut().find(|info| info.name == name) {
            info.problem = Some(format!("{COULD_NOT_PLAN}{problem}"));
        }
        format!("strategy {name}: {problem}; going on with {}", failed.based_on())
    }
}

/// The strategy of this name, as the settings allow.
fn named(name: &str, settings: &EngineSettings) -> Result<Box<dyn Strategy>, EngineError> {
    if settings.mode == Mode::Sync {
        return Ok(Box::new(Sequential));
    }
    if let Some(strategy) = strategy::built_in(name) {
        return Ok(strategy);
    }
    let scripts = settings.strategies_dir.as_deref().map(Script::names).unwrap_or_default();
    match &settings.strategies_dir {
        Some(dir) if scripts.iter().any(|script| script == name) => Ok(Box::new(Script::load(dir, name)?)),
        _ => {
            let known: Vec<&str> = BUILT_IN.into_iter().chain(scripts.iter().map(String::as_str)).collect();
            Err(EngineError::UnknownStrategy { name: name.to_owned(), known: known.join(", ") })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strategy_that_cannot_be_had_changes_nothing() {
        let settings = EngineSettings::default();
        let mut strategies = Strategies::new(&settings).unwrap();
        strategies.switch("polling", &settings).unwrap();
        let problem = strategies.switch("poling", &settings).unwrap_err().to_string();
        assert_eq!(problem, "no strategy is called 'poling'; there are: concurrent, polling, adaptive");
        assert_eq!(strategies.name(), "polling");
    }

    #[test]
    fn the_sync_engine_has_one_strategy_whatever_the_settings_name() {
        let settings = EngineSettings { mode: Mode::Sync, strategy: "mine".to_owned(), ..EngineSettings::default() };
        assert_eq!(Strategies::new(&settings).unwrap().name(), "sequential");
    }

    #[test]
    fn a_script_that_could_not_plan_is_listed_with_its_problem() {
        let dir = tempfile::tempdir().unwrap();
        let text = "const BASED_ON = \"polling\";\nfn plan(view) { 3 }";
        std::fs::write(dir.path().join("mine.rhai"), text).unwrap();
        let strategies_dir = Some(dir.path().to_owned());
        let settings = EngineSettings { strategy: "mine".to_owned(), strategies_dir, ..EngineSettings::default() };
        let mut strategies = Strategies::new(&settings).unwrap();
        assert!(strategies.is_scripted());
        let instead = strategy::built_in("polling").unwrap();
        let text = strategies.failed(Failed { problem: "line 2: no map".to_owned(), instead });
        assert_eq!(text, "strategy mine: line 2: no map; going on with polling");
        assert_eq!(strategies.name(), "polling");
        let listed = strategies.list().iter().find(|info| info.name == "mine").unwrap();
        assert_eq!(listed.problem.as_deref(), Some("it could not plan: line 2: no map"));
    }
}
