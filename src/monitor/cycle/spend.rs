//! Spend: looks at the transcripts of the agents that wrote. The reading is done beside the cycles, which wait for none of it.

use std::time::{Duration, Instant};

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::facts::transcripts::watch::Clues;
use crate::monitor::panes::known::Panes;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::{EngineSettings, Prices};
use crate::tmux::PaneId;

/// Most looks that one cycle begins: those of a thousand agents are spread over some cycles.
const MOST_LOOKS: usize = 32;

/// Takes in the looks that came to their end, and begins those that are due.
pub(crate) fn look_at_transcripts(panes: &mut Panes, settings: &EngineSettings, at: Timestamp, now: Instant) {
    let today = TimeZone::system().to_datetime(at).date();
    let mut due: Vec<(Instant, PaneId)> = Vec::new();
    for tracked in panes.fleet.iter_mut() {
        let (id, wrote) = (tracked.pulse.id, tracked.pulse.activity);
        let Some(agent) = tracked.program().agent().map(|found| found.agent.as_str()) else { continue };
        let wanted = settings.usage.wants(agent);
        let Some((transcript, session)) = tracked.program_mut().transcript_and_session() else { continue };
        if !wanted {
            transcript.forget();
            continue;
        }
        transcript.take();
        if transcript.is_due(wrote, session, now, today) {
            due.push((transcript.looked_at().unwrap_or(now), id));
        }
    }
    // Those that waited longest first.
    due.sort_unstable();
    for (_, id) in due.into_iter().take(MOST_LOOKS) {
        let Some(clues) = panes.fleet.get(id).map(|tracked| clues(panes, tracked, &settings.prices)) else { continue };
        if let Some(transcript) = panes.fleet.get_mut(id).and_then(|tracked| tracked.program_mut().transcript_mut()) {
            transcript.look(clues, now, at);
        }
    }
}

/// Looks until nothing is left to be read, at most for `limit`: for those who look once.
pub(crate) async fn settle(panes: &mut Panes, settings: &EngineSettings, limit: Duration) {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        look_at_transcripts(panes, settings, Timestamp::now(), Instant::now());
        let mut transcripts = panes.fleet.iter().filter_map(|tracked| tracked.program().transcript());
        if !transcripts.any(|transcript| transcript.is_under_way()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn clues(panes: &Panes, tracked: &Tracked, prices: &Prices) -> Clues {
    let of = |tracked: &Tracked| tracked.program().agent().map(|found| found.agent.clone());
    let (agent, folder) = (of(tracked), &tracked.pane.path);
    let same = |other: &&Tracked| other.pane.path == *folder && of(other) == agent;
    Clues {
        session: tracked.program().session().map(str::to_owned),
        pids: tracked.program().processes().iter().map(|process| process.pid).collect(),
        folder: folder.clone(),
        alone: panes.fleet.iter().filter(same).take(2).count() < 2,
        prices: prices.clone(),
    }
}
