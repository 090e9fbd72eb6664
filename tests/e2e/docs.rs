//! What the documentation says can be typed: every command is one, every target of make too, every link leads somewhere.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Parser;
use tmux_orc::app::cli::Cli;

fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = fs::read_dir(root.join("docs")).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let top = ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map(|name| root.join(name));
    top.into_iter().chain(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"))).collect()
}

/// A command line up to what the shell takes from it: comments, pipes, redirections, further commands.
fn words(line: &str) -> Vec<&str> {
    let is_end = |word: &&str| !["|", ">", ">>", "&&", ";", "#", "<", "2>"].contains(word) && !word.starts_with('#');
    line.split_whitespace().take_while(is_end).map(|word| word.trim_matches(['"', '\''])).collect()
}

#[test]
fn every_command_in_the_documentation_is_one() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let commands = text.lines().map(|line| line.trim().trim_start_matches("$ "));
        for command in commands.filter(|line| line.starts_with("tmux-orc ") && !line.ends_with('.')) {
            count += 1;
            if let Err(error) = Cli::try_parse_from(words(command))
                && error.use_stderr()
            {
                wrong.push(format!(
                    "{}: {command}\n    {}",
                    page.display(),
                    error.to_string().lines().next().unwrap_or("")
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 10, "the README alone has more than {count}");
}

#[test]
fn every_command_named_in_a_sentence_is_one() {
    let mut count = 0;
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for command in text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("tmux-orc ")) {
            count += 1;
            // Named without its arguments it still is one.
            let wrong = Cli::try_parse_from(words(&command.replace('\n', " ")))
                .err()
                .filter(|error| error.use_stderr() && error.kind() != clap::error::ErrorKind::MissingRequiredArgument);
            assert!(
                wrong.is_none(),
                "{}: {command}: {}",
                page.display(),
                wrong.map(|e| e.to_string()).unwrap_or_default()
            );
        }
    }
    assert!(count > 10, "the pages name more than {count}");
}

#[test]
fn every_make_target_in_the_documentation_is_one() {
    let makefile = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/Makefile")).expect("the Makefile");
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for line in text.lines().map(str::trim).filter(|line| line.starts_with("make ")) {
            for target in words(line).into_iter().skip(1) {
                let is_one = makefile.lines().any(|line| line.starts_with(&format!("{target}:")));
                assert!(is_one, "{}: no target '{target}'", page.display());
            }
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let folder = page.parent().expect("a folder");
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !path.is_empty() && !path.contains("://") {
                assert!(folder.join(path).exists(), "{}: {link} leads nowhere", page.display());
            }
        }
    }
}
