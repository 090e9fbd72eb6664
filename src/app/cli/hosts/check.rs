//! `hosts check`: what is there of what a host needs, and the line for the settings. Edits nothing.

use std::time::Duration;

use tokio::time::Instant;

use crate::app::cli::hosts::{list, remote};
use crate::app::cli::{Context, Failure, Look};
use crate::app::settings::is_host_name;
use crate::monitor::link::connector::Shared;
use crate::monitor::link::open;
use crate::monitor::{Connector, HostConfig, LinkState, Links};

/// ssh itself gives up after ten seconds.
const WITHIN: Duration = Duration::from_secs(20);

/// Each thing on a line of its own that begins with a word of ours: what a shell prints besides is told from it. The last
/// program that is found is where the bridge would be found first.
const ASK: &str = "sh -c 'echo system=$(uname -s) $(uname -m); echo tmux=$(tmux -V 2>/dev/null); \
    for p in tmux-orc ~/.local/bin/tmux-orc ~/.cargo/bin/tmux-orc /usr/local/bin/tmux-orc; do \
    command -v $p >/dev/null && { echo program=$(command -v $p); echo version=$($p --version 2>&1); break; }; done; exit 0'";

/// Runs it.
pub(super) async fn run(destination: &str, context: &mut Context) -> Result<(), Failure> {
    if destination.starts_with('-') || destination.is_empty() || destination.contains(char::is_whitespace) {
        return Err(Failure::usage("expected a destination as ssh takes it, such as box or me@box"));
    }
    let begun = Instant::now();
    let output = remote::run(destination, &Shared::Configured, ASK, None, WITHIN).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let one = |word: &str| remote::told(&said, word).next().filter(|value| !value.trim().is_empty());
    let Some(system) = one("system") else {
        return Err(Failure::failed(format!("{destination}: {}", remote::why(&output))));
    };
    let good = |context: &mut Context, what: &str, text: &str| {
        let sign = context.out.paint(Look::Good, "ok");
        context.out.line(format!("{sign}       {what:<9} {text}"))
    };
    good(context, "ssh", &format!("connects, {:.1} s", begun.elapsed().as_secs_f64()))?;
    good(context, "system", &system)?;
    let mut missing = false;
    let mut bad = |context: &mut Context, what: &str, text: &str| {
        missing = true;
        let sign = context.out.paint(Look::Bad, "missing");
        context.out.line(format!("{sign}  {what:<9} {text}"))
    };
    match one("tmux") {
        Some(version) => good(context, "tmux", &version)?,
        None => bad(context, "tmux", "no tmux on the PATH there: install it")?,
    }
    let name = name_of(destination);
    match one("version") {
        Some(version) => {
            let place = one("program").unwrap_or_default();
            good(context, "tmux-orc", &format!("{version} ({place})"))?;
            let connector = Connector::Ssh { destination: destination.to_owned(), program: None };
            let config = HostConfig { name: name.clone(), connector, servers: vec!["all".to_owned()], read_only: true };
            let host = open(config, Links::new(None, true));
            list::settle(&host, Instant::now() + WITHIN).await;
            let state = host.state().borrow().clone();
            match state {
                LinkState::Up { .. } | LinkState::Late { .. } => {
                    let members = host.members().borrow().clone();
                    let servers: Vec<&str> = members.iter().map(|member| member.server.as_str()).collect();
                    let rtt = host.rtt().map(|rtt| format!("{} ms", rtt.as_millis())).unwrap_or_default();
                    let servers = if servers.is_empty() { "no tmux server now".to_owned() } else { servers.join(", ") };
                    good(context, "bridge", &format!("answers, {rtt}: {servers}"))?;
                }
                other => bad(context, "bridge", &other.to_string())?,
            }
        }
        None => bad(context, "tmux-orc", "not in any of the usual places: `tmux-orc hosts install` copies it")?,
    }
    context.out.line("")?;
    context.out.line("For the settings (`tmux-orc config show` tells which file):")?;
    context.out.line("hosts:")?;
    context.out.line(format!("  - {{ name: {name}, ssh: {} }}", in_yaml(destination)))?;
    context.out.flush()?;
    if missing { Err(Failure::check()) } else { Ok(()) }
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
}
