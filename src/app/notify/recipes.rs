//! Settings that are ready to be used, one for each service: what `notify recipes` prints and docs/notifications.md shows.

/// Settings for one service.
#[derive(Clone, Copy, Debug)]
pub struct Recipe {
    /// What it is called.
    pub name: &'static str,
    /// The settings, with what has to be done beside them as comments.
    pub text: &'static str,
}

/// How the recipes call this program.
const PROGRAM: &str = "[tmux-orc,";

/// All of them, in the order in which they are shown.
pub const RECIPES: [Recipe; 7] = [
    Recipe { name: "ntfy", text: include_str!("../../../assets/notices/ntfy.yaml") },
    Recipe { name: "telegram", text: include_str!("../../../assets/notices/telegram.yaml") },
    Recipe { name: "slack", text: include_str!("../../../assets/notices/slack.yaml") },
    Recipe { name: "discord", text: include_str!("../../../assets/notices/discord.yaml") },
    Recipe { name: "pushover", text: include_str!("../../../assets/notices/pushover.yaml") },
    Recipe { name: "sound", text: include_str!("../../../assets/notices/sound.yaml") },
    Recipe { name: "webhook", text: include_str!("../../../assets/notices/webhook.yaml") },
];

impl Recipe {
    /// The settings where this program is called so: by its path, where its name does not find it.
    #[must_use]
    pub fn with_program(&self, program: &str) -> String {
        if program == "tmux-orc" {
            return self.text.to_owned();
        }
        // JSON's quotes are YAML's.
        let word = serde_json::Value::from(program).to_string();
        self.text.replace(PROGRAM, &format!("[{word},"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_shows_each_as_it_is_printed() {
        let page = include_str!("../../../docs/notifications.md");
        for recipe in RECIPES {
            assert!(page.contains(&format!("```yaml\n{}```", recipe.text)), "docs/notifications.md: {}", recipe.name);
        }
    }

    #[test]
    fn a_program_that_is_not_found_by_its_name_is_called_by_its_path() {
        let text = RECIPES[0].with_program("/opt/my tools, \"new\"/tmux-orc");
        assert!(text.contains(r#"ntfy: ["/opt/my tools, \"new\"/tmux-orc", notify, send, ntfy]"#), "{text}");
        assert_eq!(RECIPES[0].with_program("tmux-orc"), RECIPES[0].text);
    }
}
