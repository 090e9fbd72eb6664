//! `notify`: a notice by every channel that is on, the recipes, and what sends a notice to a service.

use std::io::{IsTerminal, Read};

use jiff::{Timestamp, tz::TimeZone};
use serde::Serialize;

use crate::app::act::Caller;
use crate::app::cli::beside::small_pool;
use crate::app::cli::context::environment;
use crate::app::cli::integration::program;
use crate::app::cli::{Context, Failure, Look, NotifyVerb, Report};
use crate::app::core::nearest::did_you_mean;
use crate::app::notify::{AgentNotice, Notice, RECIPES, Rules, Service, Ways, post};
use crate::app::settings::Overrides;
use crate::monitor::{AgentState, Asks};
use crate::tmux::{PaneId, Server};

/// Longest notice that is read, bytes.
const LONGEST: u64 = 1 << 20;

/// Runs it.
pub async fn run(verb: &NotifyVerb, context: &mut Context) -> Result<(), Failure> {
    match verb {
        NotifyVerb::Test(report) => test(*report, context).await,
        NotifyVerb::Recipes { name } => recipes(name.as_deref(), context),
        NotifyVerb::Send { service } => send(*service).await,
    }
}

/// How one channel did.
#[derive(Serialize)]
struct Tried {
    channel: String,
    ok: bool,
    detail: String,
}

async fn test(report: Report, context: &mut Context) -> Result<(), Failure> {
    let server = context.server()?;
    let settings = context.load(&Overrides::new())?.settings;
    let outside = std::io::stdout().is_terminal() && std::env::var_os("TMUX").is_none();
    let ways = Ways::new(small_pool(&server, &settings), &settings.notifications).with_own_terminal(outside);
    let ways = ways.without_buttons();
    let notices = [Notice::Agent(example(&server))];
    // Side by side, as in an engine.
    let tries = ways.channels().into_iter().map(|channel| {
        let (ways, notices) = (&ways, &notices);
        async move {
            let (ok, detail) = match ways.deliver(&channel, notices).await {
                Ok(detail) => (true, detail),
                Err(problem) => (false, problem),
            };
            Tried { channel: channel.name().to_owned(), ok, detail }
        }
    });
    let tried: Vec<Tried> = futures_util::future::join_all(tries).await;
    let quiet = Rules::new(&settings.notifications).is_quiet(Timestamp::now(), &TimeZone::system());
    let enabled = settings.notifications.enabled;
    if report.json {
        let value = serde_json::json!({ "schema": 1, "enabled": enabled, "quiet": quiet, "channels": &tried });
        context.out.json(&value)?;
    } else {
        let row = |one: &Tried| {
            let (look, word) = if one.ok { (Look::Good, "done") } else { (Look::Bad, "failed") };
            vec![(Look::Plain, one.channel.clone()), (look, word.to_owned()), (Look::Plain, one.detail.clone())]
        };
        context.out.table(&tried.iter().map(row).collect::<Vec<_>>())?;
        if !enabled {
            context.out.line("Agents give no notices yet: notifications.enabled is false in the settings.")?;
        }
        if quiet {
            let hours = &settings.notifications.quiet_hours;
            context.out.line(format!("It is in notifications.quiet_hours ({hours}): agents give no notices now."))?;
        }
    }
    if tried.is_empty() {
        return Err(Failure::failed("no channel is on: `tmux-orc notify recipes` prints some for the settings"));
    }
    if tried.iter().all(|one| one.ok) { Ok(()) } else { Err(Failure::check()) }
}

/// A notice of nobody, about the pane in which this runs.
fn example(server: &Server) -> AgentNotice {
    let pane_id = Caller::from_environment(server.socket(), None).pane.unwrap_or(PaneId(0));
    let line = "this is a test: everything from here to there works".to_owned();
    AgentNotice {
        at: Timestamp::now(),
        host: None,
        server: server.socket().display().to_string(),
        pane_id,
        target: "test:0.0".to_owned(),
        name: "test".to_owned(),
        agent: "tmux-orc".to_owned(),
        from: AgentState::Working,
        state: AgentState::Waiting,
        kind: Some("question".to_owned()),
        asks: Some(Asks { full: line.clone(), line }),
        doing: None,
        waited: None,
    }
}

fn recipes(name: Option<&str>, context: &mut Context) -> Result<(), Failure> {
    let program = program();
    let Some(name) = name else {
        let texts: Vec<String> = RECIPES.iter().map(|recipe| recipe.with_program(&program)).collect();
        return context.out.raw(texts.join("\n").as_bytes());
    };
    let Some(recipe) = RECIPES.iter().find(|recipe| recipe.name == name) else {
        let names = RECIPES.map(|recipe| recipe.name);
        let hint = did_you_mean(name, names);
        return Err(Failure::usage(format!("no recipe {name:?}{hint}: there are {}", names.join(", "))));
    };
    context.out.raw(recipe.with_program(&program).as_bytes())
}

async fn send(service: Service) -> Result<(), Failure> {
    if std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "the notice comes on standard input: put this into notifications.commands of the settings, then `tmux-orc notify test`",
        ));
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(LONGEST).read_to_end(&mut bytes);
    read.map_err(|error| Failure::failed(format!("cannot read standard input: {error}")))?;
    let notice = serde_json::from_slice(&bytes)
        .map_err(|error| Failure::usage(format!("standard input is no notice: {error}")))?;
    let request = service.request(&notice, &environment).map_err(Failure::usage)?;
    post(&request).await.map_err(|problem| Failure::failed(format!("{}: {problem}", service.name())))
}
