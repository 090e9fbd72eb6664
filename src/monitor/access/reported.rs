//! Problems that were reported already: each kind once, in the words of the first time, until it is over.

use crate::tmux::TmuxError;

/// What was reported since it last went well.
#[derive(Debug, Default)]
pub struct Reported(Vec<TmuxError>);

impl Reported {
    /// The words for a problem, and whether it is the first of its kind. The words of those that follow are the
    /// first one's: what differs from time to time (a duration, a number) is no news.
    pub fn report(&mut self, problem: &TmuxError) -> (String, bool) {
        match self.0.iter().find(|known| known.is_like(problem)) {
            Some(known) => (known.to_string(), false),
            None => {
                // That no server runs is what follows when one ended.
                let news = !(problem.is_no_server() && self.0.iter().any(TmuxError::is_server_end));
                self.0.push(problem.clone());
                (problem.to_string(), news)
            }
        }
    }

    /// It went well: the next problem is news again.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_kind_is_reported_once_until_it_is_over() {
        let late = |ms| TmuxError::Timeout { socket: "/s".into(), after: Duration::from_micros(ms) };
        let refused = |message: &str| TmuxError::Refused { message: message.into() };
        let mut reported = Reported::default();
        let (first, news) = reported.report(&late(4_999_981));
        assert!(news);
        assert_eq!(reported.report(&late(3_200_000)), (first, false), "the same but for its time");
        assert!(reported.report(&refused("client 17 was killed")).1);
        assert!(!reported.report(&refused("client 18 was killed")).1, "numbers make no other problem");
        assert!(reported.report(&refused("out of memory")).1, "other words do");
        assert!(!reported.report(&late(1)).1, "one that comes again between others was reported");
        reported.clear();
        assert!(reported.report(&late(1)).1);
        assert!(reported.report(&TmuxError::NoServer { socket: "/s".into() }).1, "a server that hung is gone");
        reported.clear();
        assert!(reported.report(&TmuxError::LostServer { socket: "/s".into() }).1);
        let none = TmuxError::NoServer { socket: "/s".into() };
        assert_eq!(reported.report(&none), (none.to_string(), false), "the server that ended runs no longer");
    }
}
