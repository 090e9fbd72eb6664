//! See `tmux_orc::fuzzing::protocol`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_orc::fuzzing::protocol(data));
