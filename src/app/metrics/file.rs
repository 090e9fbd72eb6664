//! A file that is replaced as a whole: who reads it sees the old one or the new one.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

/// Puts `bytes` at `path`, with exactly this mode, and waits until the disk has them. The name of the file that stands there
/// meanwhile begins with a point and ends in `.tmp`: a collector of `*.prom` passes it over.
///
/// # Errors
/// When it cannot be written; what was there before is left as it was.
pub(super) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let fresh = fresh(path)?;
    let written = write(&fresh, bytes, mode).and_then(|()| fs::rename(&fresh, path));
    if written.is_err() {
        fs::remove_file(&fresh).ok();
    }
    written
}

fn fresh(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?;
    Ok(path.with_file_name(format!(".{}.{}.tmp", name.to_string_lossy(), std::process::id())))
}

fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    // Left by a process of this id that was killed while it wrote.
    fs::remove_file(path).ok();
    // Never one that is there already, and never through a link: another user may have put it into a shared folder.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    // Whatever the umask takes away.
    file.set_permissions(Permissions::from_mode(mode))?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_whole_and_has_its_mode_and_a_failure_leaves_the_old_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("orc.prom");
        for text in ["one", "another"] {
            replace(&path, text.as_bytes(), 0o644).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o644);
        }
        // A link that stands where the new one is written is not followed.
        let aim = dir.path().join("aim");
        fs::write(&aim, "kept").unwrap();
        std::os::unix::fs::symlink(&aim, fresh(&path).unwrap()).unwrap();
        replace(&path, b"third", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&aim).unwrap(), "kept");
        let names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(replace(&dir.path().join("none/orc.prom"), b"x", 0o644).is_err());
        assert!(replace(Path::new("/"), b"x", 0o644).is_err());
    }
}
