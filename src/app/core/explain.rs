//! What the numbers of the instruments mean, in words: what each is, what it saves or costs here, what changed it, and what
//! may be tried. All of it out of what was measured; where nothing was, nothing is said.

use crate::app::core::format;
use crate::monitor::{CacheInfo, HOUR_STEP, HourPoint, Snapshot};

/// Half minutes before anything is said of the last hour.
const ENOUGH: usize = 4;

/// Lookups before a hit rate says something.
const LOOKUPS: u64 = 20;

/// A wait for a connection that is felt, milliseconds.
const LONG_WAIT: f64 = 5.0;

/// Points before and after a change that are compared.
const BESIDE: usize = 4;

/// What of a cycle takes how long, over the last hour.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// Its name.
    pub name: &'static str,
    /// What is done in it.
    pub words: &'static str,
    /// Its mean, milliseconds.
    pub ms: f64,
    /// Of the whole cycle, 0 to 1.
    pub share: f64,
}

/// Where the time of a cycle went; none before the first half minute.
#[must_use]
pub fn phases(hour: &[HourPoint]) -> Vec<Phase> {
    let cycles: f64 = hour.iter().map(|point| count(point.cycles)).sum();
    let mean = |of: fn(&HourPoint) -> f32| {
        hour.iter().map(|point| f64::from(of(point)) * count(point.cycles)).sum::<f64>() / cycles
    };
    if cycles == 0.0 {
        return Vec::new();
    }
    let whole = mean(|point| point.duration_ms);
    let named: [(&str, &str, f64); 4] = [
        ("probe", "asks tmux what moved", mean(|point| point.discover_ms)),
        ("fetch", "reads screens that may be new", mean(|point| point.fetch_ms)),
        ("detect", "judges what they show", mean(|point| point.detect_ms)),
        ("publish", "hands it to all that look", mean(|point| point.publish_ms)),
    ];
    let share = |ms: f64| if whole > 0.0 { (ms / whole).clamp(0.0, 1.0) } else { 0.0 };
    named.into_iter().map(|(name, words, ms)| Phase { name, words, ms, share: share(ms) }).collect()
}

/// What a hit saves: reading a screen, and judging one, milliseconds each; `None` before any was read.
#[must_use]
pub fn saved(hour: &[HourPoint]) -> Option<(f64, f64)> {
    let read: f64 = hour.iter().map(|point| count(point.checked)).sum();
    let sum =
        |of: fn(&HourPoint) -> f32| hour.iter().map(|point| f64::from(of(point)) * count(point.cycles)).sum::<f64>();
    (read > 0.0).then(|| (sum(|point| point.fetch_ms) / read, sum(|point| point.detect_ms) / read))
}

/// A change of a setting, and the mean cycle before and after it.
#[derive(Clone, Debug, PartialEq)]
pub struct Changed {
    /// What was changed.
    pub what: String,
    /// How long ago, seconds.
    pub ago: u64,
    /// Milliseconds before and after; `None` where too little ran.
    pub took: Option<(f64, f64)>,
}

/// What was changed in the last hour, newest first.
#[must_use]
pub fn changes(hour: &[HourPoint]) -> Vec<Changed> {
    let mean = |points: &[HourPoint]| {
        let cycles: f64 = points.iter().map(|point| count(point.cycles)).sum();
        let sum: f64 = points.iter().map(|point| f64::from(point.duration_ms) * count(point.cycles)).sum();
        (cycles > 0.0).then(|| sum / cycles)
    };
    let changed = |(at, point): (usize, &HourPoint)| {
        let what = point.mark.clone()?;
        let before = &hour[at.saturating_sub(BESIDE)..at];
        // Another change ends what this one can be blamed for.
        let after = &hour[at + 1..];
        let until = after.iter().position(|point| point.mark.is_some()).unwrap_or(after.len()).min(BESIDE);
        let ago = u64::try_from(hour.len() - at).unwrap_or(0) * HOUR_STEP;
        Some(Changed { what, ago, took: mean(before).zip(mean(&after[..until])) })
    };
    hour.iter().enumerate().rev().filter_map(changed).collect()
}

/// What may be tried of the pool; `keys`: that for more and that for less.
#[must_use]
pub fn pool(snapshot: &Snapshot, (more, less): (&str, &str)) -> String {
    let pool = &snapshot.connection_pool;
    let most = snapshot.hour.iter().map(|point| u64::from(point.in_use)).max().unwrap_or(0);
    let size = u64::try_from(pool.pool_size).unwrap_or(u64::MAX);
    if pool.acquisition_timeouts > 0 {
        let gave_up = format::count(pool.acquisition_timeouts);
        return format!("{gave_up} requests gave up waiting for a connection: try more of them ({more}).");
    }
    if let Some(p99) = pool.wait_p99_ms.filter(|ms| *ms >= LONG_WAIT) {
        let p99 = format::ms_unit(Some(p99));
        return format!("One request in a hundred waits {p99} or more for a connection: try more of them ({more}).");
    }
    if snapshot.hour.len() < ENOUGH {
        return "Nothing waits for a connection. More is said after two minutes.".to_owned();
    }
    if size > 1 && most * 2 <= size {
        return format!(
            "Nothing waits. At most {most} of {size} were in use at once: fewer would do ({less}), though an idle one \
             costs next to nothing."
        );
    }
    "Nothing waits for a connection: there is nothing to change.".to_owned()
}

/// What a hit saved, and what may be tried of the cache; `key`: that which switches it on and off.
#[must_use]
pub fn cache(snapshot: &Snapshot, key: &str) -> Vec<String> {
    let cache = &snapshot.cache_performance;
    let mut words = Vec::new();
    if let Some((read, judge)) = saved(&snapshot.hour) {
        let all = count(cache.pane_content.hits) * read + count(cache.agent_status.hits) * judge;
        let [read, judge, all] = [read, judge, all].map(|ms| format::ms_unit(Some(ms)));
        words.push(format!(
            "A hit in pane_content saves a read of {read}, one in agent_status a verdict of {judge}: {all} of work since \
             the engine began."
        ));
    }
    words.push(advice(snapshot, cache, key));
    words
}

fn advice(snapshot: &Snapshot, cache: &CacheInfo, key: &str) -> String {
    let found = cache.agent_status.hits + cache.agent_status.misses;
    if !snapshot.settings.cache_enabled {
        return format!("It is off: every cycle reads and judges every screen that it looks at. {key} switches it on.");
    }
    if cache.pane_content.evictions > cache.pane_content.capacity {
        let evicted = format::count(cache.pane_content.evictions);
        return format!("{evicted} screens had to make room for others: a larger cache.max_size holds them.");
    }
    if let Some(rate) = cache.agent_status.hit_rate.filter(|rate| *rate < 0.6 && found >= LOOKUPS) {
        let rate = format::share(Some(rate));
        return format!(
            "Only {rate} of the verdicts were found again: screens that change at each look have to be judged."
        );
    }
    if found < LOOKUPS {
        return "There was too little to look up to say more.".to_owned();
    }
    "It works: there is nothing to change.".to_owned()
}

/// What may be tried of the cycle; `slower`: the key for a longer interval.
#[must_use]
pub fn cycle(snapshot: &Snapshot, slower: &str) -> String {
    let over = snapshot.cycle.overruns;
    if over > 0 {
        let over = format::count(over);
        return format!("{over} cycles took longer than the time to the next one: try a longer interval ({slower}).");
    }
    let phases = phases(&snapshot.hour);
    let Some(most) = phases.iter().max_by(|a, b| a.ms.total_cmp(&b.ms)) else {
        return "Where its time goes is said after half a minute.".to_owned();
    };
    let share = format::share(Some(most.share));
    match (most.name, snapshot.current_strategy.as_str()) {
        ("fetch", "adaptive") => {
            format!("{share} of it is reading screens that moved: there is nothing to save there.")
        }
        ("fetch", _) => format!("{share} of it is reading screens: the strategy adaptive reads only those that moved."),
        ("probe", _) => {
            format!("{share} of it is asking tmux, which looks over all its panes each time: as it should be.")
        }
        _ => format!("{share} of it is our own work on what was read."),
    }
}

/// What may be tried of what the watching costs; `slower`: the key for a longer interval.
#[must_use]
pub fn cost(snapshot: &Snapshot, slower: &str) -> String {
    let cost = &snapshot.cost;
    let (ours, server) = (cost.cpu_percent, cost.watching_percent);
    if cost.held_back {
        return "Reads are put off so that no more of the server is taken than monitoring.max_server_percent allows."
            .to_owned();
    }
    match (ours, server) {
        (Some(ours), Some(server)) if ours + server >= 5.0 => {
            let both = format::cpu(Some(ours + server));
            format!("{both} of a core together: a longer interval ({slower}) or the strategy adaptive takes less.")
        }
        (Some(ours), Some(server)) => {
            let both = format::cpu(Some(ours + server));
            format!("{both} of a core together: there is nothing to save.")
        }
        _ => "Not measured yet.".to_owned(),
    }
}

/// What a built-in strategy does.
#[must_use]
pub fn strategy(name: &str) -> Option<&'static str> {
    Some(match name {
        "adaptive" => "reads what moved, when it moved: least work",
        "concurrent" => "reads all that may be new at once: highest peak",
        "polling" => "reads one after another: lowest peak, older news",
        _ => return None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
fn count(n: u64) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::app::core::fixture::test_snapshot;

    fn point(n: u64, ms: f32, mark: Option<&str>) -> HourPoint {
        HourPoint {
            n,
            cycles: 30,
            duration_ms: ms,
            discover_ms: 1.0,
            fetch_ms: ms - 1.5,
            detect_ms: 0.3,
            checked: 60,
            in_use: 2,
            mark: mark.map(Into::into),
            ..HourPoint::default()
        }
    }

    #[test]
    fn where_the_time_went_and_what_a_hit_saves_are_means_over_all_cycles() {
        assert_eq!((phases(&[]), saved(&[]), changes(&[])), (vec![], None, vec![]), "nothing was measured");
        let hour = [point(1, 4.0, None), HourPoint { n: 2, ..HourPoint::default() }, point(3, 6.0, None)];
        let phases = phases(&hour);
        let of = |name: &str| phases.iter().find(|phase| phase.name == name).map(|phase| (phase.ms, phase.share));
        assert_eq!((of("probe"), of("fetch")), (Some((1.0, 0.2)), Some((3.5, 0.7))));
        let (read, judge) = saved(&hour).unwrap();
        assert!((read - 1.75).abs() < 1e-6 && (judge - 0.15).abs() < 1e-6, "{read} {judge}");
    }

    #[test]
    fn a_change_is_told_with_what_came_before_and_after_it() {
        let mut hour: Vec<HourPoint> = (1..=8).map(|n| point(n, 4.0, None)).collect();
        hour.push(point(9, 7.0, Some("pool 9")));
        hour.extend((10..=12).map(|n| point(n, 2.0, None)));
        hour.push(point(13, 7.0, Some("cache lru")));
        let took = |changed: &Changed| changed.took.map(|(before, after)| (before.round(), after.round()));
        let all = changes(&hour);
        let told: Vec<_> = all.iter().map(|one| (one.what.as_str(), one.ago, took(one))).collect();
        assert_eq!(told, [("cache lru", 30, None), ("pool 9", 150, Some((4.0, 2.0)))]);
    }

    #[test]
    fn what_may_be_tried_follows_from_what_was_measured() {
        let mut snapshot = test_snapshot();
        let keys = ("+", "-");
        assert!(pool(&snapshot, keys).contains("after two minutes") && cycle(&snapshot, ">").contains("half a minute"));
        assert_eq!(cost(&snapshot, ">"), "Not measured yet.");
        snapshot.hour = Arc::new((1..=10).map(|n| point(n, 4.0, None)).collect());
        snapshot.connection_pool.pool_size = 20;
        assert!(pool(&snapshot, keys).contains("At most 2 of 20") && pool(&snapshot, keys).contains("(-)"));
        snapshot.connection_pool.wait_p99_ms = Some(80.0);
        assert!(pool(&snapshot, keys).contains("80.0 ms or more") && pool(&snapshot, keys).contains("(+)"));
        snapshot.settings.cache_enabled = false;
        assert!(cache(&snapshot, "C").last().unwrap().ends_with("C switches it on."));
        snapshot.current_strategy = "polling".to_owned();
        assert!(cycle(&snapshot, ">").contains("the strategy adaptive reads only"));
        snapshot.cycle.overruns = 3;
        assert!(cycle(&snapshot, ">").starts_with("3 cycles took longer"));
        (snapshot.cost.cpu_percent, snapshot.cost.watching_percent) = (Some(4.0), Some(3.0));
        assert!(cost(&snapshot, ">").contains("a longer interval (>)"));
        assert!(["adaptive", "concurrent", "polling"].iter().all(|name| strategy(name).is_some()));
    }
}
