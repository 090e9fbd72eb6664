//! Transcripts that the real programs wrote while they talked to a model whose numbers are known (`main` and the other
//! plain names), and some made by hand (`edge-*`): the sums are those of the program `ccusage`, 20.0.24, to the token.
//! Where they are not, the table says why.

use std::path::{Path, PathBuf};

use tmux_orc::app::usage::{By, Collected, Sources, collect, group};
use tmux_orc::monitor::facts::transcripts::find::files;
use tmux_orc::monitor::facts::transcripts::store::{Brought, Store};
use tmux_orc::monitor::facts::transcripts::tail::Tail;
use tmux_orc::monitor::usage::{Records, Tally};
use tmux_orc::monitor::{Plan, Prices, Tokens, UsageSettings, detect::Profiles};

const TABLE: &str = include_str!("recorded.txt");

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/usage/transcripts")
}

/// What is read of the transcripts of one case.
fn collected(case: &str) -> Collected {
    let program = case.split('-').next().unwrap();
    let profiles = Profiles::embedded();
    let rules = profiles.get(program).unwrap().transcript.clone().unwrap();
    let path = folder().join(case);
    // Some cases are the program's own folder, others the user's home.
    let own = ["claude", "codex", "gemini"].contains(&program);
    let variable = |name: &str| (own && rules.variable.as_deref() == Some(name)).then(|| path.display().to_string());
    let sources = Sources {
        profiles: &profiles,
        usage: &UsageSettings { enabled: true, programs: vec![program.to_owned()] },
        prices: &Prices::new(),
        home: (!own).then(|| path.clone()),
        variable: &variable,
        owner: rustix::process::geteuid().as_raw(),
    };
    let collected = collect(&sources, None);
    assert!(collected.failed.is_empty() && collected.files > 0, "{case}: {collected:?}");
    collected
}

/// What is counted of them.
fn counted(case: &str) -> Tokens {
    let collected = collected(case);
    let zone = jiff::tz::TimeZone::UTC;
    let (days, totals) = group(&collected.requests, By::Day, &zone, &Default::default());
    let of_days = days.iter().fold(Tokens::default(), |mut sum, day| {
        sum += day.tokens;
        sum
    });
    assert_eq!(of_days, totals.tokens, "{case}");
    totals.tokens
}

#[test]
fn recorded_sessions_are_counted_to_the_token() {
    let mut cases = 0;
    for line in TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let mut words = line.split_whitespace();
        let case = words.next().unwrap();
        let numbers: Vec<u64> = words.by_ref().take(4).map(|word| word.parse().expect(line)).collect();
        let counted = counted(case);
        let got = [counted.input_tokens, counted.output_tokens, counted.cache_read_tokens, counted.cache_write_tokens];
        assert_eq!(got, numbers[..], "{line}");
        cases += 1;
    }
    let all = std::fs::read_dir(folder()).unwrap().flatten();
    let all: usize = all.map(|program| std::fs::read_dir(program.path()).unwrap().count()).sum();
    assert_eq!(cases, all, "each case has its line");
}

#[test]
fn a_call_of_a_tool_runs_until_its_end_is_recorded() {
    let cases = ["codex-0.171.0/main", "copilot-1.0.102/main/.copilot", "kimi-2.1.0/main/.kimi-code"];
    for case in
        cases.into_iter().chain(["omp-18.2.3/main/.omp/agent", "pi-1.5.2/main/.pi/agent", "qwen-0.24.4/main/.qwen"])
    {
        let profiles = Profiles::embedded();
        let rules = profiles.get(case.split('-').next().unwrap()).unwrap().transcript.clone().unwrap();
        let owner = rustix::process::geteuid().as_raw();
        let found = rules.files.iter().flat_map(|pattern| files(&folder().join(case), pattern, None, owner, None));
        let path = found.map(|found| found.path).next().expect(case);
        let (mut tally, mut tools) = (Tally::default(), Vec::new());
        let mut tail = Tail::new(path, owner);
        let day = jiff::civil::date(2026, 11, 20);
        tail.read(&rules, u64::MAX, |said| {
            tally.take(said, &jiff::tz::TimeZone::UTC);
            tools.extend(tally.known(&rules, &Prices::new(), day, true).tools);
        })
        .unwrap();
        assert!(tools.contains(&1) && tools.last() == Some(&0), "{case}: {tools:?}");
        assert_eq!(tail.unread, 0, "{case}");
    }
}

#[test]
fn a_session_in_a_database_has_what_its_program_showed_of_it() {
    let case = folder().join("opencode-1.18.33/main/.local/share/opencode/opencode.db");
    let rules = Profiles::embedded().get("opencode").unwrap().transcript.clone().unwrap();
    let mut store = Store::new(case, rustix::process::geteuid().as_raw());
    let found = store.newest(&rules, "/home/user/project", None, u64::MAX).unwrap().unwrap();
    assert_eq!(found.session, "ses_de248d52cffeRhv90zDGMDpTxa", "not that of its sub-agent");
    store.follow(Some(&found.session));
    let mut tally = Tally::default();
    let utc = jiff::tz::TimeZone::UTC;
    let read = store.read(&rules, u64::MAX, |said| tally.take(said, &utc)).unwrap();
    assert_eq!((read, store.unread), (Brought::On { left: false }, 0));
    let known = tally.known(&rules, &Prices::new(), jiff::civil::date(2026, 11, 27), true);
    let sum = |input, output, read| Tokens {
        input_tokens: input,
        output_tokens: output,
        cache_read_tokens: read,
        cache_write_tokens: 0,
    };
    // With its sub-agent's, as the rows of both sessions say; its footer had 25.2K in the context.
    assert_eq!(known.tokens.session, Some(sum(10_965 + 1033, 967 + 88, 242_000 + 23_000)));
    assert_eq!(known.tokens.turn, Some(sum(1022 + 1033 + 1044, 82 + 88 + 94, 22_000 + 23_000 + 24_000)));
    assert_eq!(known.tokens.today, known.tokens.session);
    assert_eq!((known.tokens.context_used, known.tools), (Some(25_172), Some(0)));
    assert_eq!((known.plan, known.model.as_deref()), (Some(Plan { done: 1, of: 3 }), Some("fake-model")));
    assert_eq!((known.session_id, known.turns), (Some(found.session), Some(9)));
}

#[test]
fn a_plan_is_known_of_the_programs_that_write_it_down() {
    for (program, record) in [
        (
            "codex",
            r#"{"type":"response_item","payload":{"type":"function_call","name":"update_plan","call_id":"c",
            "arguments":"{\"plan\":[{\"step\":\"a\",\"status\":\"completed\"},{\"step\":\"b\",\"status\":\"pending\"}]}"}}"#,
        ),
        (
            "gemini",
            r#"{"type":"gemini","toolCalls":[{"id":"c","name":"write_todos","status":"success","args":{"todos":[
            {"description":"a","status":"completed"},{"description":"b","status":"in_progress"}]}}]}"#,
        ),
        (
            "qwen",
            r#"{"type":"assistant","message":{"parts":[{"functionCall":{"id":"c","name":"todo_write","args":{"todos":[
            {"content":"a","status":"completed"},{"content":"b","status":"pending"}]}}}]}}"#,
        ),
        (
            "claude",
            r#"{"type":"assistant","message":{"content":[{"type":"tool_use","name":"TodoWrite","input":{"todos":[
            {"content":"a","status":"completed"},{"content":"b","status":"pending"}]}}]}}"#,
        ),
    ] {
        let rules = Profiles::embedded().get(program).unwrap().transcript.clone().unwrap();
        let (mut tally, mut said) = (Tally::default(), Vec::new());
        Records::default().read(&rules, record.as_bytes(), &mut said).unwrap();
        said.into_iter().for_each(|said| tally.take(said, &jiff::tz::TimeZone::UTC));
        let known = tally.known(&rules, &Prices::new(), jiff::civil::date(2026, 11, 27), true);
        assert_eq!(known.plan, Some(Plan { done: 1, of: 2 }), "{program}");
    }
}

#[test]
fn sub_agents_are_of_their_parents_session() {
    for case in ["codex-0.171.0/edge-subagent", "opencode-1.18.33/edge-subagent", "claude-2.1.332/main"] {
        let (sessions, _) =
            group(&collected(case).requests, By::Session, &jiff::tz::TimeZone::UTC, &Default::default());
        assert_eq!(sessions.len(), 1, "{case}: {sessions:?}");
    }
}
