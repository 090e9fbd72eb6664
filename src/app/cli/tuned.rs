//! What `perf tune` measured: each combination in several rounds, and what of the differences is more than noise.

use serde::Serialize;

use crate::monitor::TuneRow;

/// A cheap one is recommended before a fresher one that costs more than this many times as much.
const WORTH: f64 = 2.0;

/// Least difference that counts, as a share of the value: two runs of one combination differ by about that much.
const LEAST: f64 = 0.1;

/// One combination: the mean of its rounds, and by how much those differed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// The mean.
    #[serde(flatten)]
    pub row: TuneRow,
    /// How often it had its turn.
    pub rounds: usize,
    /// CPU of both processes, percent of one core; without it the share of time that cycles took.
    pub cost_percent: f64,
    /// By how much the cost of its rounds differed.
    pub cost_noise: f64,
    /// By how much the age of its rounds differed, milliseconds.
    pub age_noise_ms: f64,
}

/// What follows from the measures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advice<'a> {
    /// This one is better than what is in force by more than the noise.
    Take(&'a Tried),
    /// None is: what is in force may stay.
    Stay(&'a Tried),
}

impl<'a> Advice<'a> {
    /// The one that it is about.
    #[must_use]
    pub fn tried(self) -> &'a Tried {
        match self {
            Self::Take(tried) | Self::Stay(tried) => tried,
        }
    }
}

impl Tried {
    /// From its rounds, each with what was measured in it alone. `None` without a round.
    #[must_use]
    pub fn of(rounds: &[TuneRow]) -> Option<Self> {
        let first = rounds.first()?;
        let costs: Vec<f64> = rounds.iter().map(cost).collect();
        let ages: Vec<f64> = rounds.iter().filter_map(|row| row.staleness_ms).collect();
        let all = |of: fn(&TuneRow) -> Option<f64>| mean(&rounds.iter().filter_map(of).collect::<Vec<_>>());
        let row = TuneRow {
            cycles: rounds.iter().map(|row| row.cycles).sum(),
            seconds: rounds.iter().map(|row| row.seconds).sum(),
            p50_ms: all(|row| row.p50_ms),
            p99_ms: rounds.iter().filter_map(|row| row.p99_ms).max_by(f64::total_cmp),
            staleness_ms: mean(&ages),
            cpu_percent: all(|row| row.cpu_percent),
            tmux_cpu_percent: all(|row| row.tmux_cpu_percent),
            ..first.clone()
        };
        let cost_percent = mean(&costs).unwrap_or(0.0);
        Some(Self { row, rounds: rounds.len(), cost_percent, cost_noise: range(&costs), age_noise_ms: range(&ages) })
    }

    fn age(&self) -> f64 {
        self.row.staleness_ms.unwrap_or(f64::INFINITY)
    }

    /// It costs less, by more than the noise.
    fn is_cheaper_than(&self, other: &Self) -> bool {
        is_less(self.cost_percent, other.cost_percent, self.cost_noise.max(other.cost_noise))
    }

    /// What it shows is fresher, by more than the noise.
    fn is_fresher_than(&self, other: &Self) -> bool {
        is_less(self.age(), other.age(), self.age_noise_ms.max(other.age_noise_ms))
    }
}

/// The one with the freshest verdicts among those that cost no more than twice the cheapest; where several are as fresh,
/// the one in force, else the cheapest. `present` is what is in force.
#[must_use]
pub fn advice<'a>(all: &'a [Tried], present: impl Fn(&TuneRow) -> bool) -> Option<Advice<'a>> {
    let cheapest = all.iter().min_by(|a, b| a.cost_percent.total_cmp(&b.cost_percent))?;
    let affordable = || {
        all.iter()
            .filter(|tried| tried.cost_percent <= cheapest.cost_percent * WORTH || !cheapest.is_cheaper_than(tried))
    };
    let freshest = affordable().min_by(|a, b| a.age().total_cmp(&b.age()))?;
    let as_fresh = || affordable().filter(|tried| !freshest.is_fresher_than(tried));
    let thriftiest = as_fresh().min_by(|a, b| a.cost_percent.total_cmp(&b.cost_percent))?;
    let in_force = as_fresh().find(|tried| present(&tried.row) && !thriftiest.is_cheaper_than(tried));
    Some(in_force.map_or(Advice::Take(thriftiest), Advice::Stay))
}

/// CPU of both processes, percent of one core; without it the share of time that cycles took.
fn cost(row: &TuneRow) -> f64 {
    match (row.cpu_percent, row.tmux_cpu_percent) {
        (Some(own), Some(tmux)) => own + tmux,
        _ => row.p50_ms.unwrap_or(0.0) * row.cycles as f64 / (row.seconds.max(0.001) * 10.0),
    }
}

fn is_less(a: f64, b: f64, noise: f64) -> bool {
    b - a > noise.max(b * LEAST)
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn range(values: &[f64]) -> f64 {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.is_empty() { 0.0 } else { most - least }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds of one strategy, each with its cost and its age.
    fn tried(strategy: &str, rounds: &[(f64, f64)]) -> Tried {
        let rounds: Vec<TuneRow> = rounds
            .iter()
            .map(|(cost, age)| TuneRow {
                strategy: strategy.to_owned(),
                cpu_percent: Some(cost / 2.0),
                tmux_cpu_percent: Some(cost / 2.0),
                staleness_ms: Some(*age),
                cycles: 10,
                seconds: 3.0,
                ..TuneRow::default()
            })
            .collect();
        Tried::of(&rounds).unwrap()
    }

    fn advised(all: &[Tried], present: &str) -> (bool, String) {
        match advice(all, |row| row.strategy == present).unwrap() {
            Advice::Take(tried) => (true, tried.row.strategy.clone()),
            Advice::Stay(tried) => (false, tried.row.strategy.clone()),
        }
    }

    #[test]
    fn fresh_is_best_unless_it_costs_too_much() {
        let all = [
            tried("polling", &[(0.4, 900.0), (0.4, 910.0)]),
            tried("adaptive", &[(0.6, 130.0), (0.6, 131.0)]),
            tried("concurrent", &[(4.0, 20.0), (4.1, 20.0)]),
        ];
        assert_eq!(advised(&all, "polling"), (true, "adaptive".to_owned()));
        assert_eq!(advised(&all, "adaptive"), (false, "adaptive".to_owned()));
        assert_eq!(advice(&[], |_| true), None);
    }

    #[test]
    fn a_difference_within_the_noise_is_none() {
        // Two rounds of the same differ more than the two do from each other.
        let all = [tried("a", &[(0.5, 100.0), (0.9, 180.0)]), tried("b", &[(0.45, 90.0), (0.8, 150.0)])];
        assert_eq!(advised(&all, "a"), (false, "a".to_owned()));
        assert_eq!(advised(&all, "b"), (false, "b".to_owned()));
        // Neither is in force: the cheapest of those that are as fresh.
        assert_eq!(advised(&all, "c"), (true, "b".to_owned()));
        let all = [tried("a", &[(0.5, 100.0), (0.5, 100.0)]), tried("b", &[(0.5, 50.0), (0.5, 52.0)])];
        assert_eq!(advised(&all, "a"), (true, "b".to_owned()));
    }

    #[test]
    fn a_row_is_the_mean_of_its_rounds() {
        let tried = tried("a", &[(1.0, 100.0), (3.0, 200.0)]);
        assert_eq!((tried.row.cycles, tried.row.seconds, tried.rounds), (20, 6.0, 2));
        assert_eq!((tried.cost_percent, tried.cost_noise), (2.0, 2.0));
        assert_eq!((tried.row.staleness_ms, tried.age_noise_ms), (Some(150.0), 100.0));
    }
}
