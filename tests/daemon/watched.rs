//! A private tmux server that an engine in the background watches.

use std::fs;

use tmux_orc::monitor::{Client, Command, EnginePaths};

use super::support::TmuxServer;

/// A private server whose engine is stopped at the end, also by a panic.
pub struct Watched {
    pub server: TmuxServer,
}

impl Watched {
    pub fn new() -> Self {
        Self::on(TmuxServer::start())
    }

    pub fn on(server: TmuxServer) -> Self {
        Self { server }
    }

    /// Exit code, standard output, standard error.
    pub fn orc(&self, args: &[&str]) -> (i32, String, String) {
        self.with(args, &[])
    }

    pub fn with(&self, args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
        let program = variables.iter().fold(self.server.orc(args), |program, (name, value)| program.env(name, value));
        let output = program.output();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
    }

    pub fn status(&self) -> serde_json::Value {
        let (code, stdout, stderr) = self.orc(&["status", "--json"]);
        assert_eq!(code, 0, "{stderr}");
        serde_json::from_str(&stdout).expect("JSON")
    }

    pub fn pid(&self) -> u32 {
        u32::try_from(self.status()["engine"]["pid"].as_u64().expect("a pid")).expect("a pid")
    }

    /// Gives the engine a command and waits until it took effect.
    pub fn tell(&self, command: Command) {
        let paths = EnginePaths::new(&self.server.home().join("orc/run"), self.server.socket());
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let mut client = Client::connect(&paths, false).await.expect("an engine");
            client.command(&command).await.expect("confirmed");
        });
    }

    /// The events in the journal, as JSON.
    pub fn events(&self) -> Vec<serde_json::Value> {
        let (_, stdout, _) = self.orc(&["events", "--json"]);
        stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    pub fn config(&self, text: &str) {
        let dir = self.server.home().join("orc");
        fs::create_dir_all(&dir).expect("made");
        fs::write(dir.join("config.yaml"), text).expect("written");
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let _ = self.orc(&["monitor", "stop"]);
    }
}
