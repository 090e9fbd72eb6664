//! What `make fuzz` calls with bytes: one function for each way into the program. Each panics when a promise is broken.
//!
//! Only built for fuzzing and for tests. Inputs that once broke something are kept in `fuzz/seeds`; a test runs all of
//! them.

mod feed;

pub use feed::Feed;

use crate::{app, monitor, tmux, ui};

/// The function of one target.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its folder of seeds.
pub const TARGETS: [(&str, Target); 8] = [
    ("protocol", protocol),
    ("output", output),
    ("profiles", profiles),
    ("config", config),
    ("wire", wire),
    ("link", link),
    ("keys", keys),
    ("transcripts", transcripts),
];

/// The client protocol of tmux, from the server's side.
pub fn protocol(data: &[u8]) {
    tmux::fuzz::protocol(data);
}

/// What tmux prints: pulses, lists, captures.
pub fn output(data: &[u8]) {
    if let Some(colours) = tmux::fuzz::output(data) {
        ui::fuzz::preview(colours);
    }
}

/// A profile of a user's, and a screen that it judges.
pub fn profiles(data: &[u8]) {
    monitor::fuzz::profiles(data);
}

/// A settings file with the environment, or a theme.
pub fn config(data: &[u8]) {
    match data.split_first() {
        Some((b'T', theme)) => ui::fuzz::theme(theme),
        _ => app::fuzz::config(data),
    }
}

/// The engine's socket, from both sides.
pub fn wire(data: &[u8]) {
    for snapshot in monitor::fuzz::wire(data, ui::fuzz::twelve()) {
        ui::fuzz::show(snapshot);
    }
}

/// What an engine says that nobody trusts, past the door.
pub fn link(data: &[u8]) {
    for snapshot in monitor::fuzz::link(data) {
        ui::fuzz::show(snapshot);
    }
}

/// Keys, pastes, mouse and sizes, with remapped keys.
pub fn keys(data: &[u8]) {
    ui::fuzz::keys(data);
}

/// What agent programs write down of their sessions.
pub fn transcripts(data: &[u8]) {
    monitor::fuzz::transcripts(data);
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::TARGETS;

    #[test]
    fn every_seed_and_everything_that_was_found_once_holds() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        for (name, target) in TARGETS {
            let folder = seeds.join(name);
            let mut count = 0;
            for file in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
                let path = file.unwrap().path();
                let data = fs::read(&path).unwrap();
                // The name of the input that breaks is in the test's output.
                println!("{}", path.display());
                target(&data);
                count += 1;
            }
            assert!(count > 0, "{} has no seed", folder.display());
        }
    }

    #[test]
    fn seeds_cut_and_spoilt_anywhere_break_nothing() {
        let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
        for (name, target) in TARGETS {
            for file in fs::read_dir(seeds.join(name)).unwrap() {
                let data = fs::read(file.unwrap().path()).unwrap();
                for at in (0..data.len()).step_by(data.len() / 8 + 1) {
                    target(&data[..at]);
                    let mut spoilt = data.clone();
                    spoilt[at] ^= 0x5a;
                    target(&spoilt);
                }
            }
        }
    }
}
