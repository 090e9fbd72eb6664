//! `demo`: simulated agents on a private tmux server, and the dashboard on them.

use crate::app::cli::{Context, Dashboard, DemoOptions, Failure, WatchOptions, source, watch};
use crate::app::core::pick::Opening;
use crate::app::demo::{DemoError, Fleet};

/// Runs it. On a terminal, returns what the dashboard needs; the fleet lives as long as that.
pub async fn run(options: &DemoOptions, context: &mut Context) -> Result<Option<Box<Dashboard>>, Failure> {
    if options.if_no_agents && has_agents(context).await {
        return watch::run(&WatchOptions::default(), context).await;
    }
    let fleet = Fleet::start(options.agents).map_err(|error| match error {
        DemoError::Count(_) => Failure::usage(error.to_string()),
        DemoError::NoTmux(_) => Failure::unreachable(error.to_string()),
        _ => Failure::failed(error.to_string()),
    })?;
    context.global.socket_name.clear();
    context.global.socket_path = Some(fleet.server().socket().to_owned());
    // Of agents that never were nothing is kept: journal, log, locks and counts go with the fleet.
    context.paths.demo = Some(fleet.dir().join("kept"));
    let watching = WatchOptions { once: options.once, embedded: true, ..WatchOptions::default() };
    let mut dashboard = watch::run(&watching, context).await?;
    if let Some(dashboard) = &mut dashboard {
        dashboard.fleet = Some(fleet);
        if options.tour {
            dashboard.opening = Opening::Tour;
        }
    }
    Ok(dashboard)
}

/// Whether the user's own server has an agent. One that cannot be asked has none to show.
async fn has_agents(context: &Context) -> bool {
    source::from_engine_or_now(context).await.is_ok_and(|snapshot| !snapshot.agents.is_empty())
}
