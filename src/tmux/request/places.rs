//! The places of panes: `list-panes -a` names a pane once for each session and index at which its window stands.

use std::collections::HashMap;

use crate::tmux::{Pane, PaneId};

/// One line of a list: a pane at one of its places.
pub(crate) struct Listing {
    pub(crate) pane: Pane,
    pub(crate) rank: Rank,
}

/// Which of a pane's places is its own: the smallest. Made of nothing that changes by itself, so that a place stays as
/// long as nobody goes anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// No client shows it there.
    pub(crate) out_of_view: bool,
    /// The session has no client.
    pub(crate) detached: bool,
    /// The session's number: tmux counts them up (session.c, `next_session_id`), so the smallest is the oldest.
    pub(crate) session: u32,
    /// The window's index: a window may be linked twice into one session.
    pub(crate) window_index: u32,
}

/// One pane for each id, in the order of their first lines: it stands where the best of its listings says, with all
/// targets in [`Pane::places`], and is in view when it is so anywhere.
pub(crate) fn merge(listings: impl IntoIterator<Item = Listing>) -> Vec<Pane> {
    let mut merged: Vec<(Pane, Vec<(Rank, String)>)> = Vec::new();
    let mut known: HashMap<PaneId, usize> = HashMap::new();
    for Listing { pane, rank } in listings {
        let place = (rank, pane.target());
        match known.get(&pane.id) {
            None => {
                known.insert(pane.id, merged.len());
                merged.push((pane, vec![place]));
            }
            Some(&at) => {
                let (first, places) = &mut merged[at];
                let in_view = first.in_view || pane.in_view;
                if places.iter().all(|(other, _)| rank < *other) {
                    *first = pane;
                }
                first.in_view = in_view;
                places.push(place);
            }
        }
    }
    let whole = |(mut pane, mut places): (Pane, Vec<(Rank, String)>)| {
        places.sort();
        pane.places = places.into_iter().map(|(_, target)| target).collect();
        pane
    };
    merged.into_iter().map(whole).collect()
}

/// Session and window of a target as tmux prints it. Names hold neither `:` nor `.`, which tmux replaces
/// or refuses (session.c, `session_check_name`, now `check_name`).
fn parts(place: &str) -> Option<(&str, &str)> {
    let (session, rest) = place.rsplit_once(':')?;
    Some((session, rest.split_once('.')?.0))
}

/// Whether a window that is called `window` and stands at one of `places` is meant by `session:window`, by its name or
/// index.
#[must_use]
pub fn in_window<S: AsRef<str>>(places: &[S], window: &str, wanted: &str) -> bool {
    let Some((wanted_session, rest)) = wanted.split_once(':') else { return false };
    places
        .iter()
        .filter_map(|place| parts(place.as_ref()))
        .any(|(session, index)| session == wanted_session && (rest == window || rest == index))
}

/// Whether one of `places` is in the session that is meant by `session` or `session:`.
#[must_use]
pub fn in_session<S: AsRef<str>>(places: &[S], wanted: &str) -> bool {
    let wanted = wanted.trim_end_matches(':');
    places.iter().filter_map(|place| parts(place.as_ref())).any(|(session, _)| session == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pane at `session:index.0` of the session with this number: clients there, and in view there.
    fn listing(id: u32, session: (&str, u32), window_index: u32, attached: bool, in_view: bool) -> Listing {
        let (name, number) = session;
        let pane = Pane { id: PaneId(id), session: name.into(), window_index, in_view, ..Pane::default() };
        Listing { pane, rank: Rank { out_of_view: !in_view, detached: !attached, session: number, window_index } }
    }

    #[test]
    fn a_pane_of_several_places_is_one_and_stands_where_it_is_seen_else_where_a_client_is_else_in_the_oldest() {
        let (main, view) = (("main", 0), ("view", 1));
        let own = |at: [Listing; 2]| {
            let panes = merge(at);
            assert_eq!(panes.len(), 1);
            (panes[0].target(), panes[0].in_view, panes[0].places.join(" "))
        };
        let cases = [
            (own([listing(1, main, 0, false, false), listing(1, view, 3, false, false)]), "main:0.0", false),
            (own([listing(1, view, 3, false, false), listing(1, main, 0, false, false)]), "main:0.0", false),
            (own([listing(1, main, 0, false, false), listing(1, view, 3, true, false)]), "view:3.0", false),
            (own([listing(1, main, 0, true, false), listing(1, view, 3, true, true)]), "view:3.0", true),
            (own([listing(1, main, 0, true, true), listing(1, view, 3, true, true)]), "main:0.0", true),
            // Linked twice into one session.
            (own([listing(1, main, 5, true, false), listing(1, main, 2, true, false)]), "main:2.0", false),
        ];
        for ((target, in_view, places), wanted, seen) in cases {
            assert_eq!((target.as_str(), in_view), (wanted, seen));
            assert!(places.starts_with(wanted) && places.split(' ').count() == 2, "{places}");
        }
        let three = merge([listing(1, main, 0, true, false), listing(2, main, 1, true, false)]);
        assert_eq!(three.iter().map(|pane| pane.places.len()).collect::<Vec<_>>(), [1, 1]);
    }

    #[test]
    fn a_window_and_a_session_are_found_at_each_place() {
        let places = ["main:0.0", "a b:12.0"];
        for wanted in ["main:0", "main:npm", "a b:12", "a b:npm"] {
            assert!(in_window(&places, "npm", wanted), "{wanted}");
        }
        for wanted in ["main:12", "b:12", "main", "main:", "npm", "main:0.0"] {
            assert!(!in_window(&places, "npm", wanted), "{wanted}");
        }
        for wanted in ["main", "main:", "a b"] {
            assert!(in_session(&places, wanted), "{wanted}");
        }
        assert!(!in_session(&places, "b") && !in_session(&places, "mai") && !in_session(&places, ""));
    }
}
