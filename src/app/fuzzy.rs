//! Fuzzy matching of what is shown: every word of the query must match somewhere.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization, Pattern},
};

/// A query that was read, with the matcher's buffers.
#[derive(Debug)]
pub struct Query {
    pattern: Pattern,
    matcher: Matcher,
    buffer: Vec<char>,
}

impl Query {
    /// Reads a query: words, `^start`, `end$`, `'exact`, `!not`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            pattern: Pattern::parse(text, CaseMatching::Smart, Normalization::Smart),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    /// How well it matches one text; `None` when it does not. An empty query matches all.
    #[must_use]
    pub fn score(&mut self, text: &str) -> Option<u32> {
        self.pattern.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher)
    }

    /// Whether every word matches one of the fields: in a name its letters may stand apart, in a sentence they stand
    /// together, for in a long text some letters are always found. A word that must not match must match none.
    #[must_use]
    pub fn matches(&mut self, names: &[&str], sentences: &[&str]) -> bool {
        self.pattern.atoms.iter().all(|atom| {
            let mut together = atom.clone();
            if together.kind == AtomKind::Fuzzy {
                together.kind = AtomKind::Substring;
            }
            let mut found = |atom: &Atom, text: &str| {
                atom.score(Utf32Str::new(text, &mut self.buffer), &mut self.matcher).is_some()
            };
            if atom.negative {
                names.iter().chain(sentences).all(|text| found(&together, text))
            } else {
                names.iter().any(|text| found(atom, text)) || sentences.iter().any(|text| found(&together, text))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_must_match() {
        let mut query = Query::new("claude perm");
        assert!(query.score("api:2.0 claude permission").is_some());
        assert!(query.score("api:2.0 claude idle").is_none());
        assert!(Query::new("").score("anything").is_some());
    }

    #[test]
    fn letters_may_stand_apart_in_names_not_in_sentences() {
        assert!(Query::new("cdx").matches(&["codex"], &[]));
        assert!(!Query::new("cdx").matches(&["claude"], &["cut down the xylophone"]));
        assert!(Query::new("down codex").matches(&["codex"], &["cut down"]));
        assert!(!Query::new("!codex").matches(&["codex"], &[]));
        assert!(Query::new("!codex").matches(&["claude"], &["cut down"]));
    }
}
