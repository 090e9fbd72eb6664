//! See `tmux_orc::fuzzing::link`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tmux_orc::fuzzing::link(data));
