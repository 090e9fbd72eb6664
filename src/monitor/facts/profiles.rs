//! Reads the user's own agent profiles from their folder; what a profile says is checked by `detect`.

use std::path::{Path, PathBuf};

use crate::monitor::detect::{ProfileError, Profiles};
use crate::monitor::facts::file;

/// Most bytes of a profile.
const LARGEST_FILE: u64 = 1 << 20;

/// The built-in profiles and those of a user's folder (`*.yaml`); a missing folder is as good as an empty one.
///
/// # Errors
/// When a file cannot be read, or does not say what a profile must (with file, line and column).
pub fn load(user_dir: Option<&Path>) -> Result<Profiles, ProfileError> {
    let mut texts = Vec::new();
    for path in user_dir.map(user_files).transpose()?.unwrap_or_default() {
        let text =
            file::read_own(&path, LARGEST_FILE).map_err(|source| ProfileError::Read { path: path.clone(), source })?;
        texts.push((path, text));
    }
    Profiles::with(texts)
}

fn user_files(dir: &Path) -> Result<Vec<PathBuf>, ProfileError> {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(ProfileError::Read { path: dir.to_owned(), source }),
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "yaml" || e == "yml"))
        .collect();
    files.sort();
    Ok(files)
}
