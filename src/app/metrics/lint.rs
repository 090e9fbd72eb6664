//! What `promtool check metrics` and a scrape refuse, as a function: for tests that have no Prometheus at hand.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::metrics::Format;

/// All that is wrong with a text.
pub fn lint(text: &str, format: Format) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut say = |line: usize, what: &str| wrong.push(format!("line {}: {what}", line + 1));
    let mut kinds: BTreeMap<String, String> = BTreeMap::new();
    let mut helped = BTreeSet::new();
    let (mut seen, mut closed) = (BTreeSet::new(), BTreeSet::new());
    let mut current = String::new();
    let open = format == Format::OpenMetrics;
    if !text.ends_with('\n') || (open && !text.ends_with("# EOF\n")) {
        say(0, "it does not end as it must");
    }
    for (at, line) in text.lines().enumerate() {
        if line == "# EOF" {
            continue;
        }
        if let Some(rest) = line.strip_prefix("# ") {
            let mut words = rest.splitn(3, ' ');
            let (word, name, value) =
                (words.next().unwrap_or(""), words.next().unwrap_or(""), words.next().unwrap_or(""));
            if name != current && !closed.insert(name.to_owned()) {
                say(at, "the family was there before");
            }
            current = name.to_owned();
            match word {
                "HELP" if value.is_empty() || !helped.insert(name.to_owned()) => {
                    say(at, "help is missing or there twice")
                }
                "TYPE" => drop(kinds.insert(name.to_owned(), value.to_owned())),
                "HELP" => {}
                _ => say(at, "a comment of no kind"),
            }
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            if !name.bytes().all(fits) {
                say(at, "a name of other signs");
            }
            continue;
        }
        let Some((series, value)) = line.rsplit_once(' ') else {
            say(at, "no value");
            continue;
        };
        if !matches!(value, "NaN" | "+Inf" | "-Inf") && value.parse::<f64>().is_err() {
            say(at, "a value that is no number");
        }
        let (name, labels) = series.split_once('{').map_or((series, ""), |(name, rest)| (name, rest));
        let kind = kinds.get(&current).map_or("", String::as_str);
        let suffix = name.strip_prefix(current.as_str()).unwrap_or("?");
        let fits = match kind {
            "gauge" => suffix.is_empty() && !name.ends_with("_total"),
            "counter" if open => suffix == "_total",
            "counter" => suffix.is_empty() && name.ends_with("_total"),
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            _ => false,
        };
        if !fits {
            say(at, "a sample that its family cannot have");
        }
        if !helped.contains(&current) {
            say(at, "no help");
        }
        if !seen.insert(series.to_owned()) {
            say(at, "the same series twice");
        }
        if !labels.is_empty() && !are_labels(labels) {
            say(at, "labels that cannot be read");
        }
        if kind == "counter" && value.starts_with('-') {
            say(at, "a counter below zero");
        }
    }
    wrong
}

/// Whether this is `name="value",...}` with everything that must be escaped escaped.
fn are_labels(text: &str) -> bool {
    let mut rest = text;
    loop {
        let Some((name, value)) = rest.split_once("=\"") else { return false };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_') {
            return false;
        }
        let mut escaped = false;
        let end = value.find(|c: char| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        let Some(end) = end else { return false };
        rest = match value[end + 1..].strip_prefix(',') {
            Some(more) => more,
            None => return &value[end + 1..] == "}",
        };
    }
}

#[test]
fn the_lint_finds_what_is_wrong() {
    let good = "# HELP a_total Of it.\n# TYPE a_total counter\na_total{b=\"c\"} 1\n";
    assert_eq!(lint(good, Format::Prometheus), [""; 0]);
    for (part, other) in [
        ("# HELP a_total Of it.\n", ""),
        (" 1\n", " one\n"),
        (" 1\n", " 1"),
        (" 1\n", " -1\n"),
        ("counter", "gauge"),
        ("\"c\"", "\"c"),
        ("\"c\"", "\"c\"d\""),
        ("a_total{b=\"c\"} 1\n", "a_total{b=\"c\"} 1\na_total{b=\"c\"} 1\n"),
        ("a_total{b", "d_total{b"),
    ] {
        assert_ne!(lint(&good.replace(part, other), Format::Prometheus), [""; 0], "{other}");
    }
    assert_ne!(lint(good, Format::OpenMetrics), [""; 0]);
}
