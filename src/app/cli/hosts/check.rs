//! `hosts check`: what is there of what a host needs, step by step, and the line for the settings. Edits nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::cli::hosts::{list, remote};
use crate::app::cli::{Context, Failure, Look};
use crate::app::settings::{HostSettings, Overrides, is_host_name};
use crate::monitor::link::connector::{PLACES, quoted};
use crate::monitor::link::{open, shared_way};
use crate::monitor::{Connector, HostConfig, LinkState, Links};

/// ssh itself gives up after ten seconds.
const WITHIN: Duration = Duration::from_secs(20);

/// Runs it.
pub(super) async fn run(destination: &str, context: &mut Context) -> Result<(), Failure> {
    if destination.starts_with('-') || destination.is_empty() || destination.contains(char::is_whitespace) {
        return Err(Failure::usage("expected a destination as ssh takes it, such as box or me@box"));
    }
    let hosts = context.load(&Overrides::new())?.settings.hosts;
    // What people call it comes before where it is: a log-in that they made for it counts then.
    let named = hosts.iter().find(|host| host.name == destination);
    let known = named.or_else(|| hosts.iter().find(|host| host.ssh.as_deref() == Some(destination)));
    let config = match known {
        Some(host) => HostConfig { read_only: true, ..host.config() },
        None => {
            let connector = Connector::Ssh { destination: destination.to_owned(), program: None };
            HostConfig { name: name_of(destination), connector, servers: vec!["all".to_owned()], read_only: true }
        }
    };
    let mut steps = Steps { context, missing: false };
    steps.all(&config, known).await?;
    let Steps { context, missing } = steps;
    if known.is_none() {
        context.out.line("")?;
        context.out.line("For the settings (`tmux-orc config show` tells which file):")?;
        context.out.line("hosts:")?;
        context.out.line(format!("  - {{ name: {}, ssh: {} }}", config.name, in_yaml(destination)))?;
    }
    context.out.flush()?;
    if missing { Err(Failure::check()) } else { Ok(()) }
}

/// What was looked at, a line each.
struct Steps<'c> {
    context: &'c mut Context,
    missing: bool,
}

impl Steps<'_> {
    /// All of them, up to the first without which there is no next.
    async fn all(&mut self, config: &HostConfig, known: Option<&HostSettings>) -> Result<(), Failure> {
        if let Connector::Ssh { destination, program } = &config.connector
            && !self.by_ssh(config, destination, program.as_deref(), known).await?
        {
            return Ok(());
        }
        let begun = Instant::now();
        let host = open(config.clone(), Links::new(Some(self.context.paths.run()), true));
        list::settle(&host, Instant::now() + WITHIN).await;
        let state = host.state().borrow().clone();
        if !state.is_up() {
            return self.bad("bridge", &format!("{}{}", said(&state), after(begun)));
        }
        let members = host.members().borrow().clone();
        let servers: Vec<&str> = members.iter().map(|member| member.server.as_str()).collect();
        let servers = if servers.is_empty() { "no tmux server now".to_owned() } else { servers.join(", ") };
        let rtt = host.rtt().map(|rtt| format!(", {} ms", rtt.as_millis())).unwrap_or_default();
        self.good("bridge", &format!("answers{rtt}: {servers}"))
    }

    /// The steps that one ssh answers. Says whether the bridge can be tried.
    async fn by_ssh(
        &mut self,
        config: &HostConfig,
        destination: &str,
        program: Option<&str>,
        known: Option<&HostSettings>,
    ) -> Result<bool, Failure> {
        let shared = shared_way(&self.context.paths.run(), &config.name);
        let begun = Instant::now();
        let answer = remote::run(destination, &shared, &ask(program), None, WITHIN).await;
        let output = match answer {
            Ok(output) => output,
            Err(failure) => {
                self.bad("ssh", &failure.to_string())?;
                return Ok(false);
            }
        };
        let text = String::from_utf8_lossy(&output.stdout);
        let one = |word: &str| remote::told(&text, word).next().filter(|value| !value.trim().is_empty());
        let Some(system) = one("system") else {
            let name = known.map(|host| host.name.as_str());
            self.bad("ssh", &format!("{}{}", remote::why(&output, name), after(begun)))?;
            return Ok(false);
        };
        self.good("ssh", &format!("connects{}", after(begun)))?;
        self.good("system", &system)?;
        match one("tmux") {
            Some(version) => self.good("tmux", &version)?,
            None => self.bad("tmux", "no tmux on the PATH there: install it")?,
        }
        let Some(version) = one("version") else {
            let place = program.map_or("in any of the usual places".to_owned(), |program| format!("at {program}"));
            let install = match known {
                Some(host) => format!("`tmux-orc hosts install {}` copies it", host.name),
                None => "`tmux-orc hosts install NAME` copies it, once the settings name the host".to_owned(),
            };
            self.bad("tmux-orc", &format!("not {place}: {install}"))?;
            return Ok(false);
        };
        self.good("tmux-orc", &format!("{version} ({})", one("program").unwrap_or_default()))?;
        Ok(true)
    }

    fn good(&mut self, what: &str, text: &str) -> Result<(), Failure> {
        let sign = self.context.out.paint(Look::Good, "ok");
        self.context.out.line(format!("{sign}       {what:<9} {text}"))
    }

    fn bad(&mut self, what: &str, text: &str) -> Result<(), Failure> {
        self.missing = true;
        let sign = self.context.out.paint(Look::Bad, "missing");
        self.context.out.line(format!("{sign}  {what:<9} {text}"))
    }
}

/// What is asked there. Each thing on a line of its own that begins with a word of ours: what a shell prints besides is told
/// from it. The last program that is found is where the bridge would be found first.
fn ask(program: Option<&str>) -> String {
    let places = program.map_or_else(|| PLACES.to_owned(), quoted);
    let script = format!(
        "echo system=$(uname -s) $(uname -m); echo tmux=$(tmux -V 2>/dev/null); for p in {places}; do \
         command -v \"$p\" >/dev/null && {{ echo program=$(command -v \"$p\"); echo version=$(\"$p\" --version 2>&1); break; }}; \
         done; exit 0"
    );
    format!("sh -c {}", crate::monitor::link::connector::in_quotes(&script))
}

/// How a bridge that does not answer is, in words.
fn said(state: &LinkState) -> String {
    if state.why().is_some() { state.to_string() } else { format!("{state}: nothing came") }
}

fn after(begun: Instant) -> String {
    format!(", {:.1} s", begun.elapsed().as_secs_f64())
}

/// A name for a host: the first part of its own.
fn name_of(destination: &str) -> String {
    let host = destination.rsplit('@').next().unwrap_or(destination).trim_start_matches("ssh://");
    let first: String = host.split(['.', ':', '/']).next().unwrap_or(host).chars().take(32).collect();
    // An address has no first part that tells anything.
    let name = if first.chars().all(|c| c.is_ascii_digit()) { host.to_owned() } else { first };
    if is_host_name(&name) { name } else { "box".to_owned() }
}

fn in_yaml(text: &str) -> String {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || "._-@".contains(c)) && !text.starts_with('@');
    if plain { text.to_owned() } else { serde_json::to_string(text).unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_called_by_the_first_part_of_its_name() {
        for (destination, name) in
            [("box", "box"), ("me@gpu1.example.com", "gpu1"), ("10.0.0.7", "10.0.0.7"), ("ssh://me@web:2222", "web")]
        {
            assert_eq!(name_of(destination), name);
        }
        assert_eq!(name_of("ssh://[::1]:22"), "box");
        assert_eq!((in_yaml("me@box").as_str(), in_yaml("ssh://box:22").as_str()), ("me@box", "\"ssh://box:22\""));
    }

    /// Both shells read it as it is meant, whatever the program is called.
    #[test]
    fn a_program_of_the_settings_is_asked_for_alone() {
        let outer = shlex::split(&ask(Some("~/my orc"))).unwrap();
        assert_eq!((outer.len(), outer[0].as_str(), outer[1].as_str()), (3, "sh", "-c"));
        assert!(outer[2].contains("for p in ~/'my orc'; do "), "{}", outer[2]);
        assert!(shlex::split(&ask(None)).unwrap()[2].contains("for p in tmux-orc ~/.local/bin/tmux-orc "));
    }
}
