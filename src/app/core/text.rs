//! Width and cuts of text as a terminal shows it: the one place that decides where a line ends.

use std::{borrow::Cow, ops::Range};

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// Cells that `text` takes in a terminal.
#[must_use]
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// `text` cut by graphemes to at most `cells`; a cut one ends with `…`.
#[must_use]
pub fn fit(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let end = cut(text, cells - 1);
    Cow::Owned(format!("{}…", &text[..end]))
}

/// `text` cut from its start to at most `cells`, for paths whose end says most: `…/src/parser`.
#[must_use]
pub fn fit_end(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    if cells == 0 {
        return Cow::Borrowed("");
    }
    let mut used = 1;
    let mut start = text.len();
    for (index, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used > cells {
            break;
        }
        start = index;
    }
    Cow::Owned(format!("…{}", &text[start..]))
}

/// A sentence cut to at most `cells`: first its paths, whose end says most, then what comes after its last clause that
/// fits, then its middle. What it is about stands at
/// its beginning, and what to do at its end.
#[must_use]
pub fn fit_sentence(text: &str, cells: usize) -> Cow<'_, str> {
    if width(text) <= cells {
        return Cow::Borrowed(text);
    }
    let words = text.split(' ').map(|word| match word.rsplit_once('/') {
        Some((folder, file)) if folder.starts_with('/') && !file.is_empty() => Cow::Owned(format!("…/{file}")),
        _ => Cow::Borrowed(word),
    });
    let text = words.collect::<Vec<_>>().join(" ");
    if width(&text) <= cells || cells < 24 {
        return Cow::Owned(fit(&text, cells).into_owned());
    }
    // The rest of a list, or a second sentence, says least.
    let clauses = text.match_indices(['?', ';', '.', ',']).filter(|(at, _)| text[at + 1..].starts_with(' '));
    let whole = clauses.map(|(at, _)| &text[..=at]).rfind(|part| width(part) + 2 <= cells);
    if let Some(part) = whole.filter(|part| width(part) >= cells * 2 / 3) {
        return Cow::Owned(format!("{part} …"));
    }
    // Cut at spaces where there is one near.
    let head = &text[..cut(&text, cells / 3)];
    let head = head.rsplit_once(' ').map_or(head, |(head, _)| head);
    let tail = fit_end(&text, cells - width(head) - 2).into_owned();
    let tail = tail.trim_start_matches('…');
    let tail = tail.split_once(' ').filter(|(word, _)| width(word) <= 12).map_or(tail, |(_, tail)| tail);
    Cow::Owned(format!("{head} … {tail}"))
}

/// `text` cut and filled with spaces to exactly `cells`, words to the left.
#[must_use]
pub fn left(text: &str, cells: usize) -> String {
    let cut = fit(text, cells);
    let fill = cells - width(&cut).min(cells);
    format!("{cut}{:fill$}", "")
}

/// `text` cut and filled with spaces to exactly `cells`, words to the right: for numbers.
#[must_use]
pub fn right(text: &str, cells: usize) -> String {
    let cut = fit(text, cells);
    let fill = cells - width(&cut).min(cells);
    format!("{:fill$}{cut}", "")
}

/// Breaks `text` into lines of at most `cells`, at spaces where it can, at most `lines` of them; the rest is cut.
#[must_use]
pub fn wrap(text: &str, cells: usize, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut line = String::new();
    let mut rest = text.split_word_bounds().peekable();
    while let Some(word) = rest.next() {
        if width(&line) + width(word) <= cells {
            line.push_str(word);
            continue;
        }
        if out.len() + 1 == lines {
            line.push_str(word);
            line.extend(rest);
            break;
        }
        out.push(std::mem::take(&mut line).trim_end().to_owned());
        if !word.trim().is_empty() {
            line.push_str(&fit(word, cells));
        }
    }
    if !line.trim().is_empty() && lines > 0 {
        out.push(fit(line.trim_end(), cells).into_owned());
    }
    out
}

/// Breaks `text` into lines of at most `first` cells, and `rest` for those after the first: at blanks where it can, within
/// a word that is longer than a line. Gives the bytes of each; blanks at a break are in none. Nothing is lost but those.
#[must_use]
pub fn flow(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    // What the line has so far: its bytes, and its cells with the blanks behind it.
    let (mut line, mut used) = (0..0, 0);
    let mut at = 0;
    for word in text.split_inclusive(' ') {
        let cells = if lines.is_empty() { first } else { rest }.max(1);
        let solid = word.trim_end_matches(' ');
        let wide = width(solid);
        if used + wide <= cells || solid.is_empty() {
            if !solid.is_empty() {
                line.end = at + solid.len();
            }
            used += width(word);
        } else if wide <= rest.max(1) {
            lines.push(line);
            line = at..at + solid.len();
            used = width(word);
        } else {
            // Longer than any line: what fits here, and the rest of it below.
            for (index, grapheme) in solid.grapheme_indices(true) {
                let (from, wide) = (at + index, width(grapheme));
                let cells = if lines.is_empty() { first } else { rest }.max(1);
                if used + wide > cells && used > 0 {
                    lines.push(std::mem::replace(&mut line, from..from));
                    used = 0;
                }
                line.end = from + grapheme.len();
                used += wide;
            }
            used += word.len() - solid.len();
        }
        at += word.len();
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines.retain(|line| !line.is_empty());
    lines
}

/// Signs that a box is drawn with at its left and right.
const BARS: [char; 3] = ['│', '┃', '║'];

/// A row without the bars of a box around it, but with the blanks behind the left one.
#[must_use]
pub fn unframed(row: &str) -> &str {
    let row = row.trim_end().trim_end_matches(BARS).trim_end();
    let edge = row.len() - row.trim_start_matches(|c| c == ' ' || BARS.contains(&c)).len();
    let bar = row[..edge].char_indices().rfind(|(_, c)| BARS.contains(c));
    bar.map_or(row, |(at, c)| &row[at + c.len_utf8()..])
}

/// `text` without what terminals disagree about: the rest of a joined emoji, skin tones and presentation selectors. The
/// first emoji of a family stays, at the width that all of them give it.
#[must_use]
pub fn settled(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(unsettled) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for grapheme in text.graphemes(true) {
        let end = grapheme.char_indices().find(|(i, c)| *i > 0 && unsettled(*c)).map_or(grapheme.len(), |(i, _)| i);
        out.extend(grapheme[..end].chars().filter(|c| !matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}')));
    }
    Cow::Owned(out)
}

fn unsettled(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
}

/// Byte index at which the graphemes of `text` have used at most `cells`.
pub(super) fn cut(text: &str, cells: usize) -> usize {
    let mut used = 0;
    for (index, grapheme) in text.grapheme_indices(true) {
        used += width(grapheme);
        if used > cells {
            return index;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_keep_whole_graphemes_and_exact_widths() {
        assert_eq!(fit("parser", 6), "parser");
        assert_eq!(fit("parser", 4), "par…");
        assert_eq!(fit("解析器", 4), "解…");
        assert_eq!(fit("解析器", 5), "解析…");
        assert_eq!(width(&left("解析器", 4)), 4);
        assert_eq!(fit("👩‍👩‍👧 family", 3), "👩‍👩‍👧…");
        assert_eq!(fit("x", 0), "");
        assert_eq!(fit_end("/home/u/src/parser", 9), "…c/parser");
        assert_eq!(right("4.2", 6), "   4.2");
        assert_eq!(left("שלום", 6), "שלום  ");
    }

    #[test]
    fn a_sentence_keeps_what_it_is_about_and_its_end() {
        let gone = "the engine 17381 in the background is gone: watching from here";
        assert_eq!(fit_sentence(gone, 56), "the engine 17381 … is gone: watching from here");
        assert_eq!(fit_sentence(gone, 80), gone);
        let none = "no tmux server runs at /tmp/tmux-1000/default: start one with `tmux`";
        assert_eq!(fit_sentence(none, 60), "no tmux server runs at …/default: start one with `tmux`");
        let wrong = "settings unchanged: a.yaml:1:2: no theme \"lihgt\"; did you mean `light`? There are auto, dark, light, mono";
        assert_eq!(fit_sentence(wrong, 90), format!("{} There are auto, …", &wrong[..71]));
        for cells in 0..90 {
            for text in [gone, none, "解析器解析器解析器 解析器解析器解析器解析器解析器", &"x".repeat(99), "a /b/c d"]
            {
                assert!(width(&fit_sentence(text, cells)) <= cells, "{cells}: {}", fit_sentence(text, cells));
            }
        }
    }

    #[test]
    fn joined_emoji_become_their_first_one() {
        assert_eq!(settled("a 👩‍👩‍👧 b"), "a 👩 b");
        assert_eq!(settled("👍🏽 ⚠️"), "👍 ⚠");
        assert_eq!(settled("解析器 é"), "解析器 é");
    }

    #[test]
    fn wrapping_ends_with_what_fits() {
        assert_eq!(wrap("one two three four", 8, 2), ["one two", "three f…"]);
        assert_eq!(wrap("short", 8, 2), ["short"]);
        assert_eq!(wrap("", 8, 2), Vec::<String>::new());
        assert_eq!(wrap("averyverylongword", 5, 1), ["aver…"]);
    }

    #[test]
    fn a_text_flows_into_lines_and_nothing_of_it_is_lost() {
        let flown = |text: &str, first, rest| -> Vec<String> {
            flow(text, first, rest).into_iter().map(|part| text[part].to_owned()).collect()
        };
        assert_eq!(flown("one two three four", 8, 10), ["one two", "three four"]);
        assert_eq!(flown("touch /a/very/long/path now", 10, 10), ["touch /a/v", "ery/long/p", "ath now"]);
        assert_eq!(flown("  set in", 20, 20), ["  set in"]);
        assert_eq!(flown("解析器 解析器", 6, 6), ["解析器", "解析器"]);
        assert_eq!(flown("", 5, 5), Vec::<String>::new());
        for text in ["a b  c", "averylongword and more of them", "解析器解析器 x", "  lead", "👩‍👩‍👧 family of five", "x"]
        {
            for cells in 1..40 {
                let lines = flown(text, cells, cells);
                let solid = |text: &str| text.replace(' ', "");
                assert_eq!(solid(&lines.concat()), solid(text), "{cells}");
                let widest = lines.iter().map(|line| width(line)).max().unwrap_or(0);
                assert!(widest <= cells.max(2), "{cells}: {lines:?}");
            }
        }
    }
}
