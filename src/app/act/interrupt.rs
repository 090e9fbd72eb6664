//! The keys that stop an agent's turn, by its program.

/// The tmux key names that interrupt the program of this profile. Escape stops a turn in all but those that are listed.
#[must_use]
pub fn interrupt_keys(agent: &str) -> &'static [&'static str] {
    match agent {
        // Line-based programs that know no Escape.
        "aider" | "goose" => &["C-c"],
        // The first Escape asks, the second one stops.
        "opencode" | "crush" => &["Escape", "Escape"],
        _ => &["Escape"],
    }
}
