//! What the benchmark tells: a table and a plain sentence, or JSON.

use serde_json::json;

use crate::app::cli::benchmark::BenchmarkOptions;
use crate::app::cli::benchmark::measure::Measured;
use crate::app::cli::{Context, Failure, Look};

/// Tells what was measured, as a table or as JSON.
pub(super) fn report(
    measured: &Measured,
    version: &str,
    options: &BenchmarkOptions,
    context: &mut Context,
) -> Result<(), Failure> {
    let Measured { cases, transport, changing } = measured;
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let median = |name: &str| cases.iter().find(|case| case.name == name).map(|case| case.median_ms);
    let ratio = |name: &str| Some(median("baseline")? / median(name)?);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    if options.report.json {
        let ratios: serde_json::Map<_, _> = ["full", "changing", "warm", "cold"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), json!(ratio(name)?))))
            .collect();
        return context.out.json(&json!({
            "schema": 1,
            "timestamp": jiff::Timestamp::now(),
            "version": env!("CARGO_PKG_VERSION"),
            "build": build,
            "agents": options.agents,
            "busy": options.busy,
            "changing": changing,
            "tmux_version": version,
            "transport": transport,
            "cores": cores,
            "cases": cases,
            "baseline_over": ratios,
        }));
    }
    let transport = transport.as_deref().unwrap_or("-");
    context.out.line(format!(
        "{} agents in as many panes, tmux {version} by {transport}, {cores} cores, tmux-orc {} ({build} build)\n",
        options.agents,
        env!("CARGO_PKG_VERSION")
    ))?;
    let title = |text: &str| (Look::Title, text.to_owned());
    let mut rows: Vec<Vec<_>> =
        vec![["CYCLE", "MEDIAN", "P95", "SERVER", "RUNS", "READ", "REQUESTS", "PROCESSES"].map(title).into()];
    for case in cases {
        let plain = |text: String| (Look::Plain, text);
        rows.push(vec![
            plain(case.what.clone()),
            plain(format!("{:>9.2} ms", case.median_ms)),
            plain(format!("{:>9.2} ms", case.p95_ms)),
            plain(case.server_ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:>9.2} ms"))),
            plain(case.runs.to_string()),
            plain(case.checked.to_string()),
            plain(case.tmux_requests.to_string()),
            plain(case.tmux_processes.to_string()),
        ]);
    }
    context.out.table(&rows)?;
    context.out.line("\nSERVER is CPU time of the tmux server meanwhile, of all that it did.")?;
    if let (Some(baseline), Some(full), Some(times)) = (median("baseline"), median("full"), ratio("full")) {
        context.out.line(format!(
            "\nReading every pane took {full:.2} ms instead of {baseline:.2} ms: {times:.1} times faster than one tmux process \
             per command in this run."
        ))?;
    }
    if let (Some(warm), Some(times)) = (median("warm"), ratio("warm")) {
        let what = if options.busy == 0 { "nothing" } else { "nothing but the busy ones" };
        context.out.line(format!("When {what} changed a cycle took {warm:.2} ms: {times:.0} times faster."))?;
    }
    Ok(())
}
