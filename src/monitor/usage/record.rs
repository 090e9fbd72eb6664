//! What one record of a transcript says.

use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::Timestamp;
use serde_json::Value;

use crate::monitor::usage::fields::{Amount, Field, count, time, word};
use crate::monitor::usage::rules::{Edge, LimitFields, RecordRules, TokenFields, TranscriptRules};
use crate::monitor::{Limit, Plan, Tokens};

/// Most items of a list in one record that are looked at.
const MOST_ITEMS: usize = 1000;

/// What a record says of its session.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// Tokens were spent.
    Spent(Spent),
    /// So many tokens are in the context.
    Context(u64),
    /// The model can hold so many tokens.
    Window(u64),
    /// How much of the account's limits is used.
    Limits(Vec<Limit>),
    /// A turn begins or has ended.
    Turn(Turned),
    /// A call of a tool begins or has ended: which one, as a hash.
    Tool(Edge, u64),
    /// So many items of the plan are done, of so many.
    Plan(Plan),
    /// What went before is no part of the context any more.
    Compacted,
}

/// What is known of a record besides its tokens.
#[derive(Clone, Copy)]
struct About {
    at: Option<Timestamp>,
    side: bool,
    /// The record itself says so.
    side_record: bool,
    made_up: bool,
}

/// A turn that begins or has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Turned {
    /// Which of both.
    pub edge: Edge,
    /// When.
    pub at: Option<Timestamp>,
    /// The folder that its agent works in.
    pub project: Option<String>,
    /// The session's name.
    pub session: Option<String>,
}

/// Tokens of one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spent {
    /// When.
    pub at: Option<Timestamp>,
    /// What makes it the same as another one, as a hash; `None` where its program has no such thing.
    pub id: Option<u64>,
    /// The same without what tells one attempt from another: a sub-agent's copy has it alone in common.
    pub family: Option<u64>,
    /// The model.
    pub model: Option<String>,
    /// The folder that its agent works in.
    pub project: Option<String>,
    /// The session's name.
    pub session: Option<String>,
    /// A sub-agent spent them.
    pub side: bool,
    /// Another model did, or they are of no turn.
    pub aside: bool,
    /// How many.
    pub tokens: Tokens,
    /// What was paid for them, US dollars, as the program recorded it.
    pub cost: Option<f64>,
}

/// Reads the records of one transcript in their order, and keeps what holds for those that follow.
#[derive(Clone, Debug, Default)]
pub struct Records {
    model: Option<String>,
    project: Option<String>,
    session: Option<String>,
    parent: Option<String>,
    /// A sub-agent writes them.
    side: bool,
    /// The last sum of a program that writes sums.
    sum: Tokens,
    /// What was the same where a record is told of again, as a hash.
    changed: Option<u64>,
}

impl Records {
    /// Those of a sub-agent.
    #[must_use]
    pub fn of_side() -> Self {
        Self { side: true, ..Self::default() }
    }

    /// The name of the session that they are a sub-agent's of, as far as it was said.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.parent.as_deref()
    }

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
        let begins = |(field, starts): (&Field, &Vec<String>)| {
            let text = find(field).and_then(Value::as_str);
            text.is_some_and(|text| starts.iter().any(|start| text.starts_with(start.as_str())))
        };
        if !rule.when.iter().all(|(field, wanted)| wanted.holds(find(field))) || rule.unless.iter().any(begins) {
            return Ok(());
        }
        let common = &rules.fields;
        let pick = |own: &Option<Field>, common: &Option<Field>| {
            own.as_ref().or(common.as_ref()).and_then(find).and_then(Value::as_str).map(word)
        };
        let before = rule.aside.then(|| self.model.clone());
        // Programs give messages of their own a name such as `<synthetic>`.
        let model = pick(&rule.model, &common.model);
        let made_up = model.as_ref().is_some_and(|name| name.starts_with('<'));

        for (known, found) in [
            (&mut self.model, model.filter(|_| !made_up)),
            (&mut self.project, pick(&rule.project, &common.project)),
            (&mut self.session, pick(&rule.session, &common.session)),
            (&mut self.parent, pick(&rule.parent, &None)),
        ] {
            if found.is_some() {
                *known = found;
            }
        }
        let at = common.at.as_ref().and_then(find).and_then(time);
        let side_record =
            common.side.as_ref().is_some_and(|field| find(field).is_some_and(|v| *v != Value::Bool(false)));
        let side = side_record || self.side || self.parent.is_some();
        let context = rule.context.as_ref().map(|amount| sum(amount, record, item)).transpose()?.flatten();
        if let Some(context) = context.filter(|_| !side) {
            out.push(Said::Context(context));
        }
        if !side && let Some(window) = rule.window.as_ref().and_then(find).and_then(count).filter(|window| *window > 0)
        {
            out.push(Said::Window(window));
        }
        if !rule.limits.is_empty() {
            let limits: Vec<Limit> = rule.limits.iter().filter_map(|limit| limited(limit, &find, at)).collect();
            if !limits.is_empty() {
                out.push(Said::Limits(limits));
            }
        }
        if rule.compacted && !side {
            out.push(Said::Compacted);
        }
        if let Some(edge) = rule.turn.filter(|_| !side) {
            let (project, session) = (self.project.clone(), self.session.clone());
            out.push(Said::Turn(Turned { edge, at, project, session }));
        }
        if let Some((edge, call)) = rule.tool.zip(rule.call.as_ref().and_then(find)) {
            out.push(Said::Tool(edge, hash(call)));
        }
        let parse = |text: &Value| serde_json::from_str::<Value>(text.as_str()?).ok();
        let text = rule.plan_text.as_ref().and_then(find).and_then(parse);
        let list = |field: &Field| field.of(text.as_ref().unwrap_or(record), item);
        if !side && let Some(items) = rule.plan.as_ref().and_then(list).and_then(Value::as_array) {
            let state = |item: &Value| {
                let state = rule.plan_state.as_ref().map_or(Some(item), |field| field.of(item, None));
                state.is_some_and(|state| rule.plan_done.iter().any(|done| state == done))
            };
            let is_done = |item: &&Value| state(item);
            let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let (done, of) = (number(items.iter().filter(is_done).count()), number(items.len()));
            out.push(Said::Plan(Plan { done, of }));
        }
        if let Some(fields) = &rule.tokens {
            self.spend((rule, fields), (record, item), About { at, side, side_record, made_up }, out)?;
        }
        if let Some(model) = before {
            self.model = model;
        }
        Ok(())
    }

    /// Takes in the tokens of a record.
    fn spend(
        &mut self,
        (rule, fields): (&RecordRules, &TokenFields),
        (record, item): (&Value, Option<&Value>),
        about: About,
        out: &mut Vec<Said>,
    ) -> Result<(), NotRead> {
        let find = |field: &Field| field.of(record, item);
        let About { at, side, side_record, made_up } = about;
        let read = tokens(fields, record, item)?;
        let tokens = match fields.cumulative {
            true => read.since(std::mem::replace(&mut self.sum, read)),
            false => read,
        };
        let context = match &fields.context {
            Some(amount) => sum(amount, record, item)?,
            None if fields.cumulative => None,
            None => Some(tokens.input_tokens + tokens.cache_read_tokens + tokens.cache_write_tokens),
        };
        // A record that the program made up itself, such as one of an error, says nothing of the context.
        if let Some(context) = context.filter(|context| *context > 0 && !side && !rule.aside) {
            out.push(Said::Context(context));
        }
        if let Some(now) = rule.changed.as_ref().and_then(find).map(hash)
            && self.changed.replace(now) == Some(now)
        {
            return Ok(());
        }
        let (id, family) = identity(rule, self.session.as_deref(), at, &find);
        // Only where records themselves tell a sub-agent's from the agent's are some of them copies of others.
        let family = family.filter(|_| side_record || !side);
        out.push(Said::Spent(Spent {
            at,
            id,
            family,
            model: self.model.clone().filter(|_| !made_up),
            project: self.project.clone(),
            session: self.session.clone(),
            side,
            aside: rule.aside,
            tokens,
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

/// What makes a request the same as another one, and the first part of that.
fn identity<'a>(
    rule: &RecordRules,
    session: Option<&str>,
    at: Option<Timestamp>,
    find: &impl Fn(&Field) -> Option<&'a Value>,
) -> (Option<u64>, Option<u64>) {
    let Some((first, rest)) = rule.id.split_first() else { return (None, None) };
    let Some(first) = find(first) else { return (None, None) };
    let mut hasher = DefaultHasher::new();
    hash_into(first, &mut hasher);
    let family = hasher.finish();
    let rest: Vec<&Value> = rest.iter().filter_map(find).collect();
    if rest.is_empty() && rule.id.len() > 1 {
        (at, session).hash(&mut hasher);
    }
    rest.into_iter().for_each(|part| hash_into(part, &mut hasher));
    (Some(hasher.finish()), Some(family))
}

/// The number that stands where an amount says; `None` where nothing does.
fn sum(amount: &Amount, record: &Value, item: Option<&Value>) -> Result<Option<u64>, NotRead> {
    let is_last = |index: usize| index + 1 == amount.0.len();
    for (index, way) in amount.0.iter().enumerate() {
        let found: Vec<&Value> = way.iter().filter_map(|field| field.of(record, item)).collect();
        let there = !found.is_empty() || !is_last(index) && way.iter().any(|field| field.has_place(record, item));
        if there {
            return found.into_iter().try_fold(0, |sum, value| Some(sum + count(value)?)).map(Some).ok_or(NotRead);
        }
    }
    Ok(None)
}

fn tokens(fields: &TokenFields, record: &Value, item: Option<&Value>) -> Result<Tokens, NotRead> {
    let read = |amount: &Option<Amount>| amount.as_ref().map_or(Ok(None), |amount| sum(amount, record, item));
    let (input, output) = (read(&fields.input)?, read(&fields.output)?);
    let (cache_read, cache_write) = (read(&fields.cache_read)?, read(&fields.cache_write)?);
    // Both are always there: a record without one of them is of another format.
    let (Some(input), Some(output)) = (input, output) else { return Err(NotRead) };
    let written = cache_write.unwrap_or(0);
    let cached = cache_read.unwrap_or(0);
    // More than all of it is a mistake of the program's.
    let cached = if fields.input_has_cached { cached.min(input) } else { cached };
    Ok(Tokens {
        input_tokens: if fields.input_has_cached { input.saturating_sub(cached + written) } else { input },
        output_tokens: output,
        cache_read_tokens: cached,
        cache_write_tokens: written,
    })
}

fn limited<'a>(
    fields: &LimitFields,
    find: &impl Fn(&Field) -> Option<&'a Value>,
    at: Option<Timestamp>,
) -> Option<Limit> {
    let used = find(fields.used.as_ref()?)?.as_f64().filter(|used| (0.0..=1000.0).contains(used))?;
    let resets_in =
        fields.resets_in.as_ref().and_then(find).and_then(Value::as_i64).filter(|s| (0..=40 * 86400).contains(s));
    let resets_at = fields.resets_at.as_ref().and_then(find).and_then(time);
    let resets_at = resets_at.or_else(|| at?.checked_add(jiff::SignedDuration::from_secs(resets_in?)).ok());
    Some(Limit { minutes: fields.minutes.as_ref().and_then(find).and_then(count), used_percent: used, resets_at, at })
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
