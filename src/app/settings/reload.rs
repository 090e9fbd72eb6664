//! What changes in a running engine when the settings are read again.

use super::{Settings, table};
use crate::monitor::Command;

/// The outcome of reading the settings again.
#[derive(Clone, Debug, PartialEq)]
pub struct Reload {
    /// What to tell the engine.
    pub commands: Vec<Command>,
    /// Settings of the engine that changed and take effect only when it starts again.
    pub at_next_start: Vec<&'static str>,
}

/// Compares the settings before and after.
#[must_use]
pub fn reload(before: &Settings, after: &Settings) -> Reload {
    let (old, new) = (&before.monitoring, &after.monitoring);
    let mut commands = Vec::new();
    let mut change = |changed: bool, command: Command| {
        if changed {
            commands.push(command);
        }
    };
    change(old.check_interval != new.check_interval, Command::Interval(new.check_interval.as_secs_f64()));
    let (old, new) = (&old.asynchronous, &new.asynchronous);
    change(old.strategy != new.strategy, Command::Strategy(new.strategy.clone()));
    change(old.transport != new.transport, Command::Transport(new.transport.clone()));
    change(old.pool.max_size != new.pool.max_size, Command::PoolSize(new.pool.max_size));
    change(old.cache.enabled != new.cache.enabled, Command::Cache(new.cache.enabled));
    change(old.cache.strategy != new.cache.strategy, Command::CachePolicy(new.cache.strategy.clone()));
    Reload { commands, at_next_start: at_next_start(before, after) }
}

/// Settings of the engine, and of what runs beside it, that no command changes.
fn at_next_start(before: &Settings, after: &Settings) -> Vec<&'static str> {
    const LIVE: [&str; 6] = [
        "monitoring.check_interval",
        "monitoring.async.strategy",
        "monitoring.async.transport",
        "monitoring.async.pool.max_size",
        "monitoring.async.cache.enabled",
        "monitoring.async.cache.strategy",
    ];
    let value = |settings: &Settings, path: &str| {
        let tree = serde_json::to_value(settings).unwrap_or_default();
        tree.pointer(&format!("/{}", path.replace('.', "/"))).cloned()
    };
    let engine = |path: &&str| !path.starts_with("dashboard.");
    let paths = table::ROWS.iter().map(|row| row.path).filter(engine).filter(|path| !LIVE.contains(path));
    paths.filter(|path| value(before, path) != value(after, path)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = crate::app::settings::defaults();
        assert_eq!(reload(&before, &before), Reload { commands: vec![], at_next_start: vec![] });
        let mut after = before.clone();
        after.monitoring.check_interval = Duration::from_millis(2500);
        after.monitoring.max_failures = 9;
        after.notifications.enabled = true;
        after.dashboard.mouse = false;
        after.monitoring.asynchronous.pool.max_size = 30;
        after.monitoring.asynchronous.cache.strategy = "lfu".to_owned();
        let change = reload(&before, &after);
        let expected = [Command::Interval(2.5), Command::PoolSize(30), Command::CachePolicy("lfu".to_owned())];
        assert_eq!(change.commands, expected);
        assert_eq!(change.at_next_start, ["monitoring.max_failures", "notifications.enabled"]);
    }
}
