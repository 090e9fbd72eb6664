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
    format!("{:.0}%", limit.used_percent.floor())
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

/// What an account is called: its program, and its folder where that has several.
#[must_use]
pub fn name(account: &Account, all: &[Account]) -> String {
    let several = all.iter().filter(|other| other.program == account.program).count() > 1;
    if several { format!("{} {}", account.program, account.name) } else { account.program.clone() }
}
