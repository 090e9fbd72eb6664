//! Which program runs in a pane, by its processes: wrappers, interpreters, disguises, and what is none.

use tmux_orc::monitor::AgentState;
use tmux_orc::monitor::detect::{Observation, Process, Profiles, judge, may_hide_agent, recognise};
use tmux_orc::tmux::{Pane, Screen};

/// A chain of processes, each below the one before: `flags comm args...`, the flags `+` in front, `T` stopped, `Z` ended.
pub fn chain(lines: &[(&str, &str, &[&str])]) -> Vec<Process> {
    lines
        .iter()
        .enumerate()
        .map(|(depth, (flags, comm, args))| Process {
            pid: 100 + depth as u32,
            ppid: 99 + depth as u32,
            depth: depth as u16,
            foreground: flags.contains('+'),
            stopped: flags.contains('T'),
            zombie: flags.contains('Z'),
            detached: flags.contains('s'),
            comm: (*comm).to_owned(),
            args: args.iter().map(|a| (*a).to_owned()).collect(),
            start: 1,
        })
        .collect()
}

pub fn agent(lines: &[(&str, &str, &[&str])]) -> Option<String> {
    recognise(&Profiles::embedded(), &chain(lines)).map(|found| found.agent)
}

pub const SHELL: (&str, &str, &[&str]) = ("", "bash", &["-bash"]);

#[test]
fn programs_are_found_behind_what_starts_them() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str, &'a [&'a str])]);
    let cases: &[Case<'_>] = &[
        ("claude", &[SHELL, ("+", "claude", &["claude", "--resume"])]),
        ("claude", &[("+", "claude", &["claude"])]),
        ("claude", &[SHELL, ("+", "bash", &["bash", "-c", "claude; true"]), ("+", "claude", &["claude"])]),
        (
            "claude",
            &[
                SHELL,
                ("+", "script", &["script", "-q", "-c", "claude", "/dev/null"]),
                ("+", "sh", &["sh", "-c", "claude"]),
                ("+", "claude", &["claude"]),
            ],
        ),
        ("claude", &[SHELL, ("+", "timeout", &["timeout", "9999", "claude"]), ("+", "claude", &["claude"])]),
        (
            "claude",
            &[
                SHELL,
                ("+", "npm exec claude", &["npm exec claude"]),
                ("+", "sh", &["sh", "-c", "claude"]),
                ("+", "claude", &["claude"]),
            ],
        ),
        ("claude", &[SHELL, ("+", "claude", &["worker"])]),
        ("claude", &[SHELL, ("+", "node", &["node", "/usr/lib/node_modules/@anthropic-ai/claude-code/cli.js"])]),
        ("claude", &[SHELL, ("+", ".claude-wrapped", &["/nix/store/abc/bin/claude"])]),
        (
            "codex",
            &[
                SHELL,
                ("+", "node", &["node", "/usr/local/bin/codex"]),
                ("+", "codex", &["/x/@openai/codex-linux-x64/vendor/x/bin/codex"]),
                ("", "codex", &["/h/codex", "app-server", "--listen", "unix://"]),
            ],
        ),
        (
            "gemini",
            &[
                SHELL,
                ("+", "node", &["node", "--no-warnings", "/usr/local/bin/gemini"]),
                ("+", "node", &["/usr/bin/node", "--max-old-space-size=12052", "/usr/local/bin/gemini"]),
            ],
        ),
        (
            "gemini",
            &[
                SHELL,
                ("+", "node", &["node", "-r", "/x/hook.js", "/home/u/node_modules/@google/gemini-cli/dist/index.js"]),
            ],
        ),
        ("qwen", &[SHELL, ("+", "node", &["node", "--expose-gc", "/x/node_modules/@qwen-code/qwen-code/cli.js"])]),
        ("opencode", &[SHELL, ("+", "opencode", &["opencode"])]),
        (
            "copilot",
            &[
                SHELL,
                ("+", "node", &["node", "/x/.bin/copilot"]),
                ("+", "MainThread", &["/x/@github/copilot-linux-x64/copilot"]),
            ],
        ),
        ("aider", &[SHELL, ("+", "aider", &["/v/bin/python3", "/v/bin/aider", "--model", "x"])]),
        ("aider", &[SHELL, ("+", "python3.12", &["python3.12", "-m", "aider"])]),
        (
            "aider",
            &[
                SHELL,
                ("+", "uv", &["uv", "tool", "uvx", "aider-chat"]),
                ("+", "python", &["/v/bin/python", "/v/bin/aider"]),
            ],
        ),
        // A script of that name that stands before the program.
        ("claude", &[SHELL, ("+", "claude", &["/bin/bash", "/usr/local/bin/claude", "--continue"])]),
        ("goose", &[SHELL, ("+", "goose", &["goose", "session"])]),
        ("crush", &[SHELL, ("+", "crush", &["crush"])]),
        ("amp", &[SHELL, ("+", "node", &["node", "/usr/local/bin/amp"])]),
        ("cursor-agent", &[SHELL, ("+", "cursor-agent", &["cursor-agent"])]),
    ];
    let profiles = Profiles::embedded();
    for (expected, lines) in cases {
        let found = recognise(&profiles, &chain(lines)).map(|found| found.agent);
        assert_eq!(found.as_deref(), Some(*expected), "{lines:?}");
    }
}

#[test]
fn what_only_mentions_a_program_is_none() {
    type Lines<'a> = &'a [(&'a str, &'a str, &'a [&'a str])];
    let cases: &[Lines<'_>] = &[
        &[("+", "bash", &["-bash"])],
        &[SHELL, ("+", "less", &["less", "claude.txt"])],
        &[SHELL, ("+", "vi", &["vi", "/home/u/claude"])],
        &[SHELL, ("+", "tail", &["tail", "-f", "codex.log"])],
        &[SHELL, ("+", "node", &["node", "/home/u/srv.js", "claude"])],
        &[SHELL, ("+", "node", &["node", "-e", "console.log('claude')", "/usr/local/bin/claude"])],
        &[SHELL, ("+", "node", &["node", "/home/u/gemini/server.js"])],
        &[SHELL, ("+", "sleep", &["claude", "600"])],
        &[SHELL, ("+", "sleep", &["/usr/bin/claude", "600"])],
        &[SHELL, ("+", "python3", &["python3", "-c", "import time; time.sleep(9)", "claude", "codex", "--resume"])],
        &[SHELL, ("+", "python3", &["python3", "/home/u/watch.py", "--title", "codex"])],
        &[SHELL, ("+", "npm", &["npm", "view", "@anthropic-ai/claude-code"])],
        &[SHELL, ("+", "bash", &["bash", "-c", "echo claude; sleep 9"])],
        &[SHELL, ("+", "claude", &["claude", "mcp", "serve"])],
        &[SHELL, ("+", "codex", &["codex", "app-server"])],
        &[SHELL, ("Z+", "claude", &["claude"])],
        // In the background of a shell: it does not draw here.
        &[("+", "bash", &["-bash"]), ("", "claude", &["claude", "-p", "x"])],
    ];
    for lines in cases {
        assert_eq!(agent(lines), None, "{lines:?}");
    }
}

#[test]
fn programs_are_found_however_they_are_packed() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str, &'a [&'a str])]);
    let cases: &[Case<'_>] = &[
        // A native install, by the file that its link points to.
        ("claude", &[SHELL, ("+", "2.1.246", &["/home/u/.local/share/claude/versions/2.1.246", "--resume"])]),
        ("claude", &[SHELL, ("+", "2.1.246", &["claude"])]),
        // npm's native program, and one by the package it lies in.
        ("claude", &[SHELL, ("+", "claude.exe", &["/l/node_modules/@anthropic-ai/claude-code/bin/claude.exe"])]),
        ("codex", &[SHELL, ("+", "codex-tui", &["/l/node_modules/@openai/codex/bin/codex-tui"])]),
        // nixpkgs' wrappers: the kernel cuts the name, and the first argument may be that of the wrapper.
        ("claude", &[SHELL, ("+", ".claude-unwrapp", &["/nix/store/x/bin/.claude-unwrapped"])]),
        ("claude", &[SHELL, ("+", ".claude-unwrapp", &["claude"])]),
        ("codex", &[SHELL, ("+", ".codex-wrapped", &["codex"])]),
        ("opencode", &[SHELL, ("+", ".opencode-wrapp", &["/nix/store/x/bin/opencode"])]),
        ("gemini", &[SHELL, ("+", "node", &["/n/bin/node", "/nix/store/x/bin/.gemini-wrapped"])]),
        // Files of a release.
        ("codex", &[SHELL, ("+", "codex-x86_64-un", &["/opt/codex-x86_64-unknown-linux-musl"])]),
        ("codex", &[SHELL, ("+", "codex-aarch64-a", &["./codex-aarch64-apple-darwin"])]),
        ("claude", &[SHELL, ("+", "claude-2.1.246", &["claude-2.1.246"])]),
        ("crush", &[SHELL, ("+", "crush_0.9.1_Lin", &["/opt/crush_0.9.1_linux_x86_64"])]),
        // By the loader.
        ("claude", &[SHELL, ("+", "ld-linux-x86-64", &["/lib64/ld-linux-x86-64.so.2", "/opt/x/claude", "--resume"])]),
        // In a session of its own, below what waits for it.
        ("claude", &[SHELL, ("+", "setsid", &["setsid", "-w", "claude"]), ("s", "claude", &["claude"])]),
        (
            "codex",
            &[SHELL, ("+", "bwrap", &["bwrap"]), ("s", "bwrap", &["bwrap"]), ("s", "codex", &["/usr/bin/codex"])],
        ),
        // The value of an option is no subcommand.
        ("claude", &[SHELL, ("+", "claude", &["claude", "--worktree", "auth"])]),
        ("claude", &[SHELL, ("+", "claude", &["claude", "--name", "update", "fix it"])]),
        ("codex", &[SHELL, ("+", "codex", &["codex", "-C", "sandbox"])]),
        ("codex", &[SHELL, ("+", "codex", &["codex", "--profile", "debug", "--yolo"])]),
        ("gemini", &[SHELL, ("+", "node", &["node", "/u/bin/gemini", "--include-directories", "hooks"])]),
        ("claude", &[SHELL, ("+", "claude", &["claude", "--", "mcp"])]),
        ("claude", &[SHELL, ("+", "claude", &["claude", "fix", "auth"])]),
    ];
    let profiles = Profiles::embedded();
    for (expected, lines) in cases {
        let found = recognise(&profiles, &chain(lines));
        assert_eq!(found.map(|f| (f.agent, f.headless)), Some(((*expected).to_owned(), false)), "{lines:?}");
    }
}

#[test]
fn other_programs_of_the_same_name_are_none() {
    type Lines<'a> = &'a [(&'a str, &'a str, &'a [&'a str])];
    let cases: &[Lines<'_>] = &[
        &[SHELL, ("+", "copilot", &["copilot", "svc", "logs", "--follow"])],
        &[SHELL, ("+", "goose", &["goose", "-dir", "migrations", "postgres", "user=x", "up"])],
        &[SHELL, ("+", "goose", &["/go/bin/goose", "sqlite3", "x.db", "status"])],
        &[SHELL, ("+", "amp", &["amp", "notes.txt"])],
        &[SHELL, ("+", "claude-desktop", &["/usr/lib/claude-desktop"])],
        &[SHELL, ("+", "codex-linux-san", &["codex-linux-sandbox", "--", "ls"])],
        &[SHELL, ("+", "rg", &["/l/node_modules/@anthropic-ai/claude-code/vendor/ripgrep/rg", "x"])],
        &[SHELL, ("+", "claude", &["claude", "--verbose", "mcp", "serve"])],
        // Left behind by one that does not wait: it is nobody's pane.
        &[("", "bash", &["-bash"]), ("s", "claude", &["claude"]), ("+", "vi", &["vi"])],
    ];
    for lines in cases {
        assert_eq!(agent(lines), None, "{lines:?}");
    }
}

#[test]
fn what_does_one_thing_and_ends_works_until_it_has_ended() {
    let profiles = Profiles::embedded();
    let screen = Screen::plain(CLAUDE_PERMISSION.as_bytes());
    let pane = Pane { height: 20, ..Pane::default() };
    for (comm, args) in [
        ("claude", &["claude", "-p", "update the docs"] as &[&str]),
        ("claude", &["claude", "--dangerously-skip-permissions", "--print=x"]),
        ("codex", &["codex", "exec", "--full-auto", "fix"]),
        ("codex", &["codex", "--full-auto", "exec", "fix"]),
        ("node", &["node", "/u/bin/gemini", "-m", "x", "-p", "fix"]),
        ("opencode", &["opencode", "run", "fix"]),
        ("goose", &["goose", "run", "-t", "fix"]),
        ("copilot", &["copilot", "-p", "fix", "--allow-all-tools"]),
    ] {
        let tree = chain(&[SHELL, ("+", comm, args)]);
        let verdict = judge(&profiles, &look(&pane, &screen, &tree)).expect("an agent");
        let (state, kind) = (verdict.state, verdict.kind.as_deref());
        assert_eq!((state, kind), (AgentState::Working, Some("headless")), "{args:?}");
        assert!(verdict.choices.is_empty());
        let mut after = look(&pane, &screen, &tree[..1]);
        after.known_agent = Some(&verdict.agent);
        assert_eq!(judge(&profiles, &after).map(|v| v.state), Some(AgentState::Exited), "{args:?}");
    }
}

#[test]
fn the_program_in_front_counts_not_its_tools() {
    let tree = &[SHELL, ("+", "claude", &["claude"] as &[&str]), ("+", "node", &["node", "/x/.bin/gemini"])];
    assert_eq!(agent(tree).as_deref(), Some("claude"));
    // A stopped agent is the pane's only while none runs in front.
    let mut two = chain(&[SHELL, ("T", "claude", &["claude"]), ("+", "codex", &["codex"])]);
    two[2].depth = 1;
    let found = recognise(&Profiles::embedded(), &two).unwrap();
    assert_eq!((found.agent.as_str(), found.stopped), ("codex", false));
    let stopped = recognise(&Profiles::embedded(), &two[..2]).unwrap();
    assert!(stopped.stopped);
}

pub fn look<'a>(pane: &'a Pane, screen: &'a Screen, processes: &'a [Process]) -> Observation<'a> {
    Observation {
        pane,
        screen: Some(screen),
        processes,
        published: None,
        known_agent: None,
        named: None,
        previous: None,
        now: "2026-11-24T17:00:00Z".parse().unwrap(),
        zone: None,
    }
}

const CLAUDE_PERMISSION: &str = "● I will use a tool for that.\n\n────────────────────────\n Bash command\n touch x\n Do you want to proceed?\n ❯ 1. Yes\n   2. No\n\n Esc to cancel · Tab to amend\n";

#[test]
fn an_agent_out_of_sight_is_known_by_its_screen_alone() {
    let profiles = Profiles::embedded();
    let pane = Pane { alternate_on: true, height: 20, ..Pane::default() };
    let screen = Screen::plain(CLAUDE_PERMISSION.as_bytes());
    for far in [
        ("+", "ssh", &["ssh", "host"] as &[&str]),
        ("+", "docker", &["docker", "exec", "-it", "x", "bash"]),
        ("+", "tmux: client", &["tmux", "attach"]),
    ] {
        let tree = chain(&[SHELL, far]);
        assert!(may_hide_agent(&tree));
        let verdict = judge(&profiles, &look(&pane, &screen, &tree)).expect("seen through");
        assert_eq!((verdict.agent.as_str(), verdict.state, verdict.pid), ("claude", AgentState::Waiting, None));
        let shell = Screen::plain(b"host:~$ ls\nclaude  codex\nhost:~$ \n");
        assert_eq!(judge(&profiles, &look(&pane, &shell, &tree)), None);
    }
    // The status line of a tmux inside is not the agent's.
    let inside = format!("{CLAUDE_PERMISSION}[in] 0:claude*            \"host\" 17:00 24-Nov-26\n");
    let screen = Screen::plain(inside.as_bytes());
    let verdict = judge(&profiles, &look(&pane, &screen, &chain(&[SHELL, ("+", "tmux: client", &["tmux"])]))).unwrap();
    assert_eq!(verdict.state, AgentState::Waiting);
    // Its status line may have several rows.
    let idle = "● Done.\n\n────────────\n❯\n────────────\n  ? for shortcuts\n";
    for rows in 1..=5 {
        let inside = format!("{idle}{}", "[in] 0:claude*            \"host\" 17:00 24-Nov-26\n".repeat(rows));
        let screen = Screen::plain(inside.as_bytes());
        let verdict = judge(&profiles, &look(&pane, &screen, &chain(&[SHELL, ("+", "tmux: client", &["tmux"])])));
        assert_eq!(verdict.map(|v| v.state), Some(AgentState::Idle), "{rows} rows");
    }
    // The same screen where the process is in sight and is no agent.
    let screen = Screen::plain(CLAUDE_PERMISSION.as_bytes());
    assert!(!may_hide_agent(&chain(&[SHELL, ("+", "less", &["less", "x"])])));
    assert_eq!(judge(&profiles, &look(&pane, &screen, &chain(&[SHELL, ("+", "less", &["less", "x"])]))), None);
}

#[test]
fn the_end_is_told_by_the_processes_whatever_the_screen_says() {
    let profiles = Profiles::embedded();
    let screen = Screen::plain(CLAUDE_PERMISSION.as_bytes());
    let shell = chain(&[("+", "bash", &["-bash"])]);
    let pane = Pane { command: "bash".into(), title: "✳ Claude Code".into(), height: 20, ..Pane::default() };
    let mut seen = look(&pane, &screen, &shell);
    assert_eq!(judge(&profiles, &seen), None, "a shell that printed a saved screen");
    seen.known_agent = Some("claude");
    let verdict = judge(&profiles, &seen).unwrap();
    assert_eq!((verdict.state, verdict.evidence.rule.as_str()), (AgentState::Exited, "process/ended"));
    // A shell never uses the alternate screen: what stands there was left behind by a program that was killed.
    let pane = Pane { alternate_on: true, ..pane };
    assert_eq!(judge(&profiles, &look(&pane, &screen, &shell)).map(|v| v.state), Some(AgentState::Exited));
    let dead = Pane { dead: true, dead_signal: Some(9), ..pane.clone() };
    let mut seen = look(&dead, &screen, &[]);
    seen.known_agent = Some("claude");
    assert!(judge(&profiles, &seen).unwrap().evidence.line.contains("signal 9"));
    let stopped = chain(&[("+", "bash", &["-bash"]), ("T", "claude", &["claude"])]);
    let verdict = judge(&profiles, &look(&pane, &screen, &stopped)).unwrap();
    assert_eq!((verdict.state, verdict.kind.as_deref()), (AgentState::Unknown, Some("suspended")));
}
