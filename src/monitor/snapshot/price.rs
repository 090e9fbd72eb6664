//! What tokens cost, by a table that the user keeps: nobody else knows what is paid.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::monitor::snapshot::usage::Tokens;

/// Prices by the model's name. A name that ends in `*` stands for all that begin so; the longest that fits counts.
pub type Prices = BTreeMap<String, Price>;

/// US dollars for a million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Sent to the model.
    pub input: f64,
    /// Written by the model.
    pub output: f64,
    /// Read from a cache; that of `input` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_read: Option<f64>,
    /// Written to a cache; that of `input` where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_write: Option<f64>,
}

impl Price {
    /// The price of a model.
    #[must_use]
    pub fn of<'p>(prices: &'p Prices, model: &str) -> Option<&'p Self> {
        let fits = |name: &&String| name.strip_suffix('*').map_or(*name == model, |start| model.starts_with(start));
        let best = prices.keys().filter(fits).max_by_key(|name| (!name.ends_with('*'), name.len()))?;
        prices.get(best)
    }

    /// What so many tokens cost, US dollars.
    #[must_use]
    pub fn cost(&self, tokens: &Tokens) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "tokens are far fewer than 2^52")]
        let each = |count: u64, price: f64| count as f64 * price / 1e6;
        each(tokens.input_tokens, self.input)
            + each(tokens.output_tokens, self.output)
            + each(tokens.cache_read_tokens, self.cache_read.unwrap_or(self.input))
            + each(tokens.cache_write_tokens, self.cache_write.unwrap_or(self.input))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_that_fits_counts_and_an_exact_one_first() {
        let price = |input| Price { input, output: 10.0, cache_read: None, cache_write: Some(2.0) };
        let prices: Prices = [("claude-*", 1.0), ("claude-opus-*", 2.0), ("claude-opus-5", 3.0), ("gpt", 4.0)]
            .map(|(name, input)| (name.to_owned(), price(input)))
            .into();
        let of = |model| Price::of(&prices, model).map(|price| price.input);
        assert_eq!(of("claude-haiku"), Some(1.0));
        assert_eq!(of("claude-opus-4"), Some(2.0));
        assert_eq!(of("claude-opus-5"), Some(3.0));
        assert_eq!((of("gpt-5"), of("gpt")), (None, Some(4.0)));
        let million = Tokens {
            input_tokens: 1_000_000,
            output_tokens: 500_000,
            cache_read_tokens: 1_000_000,
            cache_write_tokens: 0,
        };
        assert!((price(1.0).cost(&million) - 7.0).abs() < 1e-9);
    }
}
