//! The program `tmux-orc`.

fn main() {}
