//! Fetch: captures the panes that the plan names, together with those of their fields that may be out of date.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;

use crate::monitor::access::Access;
use crate::monitor::cycle::count;
use crate::monitor::facts::writes::Writes;
use crate::monitor::panes::fleet::Fleet;
use crate::monitor::panes::reading::screen_hash;
use crate::monitor::panes::tracked::Tracked;
use crate::monitor::strategy::Plan;
use crate::monitor::{CycleStats, NamedAgent, Preview, clock};
use crate::tmux::{Batch, Command, Expect, Fields, Pane, PaneId, Pool, Reply, Screen, TmuxError, parse_panes};

/// One list of all panes is cheaper than single lines from a quarter of them on.
const LIST_ALL_FROM: usize = 4;

/// One pane's read.
pub(crate) struct Read {
    pub(crate) pane: PaneId,
    /// Its fields, when they were asked for with it.
    pub(crate) fields: Option<(Pane, Fields)>,
    /// `None`: the pane vanished between probe and capture.
    pub(crate) screen: Option<Result<Screen, TmuxError>>,
    /// See [`crate::monitor::panes::cache::Captured::settled`].
    pub(crate) settled: bool,
    /// Its colours were asked for.
    pub(crate) coloured: bool,
    /// We were subscribed to the pane's next write: a change that it shows should have been notified.
    pub(crate) subscribed: bool,
    /// The rhythm of its writes was broken.
    pub(crate) broke: bool,
    /// When it began.
    pub(crate) at: Timestamp,
    /// The same by the monotonic clock.
    pub(crate) now: Instant,
    /// When its cycle began.
    pub(crate) began: Instant,
}

/// What a fetch gave.
pub(crate) struct Fetched {
    pub(crate) reads: Vec<Read>,
    /// How long the first request took, and how many panes it read.
    pub(crate) round_trip: Option<(Duration, usize)>,
}

/// What a fetch needs to know beside the plan.
#[derive(Clone, Copy)]
pub(crate) struct FetchContext<'a> {
    /// Panes in focus: with their colours.
    pub(crate) focus: &'a BTreeSet<PaneId>,
    /// Panes that are shown: with their colours now and then.
    pub(crate) shown: &'a BTreeSet<PaneId>,
    /// When the cycle began.
    pub(crate) began: Instant,
    /// The panes that the settings call agents.
    pub(crate) named: &'a [NamedAgent],
    /// All panes' fields were read in this cycle.
    pub(crate) listed: bool,
}

/// Captures what is planned, in parallel over the pool.
///
/// The panes' fields (title, cursor, place) come along: one list of all panes where many are read, a line for each where
/// few are, and not at all when this cycle has just read them. The expensive ones are asked for only where they may have
/// changed.
pub(crate) async fn fetch(
    plan: &Plan,
    access: &Access,
    fleet: &mut Fleet,
    writes: &mut Writes,
    context: FetchContext<'_>,
    stats: &mut CycleStats,
) -> Fetched {
    let (at, now, began) = (Timestamp::now(), clock::now(), context.began);
    let features = access.features();
    let planned: usize = plan.batches.iter().map(Vec::len).sum();
    let read = plan.batches.iter().flatten().filter_map(|id| fleet.get(*id));
    let holds = |tracked: &&Tracked| tracked.is_unread() && tracked.fields_hold(at, now);
    let expensive = read.filter(|tracked| !holds(tracked) && tracked.is_expensive_due(now)).count();
    let many = |panes: usize| panes > 1 && panes * LIST_ALL_FROM >= fleet.len();
    // The fields of all panes that one list at the head of the first request asks for.
    let list = match context.listed {
        _ if many(expensive) => Some(Fields::All),
        false if many(planned) => Some(Fields::Cheap),
        _ => None,
    };
    let mut requests = Vec::with_capacity(plan.batches.len());
    for (index, panes) in plan.batches.iter().enumerate() {
        let mut request = Request { batch: Batch::default(), reads: Vec::with_capacity(panes.len()), list: None };
        if let (0, Some(fields)) = (index, list) {
            request.batch.push(Command::list_panes(features, fields), Expect::Any);
            request.list = Some(fields);
        }
        for &pane in panes {
            let Some(tracked) = fleet.get_mut(pane) else { continue };
            let each = match list {
                Some(Fields::All) => None,
                // A new pane: the list that found it had its fields, and nothing was written to it since.
                _ if tracked.is_unread() && tracked.fields_hold(at, now) => None,
                _ if tracked.is_expensive_due(now) => Some(Fields::All),
                None if !context.listed => Some(Fields::Cheap),
                _ => None,
            };
            if let Some(fields) = each {
                request.batch.push(Command::pane_details(features, pane, fields), Expect::Any);
            }
            let coloured = context.focus.contains(&pane)
                || context.shown.contains(&pane) && tracked.coloured.may_be_read(context.began);
            request.batch.push(Command::capture(pane, coloured), Expect::Lines(usize::from(tracked.pulse.height)));
            let settled = tracked.is_settled(at, now);
            let subscribed = plan.early.is_some() && tracked.is_subscribed();
            if plan.early.is_some() {
                tracked.subscribe_or_follow(writes, at, now);
            }
            let broke = tracked.take_break();
            let read = Read { pane, fields: None, screen: None, settled, coloured, subscribed, broke, at, now, began };
            request.reads.push((each, read));
        }
        requests.push(request);
    }
    let mut answers =
        stream::iter(requests.into_iter().map(|r| r.send(access.pool.clone()))).buffer_unordered(plan.width.max(1));
    let mut reads = Vec::with_capacity(planned);
    let mut listed = Vec::new();
    let mut round_trip = None;
    while let Some(answer) = answers.next().await {
        if let Some(reply) = &answer.reply {
            count(stats, reply);
        }
        round_trip.get_or_insert((answer.took, answer.reads.len()));
        listed.extend(answer.listed);
        reads.extend(answer.reads);
    }
    drop(answers);
    if let Some(fields) = list {
        fleet.describe(listed, fields, context.named, now);
    }
    Fetched { reads, round_trip }
}

/// Captures the panes that are shown whose screen is not there, and nothing else of them: also while the cycles rest their user
/// may choose what to look at. One that cannot be read stays without.
pub(crate) async fn show_focused(access: &Access, fleet: &mut Fleet, shown: &BTreeSet<PaneId>) {
    let missing = |id: &PaneId| fleet.get(*id).is_some_and(|tracked| tracked.coloured.preview().is_none());
    let panes: Vec<PaneId> = shown.iter().copied().filter(missing).collect();
    if panes.is_empty() {
        return;
    }
    let mut batch = Batch::default();
    for pane in &panes {
        let height = fleet.get(*pane).map_or(0, |tracked| tracked.pulse.height);
        batch.push(Command::capture(*pane, true), Expect::Lines(usize::from(height)));
    }
    let at = Timestamp::now();
    let Ok(mut lease) = access.acquire().await else { return };
    let Ok(reply) = lease.request(&batch).await else { return };
    for (pane, part) in panes.into_iter().zip(reply.parts) {
        if let (Ok(capture), Some(tracked)) = (part, fleet.get_mut(pane)) {
            let screen = Screen::styled(&capture);
            tracked.coloured.take(Preview::of(pane, &screen, at), screen_hash(&screen), clock::now());
        }
    }
}

/// One request of a fetch.
struct Request {
    batch: Batch,
    /// The reads in order, each with the fields that are asked for before its capture.
    reads: Vec<(Option<Fields>, Read)>,
    /// It begins with a list of all panes.
    list: Option<Fields>,
}

struct Answer {
    reply: Option<Reply>,
    reads: Vec<Read>,
    listed: Vec<Pane>,
    took: Duration,
}

impl Request {
    /// Sends it and sorts the parts to the reads.
    async fn send(self, pool: Pool) -> Answer {
        let began = clock::now();
        let answer = match pool.acquire().await {
            Ok(mut lease) => lease.request(&self.batch).await,
            Err(problem) => Err(problem),
        };
        let took = clock::since(began);
        let mut reply = match answer {
            Ok(reply) => reply,
            Err(problem) => {
                let failed = |(_, read)| Read { screen: Some(Err(problem.clone())), ..read };
                let reads = self.reads.into_iter().map(failed).collect();
                return Answer { reply: None, reads, listed: Vec::new(), took };
            }
        };
        let mut parts = std::mem::take(&mut reply.parts).into_iter();
        let listed = match self.list.and_then(|_| parts.next()) {
            Some(Ok(bytes)) => parse_panes(&bytes),
            _ => Vec::new(),
        };
        let take = |(fields, mut read): (Option<Fields>, Read)| {
            if let Some(fields) = fields
                && let Some(Ok(bytes)) = parts.next()
            {
                let pane = parse_panes(&bytes).into_iter().find(|p| p.id == read.pane);
                read.fields = pane.map(|pane| (pane, fields));
            }
            read.screen = match parts.next() {
                Some(Ok(capture)) => {
                    Some(Ok(if read.coloured { Screen::styled(&capture) } else { Screen::plain(&capture) }))
                }
                // It vanished since the probe, and the next one says so.
                Some(Err(error)) if error.is_gone() || error.is_no_sessions() => None,
                Some(Err(error)) => Some(Err(TmuxError::Refused { message: error.message })),
                None => Some(Err(TmuxError::Refused { message: "no answer to a capture".into() })),
            };
            read
        };
        let reads = self.reads.into_iter().map(take).collect();
        Answer { reply: Some(reply), reads, listed, took }
    }
}
