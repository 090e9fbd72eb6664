//! How far a follower is, as a machine: what may come after what. Pure; the engines are whatever it is given.

use crate::monitor::Link;

/// An engine that can be followed.
pub(crate) trait Follows {
    /// Where it runs: [`Link::Embedded`] or [`Link::Attached`].
    fn link(&self) -> Link;
}

/// How far a follower is.
#[derive(Debug, PartialEq)]
pub(crate) enum Phase<E> {
    /// This engine is followed.
    Steady(E),
    /// This one, in the background, has ended. What it showed last stays.
    Lost(E),
    /// What `from` shows stays until `to` has something to show. What is asked for goes to `to` already.
    Switching {
        /// The one before: inside, or in the background and ended.
        from: E,
        /// The one to come.
        to: E,
    },
}

/// What can happen to a follower.
#[derive(Debug)]
pub(crate) enum Happened<E> {
    /// One in the background was found.
    Found(E),
    /// One inside was started.
    Started(E),
    /// The one to come has something to show, or had its time for that.
    Ready,
    /// The one that is followed, or the one to come, has ended by itself, for this reason.
    Ended(String),
}

impl<E: Follows> Phase<E> {
    /// What comes after that, and the engine that is to be let go for it. `Err`: the engine inside is gone, and why;
    /// there is nothing more to follow.
    pub(crate) fn after(self, happened: Happened<E>) -> Result<(Self, Option<E>), String> {
        Ok(match (self, happened) {
            (Self::Steady(from), Happened::Found(to)) if from.link() == Link::Embedded => {
                (Self::Switching { from, to }, None)
            }
            (phase, Happened::Found(other)) => (phase, Some(other)),
            (Self::Steady(engine), Happened::Ended(why)) => match engine.link() {
                Link::Attached(_) | Link::Lost(_) => (Self::Lost(engine), None),
                Link::Embedded => return Err(why),
            },
            (Self::Lost(from), Happened::Started(to)) => (Self::Switching { from, to }, None),
            (phase, Happened::Started(other)) => (phase, Some(other)),
            (Self::Switching { from, to }, Happened::Ready) => (Self::Steady(to), Some(from)),
            (Self::Switching { from, to }, Happened::Ended(why)) => match to.link() {
                // It was gone again before it had shown anything: the one inside goes on.
                Link::Attached(_) | Link::Lost(_) => (Self::Steady(from), Some(to)),
                Link::Embedded => return Err(why),
            },
            (phase, Happened::Ready | Happened::Ended(_)) => (phase, None),
        })
    }

    /// What a front end shows of it.
    pub(crate) fn link(&self) -> Link {
        match (self, self.shown().link()) {
            (Self::Lost(_) | Self::Switching { .. }, Link::Attached(pid)) => Link::Lost(pid),
            (_, link) => link,
        }
    }

    /// The engine whose snapshots are shown.
    pub(crate) fn shown(&self) -> &E {
        match self {
            Self::Steady(engine) | Self::Lost(engine) | Self::Switching { from: engine, .. } => engine,
        }
    }

    /// The engine that commands go to.
    pub(crate) fn asked(&self) -> &E {
        match self {
            Self::Steady(engine) | Self::Lost(engine) | Self::Switching { to: engine, .. } => engine,
        }
    }

    /// All its engines.
    pub(crate) fn engines(self) -> impl Iterator<Item = E> {
        let (one, other) = match self {
            Self::Steady(engine) | Self::Lost(engine) => (engine, None),
            Self::Switching { from, to } => (from, Some(to)),
        };
        std::iter::once(one).chain(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: Link = Link::Embedded;
    const NINE: Link = Link::Attached(9);

    impl Follows for Link {
        fn link(&self) -> Link {
            *self
        }
    }

    fn ended() -> Happened<Link> {
        Happened::Ended("why".to_owned())
    }

    /// Lets these happen one after the other. What is shown, who is asked, which link; who was let go.
    fn follow(first: Link, all: Vec<Happened<Link>>) -> ([Link; 3], Vec<Link>) {
        let (mut phase, mut gone) = (Phase::Steady(first), Vec::new());
        for happened in all {
            let (next, before) = phase.after(happened).unwrap();
            phase = next;
            gone.extend(before);
        }
        ([*phase.shown(), *phase.asked(), phase.link()], gone)
    }

    #[test]
    fn the_one_inside_is_shown_until_the_one_that_was_found_has_something_to_show() {
        assert_eq!(follow(INSIDE, vec![Happened::Found(NINE)]), ([INSIDE, NINE, INSIDE], vec![]));
        let switched = follow(INSIDE, vec![Happened::Found(NINE), Happened::Ready]);
        assert_eq!(switched, ([NINE, NINE, NINE], vec![INSIDE]));
        let gone_again = follow(INSIDE, vec![Happened::Found(NINE), ended()]);
        assert_eq!(gone_again, ([INSIDE, INSIDE, INSIDE], vec![NINE]));
    }

    #[test]
    fn when_the_one_in_the_background_ends_its_last_stays_until_one_inside_shows_something() {
        let lost = Link::Lost(9);
        assert_eq!(follow(NINE, vec![ended()]), ([NINE, NINE, lost], vec![]));
        assert_eq!(follow(NINE, vec![ended(), Happened::Started(INSIDE)]), ([NINE, INSIDE, lost], vec![]));
        let inside = follow(NINE, vec![ended(), Happened::Started(INSIDE), Happened::Ready]);
        assert_eq!(inside, ([INSIDE, INSIDE, INSIDE], vec![NINE]));
    }

    #[test]
    fn nothing_is_left_to_follow_when_the_one_inside_ends() {
        assert_eq!(Phase::Steady(INSIDE).after(ended()), Err("why".to_owned()));
        assert_eq!(Phase::Switching { from: NINE, to: INSIDE }.after(ended()), Err("why".to_owned()));
    }

    #[test]
    fn one_that_is_found_while_another_is_followed_is_let_go() {
        let found = |phase: Phase<Link>| phase.after(Happened::Found(Link::Attached(5))).unwrap().1;
        for phase in [Phase::Steady(NINE), Phase::Lost(NINE), Phase::Switching { from: NINE, to: INSIDE }] {
            assert_eq!(found(phase), Some(Link::Attached(5)));
        }
    }
}
