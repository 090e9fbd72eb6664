//! What an agent's own hooks tell: the pane option `@tmux_orc_hook`, and the events that are turned into it.
//!
//! The option's value is one line, `AGENT STATE KIND UNIX_MS`, with `-` for no kind:
//! `claude waiting permission 1795533994964`.

use jiff::Timestamp;

use crate::monitor::AgentState;

/// What a hook said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hook {
    /// The profile's name.
    pub agent: String,
    /// State.
    pub state: AgentState,
    /// Kind of the state.
    pub kind: Option<String>,
    /// When it was said.
    pub at: Timestamp,
}

impl Hook {
    /// Reads the option's value; `None` when it is empty or not of this form.
    #[must_use]
    pub fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let (agent, state, kind, at) = (words.next()?, words.next()?, words.next()?, words.next()?);
        Some(Self {
            agent: agent.to_owned(),
            state: state.parse().ok()?,
            kind: (kind != "-" && is_kind(kind)).then(|| kind.to_owned()),
            at: Timestamp::from_millisecond(at.parse().ok()?).ok()?,
        })
    }

    /// The option's value.
    #[must_use]
    pub fn value(&self) -> String {
        let kind = self.kind.as_deref().unwrap_or("-");
        format!("{} {} {kind} {}", self.agent, self.state, self.at.as_millisecond())
    }
}

/// Whether a word can be a kind: any program can set the option, and its words are shown.
fn is_kind(word: &str) -> bool {
    word.len() <= 24 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-' || b == b'_')
}

/// Turns Claude Code's hook JSON (on standard input of the hook's command) into the option's value.
///
/// `None` for an event that says nothing about the state, such as a late idle notice.
#[must_use]
pub fn from_claude_json(json: &str, now: Timestamp) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(json).ok()?;
    let text = |name: &str| event.get(name).and_then(serde_json::Value::as_str).unwrap_or_default();
    let (state, kind) = match text("hook_event_name") {
        "UserPromptSubmit" | "PreToolUse" | "PostToolUse" | "PostToolUseFailure" | "SubagentStart"
        | "PermissionDenied" => (AgentState::Working, None),
        "PreCompact" => (AgentState::Working, Some("compacting")),
        "PermissionRequest" if text("tool_name") == "AskUserQuestion" => (AgentState::Waiting, Some("question")),
        "PermissionRequest" => (AgentState::Waiting, Some("permission")),
        "Elicitation" => (AgentState::Waiting, Some("question")),
        // A notice may come late and about anything: only that of a permission is about a prompt that is open.
        "Notification" if text("notification_type") == "permission_prompt" => (AgentState::Waiting, Some("permission")),
        "Stop" | "SessionStart" => (AgentState::Idle, None),
        "StopFailure" => (AgentState::Error, None),
        "SessionEnd" => (AgentState::Exited, None),
        _ => return None,
    };
    // A subagent's end is not the turn's.
    if event.get("agent_id").is_some_and(|id| !id.is_null()) && state == AgentState::Idle {
        return None;
    }
    Some(Hook { agent: "claude".to_owned(), state, kind: kind.map(str::to_owned), at: now }.value())
}

/// Turns the JSON that Codex's `notify` program gets as its last argument into the option's value.
///
/// `None` for an event that is not the end of a turn of the user's.
#[must_use]
pub fn from_codex_notify(json: &str, now: Timestamp) -> Option<String> {
    let event: serde_json::Value = serde_json::from_str(json).ok()?;
    let (state, kind) = match event.get("type").and_then(serde_json::Value::as_str)? {
        "agent-turn-complete" => {
            // Codex has turns of its own (it makes titles): they carry no message of the user.
            let inputs = event.get("input-messages").or_else(|| event.get("input_messages"));
            if inputs.and_then(serde_json::Value::as_array).is_none_or(Vec::is_empty) {
                return None;
            }
            (AgentState::Idle, None)
        }
        "approval-requested" => (AgentState::Waiting, Some("permission")),
        "user-input-requested" => (AgentState::Waiting, Some("question")),
        _ => return None,
    };
    Some(Hook { agent: "codex".to_owned(), state, kind: kind.map(str::to_owned), at: now }.value())
}

/// The settings that make a program tell its state, for the user to paste; `None` for a program without hooks.
#[must_use]
pub fn snippet(agent: &str) -> Option<String> {
    match agent {
        "claude" => Some(claude_snippet()),
        "codex" => Some(
            "# Put this line into ~/.codex/config.toml, above the first [section].\nnotify = [\"tmux-orc\", \"hook\", \"codex\"]\n"
                .to_owned(),
        ),
        _ => None,
    }
}

/// What to know before they are pasted.
#[must_use]
pub fn notes(agent: &str) -> Option<&'static str> {
    (agent == "claude").then_some(
        "\
For ~/.claude/settings.json. `hooks` tell the state, `statusLine` tells context, cost and limits; either works alone.
A status line that you have already goes behind `--` and is shown as before; from \"command\": \"YOURS\" make
  \"command\": \"tmux-orc hook statusline -- sh -c 'YOURS'\"
(write each ' in it as '\\\\''). Kept for eight days, readable by you alone, in run/status-lines of ~/.tmux_orchestrator: the
session's id, version, model, size and fill of the context, cost, limits, time. No folder, no text of the conversation.
",
    )
}

fn claude_snippet() -> String {
    const EVENTS: [&str; 11] = [
        "SessionStart",
        "UserPromptSubmit",
        "PreToolUse",
        "PermissionRequest",
        "PostToolUse",
        "PostToolUseFailure",
        "Notification",
        "PreCompact",
        "Stop",
        "StopFailure",
        "SessionEnd",
    ];
    let call =
        serde_json::json!([{ "hooks": [{ "type": "command", "command": "tmux-orc hook claude", "timeout": 5 }] }]);
    let hooks: serde_json::Map<String, serde_json::Value> =
        EVENTS.iter().map(|event| ((*event).to_owned(), call.clone())).collect();
    let line = serde_json::json!({ "type": "command", "command": "tmux-orc hook statusline" });
    let settings = serde_json::json!({ "hooks": hooks, "statusLine": line });
    // Pretty printing of a value made here cannot fail; an empty text would be seen at once.
    let mut text = serde_json::to_string_pretty(&settings).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_millisecond(1_795_533_994_964).unwrap()
    }

    #[test]
    fn the_value_survives_the_way_through_the_option() {
        for text in ["claude waiting permission 1795533994964", "codex idle - 1795533994964"] {
            assert_eq!(Hook::parse(text).unwrap().value(), text);
        }
        for text in ["", "claude", "claude dancing - 1", "claude idle - soon", "claude idle - 999999999999999999"] {
            assert_eq!(Hook::parse(text), None, "{text}");
        }
    }

    #[test]
    fn claudes_events_become_states() {
        let is = |json: &str, value: Option<&str>| {
            let got = from_claude_json(json, now());
            assert_eq!(got.as_deref().map(|v| v.rsplit_once(' ').unwrap().0), value, "{json}");
        };
        is(r#"{"hook_event_name":"UserPromptSubmit"}"#, Some("claude working -"));
        is(r#"{"hook_event_name":"PermissionRequest","tool_name":"Bash"}"#, Some("claude waiting permission"));
        is(r#"{"hook_event_name":"PermissionRequest","tool_name":"AskUserQuestion"}"#, Some("claude waiting question"));
        is(
            r#"{"hook_event_name":"Notification","notification_type":"permission_prompt"}"#,
            Some("claude waiting permission"),
        );
        is(r#"{"hook_event_name":"Notification","notification_type":"idle_prompt"}"#, None);
        is(r#"{"hook_event_name":"Notification","message":"Claude needs your permission"}"#, None);
        is(r#"{"hook_event_name":"Stop"}"#, Some("claude idle -"));
        is(r#"{"hook_event_name":"SubagentStop"}"#, None);
        is("not json", None);
    }

    #[test]
    fn codexs_own_turns_are_not_the_users() {
        let users = r#"{"type":"agent-turn-complete","thread-id":"1","input-messages":["fix it"],"last-assistant-message":"Done"}"#;
        assert_eq!(from_codex_notify(users, now()).as_deref(), Some("codex idle - 1795533994964"));
        assert_eq!(from_codex_notify(r#"{"type":"agent-turn-complete","input-messages":[]}"#, now()), None);
        assert_eq!(from_codex_notify(r#"{"type":"something-else"}"#, now()), None);
    }

    #[test]
    fn snippets_are_what_the_programs_read() {
        let settings: serde_json::Value = serde_json::from_str(&snippet("claude").unwrap()).unwrap();
        assert_eq!(settings["hooks"]["Stop"][0]["hooks"][0]["command"], "tmux-orc hook claude");
        assert_eq!(settings["statusLine"]["command"], "tmux-orc hook statusline");
        assert!(notes("claude").unwrap().contains("tmux-orc hook statusline -- sh -c '") && notes("codex").is_none());
        assert!(snippet("codex").unwrap().contains("notify = ["));
        assert_eq!(snippet("aider"), None);
    }
}
