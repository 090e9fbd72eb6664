//! The nearest right word for a wrong one.

/// Letters of a word that are looked at.
const LONGEST: usize = 64;

/// The candidate that a slip of the fingers turns into `word`, if one is near enough.
#[must_use]
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    // A word longer than any name is none, and the time grows with its length.
    let wanted = plain(&word.chars().take(LONGEST).collect::<String>());
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let other = plain(candidate);
        let apart = strsim::osa_distance(&wanted, &other);
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
