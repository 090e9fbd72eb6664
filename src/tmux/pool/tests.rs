//! The pool under every order of events: properties over interleavings, on a paused clock.

use std::{
    collections::VecDeque,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use proptest::prelude::*;
use tokio::time::{Instant, advance};

use crate::tmux::{Lease, Pool, PoolSettings, Server, TmuxError, TransportChoice, properties};

const TIMEOUT: Duration = Duration::from_secs(30);
const MAX_AGE: Duration = Duration::from_secs(300);

fn pool(min_size: usize, max_size: usize) -> Pool {
    let settings =
        PoolSettings { min_size, max_size, connection_timeout: TIMEOUT, max_age: MAX_AGE, ..PoolSettings::default() };
    Pool::new(Server::at("/nowhere/s", "/nowhere/tmux").unwrap(), TransportChoice::Auto, settings)
}

#[derive(Clone, Debug)]
enum Step {
    Acquire,
    /// One of those held goes back, as it is or broken.
    Release {
        which: prop::sample::Index,
        broken: bool,
    },
    /// One who waits gives up.
    Cancel(prop::sample::Index),
    Resize(usize),
    Advance(u16),
    /// One who waits is asked again whether it has one.
    Poll(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let index = || any::<prop::sample::Index>();
    prop_oneof![
        5 => Just(Step::Acquire),
        4 => (index(), prop::bool::weighted(0.2)).prop_map(|(which, broken)| Step::Release { which, broken }),
        2 => index().prop_map(Step::Cancel),
        1 => (0usize..7).prop_map(Step::Resize),
        2 => (0u16..400).prop_map(Step::Advance),
        2 => index().prop_map(Step::Poll),
    ]
}

type Acquiring = Pin<Box<dyn Future<Output = Result<Lease, TmuxError>>>>;

/// What the pool must be like, kept by simple means.
#[derive(Default)]
struct Model {
    held: Vec<Lease>,
    waiting: VecDeque<(Instant, Acquiring)>,
    acquired: u64,
    timeouts: u64,
}

impl Model {
    fn poll(&mut self, index: usize) -> Result<(), TestCaseError> {
        let mut context = Context::from_waker(Waker::noop());
        let (started, future) = &mut self.waiting[index];
        match future.as_mut().poll(&mut context) {
            Poll::Pending => prop_assert!(started.elapsed() <= TIMEOUT, "it waits longer than it may"),
            Poll::Ready(Ok(lease)) => {
                self.held.push(lease);
                self.acquired += 1;
                drop(self.waiting.remove(index));
            }
            Poll::Ready(Err(TmuxError::AcquireTimeout { after })) => {
                prop_assert_eq!(after, TIMEOUT);
                prop_assert!(started.elapsed() >= TIMEOUT, "it gave up too early");
                self.timeouts += 1;
                drop(self.waiting.remove(index));
            }
            Poll::Ready(Err(error)) => prop_assert!(false, "{error}"),
        }
        Ok(())
    }

    /// Polls all who wait, first come first.
    fn poll_all(&mut self) -> Result<(), TestCaseError> {
        let mut index = 0;
        while index < self.waiting.len() {
            let before = self.waiting.len();
            self.poll(index)?;
            index += usize::from(self.waiting.len() == before);
        }
        Ok(())
    }
}

async fn run(min_size: usize, max_size: usize, steps: Vec<Step>) -> Result<(), TestCaseError> {
    let pool = pool(min_size, max_size);
    let mut model = Model::default();
    let mut capacity = max_size.max(1);
    for step in steps {
        match step {
            Step::Acquire => {
                let pool = pool.clone();
                model.waiting.push_back((Instant::now(), Box::pin(async move { pool.acquire().await })));
                let last = model.waiting.len() - 1;
                model.poll(last)?;
            }
            Step::Release { which, broken } if !model.held.is_empty() => {
                let mut lease = model.held.swap_remove(which.index(model.held.len()));
                lease.pretend_served(broken);
            }
            Step::Cancel(which) if !model.waiting.is_empty() => {
                drop(model.waiting.remove(which.index(model.waiting.len())));
            }
            Step::Resize(max) => {
                pool.resize(max);
                capacity = max.max(1);
            }
            Step::Advance(seconds) => {
                advance(Duration::from_secs(seconds.into())).await;
                model.poll_all()?;
            }
            Step::Poll(which) if !model.waiting.is_empty() => model.poll(which.index(model.waiting.len()))?,
            _ => {}
        }
        let stats = pool.stats();
        prop_assert_eq!(stats.pool_size, capacity);
        // Those granted and not yet fetched by the one who waits count as in use.
        prop_assert!(stats.active_connections >= model.held.len());
        prop_assert!(stats.active_connections <= model.held.len() + model.waiting.len());
        prop_assert_eq!(stats.waiters + stats.active_connections, model.waiting.len() + model.held.len());
        prop_assert!(stats.active_connections + stats.idle_connections <= capacity.max(stats.active_connections));
        prop_assert!(stats.active_connections + stats.idle_connections >= min_size.min(capacity));
        prop_assert!(stats.waiters == 0 || stats.active_connections >= capacity, "one waits though there is room");
        prop_assert_eq!(stats.total_acquisitions, model.acquired);
        prop_assert_eq!(stats.acquisition_timeouts, model.timeouts);
        prop_assert!(stats.connections_reused <= stats.total_acquisitions);
        let existing = (stats.active_connections + stats.idle_connections) as u64;
        prop_assert!(stats.connections_created >= existing + stats.connections_recycled);
    }
    // No wake-up is lost: when all goes back, everyone who waits is served, and then nothing is in use.
    model.poll_all()?;
    while !model.waiting.is_empty() {
        let (waited, held) = (model.waiting.len(), model.held.len());
        prop_assert!(held > 0, "{waited} wait and nobody holds one");
        model.held.clear();
        model.poll_all()?;
        prop_assert!(model.waiting.len() < waited);
    }
    model.held.clear();
    let stats = pool.stats();
    prop_assert_eq!((stats.active_connections, stats.waiters), (0, 0));
    prop_assert!(stats.idle_connections <= capacity);
    Ok(())
}

fn paused() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

proptest! {
    #![proptest_config(properties::cases(400))]

    #[test]
    fn never_more_than_capacity_no_lost_wake_up_and_counters_add_up(
        min_size in 0usize..6, max_size in 0usize..6, steps in prop::collection::vec(step(), 0..80),
    ) {
        // A capacity below the number in use is allowed by shrinking only; the checks allow for it.
        paused().block_on(run(min_size, max_size, steps))?;
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_are_served_in_order() {
    let pool = pool(1, 1);
    let first = pool.acquire().await.unwrap();
    let (served, mut order) = tokio::sync::mpsc::channel(20);
    for number in 0..10 {
        let (task, served) = (pool.clone(), served.clone());
        tokio::spawn(async move {
            let lease = task.acquire().await.unwrap();
            served.send(number).await.unwrap();
            drop(lease);
        });
        while pool.stats().waiters <= number {
            tokio::task::yield_now().await;
        }
    }
    drop((first, served));
    for number in 0..10 {
        assert_eq!(order.recv().await, Some(number));
    }
}

#[tokio::test(start_paused = true)]
async fn one_who_comes_later_does_not_pass_those_who_wait() {
    let pool = pool(1, 1);
    let held = pool.acquire().await.unwrap();
    let mut waiting = Box::pin(pool.acquire());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    drop(held);
    // It was handed over already, though not fetched yet.
    let mut late = Box::pin(pool.acquire());
    assert!(futures_util::poll!(&mut late).is_pending());
    let lease = waiting.await.unwrap();
    assert!(futures_util::poll!(&mut late).is_pending());
    drop(lease);
    late.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn waiting_ends_after_the_connection_timeout_and_is_counted() {
    let pool = pool(0, 1);
    let _held = pool.acquire().await.unwrap();
    let started = Instant::now();
    let error = pool.acquire().await.err().unwrap();
    assert_eq!(error, TmuxError::AcquireTimeout { after: TIMEOUT });
    assert_eq!(started.elapsed(), TIMEOUT);
    assert_eq!((pool.stats().acquisition_timeouts, pool.stats().waiters), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn connections_are_reused_replaced_by_age_and_dropped_when_broken() {
    let pool = pool(2, 4);
    assert_eq!((pool.stats().connections_created, pool.stats().idle_connections), (2, 2));
    let give_back = |broken| {
        let pool = pool.clone();
        async move { pool.acquire().await.unwrap().pretend_served(broken) }
    };
    give_back(false).await;
    give_back(false).await;
    let stats = pool.stats();
    assert_eq!((stats.total_acquisitions, stats.connections_reused, stats.connections_created), (2, 1, 2));
    give_back(true).await;
    let stats = pool.stats();
    assert_eq!((stats.connections_created, stats.idle_connections), (3, 2), "the least number is kept ready");
    advance(MAX_AGE).await;
    give_back(false).await;
    let stats = pool.stats();
    assert_eq!((stats.connections_recycled, stats.connections_created, stats.idle_connections), (1, 4, 2));
}

#[tokio::test(start_paused = true)]
async fn resizing_works_while_all_are_in_use() {
    let pool = pool(0, 4);
    let mut held = Vec::new();
    for _ in 0..4 {
        held.push(pool.acquire().await.unwrap());
    }
    let mut waiting = Box::pin(pool.acquire());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    pool.resize(2);
    held.pop();
    held.pop();
    assert!(futures_util::poll!(&mut waiting).is_pending(), "two are in use, and two is the capacity");
    assert_eq!((pool.stats().active_connections, pool.stats().idle_connections), (2, 0));
    pool.resize(3);
    held.push(waiting.await.unwrap());
    assert_eq!(pool.stats().active_connections, 3);
    pool.resize(1);
    held.clear();
    assert_eq!((pool.stats().active_connections, pool.stats().idle_connections), (0, 1));
    assert_eq!(pool.take_peak(), 4);
    assert_eq!(pool.take_peak(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_closed_pool_turns_everyone_away_and_waits_for_what_is_out() {
    let pool = pool(2, 2);
    let held = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let mut waiting = Box::pin(pool.acquire());
    assert!(futures_util::poll!(&mut waiting).is_pending());
    let mut closing = Box::pin(pool.close());
    assert!(futures_util::poll!(&mut closing).is_pending());
    assert_eq!(waiting.await.err(), Some(TmuxError::Closed));
    assert_eq!(pool.acquire().await.err(), Some(TmuxError::Closed));
    drop(held.0);
    assert!(futures_util::poll!(&mut closing).is_pending());
    drop(held.1);
    closing.await;
    assert_eq!((pool.stats().active_connections, pool.stats().idle_connections), (0, 0));
    pool.resize(5);
    assert_eq!(pool.acquire().await.err(), Some(TmuxError::Closed));
    pool.close().await;
}

#[tokio::test]
async fn many_threads_never_hold_more_than_the_capacity() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static IN_USE: AtomicUsize = AtomicUsize::new(0);
    let pool = pool(1, 3);
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let pool = pool.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    for round in 0..2000 {
                        let acquiring = pool.acquire();
                        if round % 7 == 0 {
                            // Given up at once, whether it was handed one or not.
                            let _ = futures_util::poll!(Box::pin(acquiring));
                            continue;
                        }
                        let mut lease = acquiring.await.unwrap();
                        assert!(IN_USE.fetch_add(1, Ordering::SeqCst) < 3);
                        tokio::task::yield_now().await;
                        IN_USE.fetch_sub(1, Ordering::SeqCst);
                        lease.pretend_served(round % 11 == 0);
                    }
                });
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let stats = pool.stats();
    assert_eq!((stats.active_connections, stats.waiters), (0, 0));
}
