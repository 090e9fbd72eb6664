//! One tmux command as an argument list, and the builders for all that we ask or do.

use crate::tmux::request::format;
use crate::tmux::{Features, Fields, PaneId};

/// A tmux command: an argument list, never a shell string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    argv: Vec<String>,
    pane: Option<PaneId>,
}

impl Command {
    /// A command from its name; arguments are added with [`Command::arg`].
    ///
    /// In a request of several commands, a name or a flag that the server does not know spoils the request: tmux reads
    /// it whole before it starts (cmd-parse.y, `cmd_parse_from_string`). It is then asked again one by one, which is right but slow.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { argv: vec![name.into()], pane: None }
    }

    /// Adds one argument. Any text is fine; a NUL byte, which no argument can hold, is dropped.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        let mut argument: String = argument.into();
        argument.retain(|c| c != '\0');
        self.argv.push(argument);
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<'a>(self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        arguments.into_iter().fold(self, Self::arg)
    }

    /// Adds `-t %id`.
    #[must_use]
    pub fn target(mut self, pane: PaneId) -> Self {
        self.pane = Some(pane);
        self.arg("-t").arg(pane.to_string())
    }

    /// Name and arguments.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// The pane it names with [`Command::target`].
    #[must_use]
    pub fn pane(&self) -> Option<PaneId> {
        self.pane
    }

    /// It only reads: asked twice it changes nothing.
    #[must_use]
    pub(crate) fn only_reads(&self) -> bool {
        let prints = || self.argv.iter().any(|argument| argument == "-p");
        match self.argv[0].as_str() {
            "list-panes" | "list-clients" | "list-sessions" | "list-windows" => true,
            "capture-pane" | "display-message" => prints(),
            _ => false,
        }
    }

    // What watching asks. None of these changes anything in the server.

    /// The light probe: the pulse of every pane of the server. Read it with [`crate::tmux::parse_pulses`].
    #[must_use]
    pub fn list_pulses(features: Features) -> Self {
        Self::new("list-panes").args(["-a", "-F", &format::pulse(features, false)])
    }

    /// The same with [`crate::tmux::Pulse::place`], 40 % more expensive.
    #[must_use]
    pub fn list_pulses_and_places(features: Features) -> Self {
        Self::new("list-panes").args(["-a", "-F", &format::pulse(features, true)])
    }

    /// The pulses of the panes that wrote (see [`crate::tmux::Pulse::activity`]) in second `since` (Unix) or later.
    #[must_use]
    pub fn list_pulses_since(features: Features, since: i64) -> Self {
        let filter = format!("#{{e|>=:#{{{}}},{since}}}", format::activity(features));
        Self::new("list-panes").args(["-a", "-f", &filter, "-F", &format::pulse(features, false)])
    }

    /// What tmux tells of every pane. Read it with [`crate::tmux::parse_panes`]. Built anew for each request: what
    /// separates the fields is random, and a pane may see it in the server's message log once it was used.
    #[must_use]
    pub fn list_panes(features: Features, fields: Fields) -> Self {
        Self::new("list-panes").args(["-a", "-F", &format::pane(features, fields)])
    }

    /// What tmux tells of one pane, as [`Command::list_panes`].
    #[must_use]
    pub fn pane_details(features: Features, pane: PaneId, fields: Fields) -> Self {
        // Not `display-message`, which prints empty fields for a pane that is gone instead of failing: its target may be
        // missing (cmd-display-message.c, `CMD_FIND_CANFAIL`).
        let filter = format!("#{{==:#{{pane_id}},{pane}}}");
        Self::new("list-panes").target(pane).args(["-f", &filter, "-F", &format::pane(features, fields)])
    }

    /// As [`Command::pane_details`], with every place of the pane: more expensive, since the server goes through all panes for it.
    /// A pane that is gone gives an empty output.
    #[must_use]
    pub fn pane_and_places(features: Features, pane: PaneId, fields: Fields) -> Self {
        let filter = format!("#{{==:#{{pane_id}},{pane}}}");
        Self::new("list-panes").args(["-a", "-f", &filter, "-F", &format::pane(features, fields)])
    }

    /// The pane's screen, exactly its height in rows, with SGR colours if asked for. Read it with [`crate::tmux::Screen`].
    #[must_use]
    pub fn capture(pane: PaneId, colours: bool) -> Self {
        let command = Self::new("capture-pane").arg("-p");
        if colours { command.arg("-e") } else { command }.target(pane)
    }

    /// Every client, a line each: `session_id`, `client_activity`, `client_control_mode` (0 or 1) and `client_name`, with
    /// spaces between: the name is last, since it may have spaces.
    #[must_use]
    pub fn list_clients() -> Self {
        Self::new("list-clients").args(["-F", "#{session_id} #{client_activity} #{client_control_mode} #{client_name}"])
    }

    // What the user asks for with a key.

    /// Takes a client (as `list-clients` names it) to the pane: its session, window and the pane itself.
    #[must_use]
    pub fn switch_client(client: &str, pane: PaneId) -> Self {
        Self::new("switch-client").args(["-c", client]).target(pane)
    }

    /// Makes the pane the active one of its window.
    #[must_use]
    pub fn select_pane(pane: PaneId) -> Self {
        Self::new("select-pane").target(pane)
    }

    /// Makes the pane's window the active one of its session.
    #[must_use]
    pub fn select_window(pane: PaneId) -> Self {
        Self::new("select-window").target(pane)
    }

    /// Presses keys, by tmux's names (`Enter`, `Down`, `y`).
    #[must_use]
    pub fn send_keys(pane: PaneId, keys: &[String]) -> Self {
        let command = Self::new("send-keys").target(pane).arg("--");
        keys.iter().fold(command, |command, key| command.arg(key.as_str()))
    }

    /// Types text as it is, key by key.
    #[must_use]
    pub fn send_text(pane: PaneId, text: &str) -> Self {
        Self::new("send-keys").arg("-l").target(pane).args(["--", text])
    }

    /// Pastes text as one bracketed paste, in two commands to be sent in one request. `buffer` is a name nobody else
    /// uses; the buffer is gone afterwards.
    #[must_use]
    pub fn paste(pane: PaneId, text: &str, buffer: &str) -> [Self; 2] {
        [
            Self::new("set-buffer").args(["-b", buffer, "--", text]),
            Self::new("paste-buffer").args(["-p", "-d", "-b", buffer]).target(pane),
        ]
    }

    /// The same with the ends of lines as they are: to a program that asked for no brackets each is Ctrl-J, not Enter.
    #[must_use]
    pub fn paste_lines(pane: PaneId, text: &str, buffer: &str) -> [Self; 2] {
        [
            Self::new("set-buffer").args(["-b", buffer, "--", text]),
            Self::new("paste-buffer").args(["-p", "-r", "-d", "-b", buffer]).target(pane),
        ]
    }

    /// Prints a format for a pane.
    #[must_use]
    pub fn print(pane: PaneId, format: &str) -> Self {
        Self::new("display-message").arg("-p").target(pane).arg(format)
    }

    /// Shows a message in a client's status line for five seconds: tmux's own `display-time` is 0.75 s, which nobody
    /// reads who looks elsewhere. `-d` is there from tmux 3.2 on (its CHANGES).
    #[must_use]
    pub fn display_message(client: &str, text: &str) -> Self {
        // Not expanded twice: a `#` of the text would start a format, a `%` a date.
        let text = text.replace('#', "##").replace('%', "%%");
        Self::new("display-message").args(["-d", "5000", "-c", client, "--", &text])
    }

    /// As one line of `source-file`: every argument quoted.
    pub(crate) fn push_line(&self, line: &mut String) {
        for (index, argument) in self.argv.iter().enumerate() {
            if index > 0 {
                line.push(' ');
            }
            push_quoted(line, argument);
        }
    }

    /// As arguments of a tmux process: a `;` at an argument's end would end the command there.
    pub(crate) fn process_args(&self) -> impl Iterator<Item = String> {
        self.argv.iter().map(|argument| match argument.strip_suffix(';') {
            Some(start) => format!("{start}\\;"),
            None => argument.clone(),
        })
    }
}

/// Quotes one argument for a line that tmux's own parser reads: its grammar is not a shell's (tmux(1), "PARSING SYNTAX"),
/// so a library for shells would quote too little.
fn push_quoted(line: &mut String, argument: &str) {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'/' | b'.' | b':' | b'@' | b'+');
    if !argument.is_empty() && argument.bytes().all(plain) {
        line.push_str(argument);
        return;
    }
    if !argument.bytes().any(|b| b < 0x20 || b == 0x7f || b == b'\'') {
        line.push('\'');
        line.push_str(argument);
        line.push('\'');
        return;
    }
    line.push('"');
    for c in argument.chars() {
        match c {
            '"' | '\\' | '$' | '~' => {
                line.push('\\');
                line.push(c);
            }
            c if c.is_ascii_control() => line.push_str(&format!("\\{:03o}", c as u32)),
            c => line.push(c),
        }
    }
    line.push('"');
}
