//! Which requests were counted already: programs write one in several lines, copy it into another session, and let a
//! sub-agent's transcript repeat it.

use std::collections::HashMap;

use crate::monitor::Tokens;
use crate::monitor::usage::record::Spent;

/// The requests that were counted.
#[derive(Clone, Debug, Default)]
pub struct Requests {
    counted: HashMap<u64, Counted>,
    /// By the part of its identity that a sub-agent's copy has as well.
    families: HashMap<u64, u64>,
    /// How many were new.
    count: usize,
}

#[derive(Clone, Copy, Debug)]
struct Counted {
    tokens: Tokens,
    cost: Option<f64>,
    side: bool,
    number: usize,
}

/// How a request counts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Counts {
    /// It is new.
    New,
    /// In the place of one that was counted, the how manieth that was new, from 0, with so many tokens.
    Instead {
        /// Which.
        number: usize,
        /// Its tokens.
        of: Tokens,
        /// What was paid for them, as far as it was recorded, US dollars.
        cost: Option<f64>,
    },
    /// It was counted.
    Not,
}

impl Requests {
    /// Takes in a request. Of several that are the same the agent's own counts and not a sub-agent's copy, else the
    /// largest, else the first.
    pub fn take(&mut self, spent: &Spent) -> Counts {
        let number = self.count;
        let Some(id) = spent.id else {
            self.count += 1;
            return Counts::New;
        };
        let now = Counted { tokens: spent.tokens, cost: spent.cost, side: spent.side, number };
        let key = match (self.counted.contains_key(&id), spent.family.and_then(|family| self.families.get(&family))) {
            (true, _) => id,
            // Another attempt is another request, unless one of the two is a copy.
            (false, Some(other)) if spent.side || self.counted.get(other).is_some_and(|known| known.side) => *other,
            _ => {
                self.count += 1;
                self.counted.insert(id, now);
                if let Some(family) = spent.family {
                    self.families.insert(family, id);
                }
                return Counts::New;
            }
        };
        let Some(known) = self.counted.get_mut(&key) else { return Counts::Not };
        let better = match (known.side, now.side) {
            (true, false) => true,
            (false, true) => false,
            _ => now.tokens.total() > known.tokens.total(),
        };
        if !better {
            return Counts::Not;
        }
        let number = known.number;
        let before = std::mem::replace(known, Counted { number, ..now });
        Counts::Instead { number, of: before.tokens, cost: before.cost }
    }
}
