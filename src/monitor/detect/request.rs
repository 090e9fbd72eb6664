//! What a prompt takes of the screen: all that its user must have seen, and that must be the same when it is answered.

use std::ops::Range;

use crate::monitor::detect::Profiles;
use crate::monitor::detect::choices::fitting;
use crate::monitor::detect::profiles::{CompiledRule, Profile, Where};
use crate::monitor::detect::view::View;
use crate::tmux::{Pane, Screen};

/// The rows of a prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// From its first row to the end of the screen, its answers too; to its last row where the profile says that what
    /// is below it is none of it.
    pub rows: Range<usize>,
    /// Its first row is an edge that the profile knows. Otherwise the rows are the profile's guess at its height, and
    /// what stands above them may belong to it.
    pub edged: bool,
}

/// The rows of the prompt that `rule` named, on another look at the pane perhaps; `None` when it cannot be told: the
/// rule is none of the screen's, or its region is not there.
#[must_use]
pub fn request(profiles: &Profiles, agent: &str, rule: &str, pane: &Pane, screen: &Screen) -> Option<Request> {
    let profile = profiles.get(agent)?;
    let rule = profile.rules.iter().find(|one| one.id == rule)?;
    let view = View::new(profile, pane, Some(screen), 0);
    view.region(rule.place)?;
    Some(of_rule(profile, &view, rule))
}

/// The rows of the prompt that this rule holds for: all regions that it and its answers look at, from the uppermost row
/// that may begin one. A row in the middle of a request may look like the first one; which is it, the text cannot tell.
pub(super) fn of_rule(profile: &Profile, view: &View<'_>, rule: &CompiledRule) -> Request {
    let (mut start, mut edged) = (view.height(), true);
    let mut before = None;
    for place in places(profile, rule) {
        // A rule and its answers look at the same one most of the time.
        if before.replace(place) == Some(place) {
            continue;
        }
        let Where::Region(index) = place else {
            (start, edged) = if place == Where::Screen { (0, true) } else { (start, false) };
            continue;
        };
        let Some(region) = view.region(place) else { continue };
        let ways = &profile.regions[index].ways;
        let firsts = || ways.iter().filter_map(|way| way.spec.first.as_ref());
        edged &= ways.iter().all(|way| way.spec.first.is_some());
        let upper = (0..region.start).find(|row| firsts().any(|first| view.fits(*row, first)));
        start = start.min(upper.unwrap_or(region.start));
    }
    // A title tells that there is a prompt, not where: then it is all that the screen shows.
    let start = if start < view.height() { start } else { 0 };
    let closed = fitting(profile, rule).filter(|(_, answers)| answers.closed).find_map(|(place, _)| view.region(place));
    let end = closed.filter(|_| edged).map_or(view.height(), |region| region.end);
    Request { rows: start..end, edged: edged || start == 0 }
}

/// Where a rule and its answers look.
pub(super) fn places<'p>(profile: &'p Profile, rule: &'p CompiledRule) -> impl Iterator<Item = Where> + 'p {
    let looks = rule.looks.iter().map(|(place, _)| *place);
    std::iter::once(rule.place).chain(looks).chain(fitting(profile, rule).map(|(place, _)| place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(agent: &str, rule: &str, screen: &str) -> Option<(usize, usize, bool)> {
        let profiles = Profiles::embedded();
        let found = request(&profiles, agent, rule, &Pane::default(), &Screen::plain(screen.as_bytes()))?;
        Some((found.rows.start, found.rows.end, found.edged))
    }

    #[test]
    fn a_prompt_begins_at_its_edge_and_a_row_like_one_does_not_hide_what_is_above_it() {
        let ask = "● Bash(ls)\n\n────────\n Bash command\n\n ls\nMIDDLE\n echo\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel\n\n";
        let found = |middle| rows("claude", "claude/dialog.permission", &ask.replace("MIDDLE", middle));
        assert_eq!(found(" # note"), Some((2, 13, true)));
        assert_eq!(found(" ────────────"), Some((2, 13, true)));
        assert_eq!(found("────────────"), Some((2, 13, true)), "an edge in the first column, as its own");
        assert_eq!(found("╭───╮"), Some((2, 13, true)));
    }

    #[test]
    fn a_clock_below_a_closed_prompt_is_none_of_it() {
        let ask = "● Fine\n╭────╮\n│ rm -rf x │\n│ ❯ 1. Allow once │\n│   2. Deny │\n╰────╯\n  ↑/↓ to select, Enter to confirm  (54s)\n ⚕ fake │ 21s\n────────\n⚠ ❯\n────────\n";
        assert_eq!(rows("hermes", "hermes/dialog.permission", ask), Some((1, 6, true)));
        let cut = ask.replace("╰────╯\n", "");
        assert_eq!(rows("hermes", "hermes/dialog.permission", &cut), Some((7, 10, true)), "no box, all of it");
    }

    #[test]
    fn a_region_of_a_fixed_height_has_no_edge_and_a_title_tells_no_place() {
        let ask = (0..40).map(|n| format!("  row {n}\n")).collect::<String>()
            + "  $ ls\n› 1. Yes\n  2. No\n  Press enter to confirm or esc to cancel\n";
        let found = |rule| rows("codex", rule, &ask);
        assert_eq!(found("codex/dialog.trust"), Some((14, 44, false)));
        assert_eq!(found("codex/title.blocked"), None);
        assert_eq!(rows("codex", "codex/hook", &ask), None);
    }
}
