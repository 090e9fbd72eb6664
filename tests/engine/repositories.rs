//! Where agents work: a real git and an engine that looks at what it made.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use tmux_orc::monitor::{Agent, EngineSettings, RepositorySettings};

use super::{Watching, agent, claude_in, quick, support::TmuxServer, switch};

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false"]).args(arguments);
    git.current_dir(folder).env("HOME", folder).env("GIT_CONFIG_NOSYSTEM", "1");
    let said = git.output().expect("git is installed: scripts/setup");
    assert!(said.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said.stderr));
}

/// A repository with one commit of one file of three lines.
fn repository(server: &TmuxServer, name: &str) -> PathBuf {
    let root = server.home().canonicalize().unwrap().join(name);
    fs::create_dir_all(root.join("src")).unwrap();
    git(&root, &["init", "-q", "-b", "topic/one"]);
    fs::write(root.join("src/file"), "one\ntwo\nthree\n").unwrap();
    git(&root, &["add", "-A"]);
    git(&root, &["commit", "-q", "-m", "one"]);
    root
}

fn settings(server: &TmuxServer) -> EngineSettings {
    let work = Some(server.home().join("work"));
    EngineSettings { repositories: RepositorySettings { work, ..RepositorySettings::default() }, ..quick() }
}

fn differs(agent: &Agent) -> Option<(u64, u64)> {
    agent.added.zip(agent.removed)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_says_where_it_works_and_what_differs_there() {
    let server = TmuxServer::start();
    let root = repository(&server, "app");
    let tree = root.with_file_name("app-fix");
    git(&root, &["worktree", "add", "-q", "-b", "fix", tree.to_str().unwrap()]);
    fs::write(root.join("src/file"), "one\n2\nthree\nfour\n").unwrap();
    let main = claude_in(&server, "main", "idle", &root.join("src"));
    let beside = claude_in(&server, "beside", "idle", &tree);
    let outside = claude_in(&server, "outside", "idle", Path::new("/"));
    let mut watching = Watching::new(&server, settings(&server));
    let counted = |s: &tmux_orc::monitor::Snapshot, pane: &str| agent(s, pane).and_then(differs).is_some();
    let seen = watching.until("both are counted", |s| counted(s, &main) && counted(s, &beside)).await;
    let told = |pane: &str| {
        let agent = agent(&seen, pane).unwrap();
        (agent.repository.as_deref(), agent.branch.as_deref(), agent.worktree.as_deref(), differs(agent))
    };
    assert_eq!(told(&main), (Some("app"), Some("topic/one"), None, Some((2, 1))));
    assert_eq!(told(&beside), (Some("app"), Some("fix"), Some("app-fix"), Some((0, 0))));
    assert_eq!(told(&outside), (None, None, None, None));
    let path = Some(root.display().to_string());
    assert!([&main, &beside].iter().all(|pane| agent(&seen, pane).unwrap().repository_path == path));
    git(&root, &["checkout", "-q", "--detach"]);
    switch(&server, &main, "working");
    let detached = |a: &Agent| a.branch.as_deref().is_some_and(|b| b.len() == 7 && b != "topic/o");
    watching.until("the commit", |s| agent(s, &main).is_some_and(detached)).await;
    watching.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_names_programs_runs_none_and_one_that_is_switched_off_no_git() {
    let server = TmuxServer::start();
    let root = repository(&server, "app");
    let canary = server.home().join("canary");
    let touch = format!("touch {}; cat", canary.display());
    for key in
        ["core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command", "filter.x.clean", "filter.x.process"]
    {
        git(&root, &["config", key, &touch]);
    }
    fs::write(root.join(".git/info/attributes"), "* filter=x diff=x\n").unwrap();
    fs::write(root.join("src/file"), "one\ntwo\nthree\nfour\n").unwrap();
    let pane = claude_in(&server, "w", "idle", &root);
    let mut watching = Watching::new(&server, settings(&server));
    watching.until("it is counted", |s| agent(s, &pane).and_then(differs) == Some((1, 0))).await;
    watching.end().await;
    assert!(!canary.exists());
    let off = RepositorySettings { diff: false, ..settings(&server).repositories };
    let mut watching = Watching::new(&server, EngineSettings { repositories: off, ..quick() });
    let seen = watching.until("the branch", |s| agent(s, &pane).is_some_and(|a| a.branch.is_some())).await;
    assert_eq!(differs(agent(&seen, &pane).unwrap()), None);
    watching.end().await;
    // The trap is one.
    let _ = Command::new("git").args(["diff", "HEAD"]).current_dir(&root).output();
    assert!(canary.exists());
}
