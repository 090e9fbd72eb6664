//! Tells the measures to whom the settings name, beside an engine of this process. Costs nothing while they name nobody.
//!
//! Of several processes that watch one server, the one that keeps its journal tells them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};

use crate::app::metrics::file::replace;
use crate::app::metrics::listen::Endpoint;
use crate::app::metrics::measure::Detail;
use crate::app::metrics::otlp::{Exporter, Target};
use crate::app::metrics::source::{Kept, Measures};
use crate::app::metrics::text::{Format, render};
use crate::app::settings::{self, Loaded, Metrics};
use crate::monitor::{Command, Keeper, ServerStatus, Snapshots, WeakCommands};

/// How often the file is written.
const WRITE_EVERY: Duration = Duration::from_secs(15);

/// How often it is looked who keeps, and what could not be done is tried again.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How long a port that another has is left alone.
const BIND_AGAIN: Duration = Duration::from_secs(15);

/// Reads a variable of the environment.
type Variable = fn(&str) -> Option<String>;

/// Tells them until the engine ends, as the settings in force say.
pub(crate) async fn tell(
    snapshots: Snapshots,
    engine: WeakCommands,
    mut settings: watch::Receiver<Arc<Loaded>>,
    kept: Kept,
    keeper: Keeper,
    variable: Variable,
) {
    loop {
        let any = |loaded: &Arc<Loaded>| loaded.settings.metrics.any();
        tokio::select! {
            on = settings.wait_for(any) => if on.is_err() {
                return;
            },
            () = ended(snapshots.clone()) => return,
        }
        let told = settings.borrow_and_update().settings.metrics.clone();
        let teller = Teller { snapshots: &snapshots, engine: &engine, kept: &kept, keeper: &keeper, told, variable };
        if !teller.run(&mut settings).await {
            return;
        }
    }
}

async fn ended(mut snapshots: Snapshots) {
    while snapshots.changed().await.is_ok() {}
}

/// Waits until they were read again; for ever, when nobody can read them any more.
async fn reread(settings: &mut watch::Receiver<Arc<Loaded>>) {
    if settings.changed().await.is_err() {
        std::future::pending().await
    }
}

struct Teller<'t> {
    snapshots: &'t Snapshots,
    engine: &'t WeakCommands,
    kept: &'t Kept,
    keeper: &'t Keeper,
    told: Metrics,
    variable: Variable,
}

impl Teller<'_> {
    /// Tells them until the settings change (`true`), or the engine ends.
    async fn run(&self, settings: &mut watch::Receiver<Arc<Loaded>>) -> bool {
        let mut tick = interval(LOOK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ways = None::<Ways>;
        let over = ended(self.snapshots.clone());
        tokio::pin!(over);
        let goes_on = loop {
            tokio::select! {
                _ = tick.tick() => {}
                () = &mut over => break false,
                () = reread(settings) => {
                    if settings.borrow_and_update().settings.metrics != self.told {
                        break true;
                    }
                    if let Some(ways) = &ways {
                        ways.measures.read_profiles(self.kept.profiles.clone()).await;
                    }
                }
            }
            match (self.is_ours(), &mut ways) {
                (true, None) => ways = self.start().await,
                (true, Some(ways)) => ways.look(self).await,
                (false, some) => {
                    if let Some(ways) = some.take() {
                        ways.end().await;
                    }
                }
            }
        };
        if let Some(ways) = ways {
            ways.end().await;
        }
        goes_on
    }

    /// Whether this process tells: its own engine watches, has seen something, and is the one that keeps.
    fn is_ours(&self) -> bool {
        let snapshot = self.snapshots.borrow();
        let seen = snapshot.server.status != ServerStatus::Connecting && !snapshot.server.simulated;
        snapshot.engine.pid == std::process::id() && seen && self.keeper.keeps()
    }

    async fn start(&self) -> Option<Ways> {
        let (kept, snapshots) = (self.kept.clone(), self.snapshots.clone());
        let detail = if self.told.detail == "agents" { Detail::Agents } else { Detail::Totals };
        let target = match Target::of(&self.told.otlp, &self.variable) {
            Ok(target) => target,
            Err(why) => {
                self.problem(format!("metrics.otlp: {why}")).await;
                None
            }
        };
        let target_is_set = target.is_some();
        let spans = detail == Detail::Agents && target.as_ref().is_some_and(|target| target.traces.is_some());
        let loaded =
            tokio::task::spawn_blocking(move || Measures::load(&kept, snapshots, detail, target_is_set, spans));
        let measures = loaded.await.ok()?;
        let name = self.snapshots.borrow().server.name().to_owned();
        let file = (!self.told.textfile.is_empty()).then(|| file_of(Path::new(&self.told.textfile), &name));
        let export = target.map(|target| tokio::spawn(Exporter::new(target, measures.clone()).run()));
        let mut ways = Ways {
            file: file.map(|path| Textfile { path, due: Instant::now(), failed: false, written: false }),
            listen: None,
            bind_at: Instant::now(),
            told_of_port: false,
            export,
            measures,
        };
        ways.look(self).await;
        Some(ways)
    }

    async fn problem(&self, text: String) {
        tracing::warn!(text, "measures");
        if let Some(engine) = self.engine.upgrade() {
            engine.send(Command::Problem(text)).await.ok();
        }
    }
}

/// The file of a server: the one that is set of the usual one, and beside it one with the name of each other.
fn file_of(set: &Path, server: &str) -> PathBuf {
    if server == "default" {
        return set.to_owned();
    }
    let fits = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    let server: String = server.chars().map(fits).take(64).collect();
    let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = part(set.file_stem()).unwrap_or_default();
    let ending = part(set.extension()).map(|ending| format!(".{ending}")).unwrap_or_default();
    set.with_file_name(format!("{stem}.{server}{ending}"))
}

struct Ways {
    measures: Measures,
    file: Option<Textfile>,
    listen: Option<Endpoint>,
    bind_at: Instant,
    told_of_port: bool,
    export: Option<JoinHandle<()>>,
}

struct Textfile {
    path: PathBuf,
    due: Instant,
    failed: bool,
    written: bool,
}

impl Ways {
    /// Does what is due.
    async fn look(&mut self, teller: &Teller<'_>) {
        if let Some(address) = settings::loopback(&teller.told.listen).filter(|_| self.listen.is_none())
            && Instant::now() >= self.bind_at
        {
            match Endpoint::open(address, self.measures.clone()).await {
                Ok(endpoint) => self.listen = Some(endpoint),
                Err(error) => {
                    self.bind_at = Instant::now() + BIND_AGAIN;
                    if !std::mem::replace(&mut self.told_of_port, true) {
                        let hint = match error.kind() {
                            // One engine a tmux server, and one port.
                            std::io::ErrorKind::AddrInUse => {
                                "; the engine of another tmux server may have it: a textfile and OTLP are for several"
                            }
                            _ => "",
                        };
                        teller.problem(format!("metrics.listen: nothing answers at {address}: {error}{hint}")).await;
                    }
                }
            }
        }
        let Some(file) = self.file.as_mut().filter(|file| Instant::now() >= file.due) else { return };
        file.due = Instant::now() + WRITE_EVERY;
        let Some(now) = self.measures.now().await else { return };
        let path = file.path.clone();
        let written = tokio::task::spawn_blocking(move || {
            replace(&path, render(&now.families, Format::Prometheus).as_bytes(), 0o644)
        });
        match written.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(()) => (file.failed, file.written) = (false, true),
            Err(error) => {
                if !std::mem::replace(&mut file.failed, true) {
                    let path = crate::tmux::clean(&file.path.display().to_string());
                    teller.problem(format!("metrics.textfile: {path} cannot be written: {error}")).await;
                }
            }
        }
    }

    /// Ends all. A file that nobody writes any more says of the agents what is not so: it goes.
    async fn end(self) {
        if let Some(file) = self.file.filter(|file| file.written) {
            std::fs::remove_file(&file.path).ok();
        }
        drop(self.listen);
        if let Some(export) = self.export {
            export.abort();
        }
        self.measures.save().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_file_of_its_own() {
        let of = |server: &str| file_of(Path::new("/var/x/orc.prom"), server).display().to_string();
        assert_eq!(of("default"), "/var/x/orc.prom");
        assert_eq!(of("work"), "/var/x/orc.work.prom");
        assert_eq!(of("../../etc/passwd"), "/var/x/orc.______etc_passwd.prom");
        assert_eq!(file_of(Path::new("/var/x/orc"), "work"), Path::new("/var/x/orc.work"));
    }
}
