//! `events` and `report`: what the journal tells.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::app::cli::engine::Signals;
use crate::app::cli::gather::there::{self, Order};
use crate::app::cli::{Context, Cut, EventsOptions, Failure, Look, ReportOptions, age, cell};
use crate::app::core::format;
use crate::app::journal::{
    self, AgentReport, Follow, Grown, JournalError, Record, Slice, bar, parse_since, read_since,
};

/// Time between two looks at a journal that is followed where the kernel does not notify of what is written.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The same where it does, and nothing should be found that was not notified.
const LOOK_ANYHOW: Duration = Duration::from_secs(60);

/// Said when nothing was kept.
const NOTHING: &str = "nothing was watched; `tmux-orc monitor start` keeps an engine and its journal running";

/// Cells of a bar.
const BAR: usize = 24;

/// Prints what happened.
pub async fn events(options: &EventsOptions, context: &mut Context) -> Result<(), Failure> {
    if options.scope.any() {
        let order = Order { words: &options.words(), json: options.json, follow: options.follow };
        return there::run(order, &options.scope, context).await;
    }
    let dir = context.paths.events();
    let zone = TimeZone::system();
    let since = match &options.since {
        Some(text) => Some(moment(text, Timestamp::now(), &zone)?),
        None => None,
    };
    let server = named_server(context)?;
    let wanted = |record: &Record| {
        let here = server.as_ref().is_none_or(|server| record.server == *server);
        here && (options.json || !record.is_heartbeat())
            && options.target.as_deref().is_none_or(|target| is_about(record, target))
    };
    // Followed from before the old ones are read, so that nothing falls in between; what is in both is told once.
    let mut grown = options.follow.then(|| Grown::watch(&dir));
    let mut follow = if options.follow { Some(Follow::from_end(&dir).map_err(failed)?) } else { None };
    // Without a time: the last ones of the last days, as many as fit a screen.
    let from = since.unwrap_or_else(|| ago(Timestamp::now(), 7 * 24));
    let mut records = read_since(&dir, from).map_err(failed)?;
    records.retain(&wanted);
    let most = options.lines.unwrap_or(if since.is_some() { usize::MAX } else { 50 });
    let skip = records.len().saturating_sub(most);
    if records.is_empty() && !options.json && !options.follow {
        context.out.line(if is_empty(&dir) { NOTHING } else { "nothing of this is in the journal" })?;
    }
    for record in &records[skip..] {
        print(record, options, &zone, context)?;
    }
    context.out.flush()?;
    let (Some(follow), Some(grown)) = (&mut follow, &mut grown) else { return Ok(()) };
    let mut end = Signals::listen()?;
    context.out.goes_on()?;
    let goes_on = async {
        loop {
            let look = if grown.notifies() { LOOK_ANYHOW } else { LOOK_EVERY };
            tokio::select! {
                () = grown.wait() => {}
                () = tokio::time::sleep(look) => {}
            }
            for record in follow.fresh().map_err(failed)? {
                if wanted(&record) && !records.contains(&record) {
                    print(&record, options, &zone, context)?;
                }
            }
            records.clear();
            context.out.hand_on().await?;
        }
    };
    tokio::select! {
        ended = goes_on => ended,
        () = end.any() => Ok(()),
    }
}

/// Whether there is no journal.
fn is_empty(dir: &std::path::Path) -> bool {
    std::fs::read_dir(dir).map_or(true, |mut files| files.next().is_none())
}

fn print(record: &Record, options: &EventsOptions, zone: &TimeZone, context: &mut Context) -> Result<(), Failure> {
    if options.bare {
        return context.out.json_line(&record.bare());
    }
    if options.json {
        return context.out.json_line(record);
    }
    let at = record.at.to_zoned_datetime(zone.clone());
    let time = context.out.paint(Look::Muted, &at.strftime("%Y-%m-%d %H:%M:%S").to_string());
    context.out.line(format!("{time}  {}", cell(&record.sentence(), 300)))
}

fn is_about(record: &Record, target: &str) -> bool {
    let pane = record.pane().is_some_and(|pane| pane.to_string() == target);
    let place =
        |place: &str| place == target || place.strip_prefix(target).is_some_and(|rest| rest.starts_with([':', '.']));
    pane || record.agent().is_some_and(|(at, agent)| place(at) || agent == target)
}

/// The server that was named by an option; without one the journal of all servers is read.
fn named_server(context: &Context) -> Result<Option<String>, Failure> {
    if context.global.socket_name.is_empty() && context.global.socket_path.is_none() {
        return Ok(None);
    }
    Ok(Some(context.server()?.socket().display().to_string()))
}

fn moment(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, Failure> {
    parse_since(text, now, zone).map_err(|error| Failure::usage(error.to_string()))
}

fn ago(now: Timestamp, hours: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(hours)).unwrap_or(Timestamp::MIN)
}

fn failed(error: JournalError) -> Failure {
    Failure::failed(error.to_string())
}

/// Prints the account of a span of time.
pub async fn report(options: &ReportOptions, context: &mut Context) -> Result<(), Failure> {
    if options.scope.any() {
        let order = Order { words: &options.words(), json: options.json, follow: false };
        return there::run(order, &options.scope, context).await;
    }
    let zone = TimeZone::system();
    let now = Timestamp::now();
    let since = moment(&options.since, now, &zone)?;
    let server = named_server(context)?;
    let report = journal::report(&context.paths.events(), server.as_deref(), since, now).map_err(failed)?;
    if options.json {
        return context.out.json(&report);
    }
    let from = since.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let title = format!("=== Agents since {from} ({}) ===", age(now.duration_since(since).as_secs_f64()));
    let title = context.out.paint(Look::Title, &title);
    context.out.line(title)?;
    if report.agents.is_empty() {
        return context.out.line(NOTHING);
    }
    let mut rows: Vec<Vec<(Look, String)>> = vec![
        [
            "AGENT", "TARGET", "WATCHED", "SHARE", "WORKING", "WAITING", "IDLE", "TURNS", "TOKENS", "COST", "WAITS",
            "MEDIAN", "LONGEST",
        ]
        .map(|head| (Look::Muted, head.to_owned()))
        .into(),
    ];
    rows.extend(report.agents.iter().map(row));
    let [agent, target, share, turns, tokens, cost, median, longest] = [0, 1, 3, 7, 8, 9, 11, 12];
    let cuts = [
        Cut::Out(cost),
        Cut::To(target, 20),
        Cut::Out(share),
        Cut::Out(turns),
        Cut::Out(tokens),
        Cut::Out(median),
        Cut::To(agent, 8),
        Cut::Out(longest),
        Cut::To(target, 8),
    ];
    context.out.table_cut(&rows, &cuts)?;
    let legend = "█ working  ▒ waiting  ! error or limited  x exited  · idle";
    let legend = context.out.paint(Look::Muted, legend);
    context.out.line(legend)?;
    let waits = &report.waits;
    let took = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), age);
    context.out.line(format!(
        "Waits: {}, answered {}, open {}; answered after {} (median), {} (longest)",
        waits.count,
        waits.answered,
        waits.open,
        took(waits.median),
        took(waits.longest)
    ))
}

fn row(agent: &AgentReport) -> Vec<(Look, String)> {
    let slices = [
        Slice { amount: agent.working, cell: '█' },
        Slice { amount: agent.waiting, cell: '▒' },
        Slice { amount: agent.error + agent.limited, cell: '!' },
        Slice { amount: agent.exited, cell: 'x' },
        Slice { amount: agent.idle + agent.other, cell: '·' },
    ];
    let took = |seconds: Option<f64>| seconds.map_or_else(|| "-".to_owned(), age);
    let waiting = if agent.waits.open > 0 { Look::Warn } else { Look::Plain };
    vec![
        (Look::Plain, cell(&agent.agent, 16)),
        (Look::Plain, cell(&agent.target, 32)),
        (Look::Plain, age(agent.watched)),
        (Look::Plain, bar(&slices, BAR)),
        (Look::Plain, age(agent.working)),
        (waiting, age(agent.waiting)),
        (Look::Plain, age(agent.idle)),
        (Look::Plain, agent.turns.to_string()),
        (Look::Plain, agent.tokens.map_or_else(|| "-".to_owned(), |tokens| format::count(tokens.total()))),
        (Look::Plain, agent.cost_usd.map_or_else(|| "-".to_owned(), |cost| format!("{cost:.2}"))),
        (waiting, agent.waits.count.to_string()),
        (Look::Plain, took(agent.waits.median)),
        (Look::Plain, took(agent.waits.longest)),
    ]
}
