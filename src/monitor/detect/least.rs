//! What a pattern asks of a row at the least, read out of it once: most rows fall short of it, and show so in a fraction of
//! the time that a regex takes.

use std::borrow::Cow;
use std::cell::OnceCell;

use memchr::memmem::Finder;
use regex_syntax::hir::literal::Extractor;
use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::monitor::detect::view::is_frame;

/// Most texts or ranges of characters that are compared before the regex is asked.
const MOST: usize = 16;

/// Blanks that are left of a longer run in front of a row's right edge.
const KEPT: usize = 10;

/// Texts with one of which a match begins.
type Beginnings = Box<[Box<[u8]>]>;

/// See the head of this file.
#[derive(Clone, Debug)]
pub(super) struct Least {
    /// The texts with which every row begins that an anchored pattern matches; `None` for any. And whether these are all
    /// that it looks for.
    begins: Option<(Beginnings, bool)>,
    /// Of an anchored pattern: what the first character of a row may be that is neither blank nor a frame's side.
    signs: Option<Box<[(char, char)]>>,
    /// A text that is in all that it matches.
    needs: Option<Finder<'static>>,
    /// It does not tell a run of more than [`KEPT`] blanks from one of that many.
    few_blanks: bool,
}

/// A row's first character that is neither blank nor a frame's side, found when it is first asked for.
pub(super) type Sign = OnceCell<Option<char>>;

impl Least {
    /// Reads it out of a pattern.
    pub fn of(pattern: &str) -> Self {
        let Ok(pattern) = regex_syntax::parse(pattern) else {
            return Self { begins: None, signs: None, needs: None, few_blanks: false };
        };
        let anchored = pattern.properties().look_set_prefix().contains(Look::Start);
        Self {
            begins: anchored.then(|| begins(&pattern)).flatten(),
            signs: anchored.then(|| signs(&pattern)).flatten(),
            needs: longest(&pattern).map(|text| Finder::new(text).into_owned()),
            few_blanks: blanks(&pattern).is_some_and(|count| count <= KEPT),
        }
    }

    /// Whether a row has it; `Some(true)` when that is all that the pattern looks for, `None` when the row falls short.
    pub fn of_row(&self, row: &str, sign: Option<&Sign>) -> Option<bool> {
        if let Some((all, whole)) = &self.begins {
            let begun = all.iter().any(|one| row.as_bytes().starts_with(one));
            if !begun || *whole {
                return begun.then_some(true);
            }
        }
        if let (Some(signs), Some(sign)) = (&self.signs, sign) {
            let own = (*sign.get_or_init(|| first_sign(row)))?;
            signs.iter().find(|(first, last)| (*first..=*last).contains(&own))?;
        }
        match &self.needs {
            Some(needs) => needs.find(row.as_bytes()).map(|_| false),
            None => Some(false),
        }
    }

    /// The row with fewer blanks in front of its right edge, where that is the same to the pattern: in a wide frame they are
    /// most of a row, and groups are looked for character by character.
    pub fn shortened<'r>(&self, row: &'r str) -> Cow<'r, str> {
        let mut words = row;
        while let Some(c) = words.chars().next_back().filter(|c| *c == ' ' || is_frame(*c)) {
            words = &words[..words.len() - c.len_utf8()];
            words = &words[..words.len() - words.bytes().rev().take_while(|byte| *byte == b' ').count()];
        }
        let edge = &row[words.len()..];
        let blanks = edge.len() - edge.trim_start_matches(' ').len();
        if !self.few_blanks || blanks <= KEPT {
            return Cow::Borrowed(row);
        }
        Cow::Owned([words, &edge[blanks - KEPT..]].concat())
    }
}

/// Sides of frames.
fn is_side(c: char) -> bool {
    matches!(c, '│' | '┃')
}

fn first_sign(row: &str) -> Option<char> {
    let mut rest = row;
    loop {
        // Blanks are most of what is in front: as bytes they are passed over in a fraction of the time.
        rest = &rest[rest.bytes().take_while(|byte| *byte == b' ').count()..];
        let c = rest.chars().next()?;
        if !is_side(c) {
            return Some(c);
        }
        rest = &rest[c.len_utf8()..];
    }
}

/// What all that an anchored pattern matches begins with.
fn begins(pattern: &Hir) -> Option<(Beginnings, bool)> {
    let begins = Extractor::new().limit_class(MOST).limit_total(MOST).extract(pattern);
    // What is looked at between characters, such as the end of the row, is no part of these texts.
    let whole = begins.is_exact() && pattern.properties().look_set().len() == 1;
    let begins: Box<[Box<[u8]>]> = begins.literals()?.iter().map(|one| one.as_bytes().into()).collect();
    begins.iter().all(|one| !one.is_empty()).then_some((begins, whole))
}

/// What the first character may be of all that a pattern matches, blanks and sides apart; `None` when that is no short list.
fn signs(pattern: &Hir) -> Option<Box<[(char, char)]>> {
    let mut signs = Vec::new();
    let passes = add_signs(pattern, &mut signs)?;
    (!passes && signs.len() <= MOST).then(|| signs.into())
}

/// Adds the first characters; whether it also matches blanks and sides alone. `None` when it cannot be told.
fn add_signs(pattern: &Hir, signs: &mut Vec<(char, char)>) -> Option<bool> {
    let passed = |c: char| c == ' ' || is_side(c);
    Some(match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => match std::str::from_utf8(&literal.0).ok()?.chars().find(|c| !passed(*c)) {
            Some(c) => {
                signs.push((c, c));
                false
            }
            None => true,
        },
        HirKind::Class(Class::Unicode(class)) => {
            // A range with one of those in it lets more rows through than it must.
            signs.extend(class.iter().map(|range| (range.start(), range.end())).filter(|(a, b)| a != b || !passed(*a)));
            [' ', '│', '┃'].iter().any(|c| class.iter().any(|range| (range.start()..=range.end()).contains(c)))
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repetition) => add_signs(&repetition.sub, signs)? || repetition.min == 0,
        HirKind::Capture(capture) => add_signs(&capture.sub, signs)?,
        HirKind::Concat(parts) => {
            for part in parts {
                if !add_signs(part, signs)? {
                    return Some(false);
                }
            }
            true
        }
        HirKind::Alternation(parts) => {
            let mut passes = false;
            for part in parts {
                passes |= add_signs(part, signs)?;
            }
            passes
        }
    })
}

/// The longest text that is in all that a pattern matches; of blanks alone, none.
fn longest(pattern: &Hir) -> Option<&[u8]> {
    match pattern.kind() {
        HirKind::Literal(literal) if literal.0.iter().any(|byte| *byte != b' ') => Some(&literal.0),
        HirKind::Capture(capture) => longest(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => longest(&repetition.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(longest).max_by_key(|text| text.len()),
        _ => None,
    }
}

/// How many blanks in a row a pattern can count: those it wants or allows one by one. `None` when it cannot be told.
fn blanks(pattern: &Hir) -> Option<usize> {
    Some(match pattern.kind() {
        HirKind::Empty | HirKind::Look(_) => 0,
        HirKind::Literal(literal) => literal.0.iter().filter(|byte| **byte == b' ').count(),
        HirKind::Class(Class::Unicode(class)) => {
            usize::from(class.iter().any(|range| (range.start()..=range.end()).contains(&' ')))
        }
        HirKind::Class(Class::Bytes(_)) => return None,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.max(1));
            blanks(&repetition.sub)?.checked_mul(usize::try_from(times).ok()?)?
        }
        HirKind::Capture(capture) => blanks(&capture.sub)?,
        HirKind::Concat(parts) => {
            let counts = parts.iter().map(blanks).collect::<Option<Vec<_>>>()?;
            counts.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count))?
        }
        HirKind::Alternation(parts) => parts.iter().map(blanks).collect::<Option<Vec<_>>>()?.into_iter().max()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_begins_otherwise_is_known_without_the_regex() {
        let known = |text: &str| {
            let (begins, whole) = Least::of(text).begins?;
            Some((begins.iter().map(|one| String::from_utf8_lossy(one).into_owned()).collect::<Vec<_>>(), whole))
        };
        assert_eq!(known("^─{3,}$"), Some((vec!["───".to_owned()], false)));
        assert_eq!(known("^│$"), Some((vec!["│".to_owned()], false)), "the end of the row counts too");
        assert_eq!(known("^[│├]").map(|(_, whole)| whole), Some(true));
        let (mut marks, whole) = known("^ ?[●○] x").unwrap();
        assert!(whole);
        marks.sort();
        assert_eq!(marks, [" ○ x", " ● x", "○ x", "● x"]);
        for any in ["─{3,}", "^a|b", "^ *", "^(?:a|$)", "(?m)^a", r"^\w", "^"] {
            assert_eq!(known(any), None, "{any}");
        }
    }

    #[test]
    fn the_first_sign_of_a_row_tells_most_of_them() {
        let signs = |text: &str| Least::of(text).signs.map(|all| all.into_vec());
        assert_eq!(signs(r"^[ │]*(?:› )?[0-9]\. Yes"), Some(vec![('›', '›'), ('0', '9')]));
        assert_eq!(signs("^ *┃ +△ "), Some(vec![('△', '△')]));
        assert_eq!(signs("^ +(?:a|│ b)?[c-e]"), Some(vec![('a', 'a'), ('b', 'b'), ('c', 'e')]));
        for any in [" *x", "^ *", "^ *x?", "^ *(?:x|$)", "^ *x|y", r"^ *\w", "^[ │]*$"] {
            assert_eq!(signs(any), None, "{any}");
        }
        assert_eq!(first_sign("  │ ┃› x"), Some('›'));
        assert_eq!(first_sign(" │  │"), None);
    }

    #[test]
    fn a_row_without_what_the_pattern_needs_is_none_of_it() {
        let needs = |text: &str| {
            let least = Least::of(text);
            least.needs.map(|finder| String::from_utf8_lossy(finder.needle()).into_owned())
        };
        assert_eq!(needs(r"^[ │]+(\S.*\?)\s*│?$").as_deref(), Some("?"));
        assert_eq!(needs(r"v: (?:Qwen Code \(?v)+(\d)").as_deref(), Some("Qwen Code "));
        for any in ["a|b", "(?:abc)?", "[ab]", " +  ", "(?i:esc)"] {
            assert_eq!(needs(any), None, "{any}");
        }
    }

    #[test]
    fn what_a_row_has_at_the_least_never_contradicts_the_regex() {
        let patterns =
            [r"^[ │]*(?:› )?[0-9]\. ", "^ *┃ +△ ", r"^\s+x", r"^[ │]+(\S.*\?)\s*│?$", "^ {1,2}[.·] ", "^[^x]y"];
        let rows = [
            "",
            " ",
            "│",
            "│ › 1. Yes",
            "│ 2. No │",
            "┃ △ x",
            " △",
            "\u{a0} x",
            "   x",
            "│ Go on?   │",
            " . a",
            "zy",
            "│y",
        ];
        for pattern in patterns {
            let (least, regex) = (Least::of(pattern), regex::Regex::new(pattern).unwrap());
            for row in rows {
                let has = least.of_row(row, Some(&Sign::new()));
                assert!(has.is_some() || !regex.is_match(row), "{pattern} {row:?}");
                assert!(has != Some(true) || regex.is_match(row), "{pattern} {row:?}");
            }
        }
    }

    #[test]
    fn a_wide_frame_is_made_narrow_where_the_pattern_cannot_tell() {
        let row = format!("│ 1. Yes, go{}│ │", " ".repeat(150));
        let narrow = format!("│ 1. Yes, go{}│ │", " ".repeat(KEPT));
        let option = Least::of(r"^[ │]*(\d)\. (.*?)(?: \(esc\))?\s*[ │]*$");
        assert_eq!(option.shortened(&row), narrow);
        assert_eq!(option.shortened("│ 1. Yes  │"), "│ 1. Yes  │");
        assert_eq!(option.shortened(&" ".repeat(50)), " ".repeat(KEPT));
        for counting in [r"\. .* {20,}│", r"x {0,30}│", r"(?: {4} {4}){3}", &" ".repeat(11)] {
            assert_eq!(Least::of(counting).shortened(&row), row, "{counting}");
        }
    }
}
