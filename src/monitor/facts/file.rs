//! Reads files that others wrote: nothing that stands at a path can hang us, end us or be taken for what it is not.
//!
//! What is there is looked at before it is opened, and again once it is: a FIFO would block the open, a terminal would
//! become ours, a device may do something when it is opened (open(2): `O_NONBLOCK`, `O_NOCTTY`).

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read},
    os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt},
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use rustix::fs::OFlags;

use crate::tmux::clean;

/// Most reads that may be under way on threads of their own: a disk that does not answer keeps each of them for good.
const MOST_BESIDE: usize = 16;

/// Reads a file of the user's own, such as settings: links are followed, since people keep such files elsewhere.
///
/// # Errors
/// If it cannot be read, is no regular file, has more than `most` bytes, or is not UTF-8.
pub fn read_own(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read_own_bytes(path, most)?)
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text"))
}

/// The same, whatever its bytes are.
///
/// # Errors
/// If it cannot be read, is no regular file, or has more than `most` bytes.
pub fn read_own_bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read(path, most, &fs::metadata(path)?, OFlags::empty(), None)
}

/// Reads a file that another program left at `path`: the file itself, no link, and only when `owner` owns it.
///
/// # Errors
/// If it cannot be read, is no regular file of `owner`, or has more than `most` bytes.
pub fn read_foreign(path: &Path, most: u64, owner: u32) -> io::Result<Vec<u8>> {
    read(path, most, &fs::symlink_metadata(path)?, OFlags::NOFOLLOW, Some(owner))
}

/// The same, whoever owns it: for what is only shown.
///
/// # Errors
/// If it cannot be read, is no regular file, or has more than `most` bytes.
pub fn read_anyones(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    read(path, most, &fs::symlink_metadata(path)?, OFlags::NOFOLLOW, None)
}

/// Opens such a file, of whatever size, to read a part of it. Gives what is known of it as well.
///
/// # Errors
/// If it cannot be opened, or is no regular file of `owner`.
pub fn open_foreign(path: &Path, owner: u32) -> io::Result<(File, Metadata)> {
    open(path, u64::MAX, &fs::symlink_metadata(path)?, OFlags::NOFOLLOW, Some(owner))
}

fn open(path: &Path, most: u64, before: &Metadata, more: OFlags, owner: Option<u32>) -> io::Result<(File, Metadata)> {
    accept(before, most, owner)?;
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC | more;
    let file: File = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    // It may be another file by now.
    let found = file.metadata()?;
    accept(&found, most, owner)?;
    Ok((file, found))
}

fn read(path: &Path, most: u64, before: &Metadata, more: OFlags, owner: Option<u32>) -> io::Result<Vec<u8>> {
    let (file, _) = open(path, most, before, more, owner)?;
    let mut bytes = Vec::new();
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(too_large(most)) } else { Ok(bytes) }
}

fn accept(found: &Metadata, most: u64, owner: Option<u32>) -> io::Result<()> {
    let refuse = |what: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
    let kind = found.file_type();
    if kind.is_dir() {
        return refuse("it is a folder, not a file");
    }
    if kind.is_symlink() {
        return refuse("it is a link, not a file");
    }
    if kind.is_fifo() || kind.is_socket() || kind.is_char_device() || kind.is_block_device() || !kind.is_file() {
        return refuse("it is a pipe, a socket or a device, not a file");
    }
    if owner.is_some_and(|owner| owner != found.uid()) {
        return refuse("it is another user's");
    }
    if found.len() > most { Err(too_large(most)) } else { Ok(()) }
}

fn too_large(most: u64) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("it has more than {most} bytes"))
}

/// Another program's words, made safe to show and at most `most` characters long.
#[must_use]
pub fn words(text: &str, most: usize) -> String {
    // Cut before it is cleaned as well: cleaning a megabyte for its first hundred characters is waste.
    let end = text.char_indices().nth(most * 4).map_or(text.len(), |(at, _)| at);
    let mut text = clean(&text[..end]);
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Does work that may block for ever (a disk that does not answer) beside the caller, who waits for `limit`. `None`
/// when it took longer, or when too much of such work is under way already.
pub async fn beside<T: Send + 'static>(limit: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::time::timeout(limit, start(work)?).await.ok()?.ok()
}

/// Starts such work; `None` when too much of it is under way.
pub(crate) fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<tokio::task::JoinHandle<T>> {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    /// Counts down however the work ends.
    struct Place;
    impl Drop for Place {
        fn drop(&mut self) {
            UNDER_WAY.fetch_sub(1, Ordering::AcqRel);
        }
    }
    let place = Place;
    if UNDER_WAY.fetch_add(1, Ordering::AcqRel) >= MOST_BESIDE {
        return None;
    }
    Some(tokio::task::spawn_blocking(move || {
        let _place = place;
        work()
    }))
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::symlink, process::Command, time::Instant};

    use super::*;

    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn only_a_regular_file_of_its_owner_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("file"), "words").unwrap();
        symlink(at("file"), at("link")).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        symlink("/dev/ptmx", at("terminal")).unwrap();
        assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        assert_eq!(read_foreign(&at("file"), 10, me()).unwrap(), b"words");
        assert_eq!(read_own(&at("link"), 10).unwrap(), "words", "a user's own file may be a link");
        for name in ["link", "device", "terminal", "fifo", ".", "missing"] {
            assert!(read_foreign(&at(name), 10, me()).is_err(), "{name}");
        }
        for name in ["device", "terminal", "fifo", ".", "missing"] {
            assert!(read_own(&at(name), 10).is_err(), "{name}");
        }
        assert!(read_foreign(&at("file"), 10, me() + 1).is_err(), "another user's");
        assert!(read_own(&at("file"), 4).is_err(), "too large");
    }

    #[test]
    fn a_huge_file_costs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("huge");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let began = Instant::now();
        assert!(read_own(&path, 1 << 20).unwrap_err().to_string().contains("more than"));
        assert!(began.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn words_are_clean_and_short() {
        assert_eq!(words("a\u{9b}31mb\u{202e}\u{200b}\x1b]0;x\x07c", 10), "a31mbc");
        assert_eq!(words(&"é".repeat(50_000), 3), "ééé…");
    }

    #[tokio::test]
    async fn work_that_hangs_holds_nobody_up_and_does_not_pile_up() {
        let (release, wait) = std::sync::mpsc::channel::<()>();
        let hang = move || wait.recv().map(|()| 0);
        assert!(beside(Duration::from_millis(20), hang).await.is_none());
        assert_eq!(beside(Duration::from_secs(30), || 7).await, Some(7));
        drop(release);
    }
}
