//! From a host of the settings to the words of the program that joins us to the bridge there. Pure.

use std::path::{Path, PathBuf};

/// A host of the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostConfig {
    /// What people call it.
    pub name: String,
    /// How it is reached.
    pub connector: Connector,
    /// Which tmux servers there: names, or `all`; none: the usual one.
    pub servers: Vec<String>,
    /// Nothing is ever typed into a pane there.
    pub read_only: bool,
}

/// How a host is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Connector {
    /// By ssh.
    Ssh {
        /// A destination as ssh takes it.
        destination: String,
        /// Where tmux-orc is there; `None`: looked for in the usual places.
        program: Option<String>,
    },
    /// By any program whose standard input and output is the stream.
    Command(Vec<String>),
}

/// Whose connection ssh may use that is there already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Shared {
    /// That of the user's own configuration.
    #[default]
    Configured,
    /// That of `hosts login`: its socket.
    Login(PathBuf),
    /// None: one that hangs would hang us too.
    Never,
}

/// Options of every ssh, each with its reason.
pub(crate) const SSH_OPTIONS: &[(&[&str], &str)] = &[
    (&["-T"], "no terminal there: the stream carries lines"),
    (&["-a"], "the host gets no agent of ours"),
    (&["-x"], "and no display"),
    (&["-o", "BatchMode=yes"], "nobody sits at this one's terminal: it never asks, it fails and says why"),
    (&["-o", "ConnectTimeout=10"], "a host that is off is known after seconds, not minutes"),
    (&["-o", "ServerAliveInterval=5"], "a dead connection is found out though nothing is sent"),
    (&["-o", "ServerAliveCountMax=3"], "after 15 seconds"),
    (&["-o", "Compression=yes"], "snapshots are a tenth of their size then"),
    (&["-o", "ClearAllForwardings=yes"], "a second ssh with the user's LocalForward would fail"),
    (&["-o", "RemoteCommand=none"], "the user's own would run instead of ours"),
    (&["-o", "PermitLocalCommand=no"], "nothing is run here because of a connection that the user did not ask for"),
    (&["-o", "ControlMaster=no"], "a running master is used, none is left behind"),
];

/// Where tmux-orc is looked for on a host. A shell that is not interactive often lacks these in its PATH.
const PLACES: &str = "tmux-orc ~/.local/bin/tmux-orc ~/.cargo/bin/tmux-orc /usr/local/bin/tmux-orc";

impl HostConfig {
    /// The program and its arguments. `read_only`: whatever the host's own settings say.
    #[must_use]
    pub fn argv(&self, shared: &Shared, read_only: bool) -> Vec<String> {
        let mut options: Vec<String> = Vec::new();
        if read_only || self.read_only {
            options.push("--read-only".to_owned());
        }
        options.extend(self.servers.iter().flat_map(|server| ["--server".to_owned(), server.clone()]));
        match &self.connector {
            Connector::Command(words) => {
                let mut words = words.clone();
                // Others would not know what the options mean.
                if words.last().is_some_and(|word| word == "bridge") {
                    words.extend(options);
                }
                words
            }
            Connector::Ssh { destination, program } => {
                let options: String = options.iter().map(|word| format!(" {}", quoted(word))).collect();
                let command = match program {
                    Some(program) => format!("{} bridge{options}", quoted(program)),
                    None => {
                        let look = format!(
                            "for p in {PLACES}; do command -v $p >/dev/null && exec $p bridge{options}; done; exit 127"
                        );
                        format!("sh -c {}", in_quotes(&look))
                    }
                };
                let mut words = ssh_words(shared);
                words.extend(["--".to_owned(), destination.clone(), command]);
                words
            }
        }
    }
}

/// `ssh` and its options, up to the destination.
#[must_use]
pub(crate) fn ssh_words(shared: &Shared) -> Vec<String> {
    let mut words = vec!["ssh".to_owned()];
    words.extend(SSH_OPTIONS.iter().flat_map(|(option, _)| option.iter().map(|word| (*word).to_owned())));
    match shared {
        Shared::Configured => {}
        Shared::Login(socket) => words.extend(["-o".to_owned(), format!("ControlPath={}", in_control_path(socket))]),
        Shared::Never => words.extend(["-o".to_owned(), "ControlPath=none".to_owned()]),
    }
    words
}

/// A path as ssh reads it: `%` has a meaning there.
#[must_use]
pub(crate) fn in_control_path(socket: &Path) -> String {
    socket.display().to_string().replace('%', "%%")
}

/// A word for the shell of the other end, which is any: as it is where no shell makes anything of it. `~` at its start is
/// meant for the shell.
#[must_use]
pub(crate) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+,%".contains(c);
    let (home, rest) = match word.strip_prefix("~/") {
        Some(rest) => ("~/", rest),
        None => ("", word),
    };
    if !rest.is_empty() && rest.chars().all(plain) { word.to_owned() } else { format!("{home}{}", in_quotes(rest)) }
}

/// In single quotes, which every shell reads alike.
fn in_quotes(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(connector: Connector) -> HostConfig {
        HostConfig { name: "box".to_owned(), connector, servers: Vec::new(), read_only: false }
    }

    fn by_ssh(program: Option<&str>) -> HostConfig {
        host(Connector::Ssh { destination: "me@box".to_owned(), program: program.map(str::to_owned) })
    }

    /// Every option has its reason, and the whole is what was measured.
    #[test]
    fn the_words_of_ssh_are_these() {
        assert!(SSH_OPTIONS.iter().all(|(option, reason)| !option.is_empty() && reason.len() > 10));
        let words = by_ssh(None).argv(&Shared::Configured, false);
        let golden = [
            "ssh",
            "-T",
            "-a",
            "-x",
            "-o",
            "BatchMode=yes",
            "-o",
            "ConnectTimeout=10",
            "-o",
            "ServerAliveInterval=5",
            "-o",
            "ServerAliveCountMax=3",
            "-o",
            "Compression=yes",
            "-o",
            "ClearAllForwardings=yes",
            "-o",
            "RemoteCommand=none",
            "-o",
            "PermitLocalCommand=no",
            "-o",
            "ControlMaster=no",
            "--",
            "me@box",
            "sh -c 'for p in tmux-orc ~/.local/bin/tmux-orc ~/.cargo/bin/tmux-orc /usr/local/bin/tmux-orc; do \
             command -v $p >/dev/null && exec $p bridge; done; exit 127'",
        ];
        assert_eq!(words, golden);
        let all = words.join(" ");
        for never in ["StrictHostKeyChecking", "UserKnownHostsFile", "ControlPath", "ControlPersist", "-tt"] {
            assert!(!all.contains(never), "{never}: a host's key is the user's to judge, a master the user's to start");
        }
    }

    #[test]
    fn a_master_is_used_that_hosts_login_made_and_none_after_a_hang() {
        let with = |shared: &Shared| by_ssh(Some("~/bin/tmux-orc")).argv(shared, false).join(" ");
        assert!(
            with(&Shared::Login("/run/ssh-box".into()))
                .contains("-o ControlPath=/run/ssh-box -- me@box ~/bin/tmux-orc bridge")
        );
        assert!(with(&Shared::Never).contains("-o ControlPath=none -- me@box ~/bin/tmux-orc bridge"));
    }

    #[test]
    fn servers_and_read_only_go_to_the_bridge_and_no_shell_makes_anything_of_them() {
        let servers = vec!["all".to_owned(), "it's; rm -rf $HOME".to_owned()];
        let named = HostConfig { servers, read_only: true, ..by_ssh(Some("/opt/tmux orc")) };
        let command = named.argv(&Shared::Configured, false).pop().unwrap();
        assert_eq!(command, r"'/opt/tmux orc' bridge --read-only --server all --server 'it'\''s; rm -rf $HOME'");
        let looked_for = HostConfig { connector: by_ssh(None).connector, ..named };
        let command = looked_for.argv(&Shared::Configured, false).pop().unwrap();
        // What a shell makes of it, twice: the login shell's words, then those of the script.
        let outer = shlex::split(&command).unwrap();
        assert_eq!(outer[..2], ["sh", "-c"]);
        let script = shlex::split(&outer[2]).unwrap();
        assert!(script.contains(&"it's; rm -rf $HOME;".to_owned()), "{script:?}");
        let docker = ["docker", "exec", "-i", "web", "tmux-orc", "bridge"].map(str::to_owned).to_vec();
        let words = host(Connector::Command(docker)).argv(&Shared::Never, true);
        assert_eq!(words[5..], ["bridge", "--read-only"]);
        let other = host(Connector::Command(vec!["sh".to_owned(), "-c".to_owned(), "x".to_owned()]));
        assert_eq!(other.argv(&Shared::Never, true), ["sh", "-c", "x"]);
    }
}
