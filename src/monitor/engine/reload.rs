//! Settings read again while the engine runs: what differs from the last time is applied, each change an event.
//!
//! Compared is with what was read before, not with what is in force: what was tuned by hand since then stays unless the
//! file says something new about it.

use std::{collections::BTreeSet, time::Duration};

use jiff::Timestamp;

use crate::monitor::engine::core::Core;
use crate::monitor::engine::orders::on_off;
use crate::monitor::facts::repository::Repositories;
use crate::monitor::strategy::Adaptive;
use crate::monitor::{
    Change, EngineSettings, Event, EventKind, Mode, NamedAgent, Refused, Reread, RereadInfo, StrategyInfo,
    UsageSettings,
};

/// Longest value in an event.
const LONGEST_VALUE: usize = 80;

/// What came of reading the settings again.
pub(crate) type Fresh = Result<Reread, String>;

impl Core {
    /// Takes in what reading the settings again gave.
    pub(crate) fn take_settings(&mut self, fresh: Fresh) {
        let before = self.events.newest();
        let problem = match fresh {
            Ok(Reread { engine, profiles, beside }) => {
                self.profiles = profiles;
                self.apply_settings(engine);
                beside.into_iter().for_each(|change| self.noted(change));
                // Emptied last: the agents are judged anew, by the profiles that were read with the settings.
                self.panes.cache.reset(&self.settings.cache);
                if self.events.newest() == before {
                    self.events.notice(Timestamp::now(), "the settings were read again: nothing changed", false);
                }
                None
            }
            Err(why) => {
                self.refuse(format!("settings unchanged: {why}"));
                Some(why)
            }
        };
        let changes = self.events.since(before).filter_map(change_of).collect();
        let count = self.configured.reread.as_ref().map_or(0, |last| last.count) + 1;
        self.configured.reread = Some(RereadInfo { count, problem, changes });
    }

    /// A change that something beside the engine made.
    pub(crate) fn noted(&mut self, Change { setting, from, to }: Change) {
        self.events.push(
            Timestamp::now(),
            EventKind::Changed { setting: short(&setting), from: short(&from), to: short(&to) },
        );
    }

    /// A setting that cannot be put in force stays as it was, and an event says why.
    fn unless_refused(&mut self, set: Result<(), Refused>) {
        if let Err(Refused(why)) = set {
            self.refuse(why);
        }
    }

    fn apply_settings(&mut self, fresh: EngineSettings) {
        let was = std::mem::replace(&mut self.configured.settings, fresh.clone());
        self.list_strategies();
        if was.mode != fresh.mode {
            self.set_mode(&fresh);
        }
        if was.interval != fresh.interval {
            let set = self.set_interval(fresh.interval.as_secs_f64());
            self.unless_refused(set);
        }
        let failures = std::mem::replace(&mut self.settings.max_failures, fresh.max_failures);
        self.changed("max failures", failures.to_string(), fresh.max_failures.to_string());
        if was.max_server_percent != fresh.max_server_percent {
            let before = std::mem::replace(&mut self.settings.max_server_percent, fresh.max_server_percent);
            self.ceiling.set_percent(fresh.max_server_percent);
            self.changed("max server percent", before.to_string(), fresh.max_server_percent.to_string());
        }
        if was.usage != fresh.usage {
            let words = |usage: &UsageSettings| match (usage.enabled, usage.programs.is_empty()) {
                (false, _) => "off".to_owned(),
                (true, true) => "all".to_owned(),
                (true, false) => usage.programs.join(", "),
            };
            let (from, to) = (words(&self.settings.usage), words(&fresh.usage));
            self.settings.usage = fresh.usage.clone();
            self.changed("usage", from, to);
        }
        if was.repositories != fresh.repositories {
            let before = std::mem::replace(&mut self.settings.repositories, fresh.repositories.clone());
            self.repositories = Repositories::new(&fresh.repositories);
            self.changed("repositories", on_off(before.enabled), on_off(fresh.repositories.enabled));
            self.changed("repositories diff", on_off(before.diff), on_off(fresh.repositories.diff));
        }
        if was.prices != fresh.prices {
            let (from, to) = (self.settings.prices.len(), fresh.prices.len());
            self.settings.prices = fresh.prices.clone();
            self.panes.forget_spending();
            self.noted(Change { setting: "prices".into(), from: format!("{from} models"), to: format!("{to} models") });
        }
        if was.named != fresh.named {
            self.set_named(fresh.named.clone());
        }
        // A change of the mode brought all of these along; and the sync engine has no use for them.
        if was.mode == fresh.mode && self.settings.mode == Mode::Async {
            self.apply_async(&was, &fresh);
        } else if was.mode == fresh.mode && differs_in_async(&was, &fresh) {
            let text =
                "the sync engine runs: strategy, transport, pool and cache are for the async one, and wait for it";
            self.events.notice(Timestamp::now(), text, false);
        }
    }

    /// Lists the strategies anew; what came, went or got another problem is an event.
    fn list_strategies(&mut self) {
        let before = self.strategies.relist(self.settings.strategies_dir.as_deref());
        let word = |info: Option<&StrategyInfo>| match info {
            None => "none".to_owned(),
            Some(StrategyInfo { problem: None, .. }) => "good".to_owned(),
            Some(StrategyInfo { problem: Some(problem), .. }) => problem.clone(),
        };
        let find = |list: &[StrategyInfo], name: &str| word(list.iter().find(|info| info.name == name));
        let names: BTreeSet<String> =
            before.iter().chain(self.strategies.list()).map(|info| info.name.clone()).collect();
        for name in names {
            let (from, to) = (find(&before, &name), find(self.strategies.list(), &name));
            if from != to {
                self.noted(Change { setting: format!("script {name}"), from, to });
            }
        }
    }

    fn apply_async(&mut self, was: &EngineSettings, fresh: &EngineSettings) {
        let scripted = self.strategies.is_scripted();
        // The text of a script may have changed though its name has not.
        if was.strategy != fresh.strategy || scripted && self.settings.strategy == fresh.strategy {
            let set = self.set_strategy(&fresh.strategy);
            self.unless_refused(set);
        }
        if was.transport != fresh.transport {
            let set = self.set_transport(fresh.transport);
            self.unless_refused(set);
        }
        let mut pool = self.settings.pool;
        let (old, new) = (&was.pool, &fresh.pool);
        replace(&mut pool.max_size, old.max_size, new.max_size);
        replace(&mut pool.min_size, old.min_size, new.min_size);
        replace(&mut pool.connection_timeout, old.connection_timeout, new.connection_timeout);
        replace(&mut pool.max_age, old.max_age, new.max_age);
        let old = std::mem::replace(&mut self.settings.pool, pool);
        self.access.pool.configure(pool);
        self.changed("pool", old.max_size.to_string(), pool.max_size.to_string());
        self.changed("pool min size", old.min_size.to_string(), pool.min_size.to_string());
        self.changed("pool connection timeout", seconds(old.connection_timeout), seconds(pool.connection_timeout));
        self.changed("pool max age", seconds(old.max_age), seconds(pool.max_age));

        let mut cache = self.settings.cache.clone();
        let (old, new) = (&was.cache, &fresh.cache);
        replace(&mut cache.enabled, old.enabled, new.enabled);
        replace(&mut cache.policy, old.policy, new.policy);
        replace(&mut cache.ttl, old.ttl, new.ttl);
        replace(&mut cache.max_size, old.max_size, new.max_size);
        let old = std::mem::replace(&mut self.settings.cache, cache.clone());
        self.changed("cache", on_off(old.enabled), on_off(cache.enabled));
        self.changed("cache policy", old.policy.to_string(), cache.policy.to_string());
        self.changed("cache ttl", seconds(old.ttl), seconds(cache.ttl));
        self.changed("cache max size", old.max_size.to_string(), cache.max_size.to_string());
    }

    /// From async to sync or back, with all that goes with it.
    fn set_mode(&mut self, fresh: &EngineSettings) {
        let before = self.settings.mode;
        if fresh.mode == Mode::Sync {
            self.go_sync();
        } else {
            // The interval, the named agents and the failures are compared one by one.
            let EngineSettings { mode, strategy, transport, pool, cache, .. } = fresh.clone();
            self.settings = EngineSettings { mode, strategy, transport, pool, cache, ..self.settings.clone() };
            let name = self.settings.strategy.clone();
            if let Err(problem) = self.strategies.switch(&name, &self.settings) {
                self.refuse(problem.to_string());
                self.strategies.set(Box::<Adaptive>::default());
                self.strategies.name().clone_into(&mut self.settings.strategy);
            }
            // The one in use is known again after the next cycle.
            self.access.set_transport(self.settings.transport, None);
            self.access.pool.configure(self.settings.pool);
        }
        self.changed("engine", before.to_string(), self.settings.mode.to_string());
    }

    /// Other panes are called agents, or otherwise.
    fn set_named(&mut self, named: Vec<NamedAgent>) {
        let at = Timestamp::now();
        let before = std::mem::replace(&mut self.settings.named, named);
        let gone = self.panes.set_named(&self.settings.named, at);
        self.events.extend(gone);
        let (from, to) = (listed(&before), listed(&self.settings.named));
        self.noted(Change { setting: "agents".to_owned(), from, to });
    }
}

/// Takes over what is new, and leaves what was tuned where nothing is.
fn replace<T: PartialEq>(live: &mut T, old: T, new: T) {
    if old != new {
        *live = new;
    }
}

fn differs_in_async(was: &EngineSettings, fresh: &EngineSettings) -> bool {
    (&was.strategy, was.transport, was.pool, &was.cache) != (&fresh.strategy, fresh.transport, fresh.pool, &fresh.cache)
}

fn change_of(event: &Event) -> Option<Change> {
    match &event.what {
        EventKind::Changed { setting, from, to } => {
            Some(Change { setting: setting.clone(), from: from.clone(), to: to.clone() })
        }
        _ => None,
    }
}

fn listed(named: &[NamedAgent]) -> String {
    if named.is_empty() {
        return "none".to_owned();
    }
    let word = |named: &NamedAgent| {
        let what = named.name.as_ref().or(named.agent.as_ref());
        what.map_or_else(|| named.target.clone(), |what| format!("{} {what}", named.target))
    };
    named.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

fn short(text: &str) -> String {
    let text = crate::tmux::clean(text);
    match text.char_indices().nth(LONGEST_VALUE) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}
