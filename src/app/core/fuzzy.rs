//! Fuzzy matching of what is shown: every word of the query must match somewhere.

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{Atom, AtomKind, CaseMatching, Normalization, Pattern},
};

/// A query that was read, with the matcher's buffers.
#[derive(Debug)]
pub struct Query {
    /// Ways that a text may match, each of words that all must.
    ways: Vec<Way>,
    matcher: Matcher,
    buffer: Vec<char>,
}

/// One way to match.
#[derive(Debug)]
struct Way {
    words: Pattern,
    /// The same words, whose letters must stand together.
    together: Vec<Atom>,
}

impl Way {
    fn new(text: &str) -> Self {
        let words = Pattern::parse(text, CaseMatching::Smart, Normalization::Smart);
        let mut together = words.atoms.clone();
        for atom in together.iter_mut().filter(|atom| atom.kind == AtomKind::Fuzzy) {
            atom.kind = AtomKind::Substring;
        }
        Self { words, together }
    }
}

impl Query {
    /// Reads a query: words, `^start`, `end$`, `'exact`, `!not`, and alternatives: `claude|codex idle` is one that is either
    /// and idle. Capitals in a word ask for capitals.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self {
            ways: ways(text).iter().map(|way| Way::new(way)).collect(),
            matcher: Matcher::new(Config::DEFAULT),
            buffer: Vec::new(),
        }
    }

    /// How well it matches one text; `None` when it does not. An empty query matches all.
    #[must_use]
    pub fn score(&mut self, text: &str) -> Option<u32> {
        let Self { ways, matcher, buffer } = self;
        ways.iter().filter_map(|way| way.words.score(Utf32Str::new(text, buffer), matcher)).max()
    }

    /// Whether every word matches one of the fields: in a name its letters may stand apart, in a sentence they stand
    /// together, for in a long text some letters are always found. A word that must not match must match none.
    #[must_use]
    pub fn matches(&mut self, names: &[&str], sentences: &[&str]) -> bool {
        let Self { ways, matcher, buffer } = self;
        ways.iter().any(|way| {
            way.words.atoms.iter().zip(&way.together).all(|(atom, together)| {
                let mut found = |atom: &Atom, text: &str| atom.score(Utf32Str::new(text, buffer), matcher).is_some();
                if atom.negative {
                    names.iter().chain(sentences).all(|text| found(together, text))
                } else {
                    names.iter().any(|text| found(atom, text)) || sentences.iter().any(|text| found(together, text))
                }
            })
        })
    }
}

/// Most ways that one query is taken apart into.
const WAYS: usize = 64;

/// Every way to take one alternative of each word: `a|b c` is `a c` and `b c`. An empty alternative is none.
fn ways(text: &str) -> Vec<String> {
    let mut ways = vec![String::new()];
    for word in text.split_whitespace() {
        let mut either: Vec<&str> = word.split('|').filter(|one| !one.is_empty()).collect();
        if either.is_empty() || ways.len() * either.len() > WAYS {
            either = vec![word];
        }
        ways = ways.iter().flat_map(|way| either.iter().map(move |one| format!("{way} {one}"))).collect();
    }
    ways
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
    fn alternatives_are_either() {
        let mut query = Query::new("claude|codex idle");
        assert!(query.matches(&["codex", "idle"], &[]) && query.matches(&["claude", "idle"], &[]));
        assert!(!query.matches(&["gemini", "idle"], &[]) && !query.matches(&["codex", "working"], &[]));
        assert!(query.score("web:1.0 codex idle").is_some());
        // One that is being typed hides nothing yet.
        assert!(Query::new("claude|").matches(&["claude"], &[]));
        assert!(!Query::new("CLAUDE").matches(&["claude"], &[]), "capitals ask for capitals");
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
