//! Hosts in words: what of each stands in the header, in the list and in their panel.

use jiff::Timestamp;

use crate::app::core::fleet::{Fleet, Host, Member};
use crate::app::core::words::Tone;
use crate::monitor::LinkState;

/// Agents of a host that is not reached are listed for so many seconds; then one line stands for all of them.
const LISTED_FOR: i64 = 600;

/// What its state means.
#[must_use]
pub fn tone(host: &Host) -> Tone {
    match host.state {
        LinkState::Up { .. } => Tone::Working,
        LinkState::Connecting | LinkState::Off => Tone::Starting,
        LinkState::Late { .. } => Tone::Limited,
        LinkState::NeedsLogin { .. } => Tone::NeedsYou,
        LinkState::Down { .. } | LinkState::NotInstalled { .. } | LinkState::Incompatible { .. } => Tone::Error,
    }
}

/// A sign for it, as the header has it.
#[must_use]
pub fn glyph(host: &Host) -> &'static str {
    match host.state {
        LinkState::Up { .. } => "●",
        LinkState::NeedsLogin { .. } => "▲",
        LinkState::Connecting | LinkState::Late { .. } | LinkState::Off => "◌",
        LinkState::Down { .. } | LinkState::NotInstalled { .. } | LinkState::Incompatible { .. } => "✕",
    }
}

/// The least that is to be known of it: how long an answer takes, or what is the matter and since when.
#[must_use]
pub fn short(host: &Host, now: Timestamp) -> String {
    match &host.state {
        // A number that is different each time says nothing, and moves.
        LinkState::Up { rtt: Some(rtt) } if rtt.as_millis() < 10 => "<10ms".to_owned(),
        LinkState::Up { rtt: Some(rtt) } => format!("{}ms", rtt.as_millis()),
        LinkState::Up { rtt: None } => "up".to_owned(),
        LinkState::Connecting => "…".to_owned(),
        LinkState::Late { .. } => "late".to_owned(),
        LinkState::Down { since, .. } => minutes(*since, now).unwrap_or_else(|| "down".to_owned()),
        LinkState::NeedsLogin { .. } => "login".to_owned(),
        LinkState::NotInstalled { .. } => "not installed".to_owned(),
        LinkState::Incompatible { .. } => "version".to_owned(),
        LinkState::Off => "off".to_owned(),
    }
}

/// How long ago that was, in minutes, hours or days: what stands on the screen all the time is not to move all the time.
#[must_use]
pub fn minutes(since: Timestamp, now: Timestamp) -> Option<String> {
    let minutes = (now.as_second() - since.as_second()) / 60;
    match minutes {
        ..1 => None,
        1..60 => Some(format!("{minutes}m")),
        60..2880 => Some(format!("{}h", minutes / 60)),
        _ => Some(format!("{}d", minutes / 1440)),
    }
}

/// Its state in a word for the panel.
#[must_use]
pub fn word(host: &Host) -> &'static str {
    match host.state {
        LinkState::Connecting => "connecting",
        LinkState::Up { .. } => "up",
        LinkState::Late { .. } => "late",
        LinkState::Down { .. } => "down",
        LinkState::NeedsLogin { .. } => "log in",
        LinkState::NotInstalled { .. } => "not installed",
        LinkState::Incompatible { .. } => "version",
        LinkState::Off => "off",
    }
}

/// One line for all that is known of a host that is not reached: `ci: unreachable for 14m (Connection timed out); 12
/// agents as last heard`.
#[must_use]
pub fn line(host: &Host, fleet: &Fleet, now: Timestamp) -> String {
    let since = host.state.since().and_then(|since| minutes(since, now));
    let since = since.map_or(String::new(), |since| format!(" for {since}"));
    let why = host.state.why().filter(|why| !why.is_empty()).map_or(String::new(), |why| format!(" ({why})"));
    let what = host.state.trouble().unwrap_or(host.state.word());
    let agents = match agents(host, fleet) {
        0 => String::new(),
        1 => "; 1 agent as last heard".to_owned(),
        many => format!("; {many} agents as last heard"),
    };
    format!("{}: {what}{since}{why}{agents}", host.name)
}

/// Its members.
pub fn members<'a>(host: &'a Host, fleet: &'a Fleet) -> impl Iterator<Item = &'a Member> {
    fleet.members().iter().filter(|member| member.label.host.as_ref() == Some(&host.name))
}

/// Something of it was seen: counts of what it has are counts, and not of nothing.
#[must_use]
pub fn is_known(host: &Host, fleet: &Fleet) -> bool {
    host.answers() || members(host, fleet).next().is_some()
}

/// How many agents of it are known.
#[must_use]
pub fn agents(host: &Host, fleet: &Fleet) -> usize {
    members(host, fleet).map(|member| member.snapshot.agents.len()).sum()
}

/// How many of them wait for their user.
#[must_use]
pub fn waiting(host: &Host, fleet: &Fleet) -> usize {
    let needy = |member: &Member| member.snapshot.agents.iter().filter(|agent| agent.needs_user()).count();
    members(host, fleet).map(needy).sum()
}

/// Whether a line of the list stands for it: it is not reached, and that is not only its first moment.
#[must_use]
pub fn has_line(host: &Host) -> bool {
    !host.answers() && host.state.why().is_some()
}

/// Whether that line stands for its agents too.
#[must_use]
pub fn is_folded(host: &Host, now: Timestamp) -> bool {
    let lost = host.last_heard.or(host.state.since());
    has_line(host) && lost.is_none_or(|lost| now.as_second() - lost.as_second() >= LISTED_FOR)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use super::*;
    use crate::app::core::fixture::test_snapshot;

    fn host(state: LinkState) -> Host {
        Host { name: "ci".into(), state, version: None, last_heard: None, read_only: false }
    }

    #[test]
    fn each_state_has_its_words() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let now = at(1000);
        let since = at(1000 - 14 * 60);
        let down = host(LinkState::Down { why: "Connection timed out".into(), since, next: now });
        let fleet = Fleet::from(Arc::new(test_snapshot())).with_hosts(vec![down.clone()]);
        assert_eq!(line(&down, &fleet, now), "ci: unreachable for 14m (Connection timed out)");
        assert_eq!((glyph(&down), short(&down, now).as_str(), word(&down)), ("✕", "14m", "down"));
        assert!(has_line(&down) && is_folded(&down, now) && !is_folded(&down, at(170)));
        assert_eq!(
            [30, 90, 7300, 400_000].map(|ago| minutes(at(0), at(ago))),
            [None, Some("1m".into()), Some("2h".into()), Some("4d".into())]
        );
        let up = host(LinkState::Up { rtt: Some(Duration::from_millis(24)) });
        assert_eq!((short(&up, now).as_str(), has_line(&up), is_folded(&up, now)), ("24ms", false, false));
        let login = host(LinkState::NeedsLogin { why: "Permission denied".into(), since });
        assert_eq!(login.state.remedy(&login.name).as_deref(), Some("tmux-orc hosts login ci"));
        assert!(!has_line(&host(LinkState::Connecting)));
    }
}
