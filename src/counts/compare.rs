//! Whether counts became worse, and which.

use std::collections::BTreeMap;

use crate::counts::Counts;

/// Counts by scenario.
type All = BTreeMap<String, Counts>;

/// How far a count may rise, hundredths of it. Captures are the script's to the last one. A list of all panes more or less is
/// the cache's own clock, which no test pauses; allocations and the digits of numbers differ a little from run to run, and of
/// what goes over the socket at rest most is such numbers.
fn tolerance(count: &str) -> u64 {
    match count {
        "requests" => 3,
        "allocations" => 5,
        "socket bytes" => 20,
        _ if count.ends_with("bytes") => 5,
        _ => 0,
    }
}

/// What became worse, in words: counts that rose beyond what they may, and those that stand on one side alone.
pub(super) fn worse(before: &All, now: &All) -> Vec<String> {
    let mut worse: Vec<String> = pairs(before, now)
        .filter(|(_, count, before, now)| *now > before + before * tolerance(count) / 100)
        .map(|(scenario, count, before, now)| line(scenario, count, before, now))
        .collect();
    let names = |all: &All| -> Vec<(String, String)> {
        all.iter().flat_map(|(scenario, counts)| counts.keys().map(|count| (scenario.clone(), count.clone()))).collect()
    };
    let (there, here) = (names(before), names(now));
    worse.extend(
        here.iter()
            .filter(|name| !there.contains(name))
            .map(|(scenario, count)| format!("{scenario}: {count} is new and has nothing to be held against")),
    );
    worse.extend(
        there
            .iter()
            .filter(|name| !here.contains(name))
            .map(|(scenario, count)| format!("{scenario}: {count} is not counted any more")),
    );
    worse
}

/// What fell as far as it may not rise: worth keeping, or a later rise stays unseen.
pub(super) fn better(before: &All, now: &All) -> Vec<String> {
    pairs(before, now)
        .filter(|(_, count, before, now)| *now < before - before * tolerance(count) / 100)
        .map(|(scenario, count, before, now)| line(scenario, count, before, now))
        .collect()
}

fn pairs<'a>(before: &'a All, now: &'a All) -> impl Iterator<Item = (&'a str, &'a str, u64, u64)> {
    now.iter().flat_map(|(scenario, counts)| {
        let of = before.get(scenario);
        counts.iter().filter_map(move |(count, now)| Some((scenario.as_str(), count.as_str(), *of?.get(count)?, *now)))
    })
}

fn line(scenario: &str, count: &str, before: u64, now: u64) -> String {
    format!("{scenario}: {count} {before} -> {now}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(counts: &[(&str, u64)]) -> All {
        let counts = counts.iter().map(|(count, number)| ((*count).to_owned(), *number)).collect();
        All::from([("at rest".to_owned(), counts)])
    }

    #[test]
    fn a_rise_beyond_its_tolerance_is_named_and_one_within_is_none() {
        let before = all(&[("requests", 40), ("allocations", 1000), ("journal bytes", 1000)]);
        let within = all(&[("requests", 41), ("allocations", 1050), ("journal bytes", 1050)]);
        assert_eq!(worse(&before, &within), Vec::<String>::new());
        let beyond = all(&[("requests", 42), ("allocations", 1051), ("journal bytes", 1100)]);
        assert_eq!(
            worse(&before, &beyond),
            ["at rest: allocations 1000 -> 1051", "at rest: journal bytes 1000 -> 1100", "at rest: requests 40 -> 42"]
        );
        assert_eq!(better(&beyond, &before), ["at rest: journal bytes 1100 -> 1000", "at rest: requests 42 -> 40"]);
        let few = all(&[("captures", 0)]);
        assert_eq!(worse(&few, &all(&[("captures", 1)])), ["at rest: captures 0 -> 1"]);
    }

    #[test]
    fn a_count_that_stands_on_one_side_alone_is_named() {
        let (one, two) = (all(&[("requests", 40)]), all(&[("requests", 40), ("captures", 3)]));
        assert_eq!(worse(&one, &two), ["at rest: captures is new and has nothing to be held against"]);
        assert_eq!(worse(&two, &one), ["at rest: captures is not counted any more"]);
    }
}
