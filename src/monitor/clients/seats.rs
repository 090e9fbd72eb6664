//! Seats for the socket's clients: so many at once, and who has long said nothing gives way to who comes.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Most clients at once.
pub(crate) const MOST_CLIENTS: usize = 64;
/// One that has said nothing for so long gives up its seat when all are taken. Our own dashboards say that they are there
/// every four seconds; one that never reads looks the same as one that reads and has nothing to say.
const IDLE_AFTER: Duration = Duration::from_secs(10);
/// A newcomer waits so long for a seat.
const WAIT_LIMIT: Duration = Duration::from_secs(5);
/// Most newcomers that wait.
const MOST_WAITING: usize = 64;
/// How often those who wait look.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// All seats of one engine.
#[derive(Debug, Default)]
pub(crate) struct Seats(Mutex<Taken>);

#[derive(Debug, Default)]
struct Taken {
    seats: BTreeMap<u64, (Instant, CancellationToken)>,
    last: u64,
    waiting: usize,
}

/// One client's seat, free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    all: Arc<Seats>,
    number: u64,
    /// It must be given up.
    pub(crate) leave: CancellationToken,
}

impl Seats {
    /// A seat for a newcomer; `None` when there is none for some time.
    pub(crate) async fn take(self: &Arc<Self>) -> Option<Seat> {
        if let Some(seat) = self.try_take() {
            return Some(seat);
        }
        let _waiting = Waiting::enter(self)?;
        let until = Instant::now() + WAIT_LIMIT;
        while Instant::now() < until {
            sleep(LOOK_EVERY).await;
            if let Some(seat) = self.try_take() {
                return Some(seat);
            }
        }
        None
    }

    fn try_take(self: &Arc<Self>) -> Option<Seat> {
        let mut taken = self.lock();
        if taken.seats.len() >= MOST_CLIENTS {
            let (number, _) = taken.seats.iter().min_by_key(|(_, (last, _))| *last)?;
            let number = *number;
            let silent = taken.seats.get(&number).filter(|(last, _)| last.elapsed() >= IDLE_AFTER)?;
            silent.1.cancel();
            taken.seats.remove(&number);
        }
        taken.last += 1;
        let (number, leave) = (taken.last, CancellationToken::new());
        taken.seats.insert(number, (Instant::now(), leave.clone()));
        Some(Seat { all: Arc::clone(self), number, leave })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Its client said something.
    pub(crate) fn refresh(&self) {
        if let Some((last, _)) = self.all.lock().seats.get_mut(&self.number) {
            *last = Instant::now();
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.all.lock().seats.remove(&self.number);
    }
}

/// One that waits for a seat.
struct Waiting<'a>(&'a Seats);

impl<'a> Waiting<'a> {
    fn enter(all: &'a Seats) -> Option<Self> {
        let mut taken = all.lock();
        (taken.waiting < MOST_WAITING).then(|| {
            taken.waiting += 1;
            Self(all)
        })
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.lock().waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_long_been_silent_gives_way_and_who_speaks_does_not() {
        let all = Arc::new(Seats::default());
        let mut seats = Vec::new();
        for _ in 0..MOST_CLIENTS {
            seats.push(all.take().await.unwrap());
        }
        let began = Instant::now();
        assert!(all.take().await.is_none(), "all of them have just come");
        assert_eq!(began.elapsed().as_secs(), WAIT_LIMIT.as_secs());
        seats[1..].iter().for_each(Seat::refresh);
        let newcomer = all.take().await.expect("the first one has been silent for ten seconds");
        assert!(seats[0].leave.is_cancelled() && seats[1..].iter().all(|seat| !seat.leave.is_cancelled()));
        seats.remove(0);
        assert_eq!(all.lock().seats.len(), MOST_CLIENTS, "a seat is taken once");
        drop(seats);
        drop(newcomer);
        assert!(all.lock().seats.is_empty());
    }
}
