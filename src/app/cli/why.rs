//! `why`: how the verdict on one pane comes about, and saving it as a fixture for the tests.

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    time::Duration,
};

use jiff::{Timestamp, tz::TimeZone};

use crate::app::cli::gather::place;
use crate::app::cli::gather::there::{self, Order};
use crate::app::cli::workplace::Workplace;
use crate::app::cli::{Context, Failure, Scope, source};
use crate::app::core::format;
use crate::app::core::target;
use crate::app::core::tidy;
use crate::monitor::detect::fixture::Fixture;
use crate::monitor::detect::{Observation, Process};
use crate::monitor::facts::{process, profiles, published};
use crate::monitor::{Agent, NamedAgent, Snapshot, Tokens, detect};
use crate::tmux::request::places;
use crate::tmux::{
    Batch, Command, Expect, Features, Fields, Pane, PaneId, Screen, Server, Transport, TransportKind, clean,
    parse_panes,
};

/// tmux answers one person's question within this time.
const LIMIT: Duration = Duration::from_secs(10);

/// Options of `why`.
#[derive(Clone, Debug, clap::Args)]
pub struct WhyOptions {
    /// `%12`, `session:window.pane`, `session:window`, or the agent's name; elsewhere: `TARGET@HOST[/SERVER]`
    #[arg(allow_hyphen_values = true)]
    pub target: String,
    /// On this host of the settings, or one of its tmux servers (`box/work`)
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
    /// How to report.
    #[command(flatten)]
    pub report: crate::app::cli::Report,
    /// Write the screen and its label as a test fixture; what looks like a key is masked
    #[arg(long, value_name = "FILE")]
    pub save: Option<std::path::PathBuf>,
}

/// What its user put on an agent.
fn tidied(agent: &Agent, now: Timestamp) -> Option<String> {
    let name = agent.given_name.as_ref().map(|name| format!("named {name}"));
    let note = agent.note.as_ref().map(|note| format!("note: {note}"));
    let all: Vec<String> = name.into_iter().chain(tidy::marks(agent, now)).chain(note).collect();
    (!all.is_empty()).then(|| format!("\nIts user's own: {}", all.join(", ")))
}

/// Runs it: looks at the pane itself, now, whatever an engine last said.
pub async fn run(options: &WhyOptions, context: &mut Context) -> Result<(), Failure> {
    let scope = Scope { host: options.host.iter().cloned().collect(), ..Scope::default() };
    let meant = place::of(&options.target, &scope, context)?;
    if meant.scope.any() {
        if options.save.is_some() {
            return Err(Failure::usage("--save writes on the machine of the pane: run it there"));
        }
        let words = ["why".to_owned()].into_iter().chain(options.report.json.then(|| "--json".to_owned()));
        // Its server is named as a person there does it: it may be a host behind that one.
        let host = meant.scope.host.first().map_or("", String::as_str);
        let (host, target) = match host.split_once('/') {
            Some((host, server)) => (host, format!("{}@/{server}", meant.target)),
            None => (host, meant.target.to_owned()),
        };
        let words: Vec<String> = words.chain([target]).collect();
        let order = Order { words: &words, json: options.report.json, follow: false };
        let scope = Scope { host: vec![host.to_owned()], ..Scope::default() };
        return there::run(order, &scope, context).await;
    }
    let (target, context) = (meant.target, &mut meant.context.unwrap_or(context.again()));
    let server = context.server()?;
    let asked = Asked::new(&server).await?;
    // What a single look cannot know: which program ran there, and for how long the screen has not changed.
    let before = source::from_engine(context).await.ok();
    let pane = asked.find(target, before.as_deref()).await?;
    let screen = asked.screen(pane.id).await?;
    let loaded = context.load(&crate::app::settings::Overrides::new())?;
    let profiles = profiles::load(Some(&context.paths.agents())).map_err(|error| Failure::usage(error.to_string()))?;
    let processes = if asked.elsewhere { vec![Process::out_of_sight()] } else { process::under(pane.pid) };
    let known = before.as_deref().and_then(|snapshot| snapshot.agents.iter().find(|agent| agent.pane_id == pane.id));
    let named = &loaded.settings.agents;
    let zone = TimeZone::system();
    let seen = Observation {
        pane: &pane,
        screen: Some(&screen),
        processes: &processes,
        published: None,
        known_agent: known.map(|agent| agent.agent.as_str()),
        named: NamedAgent::of(named, &pane),
        previous: known.map(|agent| (agent.state, agent.kind.as_deref())),
        now: Timestamp::now(),
        zone: Some(&zone),
    };
    let published = published::read(&profiles, &seen).await;
    let seen = Observation { published: published.as_ref(), ..seen };
    let explanation = detect::explain(&profiles, &seen);
    let saved = options.save.as_deref().map(|file| save(file, &seen, &explanation)).transpose()?;
    let workplace = Workplace::of(&pane.path, &loaded.settings.repositories, &context.paths.run()).await;
    if options.report.json {
        return context.out.json(&Why { explanation, workplace });
    }
    for line in explanation.to_string().lines().chain(workplace.to_string().lines()) {
        context.out.line(clean(line))?;
    }
    for line in known.map(spends).unwrap_or_default() {
        context.out.line(clean(&line))?;
    }
    if let Some(line) = known.and_then(|agent| tidied(agent, seen.now)) {
        context.out.line(clean(&line))?;
    }
    if let Some(agent) = known.filter(|agent| explanation.verdict.as_ref().is_some_and(|v| v.state != agent.state)) {
        context.out.line(format!("\nThe engine says {}: it looked at another moment.", agent.state))?;
    }
    if let (Some(file), Some(fixture)) = (&options.save, saved) {
        let label = format!("{} {}", fixture.states.join("|"), fixture.kind.as_deref().unwrap_or("*"));
        context.out.line(format!("\nSaved to {}", file.display()))?;
        context.out.line(format!("Its label is `expect: {label}`: if that is wrong, write there what is right"))?;
        let again = detect::judge(&profiles, &fixture.observation(&screen, seen.now));
        if let Some(fault) = fixture.fault(again.as_ref()) {
            // Its session file, or what was known before, is not in the file.
            context.out.line(clean(&format!("By what is saved alone it is judged otherwise: {fault}")))?;
        }
    }
    Ok(())
}

/// What the engine knows of what it spends, a line each.
fn spends(agent: &Agent) -> Vec<String> {
    let Some(source) = &agent.usage_source else { return Vec::new() };
    let mut lines = vec![String::new(), "Spends".to_owned()];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<11} {value}"));
    let tokens = |of: &Tokens| {
        let [input, output] = [of.input_tokens, of.output_tokens].map(format::thousands);
        let [read, write] = [of.cache_read_tokens, of.cache_write_tokens].map(format::thousands);
        format!("{input} in, {output} out, {read} read from a cache, {write} written to one")
    };
    if let Some(model) = &agent.model {
        line("model", model.clone());
    }
    if let Some(used) = agent.tokens.context_used {
        let of = agent.tokens.context_window.map(|window| format!(" of {}", format::thousands(window)));
        line("context", format!("{}{} tokens", format::thousands(used), of.unwrap_or_default()));
    }
    for (name, of) in [("turn", &agent.tokens.turn), ("session", &agent.tokens.session), ("today", &agent.tokens.today)]
    {
        if let Some(of) = of {
            line(name, tokens(of));
        }
    }
    if let Some(cost) = agent.cost_usd {
        line("cost", format!("{cost:.2} US dollars"));
    }
    line("known", source.clone());
    lines
}

/// All that is told as JSON.
#[derive(serde::Serialize)]
struct Why {
    #[serde(flatten)]
    explanation: detect::Explanation,
    workplace: Workplace,
}

/// The server, asked without an engine.
struct Asked {
    transport: Transport,
    features: Features,
    /// The server's processes are out of sight.
    elsewhere: bool,
}

impl Asked {
    async fn new(server: &Server) -> Result<Self, Failure> {
        let (version, elsewhere) = server.version_and_place().await?;
        let transport = Transport::new(server.clone(), TransportKind::Spawn, None);
        Ok(Self { transport, features: version.features(), elsewhere })
    }

    async fn one(&self, command: Command) -> Result<Vec<u8>, Failure> {
        let mut batch = Batch::new();
        batch.push(command, Expect::Any);
        let reply = self.transport.send(&batch, LIMIT).await?;
        match reply.parts.into_iter().next() {
            Some(Ok(bytes)) => Ok(bytes.to_vec()),
            Some(Err(error)) => Err(Failure::failed(format!("tmux: {error}"))),
            None => Err(Failure::failed("tmux gave no answer".to_owned())),
        }
    }

    async fn screen(&self, pane: PaneId) -> Result<Screen, Failure> {
        Ok(Screen::plain(&self.one(Command::capture(pane, false)).await?))
    }

    /// The pane that is meant: any pane by id or place, an agent also by name.
    async fn find(&self, wanted: &str, before: Option<&Snapshot>) -> Result<Pane, Failure> {
        let panes = parse_panes(&self.one(Command::list_panes(self.features, Fields::All)).await?);
        let id = before.and_then(|snapshot| target::find(snapshot, wanted).ok()).map(|agent| agent.pane_id);
        let exact = |pane: &&Pane| pane.is_at(wanted) || Some(pane.id) == id;
        if let Some(pane) = panes.iter().find(exact) {
            return Ok(pane.clone());
        }
        let in_window = |pane: &&Pane| {
            wanted == pane.window
                || places::in_session(&pane.places, wanted)
                || places::in_window(&pane.places, &pane.window, wanted)
        };
        let found: Vec<&Pane> = panes.iter().filter(in_window).collect();
        match found[..] {
            [pane] => Ok(pane.clone()),
            [] => Err(Failure::failed(format!("no pane at '{}': `tmux list-panes -a` lists them", clean(wanted)))),
            [..] => {
                let places: Vec<String> = found.iter().map(|pane| pane.target()).collect();
                Err(Failure::failed(format!("'{}' could be {}: name one of them", clean(wanted), places.join(", "))))
            }
        }
    }
}

/// Adds the fixture to a file, which only its owner can read: a screen may show what is nobody else's business.
fn save(file: &Path, seen: &Observation<'_>, explanation: &detect::Explanation) -> Result<Fixture, Failure> {
    let cannot = |error: std::io::Error| Failure::failed(format!("{}: cannot be written: {error}", file.display()));
    let verdict = explanation.verdict.as_ref();
    let state = verdict.map_or("absent".to_owned(), |verdict| verdict.state.to_string());
    let kind = verdict.and_then(|verdict| verdict.kind.as_deref());
    let agent = verdict.map(|verdict| verdict.agent.as_str()).or(seen.known_agent);
    let pane = seen.pane;
    let name = format!("{}-{state}-{}.{}x{}", agent.unwrap_or("none"), seen.now.as_second(), pane.width, pane.height);
    let fixture = Fixture::record(&name, seen, &state, kind, agent);
    let mut open = std::fs::OpenOptions::new();
    let mut out = open.append(true).create(true).mode(0o600).open(file).map_err(cannot)?;
    let meta = out.metadata().map_err(cannot)?;
    let before = meta.len();
    // Also one that was there: what an agent shows is its user's.
    if meta.is_file() {
        out.set_permissions(Permissions::from_mode(0o600)).map_err(cannot)?;
    }
    out.write_all(fixture.text().as_bytes()).map_err(|error| {
        // Half a fixture would spoil those before it.
        out.set_len(before).ok();
        cannot(error)
    })?;
    Ok(fixture)
}
