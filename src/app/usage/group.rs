//! Adds requests up by what they have in common.

use std::collections::BTreeMap;

use clap::ValueEnum;
use jiff::tz::TimeZone;
use strum::Display;

use crate::app::usage::Request;
use crate::monitor::Tokens;

/// What requests are added up by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum, Display)]
#[strum(serialize_all = "lowercase")]
pub enum By {
    /// The agent in whose pane it ran, while it runs.
    Agent,
    /// The program.
    #[default]
    Program,
    /// The model.
    Model,
    /// The folder that it worked in.
    Project,
    /// The day, in the user's time zone.
    Day,
    /// The session.
    Session,
}

/// What a group spent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// What its requests have in common; `None` where they do not say it.
    pub key: Option<String>,
    /// Tokens.
    pub tokens: Tokens,
    /// What they cost, US dollars; `None` where that of a part is not known.
    pub cost_usd: Option<f64>,
    /// Turns.
    pub turns: u64,
}

/// Adds them up. `agents`: which agent has a session, by program and session.
#[must_use]
pub fn group(
    requests: &[Request],
    by: By,
    zone: &TimeZone,
    agents: &BTreeMap<(String, String), String>,
) -> (Vec<Group>, Group) {
    let mut groups: BTreeMap<Option<String>, Group> = BTreeMap::new();
    let mut totals = Group { cost_usd: Some(0.0), ..Group::default() };
    for request in requests {
        let key = match by {
            By::Agent => agents.get(&(request.program.clone(), request.session.clone())).cloned(),
            By::Program => Some(request.program.clone()),
            By::Model => request.model.clone(),
            By::Project => request.project.clone(),
            By::Day => request.at.map(|at| zone.to_datetime(at).date().to_string()),
            By::Session => Some(request.session.clone()),
        };
        let new = || Group { key: key.clone(), cost_usd: Some(0.0), ..Group::default() };
        let group = groups.entry(key.clone()).or_insert_with(new);
        for sum in [group, &mut totals] {
            sum.add(request);
        }
    }
    let mut groups: Vec<Group> = groups.into_values().collect();
    // Days in their order, the rest by what they spent.
    if by != By::Day {
        groups.sort_by_key(|group| (std::cmp::Reverse(group.tokens.total()), group.key.clone()));
    }
    (groups, totals)
}

impl Group {
    fn add(&mut self, request: &Request) {
        if request.turn {
            self.turns += 1;
            return;
        }
        self.tokens += request.tokens;
        // A part of the cost would be a wrong number.
        self.cost_usd = self.cost_usd.zip(request.cost_usd).map(|(sum, cost)| sum + cost);
    }
}
