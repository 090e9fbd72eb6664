//! Sessions in files with those of their sub-agents, and in a database.

use std::{
    fs,
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::*;
use crate::monitor::Prices;
use crate::monitor::detect::Profiles;
use crate::monitor::facts::transcripts::sqlite::made::{Cell, Made, pages};
use crate::monitor::facts::transcripts::whose::second;

/// The second in which the sessions were written to.
const AT: i64 = 1_795_000_000;

/// A database with two sessions in one folder, of which the second one was written to last.
fn database(path: &Path) {
    let text = |text: &str| Cell::Text(text.to_owned());
    let session = |row: i64| {
        let at = Cell::Int((AT - 100 + row * 50) * 1000);
        (row, vec![text(&format!("ses_{row}")), Cell::Null, text("/p"), at])
    };
    let data = r#"{"role":"assistant","modelID":"m","cost":0.5,"tokens":{"input":100,"output":5,"reasoning":1,
        "cache":{"read":80,"write":0},"total":186},"time":{"created":1,"completed":2}}"#;
    let message = |row: i64| {
        (row, vec![text(&format!("msg_{row}")), text(&format!("ses_{row}")), Cell::Int(AT * 1000), text(data)])
    };
    let made = |name, columns, rows| Made { name, columns, rows, index: None };
    let tables = [
        made("session", "id, parent_id, directory, time_updated", vec![session(1), session(2)]),
        made("message", "id, session_id, time_created, data", vec![message(1), message(2)]),
        made("part", "id, session_id, data", Vec::new()),
        made("todo", "session_id, status", vec![(1, vec![text("ses_2"), text("completed")])]),
    ];
    fs::write(path, pages(1024, &tables, 0).concat()).unwrap();
    let before = SystemTime::now() - Duration::from_secs(10);
    fs::File::options().write(true).open(path).unwrap().set_modified(before).unwrap();
}

#[test]
fn what_the_status_line_alone_says_is_named() {
    let before = Spending { model: Some("m".to_owned()), ..Spending::default() };
    let mut after = Spending { cost_usd: Some(0.5), ..before.clone() };
    after.tokens.context_window = Some(200_000);
    assert_eq!(said_alone(&before, &after), ["context", "cost"]);
    assert!(said_alone(&after, &after).is_empty());
}

#[test]
fn a_session_in_a_database_is_its_agents_only_where_nothing_else_may_have_written_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("opencode/opencode.db");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    database(&path);
    let rules = Arc::clone(Profiles::embedded().get("opencode").unwrap().transcript.as_ref().unwrap());
    // A process of which nobody knows when it began.
    let owner = rustix::process::geteuid().as_raw();
    let whose = Whose { rules, folders: vec![home.path().to_owned()], owner, start: u64::MAX };
    let look = |folder: &str, company, wrote| {
        let clues = Clues {
            session: None,
            pids: vec![std::process::id()],
            servers: Vec::new(),
            folder: folder.to_owned(),
            wrote,
            prices: Prices::new(),
            status_lines: None,
        };
        let mut session = Session::default();
        let day = jiff::civil::date(2026, 11, 20);
        session.look(&whose, &clues, Some(company), 1 << 20, &TimeZone::UTC, day);
        (session.known.session_id.clone(), session)
    };
    if cfg!(target_os = "linux") {
        let (found, session) = look("/p", Company::None, AT);
        assert_eq!((found, session.standing), (None, Some(Standing::NotFound)), "no process has it open");
    }
    let open = fs::File::open(&path).unwrap();
    let (found, session) = look("/p", Company::None, AT);
    assert_eq!(found.as_deref(), Some("ses_2"));
    let known = &session.known;
    assert_eq!(known.tokens.session.map(|tokens| tokens.input_tokens), Some(100));
    assert_eq!((known.tokens.context_used, known.cost_usd, known.model.as_deref()), (Some(186), Some(0.5), Some("m")));
    assert_eq!(known.plan.map(|plan| (plan.done, plan.of)), Some((1, 1)));
    let standing = session.standing.unwrap();
    assert_eq!(standing, Standing::Read { path: path.clone(), proof: Proof::Database, unread: 0 });
    assert!(
        standing
            .sentence()
            .ends_with("(its process has it open, and no other agent of this program works in its folder)")
    );
    let standing = |folder, company, wrote| look(folder, company, wrote).1.standing.unwrap();
    assert_eq!(standing("/p", Company::Here, AT), Standing::Unsure);
    assert_eq!(standing("/p", Company::Until(second(AT)), AT), Standing::Unsure, "it may be of one that has ended");
    assert_eq!(standing("/p", Company::None, AT - 100), Standing::Unsure, "it was silent then");
    assert_eq!(standing("/q", Company::None, AT), Standing::NotFound);
    drop(open);
}

/// What a look finds of a program's session by its name.
fn look_at(agent: &str, home: &Path, session: &mut Session, name: &str) {
    let rules = Arc::clone(Profiles::embedded().get(agent).unwrap().transcript.as_ref().unwrap());
    let owner = rustix::process::geteuid().as_raw();
    let whose = Whose { rules, folders: vec![home.to_owned()], owner, start: u64::MAX };
    let clues = Clues {
        session: Some(name.to_owned()),
        pids: Vec::new(),
        servers: Vec::new(),
        folder: "/p".to_owned(),
        wrote: AT,
        prices: Prices::new(),
        status_lines: None,
    };
    session.look(&whose, &clues, Some(Company::None), 1 << 20, &TimeZone::UTC, jiff::civil::date(2026, 11, 20));
}

/// A rollout of codex: its session, whose sub-agent it is, what it sent to the model.
fn rollout(home: &Path, id: &str, parent: Option<&str>, input: u64) {
    let source = parent.map_or("\"cli\"".to_owned(), |parent| {
        format!("{{\"subagent\":{{\"thread_spawn\":{{\"parent_thread_id\":\"{parent}\",\"depth\":1}}}}}}")
    });
    let usage = format!(
        "{{\"input_tokens\":{input},\"cached_input_tokens\":0,\"output_tokens\":1,\"total_tokens\":{}}}",
        input + 1
    );
    let at = "\"timestamp\":\"2026-11-20T10:00:01Z\"";
    let lines = [
        format!(
            "{{{at},\"type\":\"session_meta\",\"payload\":{{\"id\":\"{id}\",\"cwd\":\"/p\",\"source\":{source}}}}}"
        ),
        format!("{{{at},\"type\":\"event_msg\",\"payload\":{{\"type\":\"task_started\"}}}}"),
        format!(
            "{{{at},\"type\":\"event_msg\",\"payload\":{{\"type\":\"token_count\",\"info\":{{\"total_token_usage\":{usage},\"last_token_usage\":{usage}}}}}}}"
        ),
    ];
    let folder = home.join("sessions/2026/11/20");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("rollout-2026-11-20T10-00-00-{id}.jsonl")), lines.join("\n") + "\n").unwrap();
}

#[test]
fn sub_agents_that_say_whose_they_are_count_to_their_parent_once() {
    let home = tempfile::tempdir().unwrap();
    rollout(home.path(), "main", None, 1);
    rollout(home.path(), "other", None, 50);
    rollout(home.path(), "child", Some("main"), 300);
    rollout(home.path(), "grandchild", Some("child"), 4000);
    rollout(home.path(), "stranger", Some("other"), 60_000);
    let mut session = Session::default();
    for _ in 0..3 {
        look_at("codex", home.path(), &mut session, "main");
        let known = &session.known;
        assert_eq!(known.tokens.session.map(|tokens| tokens.input_tokens), Some(4301));
        assert_eq!((known.tokens.context_used, known.turns), (Some(2), Some(1)), "those are its own");
        assert_eq!(known.session_id.as_deref(), Some("main"));
    }
    rollout(home.path(), "late", Some("main"), 7);
    look_at("codex", home.path(), &mut session, "main");
    assert_eq!(session.known.tokens.session.map(|tokens| tokens.input_tokens), Some(4308));
}

#[test]
fn a_file_of_a_sub_agent_says_nothing_of_the_context_or_the_turns() {
    let home = tempfile::tempdir().unwrap();
    let wire = |agent: &str, input: u64| {
        let folder = home.path().join(format!("sessions/wd/one/agents/{agent}"));
        fs::create_dir_all(&folder).unwrap();
        let text = format!(
            "{{\"type\":\"turn.prompt\",\"time\":1}}\n{{\"type\":\"usage.record\",\"usage\":{{\"inputOther\":{input},\"output\":1}},\"time\":2}}\n{{\"type\":\"token_counting.measured\",\"tokens\":{input}}}\n"
        );
        fs::write(folder.join("wire.jsonl"), text).unwrap();
    };
    wire("main", 10);
    wire("a1", 500);
    let mut session = Session::default();
    look_at("kimi", home.path(), &mut session, "one");
    let known = &session.known;
    assert_eq!(known.tokens.session.map(|tokens| tokens.input_tokens), Some(510));
    assert_eq!((known.tokens.context_used, known.turns), (Some(10), Some(1)));
}
