//! The core's side fed with bytes: settings files and environment variables.

use std::{collections::HashMap, path::PathBuf};

use crate::app::settings;
use crate::app::settings::{Loaded, Paths, resolve};
use crate::tmux::clean;

/// A settings file. Lines `#env NAME=VALUE` of it, which are comments to YAML, are environment variables.
pub(crate) fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let environment: HashMap<String, String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("#env ")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let base = PathBuf::from("/nowhere");
    let paths = Paths { config: base.join("config.yaml"), base, config_was_named: false, demo: None };
    let get = |name: &str| environment.get(name).cloned();
    // As YAML counts them.
    let lines = text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).count();
    match resolve(Some(text), &paths, &get, &Vec::new()) {
        Ok(loaded) => usable(&loaded),
        Err(error) => {
            assert!(!error.0.is_empty(), "an error says what is wrong");
            for problem in &error.0 {
                assert!(!problem.message.is_empty());
                assert!(
                    problem.line.is_none_or(|line| (1..=lines + 1).contains(&line)),
                    "{problem:?} of {lines} lines"
                );
                assert_eq!(problem.line.is_some(), problem.column.is_some());
                let said = problem.to_string();
                assert_eq!(clean(&said), said, "it is printed on a terminal");
            }
        }
    }
}

/// Settings that were taken can be used.
fn usable(loaded: &Loaded) {
    let settings = &loaded.settings;
    let pool = &settings.monitoring.asynchronous.pool;
    assert!(pool.min_size <= pool.max_size && (1..=crate::monitor::MAX_POOL).contains(&pool.max_size));
    let interval = settings.monitoring.check_interval;
    assert!((crate::monitor::MIN_INTERVAL..=crate::monitor::MAX_INTERVAL).contains(&interval), "{interval:?}");
    let keys = settings.dashboard.keys.iter().map(|(action, keys)| (action.clone(), keys.all())).collect();
    crate::app::core::keymap::Keymap::new(&keys).expect("the keys were checked");
    let _ = settings.notifications.quiet_minutes();
    assert_eq!(loaded.rows().count(), settings::ROWS.len(), "every setting has a value");
    for section in ["monitoring", "dashboard", "notifications", "agents"] {
        assert_eq!(settings::changes(section, settings, settings), []);
        let _ = settings::changes(section, &settings::defaults(), settings);
    }
}
