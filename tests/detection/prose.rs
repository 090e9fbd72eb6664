//! Text that quotes a marker changes nothing: every line by which any program's state was recognised, put as prose, as
//! a tool's output, as a diff and as the user's own draft into the recorded screens of every program.

use std::collections::BTreeSet;

use tmux_orc::monitor::detect::fixture::Fixture;
use tmux_orc::monitor::detect::{Profiles, explain, judge};

use super::table::{fixtures, observation, verdict};

/// How a program writes the text of its agent: what its first row begins with, what the other rows begin with, and how
/// the rows of a tool's output begin.
struct Hand {
    agent: &'static str,
    bullet: &'static str,
    prose: &'static str,
    tool: &'static str,
}

const HANDS: &[Hand] = &[
    Hand { agent: "claude", bullet: "● ", prose: "  ", tool: "     " },
    Hand { agent: "codex", bullet: "• ", prose: "  ", tool: "    " },
    Hand { agent: "gemini", bullet: "✦ ", prose: "  ", tool: "│ " },
    Hand { agent: "qwen", bullet: "  ◆", prose: "    ", tool: "    " },
    Hand { agent: "opencode", bullet: "     ", prose: "     ", tool: "  ┃  " },
    Hand { agent: "copilot", bullet: " ● ", prose: "   ", tool: "   │ " },
    Hand { agent: "pi", bullet: " ", prose: " ", tool: "   " },
    Hand { agent: "omp", bullet: " ", prose: " ", tool: "   " },
    Hand { agent: "cline", bullet: " * ", prose: "   ", tool: "     " },
    Hand { agent: "kilo", bullet: "     ", prose: "     ", tool: "  ┃  " },
    Hand { agent: "vibe", bullet: "  ", prose: "  ", tool: "    " },
    Hand { agent: "hermes", bullet: "    ", prose: "    ", tool: "      " },
    Hand { agent: "cn", bullet: "● ", prose: "  ", tool: "    " },
    Hand { agent: "nanocoder", bullet: "┃ ", prose: "┃ ", tool: "┃   " },
    Hand { agent: "kimi", bullet: " ● ", prose: "   ", tool: "     " },
    Hand { agent: "openhands", bullet: "  ", prose: "  ", tool: "    " },
];

/// Every line that decided a verdict, and the last rows of every dialog, without what is around them.
fn markers(profiles: &Profiles, fixtures: &[Fixture]) -> Vec<String> {
    let mut all = BTreeSet::new();
    for fixture in fixtures {
        let Some(verdict) = verdict(profiles, fixture) else { continue };
        if verdict.evidence.rule.starts_with("process/") {
            continue;
        }
        let trim = |row: &str| row.trim_matches(|c: char| c.is_whitespace() || "│┃╭╮╰╯─█".contains(c)).to_owned();
        all.insert(trim(&verdict.evidence.line));
        if verdict.state.needs_user() {
            all.extend(fixture.rows.iter().rev().filter(|row| !row.is_empty()).take(8).map(|row| trim(row)));
        }
    }
    all.retain(|line| line.chars().count() > 3);
    all.into_iter().collect()
}

/// Puts `lines` below the row `at`; the screen keeps its height, so rows above give way.
fn insert(fixture: &Fixture, at: usize, lines: &[String]) -> Option<Fixture> {
    let mut copy = fixture.clone();
    let width = usize::from(fixture.pane.width);
    let cut = |line: &String| line.chars().take(width).collect::<String>();
    copy.rows.splice(at + 1..at + 1, lines.iter().map(cut));
    let height = usize::from(fixture.pane.height);
    let extra = copy.rows.len().saturating_sub(height);
    if extra > at {
        return None;
    }
    copy.rows.drain(..extra);
    // The cursor stays with the row it was in.
    let moved = lines.len().saturating_sub(extra);
    copy.pane.cursor.1 += u16::try_from(moved).unwrap();
    Some(copy)
}

/// The last row of agent's prose that has the program's own bullet: text may follow it.
fn prose_row(fixture: &Fixture, hand: &Hand) -> Option<usize> {
    // A tool's name, an error and what the user wrote may begin as prose does: only the words that tell it count.
    let spoken = |row: &String| {
        row.strip_prefix(hand.bullet).is_some_and(|text| text.starts_with("I ") || text.starts_with("Done"))
    };
    let is_prose = |row: &String| match hand.agent {
        // Its prose has no bullet: an indented row of words will do.
        "opencode" => row.starts_with("     ") && row[5..].starts_with(char::is_alphabetic),
        "gemini" | "qwen" => row.starts_with(hand.bullet),
        _ => spoken(row),
    };
    fixture.rows.iter().rposition(is_prose)
}

#[test]
fn what_is_quoted_changes_nothing() {
    let profiles = Profiles::embedded();
    let fixtures = fixtures();
    let markers = markers(&profiles, &fixtures);
    assert!(markers.len() > 150, "only {} markers", markers.len());
    let (mut tried, mut wrong) = (0, Vec::new());
    for (number, fixture) in fixtures.iter().enumerate() {
        let Some(before) = verdict(&profiles, fixture) else { continue };
        let Some(hand) = HANDS.iter().find(|hand| hand.agent == before.agent) else { continue };
        let Some(at) = prose_row(fixture, hand) else { continue };
        for round in 0..6 {
            // Over all screens of a program every marker gets its turn.
            let some: Vec<&String> = (0..5).map(|i| &markers[(number * 31 + round * 47 + i) % markers.len()]).collect();
            for (place, start) in [
                ("prose", hand.prose.to_owned()),
                ("tool", hand.tool.to_owned()),
                ("diff", format!("{}  12 + ", hand.prose)),
            ] {
                let lines: Vec<String> = some.iter().map(|marker| format!("{start}{marker}")).collect();
                let Some(changed) = insert(fixture, at, &lines) else { continue };
                tried += 1;
                let screen = changed.screen();
                let seen = observation(&changed, &screen);
                let after = judge(&profiles, &seen);
                let same = after.as_ref().is_some_and(|v| (v.state, &v.kind) == (before.state, &before.kind));
                if !same && wrong.len() < 20 {
                    let after = after.map(|v| format!("{} by {} on `{}`", v.state, v.evidence.rule, v.evidence.line));
                    wrong.push(format!(
                        "{} {place}: {} became {after:?}\n{}",
                        fixture.name,
                        before.state,
                        lines.join("\n")
                    ));
                }
            }
        }
    }
    assert!(tried > 5000, "only {tried} tried");
    assert!(wrong.is_empty(), "of {tried}:\n{}", wrong.join("\n\n"));
}

#[test]
fn what_the_user_types_changes_nothing() {
    let profiles = Profiles::embedded();
    let fixtures = fixtures();
    let markers = markers(&profiles, &fixtures);
    let (mut tried, mut wrong) = (0, Vec::new());
    for (number, fixture) in fixtures.iter().enumerate() {
        let Some(before) = verdict(&profiles, fixture) else { continue };
        let Some((row, sign, more)) = prompt_row(&profiles, fixture) else { continue };
        // A menu's marked row looks like a prompt, but nobody types there.
        if before.evidence.rule.contains("menu") || fixture.states == ["keep"] {
            continue;
        }
        for round in 0..6 {
            let some: Vec<&String> = (0..4).map(|i| &markers[(number * 29 + round * 43 + i) % markers.len()]).collect();
            // A draft of four rows pushes what tells of the work out of a pane of twelve: nobody can see it then.
            let roomy = fixture.pane.height >= 15;
            for several in [false, true].into_iter().take(if roomy { 2 } else { 1 }) {
                let mut changed = fixture.clone();
                let old: Vec<char> = fixture.rows[row].chars().collect();
                // A frame on the right stays.
                let tail: String = old.iter().rev().take_while(|c| "│┃".contains(**c)).collect();
                changed.rows[row] = format!("{sign}{}{tail}", some[0]);
                let mut changed = if several {
                    let lines: Vec<String> = some[1..].iter().map(|marker| format!("{more}{marker}{tail}")).collect();
                    let Some(changed) = insert(&changed, row, &lines) else { continue };
                    changed
                } else {
                    changed
                };
                let end = changed.rows.iter().position(|r| r.ends_with(some[if several { 3 } else { 0 }].as_str()));
                if let Some(end) = end {
                    changed.pane.cursor.1 = u16::try_from(end).unwrap();
                }
                tried += 1;
                let screen = changed.screen();
                let after = judge(&profiles, &observation(&changed, &screen));
                // What only the empty prompt box tells may become unknown, never anything else.
                let same = after.as_ref().is_some_and(|v| {
                    v.state == before.state
                        || v.state == tmux_orc::monitor::AgentState::Unknown
                        || before.evidence.region.as_deref() == Some("prompt")
                });
                if !same && wrong.len() < 20 {
                    let after = after.map(|v| format!("{} by {} on `{}`", v.state, v.evidence.rule, v.evidence.line));
                    wrong.push(format!(
                        "{}: {} became {after:?}\n{}",
                        fixture.name,
                        before.state,
                        changed.rows.join("\n")
                    ));
                }
            }
        }
    }
    assert!(tried > 3000, "only {tried} tried");
    assert!(wrong.is_empty(), "of {tried}:\n{}", wrong.join("\n\n"));
}

/// The row of the prompt, what it begins with, and what further rows of a draft begin with.
fn prompt_row(profiles: &Profiles, fixture: &Fixture) -> Option<(usize, &'static str, &'static str)> {
    let screen = fixture.screen();
    let explanation = explain(profiles, &observation(fixture, &screen));
    if !explanation.regions.iter().any(|region| region.starts_with("composer ")) {
        return None;
    }
    let agent = explanation.verdict?.agent;
    let signs: &[(&str, &str)] = match agent.as_str() {
        "claude" => &[("❯", "  "), (">", "  ")],
        "codex" => &[("› ", "  ")],
        "gemini" => &[(" > ", "   "), ("│ > ", "│   ")],
        "qwen" => &[("> ", "  ")],
        "copilot" => &[("❯", "  ")],
        _ => return None,
    };
    let (row, (sign, more)) = fixture
        .rows
        .iter()
        .enumerate()
        .rev()
        .find_map(|(row, text)| Some((row, *signs.iter().find(|(sign, _)| text.starts_with(sign))?)))?;
    let sign = match sign {
        "❯" => "❯ ",
        ">" => "> ",
        other => other,
    };
    Some((row, sign, more))
}
