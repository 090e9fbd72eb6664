//! Limits of accounts in words.

use jiff::{Timestamp, tz::TimeZone};

use crate::app::core::format;
use crate::monitor::{Account, Limit, Snapshot};

/// How long a limit lasts, in a word: `5h`, `week`.
#[must_use]
pub fn span(limit: &Limit) -> String {
    match limit.minutes {
        None => "limit".to_owned(),
        Some(10_080) => "week".to_owned(),
        Some(minutes) if minutes > 0 && minutes % 1440 == 0 => format!("{}d", minutes / 1440),
        Some(minutes) if minutes > 0 && minutes % 60 == 0 => format!("{}h", minutes / 60),
        Some(minutes) => format!("{minutes}m"),
    }
}

/// The same in a sentence: `its 5h limit`.
#[must_use]
pub fn of(limit: &Limit) -> String {
    match limit.minutes {
        None => "its limit".to_owned(),
        Some(10_080) => "its weekly limit".to_owned(),
        Some(_) => format!("its {} limit", span(limit)),
    }
}

/// How much of it is used: `87%`.
#[must_use]
pub fn percent(limit: &Limit) -> String {
    format!("{:.0}%", limit.used_percent.clamp(0.0, 999.0).floor())
}

/// When it ends: `14:30`, `3 Apr 18:33`; `None` where nobody said so.
#[must_use]
pub fn ends(limit: &Limit, now: Timestamp, zone: &TimeZone) -> Option<String> {
    Some(format::coming(limit.resets_at?, now, zone))
}

/// The account and the limit of which most is used, if that is as much as `threshold` percent.
#[must_use]
pub fn highest(snapshot: &Snapshot, threshold: u8, now: Timestamp) -> Option<(&Account, Limit)> {
    let all = snapshot.accounts.iter().flat_map(|account| account.limits.iter().map(move |limit| (account, limit)));
    let over = all.map(|(account, limit)| (account, limit.at_time(now)));
    let over = over.filter(|(_, limit)| limit.used_percent >= f64::from(threshold));
    // Of equals the longer one, which is the one that hurts.
    over.max_by(|(_, a), (_, b)| a.used_percent.total_cmp(&b.used_percent).then(a.minutes.cmp(&b.minutes)))
}

/// All limits, each with whose it is and how long it lasts, as they are at a time.
#[must_use]
pub fn all(accounts: &[Account], now: Timestamp) -> Vec<(String, Limit)> {
    let of = |account: &Account| {
        let name = name(account, accounts);
        account.limits.iter().map(move |limit| (name.clone(), limit.at_time(now))).collect::<Vec<_>>()
    };
    accounts.iter().flat_map(of).collect()
}

/// One in words: `claude 5h`, `87% used, until 14:30`.
#[must_use]
pub fn pair((name, limit): &(String, Limit), now: Timestamp, zone: &TimeZone) -> (String, String) {
    let end = ends(limit, now, zone).map(|end| format!(", until {end}")).unwrap_or_default();
    (format!("{name} {}", span(limit)), format!("{} used{end}", percent(limit)))
}

/// What an account is called: its program, and its folder where that has several.
#[must_use]
pub fn name(account: &Account, all: &[Account]) -> String {
    let several = all.iter().filter(|other| other.program == account.program).count() > 1;
    if several { format!("{} {}", account.program, account.name) } else { account.program.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::core::fixture::test_snapshot;

    fn limit(minutes: Option<u64>, used_percent: f64) -> Limit {
        Limit { minutes, used_percent, resets_at: Some(Timestamp::from_second(5400).unwrap()), at: None }
    }

    #[test]
    fn a_limit_is_called_by_how_long_it_lasts() {
        let spans =
            [Some(300), Some(10_080), Some(1440), Some(90), Some(0), None].map(|minutes| span(&limit(minutes, 0.0)));
        assert_eq!(spans, ["5h", "week", "1d", "90m", "0m", "limit"]);
        assert_eq!([87.9, 100.0, 1e9, -1.0].map(|used| percent(&limit(None, used))), ["87%", "100%", "999%", "0%"]);
    }

    #[test]
    fn the_one_of_which_most_is_used_is_shown_while_it_lasts() {
        let account = |program: &str, name: &str, limits: Vec<Limit>| Account {
            program: program.into(),
            name: name.into(),
            limits,
        };
        let (five, week) = (limit(Some(300), 87.0), limit(Some(10_080), 87.0));
        let mut snapshot = test_snapshot();
        snapshot.accounts = vec![account("claude", "~/.claude", vec![five]), account("codex", "~/.codex", vec![week])];
        let shown = |snapshot: &Snapshot, threshold, second| {
            let found = highest(snapshot, threshold, Timestamp::from_second(second).unwrap());
            found.map(|(account, limit)| format!("{} {}", name(account, &snapshot.accounts), span(&limit)))
        };
        assert_eq!(shown(&snapshot, 80, 0).as_deref(), Some("codex week"));
        assert_eq!(shown(&snapshot, 88, 0), None);
        assert_eq!(shown(&snapshot, 80, 5400), None, "both have ended");
        snapshot.accounts[0].limits[0].used_percent = 90.0;
        snapshot.accounts.push(account("claude", "~/.work", Vec::new()));
        assert_eq!(shown(&snapshot, 80, 0).as_deref(), Some("claude ~/.claude 5h"));
        let now = Timestamp::from_second(0).unwrap();
        let pairs: Vec<_> = all(&snapshot.accounts, now).iter().map(|one| pair(one, now, &TimeZone::UTC)).collect();
        assert_eq!(pairs[0], ("claude ~/.claude 5h".to_owned(), "90% used, until 01:30".to_owned()));
        assert_eq!(pairs.len(), 2);
    }
}
