//! A test: the monitor sees each scene of each simulated agent as what the script says it is.

use std::time::Duration;

use jiff::{Timestamp, ZonedDateTime};

use crate::app::demo::script::{Script, casting, scripts};
use crate::app::demo::stage::Stage;
use crate::{
    monitor::{
        AgentState,
        detect::{Observation, Process, Profiles, Verdict, judge},
    },
    tmux::{Pane, Screen},
};

/// What the monitor says of a scene, `second` seconds into it, in a pane of this size.
fn verdict(
    profiles: &Profiles,
    stage: &Stage<'_>,
    script: &Script,
    index: usize,
    second: u64,
    size: (usize, usize),
) -> Option<Verdict> {
    let (elapsed, lasts) = (Duration::from_secs(second), Duration::from_secs(20));
    let picture = stage.picture(&script.scenes[index], elapsed, lasts, &ZonedDateTime::now(), size);
    let mut text: String = picture.rows.iter().map(|row| format!("{}\n", row.text)).collect();
    text.push_str(&"\n".repeat(size.1 - picture.rows.len()));
    let cursor = picture.rows.iter().enumerate().find_map(|(y, row)| Some((row.cursor?, y)));
    let (x, y) = cursor.unwrap_or((0, picture.rows.len().saturating_sub(1)));
    let cell = |number: usize| u16::try_from(number).expect("a small screen");
    let mut processes =
        vec![Process { pid: 100, comm: "bash".into(), args: vec!["bash".into()], ..Process::default() }];
    for (depth, process) in (1..).zip(&script.processes) {
        processes.push(Process {
            pid: 100 + u32::from(depth),
            ppid: 99 + u32::from(depth),
            depth,
            foreground: true,
            comm: process.file.clone(),
            args: process.args.clone(),
            ..Process::default()
        });
    }
    let program = &script.processes[0].args[0];
    let pane = Pane {
        pid: 100,
        width: cell(size.0),
        height: cell(size.1),
        alternate_on: script.alternate,
        cursor_shown: picture.cursor,
        cursor: (cell(x), cell(y)),
        command: program.rsplit('/').next().unwrap_or(program).into(),
        title: picture.title,
        ..Pane::default()
    };
    judge(
        profiles,
        &Observation {
            pane: &pane,
            screen: Some(&Screen::plain(text.as_bytes())),
            processes: &processes,
            published: None,
            known_agent: None,
            named: None,
            previous: None,
            now: Timestamp::now(),
            zone: None,
        },
    )
}

#[test]
fn the_monitor_sees_every_scene_as_what_it_is() {
    let profiles = Profiles::embedded();
    let mut wrong = Vec::new();
    for script in scripts().values() {
        for project in &casting().projects {
            let mut stage = Stage::new(script, project);
            for (index, scene) in
                script.scenes.iter().enumerate().filter(|(_, scene)| scene.state != AgentState::Exited)
            {
                for size in [(100, 30), (100, 14), (120, 40)] {
                    for second in [1, 9, 19] {
                        let seen = verdict(&profiles, &stage, script, index, second, size);
                        let right = seen.as_ref().is_some_and(|seen| {
                            seen.agent == script.agent
                                && seen.state == scene.state
                                && (scene.kind.is_none() || seen.kind == scene.kind)
                        });
                        if !right {
                            let seen =
                                seen.map(|s| format!("{} {} {:?} by {}", s.agent, s.state, s.kind, s.evidence.rule));
                            wrong.push(format!(
                                "{} scene {index} at {size:?} after {second} s: {} {:?}, but seen {seen:?}",
                                script.agent, scene.state, scene.kind
                            ));
                        }
                    }
                }
                stage.finish(scene, &ZonedDateTime::now());
            }
        }
    }
    wrong.dedup();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
