//! The accounts that agents work on: the newest that any of them was told of its limits, and what of it is news.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::monitor::{Account, EventKind, Limit};

/// Percent of a limit that are news, once each while it lasts.
const NEWS_AT: [u8; 2] = [80, 95];

/// By how much the end of one and the same limit differs from one telling to the next.
const SAME_END: SignedDuration = SignedDuration::from_mins(10);

/// How long an account is shown of which nothing was told since all its limits ended.
const SHOWN_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// All accounts, by program and name.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    known: BTreeMap<(String, String), Vec<Known>>,
}

/// One limit, and up to how much of it was told of, percent.
#[derive(Clone, Debug)]
struct Known {
    limit: Limit,
    told: u8,
}

impl Accounts {
    /// What another engine knew: what it told of is no news any more.
    pub(crate) fn remember(&mut self, accounts: &[Account]) {
        for account in accounts {
            let known = |limit: &Limit| Known { told: reached(limit.used_percent), limit: limit.clone() };
            let key = (account.program.clone(), account.name.clone());
            self.known.entry(key).or_insert_with(|| account.limits.iter().map(known).collect());
        }
    }

    /// Only the accounts of these programs.
    pub(crate) fn retain(&mut self, wanted: impl Fn(&str) -> bool) {
        self.known.retain(|(program, _), _| wanted(program));
    }

    /// Takes in what an agent was told of its account. Returns what is news.
    pub(crate) fn take(&mut self, program: &str, name: &str, limits: &[Limit], now: Timestamp) -> Vec<EventKind> {
        let mut news = Vec::new();
        let known = self.known.entry((program.to_owned(), name.to_owned())).or_default();
        for limit in limits {
            let at = known.iter().position(|known| known.limit.minutes == limit.minutes).unwrap_or_else(|| {
                known.push(Known { limit: Limit { at: None, ..limit.clone() }, told: 0 });
                known.len() - 1
            });
            let Some(known) = known.get_mut(at).filter(|known| known.limit.at < limit.at) else { continue };
            if !is_same(&known.limit, limit) {
                known.told = 0;
            }
            known.limit = limit.clone();
            let reached = reached(limit.at_time(now).used_percent);
            if reached > known.told {
                known.told = reached;
                news.push(EventKind::Limit {
                    program: program.to_owned(),
                    account: name.to_owned(),
                    percent: reached,
                    limit: limit.clone(),
                });
            }
        }
        known.sort_by_key(|known| known.limit.minutes);
        news
    }

    /// What is known of them at a time.
    #[must_use]
    pub(crate) fn info(&self, now: Timestamp) -> Vec<Account> {
        let is_old = |known: &Known| {
            known.limit.is_over(now) && known.limit.at.is_none_or(|at| now.duration_since(at) > SHOWN_AFTER)
        };
        let account = |((program, name), limits): (&(String, String), &Vec<Known>)| Account {
            program: program.clone(),
            name: name.clone(),
            limits: limits.iter().map(|known| known.limit.at_time(now)).collect(),
        };
        self.known.iter().filter(|(_, limits)| !limits.iter().all(is_old)).map(account).collect()
    }
}

/// The highest of the percentages that are news which is reached; 0 where none is.
fn reached(used: f64) -> u8 {
    NEWS_AT.into_iter().filter(|percent| used >= f64::from(*percent)).max().unwrap_or(0)
}

/// Whether two tellings, the older one first, are of one and the same limit, which has not ended between them.
fn is_same(before: &Limit, now: &Limit) -> bool {
    match (before.resets_at, now.resets_at) {
        (Some(before), Some(now)) => now.duration_since(before).abs() <= SAME_END,
        _ => now.at.is_none_or(|at| !before.is_over(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn limit(minutes: u64, used_percent: f64, end: i64, told: i64) -> Limit {
        Limit { minutes: Some(minutes), used_percent, resets_at: Some(at(end)), at: Some(at(told)) }
    }

    fn take(accounts: &mut Accounts, limit: &Limit) -> Vec<u8> {
        let now = limit.at.unwrap();
        let percent = |news: EventKind| match news {
            EventKind::Limit { percent, .. } => percent,
            other => panic!("{other:?}"),
        };
        accounts.take("claude", "~/.claude", std::slice::from_ref(limit), now).into_iter().map(percent).collect()
    }

    #[test]
    fn each_percentage_is_news_once_while_a_limit_lasts() {
        let mut accounts = Accounts::default();
        let told: Vec<Vec<u8>> = [
            limit(300, 79.9, 9000, 1),
            limit(300, 80.0, 9000, 2),
            limit(300, 85.0, 9003, 3),
            limit(300, 79.0, 9000, 4),
            limit(300, 81.0, 8998, 5),
            limit(300, 96.0, 9000, 6),
            limit(300, 100.0, 9000, 7),
            // The next one.
            limit(300, 97.0, 27_000, 9500),
            limit(10_080, 80.0, 600_000, 9600),
        ]
        .iter()
        .map(|limit| take(&mut accounts, limit))
        .collect();
        assert_eq!(told, [vec![], vec![80], vec![], vec![], vec![], vec![95], vec![], vec![95], vec![80]]);
    }

    #[test]
    fn what_another_engine_told_of_is_no_news() {
        let mut before = Accounts::default();
        assert_eq!(take(&mut before, &limit(300, 87.0, 9000, 1)), [80]);
        let mut accounts = Accounts::default();
        accounts.remember(&before.info(at(2)));
        assert!(take(&mut accounts, &limit(300, 87.0, 9000, 1)).is_empty(), "the same, read again");
        assert!(take(&mut accounts, &limit(300, 88.0, 9000, 5)).is_empty());
        assert_eq!(take(&mut accounts, &limit(300, 95.0, 9000, 6)), [95]);
        let mut later = Accounts::default();
        later.remember(&before.info(at(9001)));
        assert_eq!(take(&mut later, &limit(300, 82.0, 27_000, 9100)), [80], "it had ended meanwhile");
    }

    #[test]
    fn the_newest_counts_and_what_has_ended_is_not_used() {
        let mut accounts = Accounts::default();
        take(&mut accounts, &limit(10_080, 12.0, 600_000, 50));
        take(&mut accounts, &limit(300, 60.0, 9000, 50));
        assert!(take(&mut accounts, &limit(300, 90.0, 9000, 20)).is_empty(), "what another agent was told before");
        let used = |now| {
            let info = accounts.info(at(now));
            info.iter().flat_map(|account| account.limits.clone()).map(|limit| limit.used_percent).collect::<Vec<_>>()
        };
        assert_eq!(used(60), [60.0, 12.0], "the shortest first");
        assert_eq!(used(9000), [0.0, 12.0]);
        assert_eq!(accounts.info(at(9000))[0].limits[0].resets_at, None);
        assert_eq!(used(700_000), Vec::<f64>::new(), "long over");
        assert!(take(&mut Accounts::default(), &limit(300, 90.0, 10, 20)).is_empty(), "over when it is read");
        let endless = Limit { resets_at: None, ..limit(300, 90.0, 0, 0) };
        assert!(!endless.is_over(at(299 * 60)) && endless.is_over(at(300 * 60)));
    }
}
