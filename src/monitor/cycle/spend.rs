//! Spend: looks at the transcripts of the agents that wrote. The reading is done beside the cycles, which wait for none of it.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::{Timestamp, tz::TimeZone};

use crate::monitor::EngineSettings;
use crate::monitor::facts::transcripts::whose::Clues;
use crate::monitor::panes::known::{Panes, TimedEvent};
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::usage::Accounts;
use crate::tmux::{PaneId, clean};

/// Most looks that one cycle begins: each takes a thread for a moment, and those of many agents are spread over cycles.
const MOST_LOOKS: usize = 8;

/// Most bytes of one look.
const MOST_AT_ONCE: u64 = 4 << 20;

/// Takes in the looks that came to their end, and begins those that are due.
/// Returns what of their accounts' limits is news.
pub(crate) fn look_at_transcripts(
    panes: &mut Panes,
    accounts: &mut Accounts,
    settings: &EngineSettings,
    at: Timestamp,
    now: Instant,
) -> Vec<TimedEvent> {
    let mut happened = Vec::new();
    accounts.retain(|program| settings.usage.wants(program));
    let today = TimeZone::system().to_datetime(at).date();
    note_company(panes, at);
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
        let (news, bytes) = transcript.take();
        panes.transcript_bytes.spend(bytes);
        if transcript.is_due(wrote, session, now, today) {
            due.push((transcript.looked_at().unwrap_or(now), id));
        }
        if news && let Some((agent, transcript)) = tracked.program().agent().zip(tracked.program().transcript()) {
            let limits = &transcript.known().limits;
            let account = transcript.account_folder().filter(|_| !limits.is_empty()).map(account_name);
            let news = account.map(|account| accounts.take(&agent.agent, &account, limits, at));
            happened.extend(news.into_iter().flatten().map(|event| (at, event)));
        }
    }
    // Those that waited longest first.
    due.sort_unstable();
    for (_, id) in due.into_iter().take(MOST_LOOKS) {
        let Some(clues) = panes.fleet.get(id).map(|tracked| clues(tracked, settings)) else { continue };
        if let Some(transcript) = panes.fleet.get_mut(id).and_then(|tracked| tracked.program_mut().transcript_mut()) {
            let most = panes.transcript_bytes.left(now).min(MOST_AT_ONCE);
            if most == 0 {
                break;
            }
            transcript.look(clues, most, now, at);
        }
    }
    happened
}

/// Looks until nothing is left to be read, at most for `limit`: for those who look once.
pub(crate) async fn settle(panes: &mut Panes, accounts: &mut Accounts, settings: &EngineSettings, limit: Duration) {
    let end = Instant::now() + limit;
    while Instant::now() < end {
        look_at_transcripts(panes, accounts, settings, Timestamp::now(), Instant::now());
        let mut transcripts = panes.fleet.iter().filter_map(|tracked| tracked.program().transcript());
        if !transcripts.any(|transcript| transcript.is_under_way()) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// What an account is called: its folder, below the home folder as people write it.
fn account_name(folder: &Path) -> String {
    let home = std::env::var_os("HOME").map(PathBuf::from).filter(|home| home.parent().is_some());
    match home.and_then(|home| folder.strip_prefix(home).ok()) {
        Some(below) => clean(&format!("~/{}", below.display())),
        None => clean(&folder.display().to_string()),
    }
}

/// Tells each agent's transcript whether others of its program work in the same folder and keep theirs in the same place.
fn note_company(panes: &mut Panes, at: Timestamp) {
    let place = |tracked: &Tracked| {
        let program = tracked.program();
        let mut place = DefaultHasher::new();
        (&program.agent()?.agent, program.transcript()?.folders(), &tracked.pane.path).hash(&mut place);
        Some(place.finish())
    };
    let places: Vec<Option<u64>> = panes.fleet.iter().map(place).collect();
    let mut count: HashMap<u64, u32> = HashMap::new();
    places.iter().flatten().for_each(|place| *count.entry(*place).or_default() += 1);
    for (tracked, place) in panes.fleet.iter_mut().zip(places) {
        if let Some((place, transcript)) = place.zip(tracked.program_mut().transcript_mut()) {
            transcript.has_company(count.get(&place).is_some_and(|count| *count > 1), at);
        }
    }
}

fn clues(tracked: &Tracked, settings: &EngineSettings) -> Clues {
    let processes = tracked.program().processes();
    Clues {
        session: tracked.program().session().map(str::to_owned),
        pids: processes.iter().map(|process| process.pid).collect(),
        servers: processes.iter().filter(|process| process.detached).map(|process| process.pid).collect(),
        folder: tracked.pane.path.clone(),
        wrote: tracked.pulse.activity,
        prices: settings.prices.clone(),
        status_lines: settings.status_lines.clone(),
    }
}
