//! What agents spend and how much room they have left, in the words of the JSON.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};

/// Tokens, by what they were used for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tokens {
    /// Sent to the model, without those that it read from a cache.
    pub input_tokens: u64,
    /// Written by the model.
    pub output_tokens: u64,
    /// Read from a cache.
    pub cache_read_tokens: u64,
    /// Written to a cache.
    pub cache_write_tokens: u64,
}

impl Tokens {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        let all = [self.input_tokens, self.output_tokens, self.cache_read_tokens, self.cache_write_tokens];
        all.into_iter().fold(0, u64::saturating_add)
    }

    /// Each of them with that of another.
    #[must_use]
    fn each(self, other: Self, of: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            input_tokens: of(self.input_tokens, other.input_tokens),
            output_tokens: of(self.output_tokens, other.output_tokens),
            cache_read_tokens: of(self.cache_read_tokens, other.cache_read_tokens),
            cache_write_tokens: of(self.cache_write_tokens, other.cache_write_tokens),
        }
    }

    /// What is more in it than in an earlier sum.
    #[must_use]
    pub fn since(self, earlier: Self) -> Self {
        self.each(earlier, u64::saturating_sub)
    }

    /// The larger of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        self.each(other, u64::max)
    }
}

impl std::ops::AddAssign for Tokens {
    fn add_assign(&mut self, other: Self) {
        *self = self.each(other, u64::saturating_add);
    }
}

impl std::iter::Sum for Tokens {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |mut sum, one| {
            sum += one;
            sum
        })
    }
}

/// Tokens of one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AgentTokens {
    /// In its context, with the last request.
    pub context_used: Option<u64>,
    /// That its context can hold.
    pub context_window: Option<u64>,
    /// Spent in the turn that runs or ran last, sub-agents included.
    pub turn: Option<Tokens>,
    /// Spent in its session.
    pub session: Option<Tokens>,
    /// Spent in its session since midnight.
    pub today: Option<Tokens>,
    /// Of this turn, as its screen shows it.
    pub shown: Option<String>,
}

impl AgentTokens {
    /// Reads them; an engine of an older version sends what the screen shows alone.
    pub(super) fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Sent {
            Known(AgentTokens),
            Shown(String),
            Other(serde::de::IgnoredAny),
        }
        Ok(match Sent::deserialize(deserializer)? {
            Sent::Known(tokens) => tokens,
            Sent::Shown(shown) => Self { shown: Some(shown), ..Self::default() },
            Sent::Other(_) => Self::default(),
        })
    }
}

/// A limit of the account that an agent works on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limit {
    /// How long it lasts, minutes: 300 for five hours, 10 080 for a week.
    pub minutes: Option<u64>,
    /// How much of it is used, percent.
    pub used_percent: f64,
    /// When it ends.
    pub resets_at: Option<Timestamp>,
    /// When that was so.
    pub at: Option<Timestamp>,
}

impl Limit {
    /// The same as it is at a time: of one that has ended nothing is used, and nobody knows yet when the next one ends.
    #[must_use]
    pub fn at_time(&self, now: Timestamp) -> Self {
        match self.is_over(now) {
            true => Self { used_percent: 0.0, resets_at: None, ..self.clone() },
            false => self.clone(),
        }
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        let minutes = self.minutes.and_then(|minutes| i64::try_from(minutes).ok());
        // Where nobody said when it ends, it does so at the latest when it has lasted as long as it does.
        let latest = || self.at?.checked_add(SignedDuration::try_from_mins(minutes?)?).ok();
        self.resets_at.or_else(latest).is_some_and(|end| end <= now)
    }
}

/// An account that agents work on, and what is known of its limits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Account {
    /// Which program: the profile's name.
    pub program: String,
    /// The folder in which the program keeps it, such as `~/.claude`.
    pub name: String,
    /// Its limits, the shortest first: the newest that any of its agents was told.
    pub limits: Vec<Limit>,
}

/// How far an agent's own plan is carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Plan {
    /// Items that are done.
    pub done: u32,
    /// All items.
    pub of: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_engine_tells_what_the_screen_shows() {
        #[derive(Deserialize)]
        struct Holds {
            #[serde(default, deserialize_with = "AgentTokens::lenient")]
            tokens: AgentTokens,
        }
        let read = |text: &str| serde_json::from_str::<Holds>(text).unwrap().tokens;
        assert_eq!(read(r#"{"tokens":"1.2k"}"#).shown.as_deref(), Some("1.2k"));
        assert_eq!(read(r#"{"tokens":null}"#), AgentTokens::default());
        assert_eq!(read("{}"), AgentTokens::default());
        assert_eq!(read(r#"{"tokens":7}"#), AgentTokens::default());
        let known = r#"{"tokens":{"context_used":7,"session":{"input_tokens":5},"new":1}}"#;
        assert_eq!((read(known).context_used, read(known).session.unwrap().total()), (Some(7), 5));
    }

    #[test]
    fn sums_never_wrap() {
        let most = Tokens { input_tokens: u64::MAX, ..Tokens::default() };
        let mut sum = most;
        sum += most;
        assert_eq!(sum, most);
        assert_eq!(Tokens::default().since(most), Tokens::default());
    }
}
