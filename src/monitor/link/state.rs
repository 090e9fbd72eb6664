//! Whether the other end of a stream is there: what is due when, by what came when. Pure: it is told the time.

use std::time::Duration;

use tokio::time::Instant;

use crate::monitor::link::end::Trouble;

/// How long the other end may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the start of the program to the bridge's hello.
    pub(crate) hello: Duration,
    /// From there to its list of members.
    pub(crate) members: Duration,
    /// It is asked this often whether it is there.
    pub(crate) ping_every: Duration,
    /// So many questions in a row without a word are the end.
    pub(crate) unanswered: u32,
    /// It is late when nothing came for so long.
    pub(crate) late: Duration,
    /// After a sleep it answers within this time or is gone.
    pub(crate) woken: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(15),
            members: Duration::from_secs(10),
            ping_every: Duration::from_secs(4),
            unanswered: 3,
            late: Duration::from_secs(6),
            woken: Duration::from_secs(3),
        }
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// No hello yet.
    Silent,
    /// A hello, and no members yet.
    Greeted,
    /// All is there.
    Up,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing before [`Watch::deadline`].
    Nothing,
    /// Ask with this number whether it is there.
    Ping(u64),
    /// It is not.
    Lost(Trouble),
}

/// One connection as its time goes by.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    limits: Limits,
    phase: Phase,
    /// When the phase began.
    began: Instant,
    /// When anything came last.
    came: Instant,
    next_ping: Instant,
    last_ping: Option<(u64, Instant)>,
    pings: u64,
    unanswered: u32,
    late: bool,
    /// Until when it must say something, since this machine slept.
    woken: Option<Instant>,
    rtt: Option<Duration>,
}

impl Watch {
    /// A program that starts now.
    pub(crate) fn new(limits: Limits, now: Instant) -> Self {
        Self {
            limits,
            phase: Phase::Silent,
            began: now,
            came: now,
            next_ping: now,
            last_ping: None,
            pings: 0,
            unanswered: 0,
            late: false,
            woken: None,
            rtt: None,
        }
    }

    /// Its hello came.
    pub(crate) fn greeted(&mut self, now: Instant) {
        self.came(now);
        (self.phase, self.began, self.next_ping) = (Phase::Greeted, now, now);
    }

    /// Its list of members came.
    pub(crate) fn named(&mut self, now: Instant) {
        self.came(now);
        self.phase = Phase::Up;
    }

    /// Anything came.
    pub(crate) fn came(&mut self, now: Instant) {
        (self.came, self.unanswered, self.late, self.woken) = (now, 0, false, None);
    }

    /// The answer to a question came.
    pub(crate) fn pong(&mut self, number: u64, now: Instant) {
        self.came(now);
        if let Some((_, sent)) = self.last_ping.filter(|(last, _)| *last == number) {
            let took = now.saturating_duration_since(sent);
            // One slow answer is no slow host.
            self.rtt = Some(self.rtt.map_or(took, |rtt| (rtt * 3 + took) / 4));
        }
    }

    /// This machine slept.
    pub(crate) fn woke(&mut self, now: Instant) {
        if self.phase != Phase::Silent {
            (self.next_ping, self.woken, self.unanswered) = (now, Some(now + self.limits.woken), 0);
        }
    }

    /// There and back, once that is known.
    pub(crate) fn rtt(&self) -> Option<Duration> {
        self.rtt
    }

    /// It is connected.
    pub(crate) fn is_up(&self) -> bool {
        self.phase == Phase::Up
    }

    /// When anything came last, if that is long ago.
    pub(crate) fn late_since(&self) -> Option<Instant> {
        self.late.then_some(self.came)
    }

    /// When [`Self::due`] has something to say, at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        let limit = match self.phase {
            Phase::Silent => return self.began + self.limits.hello,
            Phase::Greeted => Some(self.began + self.limits.members),
            Phase::Up => None,
        };
        let late = (!self.late).then_some(self.came + self.limits.late);
        [limit, late, self.woken].into_iter().flatten().fold(self.next_ping, Instant::min)
    }

    /// What is to be done at this time.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let lost = |why: String| Due::Lost(Trouble::Lost(why));
        let seconds = |limit: Duration| {
            format!("{:.3}", limit.as_secs_f64()).trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        match self.phase {
            Phase::Silent if now >= self.began + self.limits.hello => {
                return Due::Lost(Trouble::NoHello(format!("no hello within {} s", seconds(self.limits.hello))));
            }
            Phase::Silent => return Due::Nothing,
            Phase::Greeted if now >= self.began + self.limits.members => {
                return lost(format!("nothing after its hello within {} s", seconds(self.limits.members)));
            }
            Phase::Greeted | Phase::Up => {}
        }
        if self.woken.is_some_and(|until| now >= until) {
            return lost(format!("no answer within {} s after this machine slept", seconds(self.limits.woken)));
        }
        self.late = now >= self.came + self.limits.late;
        if now < self.next_ping {
            return Due::Nothing;
        }
        if self.unanswered >= self.limits.unanswered {
            return lost(format!("nothing for {} s", now.saturating_duration_since(self.came).as_secs()));
        }
        self.unanswered += 1;
        self.pings += 1;
        // For the answer to the last question it is not waited as long: it is known that something is wrong.
        let last = self.unanswered == self.limits.unanswered;
        self.next_ping = now + if last { self.limits.ping_every / 2 } else { self.limits.ping_every };
        self.last_ping = Some((self.pings, now));
        Due::Ping(self.pings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(now: Instant) -> Watch {
        let mut watch = Watch::new(Limits::default(), now);
        watch.greeted(now);
        watch.named(now);
        watch
    }

    /// What happens by itself, with the seconds since `from`, until the end.
    fn by_itself(watch: &mut Watch, from: Instant) -> Vec<(u64, Due)> {
        let mut all = Vec::new();
        loop {
            let now = watch.deadline();
            let due = watch.due(now);
            all.push((now.saturating_duration_since(from).as_secs(), due.clone()));
            if matches!(due, Due::Lost(_)) {
                return all;
            }
            assert!(all.len() < 20, "time stands still: {all:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_never_says_hello_is_given_fifteen_seconds_and_one_that_says_nothing_more_ten() {
        let now = Instant::now();
        let mut watch = Watch::new(Limits::default(), now);
        let no_hello = Due::Lost(Trouble::NoHello("no hello within 15 s".to_owned()));
        assert_eq!(by_itself(&mut watch, now), [(15, no_hello)]);
        let mut watch = Watch::new(Limits::default(), now);
        watch.greeted(now + Duration::from_secs(14));
        let (at, end) = by_itself(&mut watch, now).pop().unwrap();
        assert!(
            at == 24 && matches!(&end, Due::Lost(Trouble::Lost(why)) if why.contains("after its hello")),
            "{at} {end:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_late_after_six_seconds_and_the_end_after_three_questions() {
        let now = Instant::now();
        let mut watch = up(now);
        let all = by_itself(&mut watch, now);
        let times: Vec<u64> = all.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 4, 6, 8, 10], "{all:?}");
        assert_eq!(all[4].1, Due::Lost(Trouble::Lost("nothing for 10 s".to_owned())));
        let mut watch = up(now);
        for second in 0..6 {
            watch.due(now + Duration::from_secs(second));
        }
        assert_eq!(watch.late_since(), None);
        watch.due(now + Duration::from_secs(6));
        assert_eq!(watch.late_since(), Some(now));
        watch.came(now + Duration::from_secs(7));
        assert!(watch.late_since().is_none() && watch.is_up());
    }

    #[tokio::test(start_paused = true)]
    async fn any_word_counts_as_an_answer_and_only_the_right_one_tells_the_way() {
        let now = Instant::now();
        let mut watch = up(now);
        let at = |seconds: u64| now + Duration::from_secs(seconds);
        for round in 0..100 {
            assert_eq!(watch.due(at(round * 4)), Due::Ping(round + 1));
            watch.pong(round, at(round * 4));
            watch.came(at(round * 4 + 1));
            assert_eq!(watch.rtt(), None, "the answer to another question");
        }
        watch.pong(100, at(396) + Duration::from_millis(40));
        assert_eq!(watch.rtt(), Some(Duration::from_millis(40)));
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_sleep_it_has_three_seconds() {
        let now = Instant::now();
        let mut watch = up(now);
        assert_eq!(watch.due(now), Due::Ping(1));
        let woke = now + Duration::from_secs(1);
        watch.woke(woke);
        assert_eq!(watch.due(woke), Due::Ping(2), "at once");
        let mut answered = watch.clone();
        answered.came(woke + Duration::from_secs(2));
        assert_eq!(answered.due(woke + Duration::from_secs(3)), Due::Nothing);
        assert_eq!(watch.deadline(), woke + Duration::from_secs(3));
        assert!(matches!(watch.due(woke + Duration::from_secs(3)), Due::Lost(_)));
        let mut starting = Watch::new(Limits::default(), now);
        starting.woke(now);
        assert_eq!(starting.deadline(), now + Duration::from_secs(15));
    }
}
