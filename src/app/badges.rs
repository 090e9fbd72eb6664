//! Badges: a sign for each window and pane with an agent, in options of the user's tmux server, which their window list and
//! pane borders read. Only where a setting asks for it: nothing else that watches changes anything there.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

use crate::app::core::words::{Tone, tone};
use crate::app::settings::{Loaded, Settings};
use crate::monitor::{Agent, Keeper, Snapshot, Snapshots};
use crate::tmux::{Batch, Command, Expect, PaneId, Pool};

/// Option of a window, for the window list.
pub const WINDOW: &str = "@orc_badge";
/// Option of a pane, for its border.
pub const PANE: &str = "@orc_pane_badge";

/// Time from one change of the options to the next at least: each has tmux draw all of its clients anew.
const PAUSE: Duration = Duration::from_millis(500);
/// How long it may take to take them away at the end.
const END_LIMIT: Duration = Duration::from_secs(1);

/// What a badge is made of: of several agents in a window the first of these counts.
const SIGNS: [(Tone, &str, &str); 6] = [
    (Tone::NeedsYou, "!", "fg=yellow,bold"),
    (Tone::Error, "x", "fg=red,bold"),
    (Tone::Limited, "%", "fg=magenta"),
    (Tone::Exited, "-", "fg=red"),
    (Tone::Done, "+", "fg=green"),
    (Tone::Working, "*", "fg=cyan"),
];

/// The agents that have a badge: their panes, where these are, and in which tone.
type Wanted = BTreeMap<PaneId, (String, Tone)>;

/// Keeps the badges of the server whose engine runs in this process, until that ends.
pub async fn keep(
    mut snapshots: Snapshots,
    mut settings: watch::Receiver<Arc<Loaded>>,
    pool: impl Fn(&Settings) -> Pool,
    keeper: Keeper,
) {
    let own = std::process::id();
    // What the server has, as far as it was put there by us.
    let mut put: Option<(Wanted, bool)> = None;
    loop {
        let loaded = Arc::clone(&settings.borrow_and_update());
        let ascii = loaded.settings.dashboard.glyphs == "ascii";
        let wanted = {
            let snapshot = snapshots.borrow_and_update();
            let ours = loaded.settings.tmux.badges && snapshot.engine.pid == own && keeper.keeps();
            ours.then(|| (wanted(&snapshot), ascii))
        };
        // Those of another engine are its own; what was put here goes when it is no longer wanted.
        if wanted != put && (wanted.is_some() || put.is_some()) {
            let (badges, ascii) = wanted.clone().unwrap_or_default();
            match reconcile(&pool(&loaded.settings), &badges, ascii).await {
                Ok(()) => put = wanted,
                // The server may be gone, or come back: it is tried again with the next change.
                Err(error) => tracing::info!(error, "the badges were not put"),
            }
            sleep(PAUSE).await;
        }
        tokio::select! {
            changed = snapshots.changed() => if changed.is_err() {
                break;
            },
            changed = settings.changed() => if changed.is_err() {
                break;
            },
        }
    }
    if put.is_some() {
        let loaded = Arc::clone(&settings.borrow());
        timeout(END_LIMIT, reconcile(&pool(&loaded.settings), &Wanted::new(), false)).await.ok();
    }
}

fn wanted(snapshot: &Snapshot) -> Wanted {
    let badge = |agent: &Agent| {
        let tone = tone(agent);
        let shows = !agent.is_aside() && SIGNS.iter().any(|(signed, ..)| *signed == tone);
        shows.then(|| (agent.pane_id, (agent.target.clone(), tone)))
    };
    snapshot.agents.iter().filter_map(badge).collect()
}

/// Makes the options what they are to be: those that differ, in one request. What an engine that was killed left behind goes
/// with it.
async fn reconcile(pool: &Pool, wanted: &Wanted, ascii: bool) -> Result<(), String> {
    let fields = format!("#{{pane_id}} #{{window_id}} #{{{PANE}}};#{{{WINDOW}}}");
    let mut batch = Batch::new();
    batch.push(Command::new("list-panes").args(["-a", "-F", &fields]), Expect::Any);
    let mut lease = pool.acquire().await.map_err(|error| error.to_string())?;
    let reply = lease.request(&batch).await.map_err(|error| error.to_string())?;
    let listed = match reply.parts.into_iter().next() {
        Some(Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        Some(Err(error)) => return Err(error.to_string()),
        None => return Err("tmux gave no answer".to_owned()),
    };
    let commands = changes(&listed, wanted, ascii);
    if commands.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::new();
    for command in commands {
        batch.push(command, Expect::Any);
    }
    // A pane that is gone meanwhile has taken its options along.
    lease.request(&batch).await.map(drop).map_err(|error| error.to_string())
}

/// The commands that make the options what they are to be, from those that there are.
fn changes(listed: &str, wanted: &Wanted, ascii: bool) -> Vec<Command> {
    let mut commands = Vec::new();
    let mut windows: BTreeMap<&str, (&str, Vec<Tone>)> = BTreeMap::new();
    // A pane in several sessions is listed in each.
    let mut seen = Vec::new();
    for line in listed.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(pane), Some(window), Some(badges)) = (words.next(), words.next(), words.next()) else { continue };
        let Ok(id) = pane.parse::<PaneId>() else { continue };
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let (of_pane, of_window) = badges.split_once(';').unwrap_or_default();
        let tone = wanted.get(&id).map(|(_, tone)| *tone);
        let entry = windows.entry(window).or_insert((of_window, Vec::new()));
        entry.1.extend(tone);
        commands.extend(change("-p", pane, PANE, of_pane, &badge(tone.as_slice(), ascii)));
    }
    for (window, (is, tones)) in windows {
        commands.extend(change("-w", window, WINDOW, is, &badge(&tones, ascii)));
    }
    commands
}

fn change(level: &str, target: &str, option: &str, is: &str, should: &str) -> Option<Command> {
    let set = Command::new("set-option");
    match should {
        should if should == is => None,
        "" => Some(set.args([&format!("{level}u"), "-t", target, option])),
        should => Some(set.args([level, "-t", target, option, should])),
    }
}

/// The badge of agents in these tones: the sign of the one that matters most, and how many of them need their user.
fn badge(tones: &[Tone], ascii: bool) -> String {
    let Some((tone, plain, style)) = SIGNS.iter().find(|(tone, ..)| tones.contains(tone)) else { return String::new() };
    let sign = if ascii { plain } else { tone.glyph() };
    let count = match tones.iter().filter(|other| *other == tone).count() {
        count @ 2.. if *tone == Tone::NeedsYou => count.to_string(),
        _ => String::new(),
    };
    format!(" #[{style}]{sign}{count}#[default]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wants(panes: &[(u32, Tone)]) -> Wanted {
        panes.iter().map(|(id, tone)| (PaneId(*id), (format!("s:0.{id}"), *tone))).collect()
    }

    fn lines(listed: &str, wanted: &Wanted) -> Vec<String> {
        changes(listed, wanted, true).iter().map(|command| command.argv().join(" ")).collect()
    }

    #[test]
    fn a_window_has_the_sign_of_what_matters_most_in_it() {
        assert_eq!(badge(&[], true), "");
        assert_eq!(badge(&[Tone::Idle, Tone::Unknown], true), "");
        assert_eq!(badge(&[Tone::Working, Tone::Done], true), " #[fg=green]+#[default]");
        assert_eq!(badge(&[Tone::Working, Tone::NeedsYou, Tone::NeedsYou], false), " #[fg=yellow,bold]▲2#[default]");
    }

    #[test]
    fn only_what_differs_is_changed_and_what_was_left_behind_goes() {
        let listed = "%1 @1 ;\n%2 @1 ;\n%3 @2  #[fg=red]-#[default]; #[fg=red]-#[default]\n%1 @1 ;\n%4 @3 x;y\n";
        let all = lines(listed, &wants(&[(1, Tone::Working), (2, Tone::NeedsYou), (3, Tone::Exited), (9, Tone::Done)]));
        let wanted = [
            "set-option -p -t %1 @orc_pane_badge  #[fg=cyan]*#[default]",
            "set-option -p -t %2 @orc_pane_badge  #[fg=yellow,bold]!#[default]",
            "set-option -pu -t %4 @orc_pane_badge",
            "set-option -w -t @1 @orc_badge  #[fg=yellow,bold]!#[default]",
            "set-option -wu -t @3 @orc_badge",
        ];
        assert_eq!(all, wanted);
        assert_eq!(lines("%1 @1 ;\nnonsense\n", &Wanted::new()), Vec::<String>::new());
    }
}
