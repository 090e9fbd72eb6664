//! What a user puts on an agent, in words; and who is out of the way.

use jiff::Timestamp;

use crate::app::core::format;
use crate::monitor::{Agent, TidyChange, Tidying};

/// For how long an agent can be snoozed: seconds, and in words. The last one lasts as long as its program.
pub const SNOOZES: [(Option<u64>, &str); 3] =
    [(Some(600), "for 10 minutes"), (Some(3600), "for 1 hour"), (None, "until its program ends")];

/// A change of what is put on an agent.
#[must_use]
pub fn tidying(agent: &Agent, change: TidyChange) -> Tidying {
    Tidying { pane_id: agent.pane_id, pid: agent.pid, start: agent.start, change }
}

/// What was asked for, in words.
#[must_use]
pub fn asked(change: &TidyChange) -> &'static str {
    match change {
        TidyChange::Park(true) => "park",
        TidyChange::Park(false) => "take back",
        TidyChange::Snooze(_) => "snooze",
        TidyChange::Wake => "wake",
        TidyChange::Pin(true) => "pin",
        TidyChange::Pin(false) => "unpin",
        TidyChange::Mute(true) => "mute",
        TidyChange::Mute(false) => "unmute",
        TidyChange::Describe { .. } | TidyChange::As(_) => "name and note",
    }
}

/// What is so now that it was done, in words; `None` where the row shows it. `key` shows those that are out of the way.
#[must_use]
pub fn done(change: &TidyChange, key: &str) -> Option<String> {
    let shows = if key.is_empty() { String::new() } else { format!("; {key} shows it") };
    match change {
        TidyChange::Park(true) => Some(format!("parked until its state changes{shows}")),
        TidyChange::Snooze(seconds) => {
            let how_long =
                SNOOZES.iter().find(|(length, _)| length == seconds).map_or("for a while", |(_, words)| words);
            Some(format!("snoozed {how_long}{shows}"))
        }
        TidyChange::Mute(true) => Some("no notice tells of it now".to_owned()),
        TidyChange::Mute(false) => Some("notices tell of it again".to_owned()),
        TidyChange::Park(false)
        | TidyChange::Wake
        | TidyChange::Pin(_)
        | TidyChange::Describe { .. }
        | TidyChange::As(_) => None,
    }
}

/// What was put on an agent, in words, as its row has them; the note is not among them.
pub fn marks(agent: &Agent, now: Timestamp) -> impl Iterator<Item = String> {
    let snoozed = agent.snoozed.then(|| match agent.snoozed_until {
        Some(until) => format!("snoozed {}", format::age(now, until)),
        None => "snoozed".to_owned(),
    });
    let word = |is: bool, word: &str| is.then(|| word.to_owned());
    [word(agent.parked, "parked"), snoozed, word(agent.pinned, "pinned"), word(agent.muted, "muted")]
        .into_iter()
        .flatten()
}

/// How many are out of the way, in words: `2 parked, 1 snoozed`; empty where there is none.
#[must_use]
pub fn aside<'a>(agents: impl IntoIterator<Item = &'a Agent>) -> String {
    let (mut parked, mut snoozed) = (0, 0);
    for agent in agents.into_iter().filter(|agent| agent.is_aside()) {
        parked += usize::from(agent.parked);
        snoozed += usize::from(!agent.parked);
    }
    counted(parked, snoozed)
}

/// So many, in words.
#[must_use]
pub fn counted(parked: usize, snoozed: usize) -> String {
    let part = |count: usize, word: &str| (count > 0).then(|| format!("{count} {word}"));
    [part(parked, "parked"), part(snoozed, "snoozed")].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
