//! The nearest right word for a wrong one.

/// The candidate that a slip of the fingers turns into `word`, if one is near enough.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(word);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = plain(candidate);
        let apart = distance(&wanted, &other);
        let allowed = (other.chars().count() / 3).max(1);
        if apart <= allowed && best.is_none_or(|(least, _)| apart < least) {
            best = Some((apart, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// The end of an error that says which name was most likely meant; empty when none is near.
#[must_use]
pub fn did_you_mean<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> String {
    nearest(word, candidates).map_or(String::new(), |near| format!("; did you mean `{near}`?"))
}

/// Inserted, dropped, replaced and swapped letters between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<_>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_seen_through_and_other_words_are_not() {
        let names = ["min_size", "max_size", "connection_timeout", "max_age"];
        assert_eq!(nearest("min_sise", names), Some("min_size"));
        assert_eq!(nearest("maxsize", names), Some("max_size"));
        assert_eq!(nearest("Connection-Timeout", names), Some("connection_timeout"));
        assert_eq!(nearest("mxa_age", names), Some("max_age"));
        assert_eq!(nearest("colour", names), None);
    }
}
