//! Versions as programs show them.

/// The newest of the versions that a profile was checked against, when `version` is newer than all of them.
pub(super) fn newest_before<'a>(version: &str, known: &'a [String]) -> Option<&'a str> {
    let newest = known.iter().max_by_key(|known| numbers(known))?;
    (numbers(version) > numbers(newest)).then_some(newest)
}

/// Its numbers from left to right; what follows a sign (a build, a commit) says nothing of age.
fn numbers(version: &str) -> Vec<u64> {
    let version = version.trim_start_matches('v');
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').map_while(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_newer_by_its_numbers() {
        let known = ["2.1.20".to_owned(), "2.1.332".to_owned(), "2.0.14".to_owned()];
        assert_eq!(newest_before("2.1.333", &known), Some("2.1.332"));
        assert_eq!(newest_before("v2.2", &known), Some("2.1.332"));
        for old in ["2.1.332", "2.1.99", "2.1.332-beta", "1.9", "x", ""] {
            assert_eq!(newest_before(old, &known), None, "{old}");
        }
        assert_eq!(newest_before("1.0", &[]), None);
    }
}
