//! What Claude Code tells the command of its status line: a JSON object, documented by the program
//! (<https://code.claude.com/docs/en/statusline>). What is kept of it is numbers and names, no text of a conversation.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::monitor::Limit;
use crate::monitor::usage::fields::count;
use crate::monitor::usage::fields::{time, word};
use crate::monitor::usage::tally::{Spending, left};

/// The limits of an account that are read: the name of the field, and how long each lasts, minutes.
const LIMITS: [(&str, u64); 2] = [("five_hour", 300), ("seven_day", 10_080)];

/// Most that a session can have cost, US dollars: a number above says that the field means something else.
const MOST_COST: f64 = 1e6;

/// How much later than what it says of the cost a request may be. The command runs with each message; where it does not any
/// more, its last sum is that of a session that has gone on.
const COST_HOLDS: SignedDuration = SignedDuration::from_mins(10);

/// What was said of one session at one time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StatusLine {
    /// When.
    pub at: Timestamp,
    /// The session's name.
    pub session_id: String,
    /// The program's version.
    pub program_version: Option<String>,
    /// The model, by the name that requests have.
    pub model: Option<String>,
    /// The same, as it is shown; not kept.
    #[serde(skip)]
    pub model_name: Option<String>,
    /// Tokens that its context can hold.
    pub context_window: Option<u64>,
    /// Tokens in its context, with the last request.
    pub context_used: Option<u64>,
    /// What the session has cost, US dollars.
    pub cost_usd: Option<f64>,
    /// Limits of its account.
    pub limits: Vec<Limit>,
}

impl StatusLine {
    /// Reads the first JSON value of what the program wrote; `None` where it names no session. What is missing, or is no
    /// number where one should be, stays unknown.
    #[must_use]
    pub fn parse(text: &[u8], at: Timestamp) -> Option<Self> {
        let said = serde_json::Deserializer::from_slice(text).into_iter::<Value>().next()?.ok()?;
        let find = |path: &str| said.pointer(path).filter(|value| !value.is_null());
        let name = |path: &str| find(path)?.as_str().map(word).filter(|name| !name.trim().is_empty());
        let usage = |field: &str| find(&format!("/context_window/current_usage/{field}")).and_then(count);
        // Of the last response alone: versions differ in what the totals beside it mean.
        let used = usage("input_tokens").map(|input| {
            input + usage("cache_creation_input_tokens").unwrap_or(0) + usage("cache_read_input_tokens").unwrap_or(0)
        });
        let limit = |(name, minutes): (&str, u64)| {
            let used_percent = find(&format!("/rate_limits/{name}/used_percentage"))?.as_f64()?;
            let resets_at = find(&format!("/rate_limits/{name}/resets_at")).and_then(time);
            Some(Limit { minutes: Some(minutes), used_percent, resets_at, at: Some(at) })
        };
        let line = Self {
            at,
            session_id: name("/session_id")?,
            program_version: name("/version"),
            model: name("/model/id"),
            model_name: name("/model/display_name"),
            context_window: find("/context_window/context_window_size").and_then(count),
            context_used: used,
            cost_usd: find("/cost/total_cost_usd").and_then(Value::as_f64),
            limits: LIMITS.into_iter().filter_map(limit).collect(),
        };
        Some(line.checked())
    }

    /// Without what cannot be: what is kept of it on disk may have been changed there.
    #[must_use]
    pub fn checked(mut self) -> Self {
        self.session_id = word(&self.session_id);
        for name in [&mut self.program_version, &mut self.model, &mut self.model_name].into_iter().flatten() {
            *name = word(name);
        }
        self.context_window = self.context_window.filter(|window| *window > 0);
        self.cost_usd = self.cost_usd.filter(|cost| (0.0..=MOST_COST).contains(cost));
        self.limits.truncate(LIMITS.len());
        self.limits.retain(|limit| (0.0..=1000.0).contains(&limit.used_percent));
        self
    }

    /// How much of the context is left, percent.
    #[must_use]
    pub fn context_left(&self) -> Option<f64> {
        left(self.context_used?, self.context_window?, 0)
    }

    /// What is known of the session with this beside its transcript. Whichever of the two is the newer one tells of the
    /// context; what the program reckons as cost and limits is told here alone.
    #[must_use]
    pub fn beside(&self, transcript: Spending, reserve: u64) -> Spending {
        let mut known = transcript;
        let is_newer = known.last_request_at.is_none_or(|last| self.at >= last);
        if is_newer {
            known.tokens.context_used = self.context_used.or(known.tokens.context_used);
        }
        // The transcript leaves out what is in brackets: `claude-sonnet-4-5[1m]`.
        let plain = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
        let is_same = self.model.as_deref().map(plain) == known.model.as_deref().map(plain);
        if is_newer || is_same {
            known.tokens.context_window = self.context_window.or(known.tokens.context_window);
            known.model = self.model.clone().or(known.model);
        }
        if let Some((used, window)) = known.tokens.context_used.zip(known.tokens.context_window) {
            known.context_left = left(used, window, reserve);
        }
        let holds = known.last_request_at.is_none_or(|last| last.duration_since(self.at) <= COST_HOLDS);
        known.cost_usd = self.cost_usd.filter(|_| holds).or(known.cost_usd);
        if !self.limits.is_empty() {
            known.limits.clone_from(&self.limits);
        }
        known.session_id = Some(self.session_id.clone());
        known
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::AgentTokens;

    const REAL: &str = include_str!("../../../tests/usage/status_lines/oauth-after-one-turn.json");
    const FIRST: &str = include_str!("../../../tests/usage/status_lines/apikey-first.json");

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_794_000 + second).unwrap()
    }

    fn real() -> StatusLine {
        StatusLine::parse(REAL.as_bytes(), at(0)).unwrap()
    }

    #[test]
    fn what_the_real_program_says_is_read() {
        let line = real();
        assert_eq!(line.session_id, "dc8fad2c-a648-4d5a-95f2-0b0308dc0995");
        assert_eq!(
            (line.model.as_deref(), line.program_version.as_deref()),
            (Some("claude-sonnet-5-5"), Some("2.1.332"))
        );
        assert_eq!((line.context_used, line.context_window), (Some(22_312), Some(1_000_000)));
        assert_eq!((line.context_left(), line.cost_usd), (Some(98.0), Some(0.005_944_5)));
        let limits: Vec<_> = line.limits.iter().map(|limit| (limit.minutes, limit.used_percent)).collect();
        assert_eq!(limits, [(Some(300), 37.0), (Some(10_080), 62.0)]);
        assert_eq!(line.limits[0].resets_at.map(Timestamp::as_second), Some(1_795_802_400));
        let first = StatusLine::parse(FIRST.as_bytes(), at(0)).unwrap();
        assert_eq!((first.context_used, first.context_window, first.cost_usd), (None, Some(1_000_000), Some(0.0)));
        assert!(first.limits.is_empty());
    }

    #[test]
    fn hostile_and_missing_fields_cost_themselves_alone() {
        let parse = |text: &str| StatusLine::parse(text.as_bytes(), at(0));
        for text in ["", "{", "[]", "null", "7", "{}", r#"{"session_id":7}"#, r#"{"session_id":null}"#] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(parse(&"[".repeat(100_000)), None, "deep");
        let only = |session: &str| StatusLine { at: at(0), session_id: session.into(), ..StatusLine::default() };
        assert_eq!(parse(r#"{"session_id":"a"} trailing"#), Some(only("a")));
        let odd = r#"{"session_id":"a","model":"x","version":7,"cost":{"total_cost_usd":-1},
            "context_window":{"context_window_size":0,"current_usage":{"input_tokens":-5}},
            "rate_limits":{"five_hour":{"used_percentage":1e300,"resets_at":1},"seven_day":{"used_percentage":"37"}}}"#;
        assert_eq!(parse(odd), Some(only("a")));
        let huge = r#"{"session_id":"a","cost":{"total_cost_usd":1e99},
            "context_window":{"context_window_size":99999999999999999999,"current_usage":{"input_tokens":1e40}},
            "rate_limits":{"five_hour":{"used_percentage":50,"resets_at":1e40},"seven_day":null}}"#;
        let limit = Limit { minutes: Some(300), used_percent: 50.0, resets_at: None, at: Some(at(0)) };
        assert_eq!(parse(huge), Some(StatusLine { limits: vec![limit], ..only("a") }));
        let words = r#"{"session_id":"a\u001b[31mb","model":{"id":"\u202ex\u0007"}}"#;
        let line = parse(words).unwrap();
        assert_eq!((line.session_id.as_str(), line.model.as_deref()), ("ab", Some("x")));
    }

    #[test]
    fn the_newer_of_the_two_tells_of_the_context() {
        let transcript = |second| Spending {
            tokens: AgentTokens { context_used: Some(50_000), ..AgentTokens::default() },
            model: Some("claude-sonnet-5-5".into()),
            last_request_at: Some(at(second)),
            ..Spending::default()
        };
        for (second, used, left) in [(-5, 22_312, 98.0), (0, 22_312, 98.0), (5, 50_000, 95.0)] {
            let known = real().beside(transcript(second), 0);
            assert_eq!((known.tokens.context_used, known.context_left), (Some(used), Some(left)), "{second}");
            assert_eq!(known.tokens.context_window, Some(1_000_000));
            assert_eq!((known.cost_usd, known.limits.len()), (Some(0.005_944_5), 2));
        }
        // After another model was chosen the old one's size is not its own, and much later the sum is an old one.
        let other = Spending { model: Some("claude-haiku-4-5".into()), ..transcript(3600) };
        let known = real().beside(other, 0);
        assert_eq!((known.tokens.context_window, known.cost_usd), (None, None));
        assert_eq!(known.model.as_deref(), Some("claude-haiku-4-5"));
        let fresh = StatusLine { context_used: None, ..real() }.beside(transcript(-5), 0);
        assert_eq!(fresh.tokens.context_used, Some(50_000), "before its first answer it says nothing of it");
    }
}
