//! A terminal to run the dashboard in and read it back: the pane of a tmux server of its own.

use super::{PATIENCE, Program, TmuxServer, Watched, wait_for};

/// A terminal of a given size that runs one program. It stays open after the program ended, so that what is left
/// on the screen can be looked at.
pub struct Terminal {
    host: TmuxServer,
}

impl Terminal {
    /// Runs `tmux-orc -S <watched> <args>` in a new terminal of `width` x `height` cells. The shell that started it
    /// prints `ended: <exit code>` when it is over.
    #[must_use]
    pub fn open<W: Watched + ?Sized>(watched: &W, args: &[&str], width: u16, height: u16) -> Self {
        Self::open_with(watched, args, width, height, &[])
    }

    /// [`Terminal::open`] with more variables in the program's environment.
    #[must_use]
    pub fn open_with<W: Watched + ?Sized>(
        watched: &W,
        args: &[&str],
        width: u16,
        height: u16,
        variables: &[(&str, &str)],
    ) -> Self {
        let mut words = vec![Program::PATH, "-S", watched.socket().to_str().expect("a plain path")];
        words.extend(args);
        Self::run(watched, &words, width, height, variables)
    }

    /// [`Terminal::open_with`] for any program, given with its arguments.
    #[must_use]
    pub fn run<W: Watched + ?Sized>(
        watched: &W,
        program: &[&str],
        width: u16,
        height: u16,
        variables: &[(&str, &str)],
    ) -> Self {
        let host = TmuxServer::absent();
        let mut words: Vec<String> = vec!["env".into(), "-u".into(), "TMUX".into(), "-u".into(), "TMUX_PANE".into()];
        words.push(format!("HOME={}", watched.home().display()));
        words.push(format!("TMUX_TMPDIR={}", watched.home().display()));
        words.push(format!("TMUX_ORC_HOME={}", watched.home().join("orc").display()));
        words.extend(variables.iter().map(|(name, value)| format!("{name}={value}")));
        words.extend(program.iter().map(ToString::to_string));
        let line: Vec<String> = words.iter().map(|word| quote(word)).collect();
        let script = format!("{}; echo \"ended: $?\"; exec sh", line.join(" "));
        let (width, height) = (width.to_string(), height.to_string());
        host.run(&["new-session", "-d", "-s", "term", "-x", &width, "-y", &height, &script]);
        host.run(&["set-option", "-g", "window-size", "manual"]);
        Self { host }
    }

    /// What it shows now.
    #[track_caller]
    #[must_use]
    pub fn screen(&self) -> String {
        self.host.screen("term:0.0")
    }

    /// A tmux format, as it is for the terminal.
    #[track_caller]
    #[must_use]
    pub fn format(&self, format: &str) -> String {
        self.host.run(&["display-message", "-p", "-t", "term:0.0", format])
    }

    /// Waits until the screen satisfies `condition`, and returns that screen.
    #[track_caller]
    pub fn wait(&self, what: &str, condition: impl Fn(&str) -> bool) -> String {
        self.host.wait_screen("term:0.0", what, condition)
    }

    /// Waits until the screen holds `text`, and returns that screen.
    #[track_caller]
    pub fn wait_text(&self, text: &str) -> String {
        self.wait(&format!("'{text}'"), |screen| screen.contains(text))
    }

    /// Presses keys, by tmux's names.
    #[track_caller]
    pub fn keys(&self, keys: &[&str]) {
        self.host.keys("term:0.0", keys);
    }

    /// Gives it another size.
    pub fn resize(&self, width: u16, height: u16) {
        self.host.run(&["resize-window", "-t", "term:0", "-x", &width.to_string(), "-y", &height.to_string()]);
    }

    /// Process id of the program (the child of the terminal's shell).
    ///
    /// # Panics
    /// When it does not run.
    #[track_caller]
    #[must_use]
    pub fn pid(&self) -> u32 {
        let shell = self.format("#{pane_pid}");
        super::wait_some("the program's process", PATIENCE, || child_of(&shell))
    }

    /// Waits for the program's end and returns its exit code.
    #[track_caller]
    #[must_use]
    pub fn ended(&self) -> i32 {
        let screen = self.wait_text("ended: ");
        let code = screen.rsplit("ended: ").next().and_then(|rest| rest.lines().next()).unwrap_or_default();
        code.trim().parse().unwrap_or_else(|_| panic!("no exit code in\n{screen}"))
    }

    /// Whether the terminal is as a shell wants it: main screen, cursor shown, no mouse mode, echo on.
    #[must_use]
    pub fn is_restored(&self) -> bool {
        let flags =
            "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{mouse_sgr_flag} #{keypad_flag} #{keypad_cursor_flag}";
        self.format(flags).starts_with("0 1 0 0")
    }

    /// Closes the terminal under the program, as closing its window does.
    pub fn close(&self) {
        let pid = self.pid();
        self.host.run(&["kill-server"]);
        wait_for("the program's end after its terminal was closed", PATIENCE, || !super::alive(pid));
    }
}

/// The first child of a process.
fn child_of(parent: &str) -> Option<u32> {
    let out = std::process::Command::new("ps").args(["-A", "-o", "pid=,ppid="]).output().ok()?;
    String::from_utf8_lossy(&out.stdout).lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let pid = fields.next()?;
        (fields.next()? == parent).then(|| pid.parse().ok())?
    })
}

/// A word that a POSIX shell reads back as it was.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

impl Drop for Terminal {
    /// Ends the program with its terminal and waits for that: what it writes last must not come after the end of the
    /// test's directory.
    fn drop(&mut self) {
        let shell = self.host.try_run(&["display-message", "-p", "-t", "term:0.0", "#{pane_pid}"]);
        let program = child_of(String::from_utf8_lossy(&shell.stdout).trim());
        let _ = self.host.try_run(&["kill-server"]);
        let start = std::time::Instant::now();
        while let Some(pid) = program.filter(|pid| super::alive(*pid)) {
            if start.elapsed() > PATIENCE {
                super::signal(pid, rustix::process::Signal::KILL);
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
