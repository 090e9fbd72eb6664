//! See `tmux_orc::fuzzing::output`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_orc::fuzzing::output(data));
