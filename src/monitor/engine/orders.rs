//! Commands carried out: each changes what the next cycle runs under, is an event, or is refused with its reason.

use std::{str::FromStr, time::Duration};

use jiff::Timestamp;
use strum::VariantNames;

use crate::monitor::engine::core::Core;
use crate::monitor::snapshot::settings::{CachePolicy, MAX_INTERVAL, MAX_POOL, MIN_INTERVAL};
use crate::monitor::{AgentState, Command, EventKind, Mode, Refused};
use crate::tmux::TransportChoice;

impl Core {
    /// Carries out a command. Says whether the next cycle should begin at once.
    ///
    /// # Errors
    /// Why it is not carried out.
    pub(crate) fn obey(&mut self, command: Command) -> Result<bool, Refused> {
        match command {
            Command::Strategy(name) => self.set_strategy(&name)?,
            Command::PoolSize(size) => self.set_pool(size),
            Command::Interval(seconds) => self.set_interval(seconds)?,
            Command::Transport(name) => self.set_transport(named("transport", &name)?)?,
            Command::Cache(true) if self.settings.mode == Mode::Sync => {
                return Err(Refused("the sync engine has no cache".to_owned()));
            }
            Command::Cache(enabled) => {
                let before = self.settings.cache.enabled;
                self.settings.cache.enabled = enabled;
                self.cache_changed("cache", on_off(before), on_off(self.settings.cache.enabled));
            }
            Command::CachePolicy(name) => {
                let policy = named::<CachePolicy>("cache policy", &name)?;
                let before = std::mem::replace(&mut self.settings.cache.policy, policy);
                self.cache_changed("cache policy", before.to_string(), policy.to_string());
            }
            Command::ClearCache => {
                self.panes.cache.reset(&self.settings.cache);
                self.changed("cache", "filled".to_owned(), "cleared".to_owned());
            }
            Command::Pause(paused) => {
                if paused != self.paused {
                    let word = |paused| if paused { "paused" } else { "running" };
                    self.changed("engine", word(self.paused).to_owned(), word(paused).to_owned());
                    self.paused = paused;
                }
                return Ok(!paused);
            }
            Command::Seen(pane) => {
                let Some(tracked) = self.panes.fleet.get_mut(pane) else { return Ok(false) };
                if tracked.state() == Some(AgentState::Exited) {
                    // Its user knows that it has ended: it is listed no longer.
                    let gone = tracked.dismiss_agent();
                    gone.into_iter().for_each(|event| self.events.push(Timestamp::now(), event));
                    return Ok(true);
                }
                tracked.seen();
                return Ok(false);
            }
            Command::Tidy(tidying) => {
                let tracked = self.panes.fleet.get_mut(tidying.pane_id);
                let tidied = tracked.is_some_and(|tracked| tracked.tidy(tidying, Timestamp::now()));
                return if tidied { Ok(false) } else { Err(Refused("another program is in its pane now".to_owned())) };
            }
            // They are put down as what the client wants, and do not come here.
            Command::Focus(_) | Command::Tiles(_) | Command::Watched(_) | Command::Instruments(_) => return Ok(false),
            Command::Acted(acted) => self.events.push(Timestamp::now(), EventKind::Acted(acted)),
            Command::Noted(changes) => changes.into_iter().for_each(|change| self.noted(change)),
            Command::Problem(text) => self.events.notice(Timestamp::now(), text, true),
            Command::Refresh | Command::Reload | Command::Stop => {}
        }
        Ok(true)
    }

    pub(crate) fn set_strategy(&mut self, name: &str) -> Result<(), Refused> {
        if self.settings.mode == Mode::Sync {
            let own = self.strategies.name();
            return Err(Refused(format!("the sync engine has one strategy: {own}")));
        }
        let before = self.strategies.name().to_owned();
        self.strategies.switch(name, &self.settings).map_err(|problem| Refused(problem.to_string()))?;
        name.clone_into(&mut self.settings.strategy);
        self.changed("strategy", before, self.strategies.name().to_owned());
        Ok(())
    }

    fn set_pool(&mut self, size: usize) {
        let size = size.clamp(1, MAX_POOL);
        let before = std::mem::replace(&mut self.settings.pool.max_size, size);
        // The floor stays as it was set: the pool itself keeps it under the ceiling, and a larger pool has it again.
        self.access.pool.resize(size);
        self.changed("pool", before.to_string(), size.to_string());
    }

    pub(crate) fn set_interval(&mut self, seconds: f64) -> Result<(), Refused> {
        if !seconds.is_finite() || seconds <= 0.0 {
            return Err(Refused(format!("an interval of {seconds} s is not possible; it takes a number above 0")));
        }
        let interval = Duration::from_secs_f64(seconds.min(MAX_INTERVAL.as_secs_f64())).max(MIN_INTERVAL);
        let before = std::mem::replace(&mut self.settings.interval, interval);
        self.changed("interval", format!("{} s", before.as_secs_f64()), format!("{} s", interval.as_secs_f64()));
        Ok(())
    }

    pub(crate) fn set_transport(&mut self, choice: TransportChoice) -> Result<(), Refused> {
        if self.settings.mode == Mode::Sync {
            return Err(Refused("the sync engine has one transport: process".to_owned()));
        }
        let before = std::mem::replace(&mut self.settings.transport, choice);
        self.access.set_transport(choice, self.access.transport());
        self.changed("transport", before.to_string(), choice.to_string());
        Ok(())
    }

    fn cache_changed(&mut self, setting: &str, before: String, after: String) {
        self.panes.cache.reset(&self.settings.cache);
        self.changed(setting, before, after);
    }

    pub(crate) fn changed(&mut self, setting: &str, from: String, to: String) {
        if from != to {
            self.ledger.history.mark(&format!("{setting} {to}"));
            self.events.push(Timestamp::now(), EventKind::Changed { setting: setting.to_owned(), from, to });
        }
    }
}

/// What is called so. Clients of a later version may name what this one does not have.
fn named<T: FromStr + VariantNames>(what: &str, name: &str) -> Result<T, Refused> {
    name.parse().map_err(|_| {
        let known = match T::VARIANTS {
            [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
            all => all.join(", "),
        };
        Refused(format!("no {what} is called '{name}'; there are {known}"))
    })
}

/// A switch in words.
pub(super) fn on_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}
