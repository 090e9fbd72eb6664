//! See `tmux_orc::fuzzing::transcripts`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_orc::fuzzing::transcripts(data));
