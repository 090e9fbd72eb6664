//! What one record of a transcript says.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde_json::Value;

use crate::monitor::usage::fields::Field;
use crate::monitor::usage::rules::{Edge, LimitFields, RecordRules, TokenFields, TranscriptRules};
use crate::monitor::{Plan, Tokens};
use crate::tmux::clean;

/// Longest name of a model, session or folder that is kept, characters.
const LONGEST: usize = 256;

/// More tokens than a request can have: a number above says that the field means something else.
const MOST_TOKENS: u64 = 1_000_000_000_000;

/// Most items of a list in one record that are looked at.
const MOST_ITEMS: usize = 1000;

/// What a record says of its session.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Tokens were spent.
    Spent(Spent),
    /// The model can hold so many tokens.
    Window(u64),
    /// How much of the account's limits is used.
    Limits(Vec<Limited>),
    /// A turn begins or has ended.
    Turn(Edge, Option<Timestamp>),
    /// A call of a tool begins or has ended: which one, as a hash.
    Tool(Edge, u64),
    /// So many items of the plan are done, of so many.
    Plan(Plan),
    /// What went before is no part of the context any more.
    Compacted,
}

/// Tokens of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// When.
    pub at: Option<Timestamp>,
    /// What makes it the same as another one, as a hash; `None` where its program has no such thing.
    pub id: Option<u64>,
    /// The model.
    pub model: Option<String>,
    /// The folder that its agent works in.
    pub project: Option<String>,
    /// The session's name.
    pub session: Option<String>,
    /// A sub-agent spent them.
    pub side: bool,
    /// How many.
    pub tokens: Tokens,
    /// Tokens in the context with this request.
    pub context: Option<u64>,
    /// What was paid for them, US dollars, as the program recorded it.
    pub cost: Option<f64>,
}

/// A limit of the account at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Limited {
    /// How long it lasts, minutes.
    pub minutes: Option<u64>,
    /// How much of it is used, percent.
    pub used: f64,
    /// When it ends.
    pub resets_at: Option<Timestamp>,
    /// When that was so.
    pub at: Option<Timestamp>,
}

/// Reads the records of one transcript in their order, and keeps what holds for those that follow.
#[derive(Clone, Debug, Default)]
pub struct Records {
    model: Option<String>,
    project: Option<String>,
    session: Option<String>,
    /// The last sum of a program that writes sums.
    sum: Tokens,
}

impl Records {
    /// The folder that the session works in, as far as it was said.
    #[must_use]
    pub fn project(&self) -> Option<&str> {
        self.project.as_deref()
    }

    /// The session's name, as far as it was said.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// What one record says. An error where it is no record: its text is damaged, or its format has changed.
    ///
    /// # Errors
    /// When the text is no JSON, or a field that has tokens holds none.
    pub fn read(&mut self, rules: &TranscriptRules, text: &[u8], out: &mut Vec<Said>) -> Result<(), NotRead> {
        // Most records are long and say nothing that is counted: they are not parsed.
        if !rules.records.iter().any(|rule| may_hold(rule, text)) {
            return Ok(());
        }
        let record: Value = serde_json::from_slice(text).map_err(|_| NotRead)?;
        self.take(rules, &record, out)
    }

    /// The same of one that is parsed already.
    ///
    /// # Errors
    /// When a field that has tokens holds none.
    pub fn take(&mut self, rules: &TranscriptRules, record: &Value, out: &mut Vec<Said>) -> Result<(), NotRead> {
        let mut whole = Ok(());
        for rule in &rules.records {
            match rule.each.as_ref() {
                None => whole = self.apply(rules, rule, record, None, out).and(whole),
                Some(list) => {
                    for item in list.of(record, None).and_then(Value::as_array).into_iter().flatten().take(MOST_ITEMS) {
                        whole = self.apply(rules, rule, record, Some(item), out).and(whole);
                    }
                }
            }
        }
        whole
    }

    fn apply(
        &mut self,
        rules: &TranscriptRules,
        rule: &RecordRules,
        record: &Value,
        item: Option<&Value>,
        out: &mut Vec<Said>,
    ) -> Result<(), NotRead> {
        let find = |field: &Field| field.of(record, item);
        if !rule.when.iter().all(|(field, wanted)| wanted.holds(find(field))) {
            return Ok(());
        }
        let common = &rules.fields;
        let pick = |own: &Option<Field>, common: &Option<Field>| {
            own.as_ref().or(common.as_ref()).and_then(find).and_then(Value::as_str).map(word)
        };
        for (known, found) in [
            (&mut self.model, pick(&rule.model, &common.model)),
            (&mut self.project, pick(&rule.project, &common.project)),
            (&mut self.session, pick(&rule.session, &common.session)),
        ] {
            if found.is_some() {
                *known = found;
            }
        }
        let at = common.at.as_ref().and_then(find).and_then(time);
        let side = common.side.as_ref().is_some_and(|field| find(field).is_some_and(|v| *v != Value::Bool(false)));
        if let Some(window) = rule.window.as_ref().and_then(find).and_then(count).filter(|window| *window > 0) {
            out.push(Said::Window(window));
        }
        if !rule.limits.is_empty() {
            let limits: Vec<Limited> = rule.limits.iter().filter_map(|limit| limited(limit, &find, at)).collect();
            if !limits.is_empty() {
                out.push(Said::Limits(limits));
            }
        }
        if rule.compacted {
            out.push(Said::Compacted);
        }
        if let Some(edge) = rule.turn.filter(|_| !side) {
            out.push(Said::Turn(edge, at));
        }
        if let Some((edge, call)) = rule.tool.zip(rule.call.as_ref().and_then(find)) {
            out.push(Said::Tool(edge, hash(call)));
        }
        if let Some(items) = rule.plan.as_ref().and_then(find).and_then(Value::as_array) {
            let state = |item: &Value| {
                let state = rule.plan_state.as_ref().map_or(Some(item), |field| field.of(item, None));
                state.is_some_and(|state| rule.plan_done.iter().any(|done| state == done))
            };
            let is_done = |item: &&Value| state(item);
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let (done, of) = (number(items.iter().filter(is_done).count()), number(items.len()));
            out.push(Said::Plan(Plan { done, of }));
        }
        let Some(fields) = &rule.tokens else { return Ok(()) };
        let read = tokens(fields, &find)?;
        let tokens = match fields.cumulative {
            true => read.since(std::mem::replace(&mut self.sum, read)),
            false => read,
        };
        let context = match &fields.context {
            Some(field) => find(field).and_then(count),
            None if fields.cumulative => None,
            None => Some(tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens),
        };
        let mut ids = rule.id.iter().map(find);
        let id = match rule.id.is_empty() {
            true => None,
            false => ids.try_fold(DefaultHasher::new(), |mut hasher, part| {
                hash_into(part?, &mut hasher);
                Some(hasher)
            }),
        };
        out.push(Said::Spent(Spent {
            at,
            id: id.map(|hasher| hasher.finish()),
            model: self.model.clone(),
            project: self.project.clone(),
            session: self.session.clone(),
            side,
            tokens,
            context: context.filter(|_| !side),
            cost: rule
                .cost
                .as_ref()
                .and_then(find)
                .and_then(Value::as_f64)
                .filter(|cost| cost.is_finite() && *cost >= 0.0),
        }));
        Ok(())
    }
}

/// A record that is none, or whose format has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotRead;

fn may_hold(rule: &RecordRules, text: &[u8]) -> bool {
    rule.when.values().all(|wanted| {
        let words = wanted.words();
        words.is_empty() || words.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some())
    })
}

fn tokens<'a>(fields: &TokenFields, find: &impl Fn(&Field) -> Option<&'a Value>) -> Result<Tokens, NotRead> {
    let mut any = false;
    let mut read = |field: &Option<Field>| match field.as_ref().and_then(find) {
        None => Ok(0),
        Some(value) => {
            any = true;
            count(value).ok_or(NotRead)
        }
    };
    let (input, output, thoughts) = (read(&fields.input)?, read(&fields.output)?, read(&fields.thoughts)?);
    let (cache_read, cache_write) = (read(&fields.cache_read)?, read(&fields.cache_write)?);
    if !any {
        return Err(NotRead);
    }
    let input = if fields.input_has_cached { input.saturating_sub(cache_read) } else { input };
    Ok(Tokens {
        input_tokens: input,
        output_tokens: output + thoughts,
        cache_read_tokens: cache_read,
        cache_write_tokens: cache_write,
    })
}

fn limited<'a>(
    fields: &LimitFields,
    find: &impl Fn(&Field) -> Option<&'a Value>,
    at: Option<Timestamp>,
) -> Option<Limited> {
    let used = find(fields.used.as_ref()?)?.as_f64().filter(|used| (0.0..=1000.0).contains(used))?;
    let resets_in =
        fields.resets_in.as_ref().and_then(find).and_then(Value::as_i64).filter(|s| (0..=40 * 86400).contains(s));
    let resets_at = fields.resets_at.as_ref().and_then(find).and_then(time);
    let resets_at = resets_at.or_else(|| at?.checked_add(jiff::SignedDuration::from_secs(resets_in?)).ok());
    Some(Limited { minutes: fields.minutes.as_ref().and_then(find).and_then(count), used, resets_at, at })
}

fn count(value: &Value) -> Option<u64> {
    value.as_u64().filter(|count| *count <= MOST_TOKENS)
}

/// RFC 3339, or milliseconds or seconds since 1970: what is below some year 5000 in seconds is seconds.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => {
            let number = number.as_f64().filter(|number| *number > 0.0)?;
            #[expect(clippy::cast_possible_truncation, reason = "jiff refuses what is out of its range")]
            let ms = if number < 1e11 { number * 1000.0 } else { number } as i64;
            Timestamp::from_millisecond(ms).ok()
        }
        _ => None,
    }
}

fn word(text: &str) -> String {
    // Cut first: cleaning a megabyte for a name is waste.
    let text: String = text.chars().take(LONGEST).collect();
    clean(&text)
}

fn hash(value: &Value) -> u64 {
    let mut hasher = DefaultHasher::new();
    hash_into(value, &mut hasher);
    hasher.finish()
}

fn hash_into(value: &Value, hasher: &mut DefaultHasher) {
    match value {
        Value::String(text) => text.hash(hasher),
        other => other.to_string().hash(hasher),
    }
}
