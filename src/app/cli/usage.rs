//! `usage`: tokens and cost of all sessions, also of those whose panes are gone.

use std::collections::BTreeMap;

use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Map, Value, json};

use crate::app::cli::gather::there::{self, Order};
use crate::app::cli::{Context, Cut, Failure, Look, UsageOptions, cell, source, status};
use crate::app::core::format;
use crate::app::journal::parse_since;
use crate::app::settings::Overrides;
use crate::app::usage::{By, Collected, Group, Sources, collect, group};
use crate::monitor::{SCHEMA, facts::profiles};

/// Runs it.
pub async fn run(options: &UsageOptions, context: &mut Context) -> Result<(), Failure> {
    if options.scope.any() {
        let order = Order { words: &options.words(), json: options.json, follow: false };
        return there::run(order, &options.scope, context).await;
    }
    let zone = TimeZone::system();
    let since = options.since.as_deref().map(|text| parse_since(text, Timestamp::now(), &zone));
    let since = since.transpose().map_err(|error| Failure::usage(format!("--since: {error}")))?;
    let settings = context.load(&Overrides::new())?.settings;
    if !settings.usage.enabled {
        return Err(Failure::failed(
            "transcripts are not read: `usage.enabled` is false in the settings; set it to true to see what agents spend"
                .to_owned(),
        ));
    }
    let profiles = profiles::load(Some(&context.paths.agents())).map_err(|error| Failure::usage(error.to_string()))?;
    let agents = match options.by {
        By::Agent => agents(context).await?,
        _ => BTreeMap::new(),
    };
    let read = tokio::task::spawn_blocking(move || {
        let variable = |name: &str| std::env::var(name).ok();
        let sources = Sources {
            profiles: &profiles,
            usage: &settings.usage,
            prices: &settings.prices,
            home: std::env::var_os("HOME").map(Into::into),
            variable: &variable,
            owner: rustix::process::geteuid().as_raw(),
        };
        collect(&sources, since)
    });
    let collected = read.await.map_err(|error| Failure::failed(error.to_string()))?;
    let (groups, totals) = group(&collected.requests, options.by, &zone, &agents);
    if options.json {
        let rows: Vec<Value> = groups.iter().map(|group| row(group, Some(options.by))).collect();
        let unread: Map<String, Value> =
            collected.unread.iter().map(|(program, count)| (program.clone(), json!(count))).collect();
        let failed = collected.failed.iter().map(|(path, why)| (path.display().to_string(), json!(why)));
        let failed: Map<String, Value> = failed.collect();
        return context.out.json(&json!({
            "schema": SCHEMA,
            "since": since,
            "rows": rows,
            "totals": row(&totals, None),
            "files": collected.files,
            "unread": unread,
            "failed": failed,
        }));
    }
    table(&groups, &totals, options.by, context)?;
    // The engine knows them, where one runs.
    if let Ok(snapshot) = source::from_engine(context).await
        && !snapshot.accounts.is_empty()
    {
        context.out.line("")?;
        status::limits(&snapshot.accounts, context)?;
    }
    warn(&collected);
    Ok(())
}

/// The agents that run, by program and session.
async fn agents(context: &mut Context) -> Result<BTreeMap<(String, String), String>, Failure> {
    let snapshot = match source::from_engine_or_now(context).await {
        Ok(snapshot) => snapshot,
        // Without a server there is no agent any more; what they spent is there all the same.
        Err(failure) if failure.code() == Failure::unreachable("").code() => return Ok(BTreeMap::new()),
        Err(failure) => return Err(failure),
    };
    let one =
        |agent: &crate::monitor::Agent| Some(((agent.agent.clone(), agent.session_id.clone()?), agent.target.clone()));
    Ok(snapshot.agents.iter().filter_map(one).collect())
}

fn row(group: &Group, by: Option<By>) -> Value {
    let mut row = Map::new();
    if let Some(by) = by {
        row.insert(by.to_string(), json!(group.key));
    }
    row.insert("input_tokens".into(), json!(group.tokens.input_tokens));
    row.insert("output_tokens".into(), json!(group.tokens.output_tokens));
    row.insert("cache_read_tokens".into(), json!(group.tokens.cache_read_tokens));
    row.insert("cache_write_tokens".into(), json!(group.tokens.cache_write_tokens));
    row.insert("cost_usd".into(), json!(group.cost_usd));
    row.insert("turns".into(), json!(group.turns));
    Value::Object(row)
}

fn table(groups: &[Group], totals: &Group, by: By, context: &mut Context) -> Result<(), Failure> {
    if groups.is_empty() {
        return context.out.line("No transcript says that anything was spent.");
    }
    let name = by.to_string().to_uppercase();
    let title = |text: &str| (Look::Title, text.to_owned());
    let mut heads = vec![title(&name)];
    heads.extend(["INPUT", "OUTPUT", "CACHE READ", "CACHE WRITE"].map(|head| title(&format!("{head:>13}"))));
    heads.extend([title(&format!("{:>9}", "COST")), title("TURNS")]);
    let mut rows = vec![heads];
    let line = |group: &Group, look: Look, key: &str| {
        let number = |count: u64| (look, format!("{:>13}", format::thousands(count)));
        let cost = group.cost_usd.map_or_else(|| format!("{:>9}", "-"), |cost| format!("{cost:>9.2}"));
        vec![
            (look, cell(key, 60)),
            number(group.tokens.input_tokens),
            number(group.tokens.output_tokens),
            number(group.tokens.cache_read_tokens),
            number(group.tokens.cache_write_tokens),
            (look, cost),
            (look, format!("{:>5}", group.turns)),
        ]
    };
    let gone = if by == By::Agent { "no longer there" } else { format::NONE };
    rows.extend(groups.iter().map(|group| line(group, Look::Plain, group.key.as_deref().unwrap_or(gone))));
    if groups.len() > 1 {
        rows.push(line(totals, Look::Title, "all"));
    }
    context.out.table_cut(&rows, &[Cut::To(0, 24), Cut::Out(6), Cut::To(0, 12), Cut::Out(4)])
}

fn warn(collected: &Collected) {
    for (program, count) in &collected.unread {
        let records = if *count == 1 { "record" } else { "records" };
        eprintln!("tmux-orc: {count} {records} of {program} could not be read and are not counted");
    }
    for (path, why) in collected.failed.iter().take(5) {
        eprintln!("tmux-orc: {} could not be read: {why}", cell(&path.display().to_string(), 200));
    }
    if collected.failed.len() > 5 {
        eprintln!("tmux-orc: and {} more transcripts could not be read", collected.failed.len() - 5);
    }
}
