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
pub(crate) const PLACES: &str = "tmux-orc ~/.local/bin/tmux-orc ~/.cargo/bin/tmux-orc /usr/local/bin/tmux-orc";

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
                let mut words = ssh_words(shared);
                let command = command(program.as_deref(), &format!("bridge{options}"));
                words.extend(["--".to_owned(), destination.clone(), command]);
                words
            }
        }
    }

    /// The program and its arguments by which a command line of tmux-orc runs there, of which these are the words, with its
    /// output in a pipe. `None`: what joins us to that host runs a bridge and nothing else.
    #[must_use]
    pub(crate) fn verb_argv(&self, shared: &Shared, verb: &[String]) -> Option<Vec<String>> {
        match &self.connector {
            Connector::Command(words) => {
                let (_, way) = words.split_last().filter(|(last, way)| *last == "bridge" && !way.is_empty())?;
                Some(way.iter().chain(verb).cloned().collect())
            }
            Connector::Ssh { destination, program } => {
                let mut words = ssh_words(shared);
                let command = command(program.as_deref(), &literally(verb));
                words.extend(["--".to_owned(), destination.clone(), command]);
                Some(words)
            }
        }
    }

    /// The same on a terminal, for the person who sits at it. `None`: it is not reached by ssh.
    #[must_use]
    pub(crate) fn terminal_argv(&self, shared: &Shared, verb: &[String]) -> Option<Vec<String>> {
        let Connector::Ssh { destination, program } = &self.connector else { return None };
        // Who sits there can be asked, and wants a terminal there too.
        let not_there =
            |words: &[String]| matches!(words, [one] if one == "-T") || words.contains(&"BatchMode=yes".into());
        let all = ssh_words(shared);
        let mut words = vec!["ssh".to_owned(), "-t".to_owned()];
        let mut rest = &all[1..];
        while let Some(first) = rest.first() {
            let (option, after) = rest.split_at(if first == "-o" { 2.min(rest.len()) } else { 1 });
            if !not_there(option) {
                words.extend_from_slice(option);
            }
            rest = after;
        }
        words.extend(["--".to_owned(), destination.clone(), command(program.as_deref(), &literally(verb))]);
        Some(words)
    }
}

/// What the shell there runs: the program with these words, which are quoted already.
fn command(program: Option<&str>, words: &str) -> String {
    match program {
        Some(program) => format!("{} {words}", quoted(program)),
        None => {
            let look = format!("for p in {PLACES}; do command -v $p >/dev/null && exec $p {words}; done; exit 127");
            format!("sh -c {}", in_quotes(&look))
        }
    }
}

/// Words of which no shell makes anything, not even of `~`.
fn literally(words: &[String]) -> String {
    let one = |word: &String| if word.starts_with('~') { in_quotes(word) } else { quoted(word) };
    words.iter().map(one).collect::<Vec<_>>().join(" ")
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
pub(crate) fn in_quotes(text: &str) -> String {
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
    fn any_verb_runs_there_in_place_of_the_bridge() {
        let verb = ["why", "it's; $x", "~/x", "--json"].map(str::to_owned);
        let words = by_ssh(Some("~/bin/tmux-orc")).verb_argv(&Shared::Configured, &verb).unwrap();
        let bridge = by_ssh(Some("~/bin/tmux-orc")).argv(&Shared::Configured, false);
        assert_eq!(words[..words.len() - 1], bridge[..bridge.len() - 1], "reached in the same way");
        assert_eq!(words.last().unwrap(), r"~/bin/tmux-orc why 'it'\''s; $x' '~/x' --json");
        // Where it is looked for, the words come through both shells as they are.
        let words = by_ssh(None).verb_argv(&Shared::Configured, &verb).unwrap();
        let outer = shlex::split(words.last().unwrap()).unwrap();
        let script = shlex::split(&outer[2]).unwrap();
        let at = script.iter().position(|word| word == "why").unwrap();
        assert_eq!(script[at - 2..at + 4], ["exec", "$p", "why", "it's; $x", "~/x", "--json;"]);
        let docker = ["docker", "exec", "-i", "web", "tmux-orc", "bridge"].map(str::to_owned).to_vec();
        let words = host(Connector::Command(docker)).verb_argv(&Shared::Never, &verb).unwrap();
        assert_eq!(words[..5], ["docker", "exec", "-i", "web", "tmux-orc"]);
        assert_eq!(words[5..], verb);
        for other in [&["sh", "-c", "x"][..], &["bridge"]] {
            let other = host(Connector::Command(other.iter().map(|word| (*word).to_owned()).collect()));
            assert_eq!(other.verb_argv(&Shared::Never, &verb), None);
        }
    }

    #[test]
    fn on_a_terminal_a_person_can_be_asked() {
        let verb = ["jump", "%14"].map(str::to_owned);
        let words = by_ssh(Some("/opt/tmux-orc")).terminal_argv(&Shared::Login("/run/ssh-box".into()), &verb).unwrap();
        let golden = "ssh -t -a -x -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3 -o Compression=yes \
                      -o ClearAllForwardings=yes -o RemoteCommand=none -o PermitLocalCommand=no -o ControlMaster=no \
                      -o ControlPath=/run/ssh-box -- me@box /opt/tmux-orc jump %14";
        assert_eq!(words.join(" "), golden);
        let docker = ["docker", "exec", "-i", "web", "tmux-orc", "bridge"].map(str::to_owned).to_vec();
        assert_eq!(host(Connector::Command(docker)).terminal_argv(&Shared::Never, &verb), None);
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
