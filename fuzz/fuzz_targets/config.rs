//! See `tmux_orc::fuzzing::config`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_orc::fuzzing::config(data));
