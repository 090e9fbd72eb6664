//! What a simulated agent's screen is at one moment: pure, from script, scene and time to rows.

use std::time::Duration;

use jiff::{ToSpan, ZonedDateTime};

use crate::app::demo::paint::{Row, Words, row};
use crate::app::demo::script::{Project, Scene, Script};
use crate::monitor::AgentState;

/// Rows of the past that are kept.
const KEPT_ROWS: usize = 300;

/// The conversation of one simulated agent and how it looks.
pub(super) struct Stage<'a> {
    script: &'a Script,
    project: &'a Project,
    /// Working directory as shown.
    place: String,
    past: Vec<String>,
}

/// The screen at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Picture {
    /// Rows from the top; those below the last are blank.
    pub(super) rows: Vec<Row>,
    /// The pane's title; empty for none.
    pub(super) title: String,
    /// The cursor is shown.
    pub(super) cursor: bool,
}

struct Moment<'a> {
    stage: &'a Stage<'a>,
    elapsed: Duration,
}

impl<'a> Stage<'a> {
    /// An agent that was just started.
    pub(super) fn new(script: &'a Script, project: &'a Project) -> Self {
        Self { script, project, place: format!("~/src/{}", project.session), past: Vec::new() }
    }

    /// The scene is over: what was said in it becomes the past.
    pub(super) fn finish(&mut self, scene: &Scene, now: &ZonedDateTime) {
        self.past.extend(scene.say.lines().map(|line| with_times(line, now)));
        let surplus = self.past.len().saturating_sub(KEPT_ROWS);
        self.past.drain(..surplus);
    }

    /// The picture of `scene`, `elapsed` after it began, when it lasts `lasts` and the terminal has this size.
    pub(super) fn picture(
        &self,
        scene: &Scene,
        elapsed: Duration,
        lasts: Duration,
        now: &ZonedDateTime,
        (width, height): (usize, usize),
    ) -> Picture {
        let moment = Moment { stage: self, elapsed };
        let make = |line: &str| row(&with_times(line, now), width, &self.script.accent, &moment);
        let mut picture = Picture {
            rows: Vec::new(),
            title: row(scene.title.as_deref().unwrap_or(&self.script.title), 200, "", &moment).text,
            cursor: scene.cursor.unwrap_or(self.script.cursor),
        };
        if scene.blank {
            return picture;
        }
        let mut bottom: Vec<Row> = scene.live.lines().map(make).collect();
        bottom.extend(self.script.blocks.get(&scene.bottom).into_iter().flat_map(|block| block.lines()).map(make));
        let mut top: Vec<Row> = Vec::new();
        if !scene.alone {
            let said: Vec<&str> = scene.say.lines().take(visible(scene, elapsed, lasts)).collect();
            let past = self.past.iter().map(String::as_str);
            top.extend(self.script.welcome.lines().chain(past).chain(said).map(make));
        }
        let room = height.saturating_sub(bottom.len());
        if self.script.alternate && !scene.alone {
            top.drain(..top.len().saturating_sub(room));
            top.resize(room, Row::default());
        }
        picture.rows = top;
        picture.rows.append(&mut bottom);
        picture.rows.drain(..picture.rows.len().saturating_sub(height));
        picture
    }
}

/// How many rows of `say` are out: all of them, but one after another while it works.
pub(super) fn visible(scene: &Scene, elapsed: Duration, lasts: Duration) -> usize {
    let rows = scene.say.lines().count();
    if scene.state != AgentState::Working {
        return rows;
    }
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
    let out = 1 + (rows as f64 * elapsed.as_secs_f64() / (lasts.as_secs_f64() * 0.7).max(0.1)) as usize;
    out.min(rows)
}

/// Puts in the times of day: they are those of the moment at which a row is said, and stay.
fn with_times(line: &str, now: &ZonedDateTime) -> String {
    if !line.contains('{') {
        return line.to_owned();
    }
    let later = now.checked_add(137.minutes()).unwrap_or_else(|_| now.clone());
    line.replace("{clock}", &now.strftime("%-I:%M %p").to_string())
        .replace("{clock24}", &now.strftime("%H:%M").to_string())
        .replace("{reset}", &later.strftime("%-I:%M%P").to_string())
        .replace("{RESET}", &later.strftime("%-I:%M %p").to_string())
}

impl Words for Moment<'_> {
    fn word(&self, name: &str) -> Option<String> {
        let Stage { script, project, place, .. } = self.stage;
        let seconds = self.elapsed.as_secs();
        Some(match name {
            "spin" => {
                let frame = self.elapsed.as_millis() / u128::from(script.frame_ms.max(1));
                let index = usize::try_from(frame).unwrap_or(0).checked_rem(script.frames.len())?;
                script.frames[index].clone()
            }
            "s" if seconds < 60 => format!("{seconds}s"),
            "s" => format!("{}m {}s", seconds / 60, seconds % 60),
            "tokens" => (22 + self.elapsed.as_millis() / 27).to_string(),
            "task" => project.task.clone(),
            "file" => project.file.clone(),
            "command" => project.command.clone(),
            "question" => project.question.clone(),
            "answer1" => project.answers[0].clone(),
            "answer2" => project.answers[1].clone(),
            "answer3" => project.answers[2].clone(),
            "dir" => place.clone(),
            "name" => project.session.clone(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::demo::script::{casting, scripts};

    #[test]
    fn every_scene_fills_its_screen_and_never_more() {
        let now = ZonedDateTime::now();
        for script in scripts().values() {
            let mut stage = Stage::new(script, &casting().projects[0]);
            for scene in &script.scenes {
                for (width, height) in [(100, 30), (100, 14), (60, 20), (20, 5), (1, 1)] {
                    for second in [0, 3, 70] {
                        let at = Duration::from_secs(second);
                        let picture = stage.picture(scene, at, Duration::from_secs(20), &now, (width, height));
                        assert!(picture.rows.len() <= height, "{} {}", script.agent, scene.bottom);
                        if script.alternate && !scene.alone && !scene.blank && scene.state != AgentState::Exited {
                            assert_eq!(picture.rows.len(), height, "{} {}", script.agent, scene.bottom);
                        }
                        let text: String = picture.rows.iter().map(|row| row.text.as_str()).collect();
                        for word in ["{spin}", "{task}", "{fill", "{dim}", "{/}", "{clock", "{pad", "{answer"] {
                            assert!(!text.contains(word), "{}: {word} is left in {text}", script.agent);
                        }
                    }
                }
                stage.finish(scene, &now);
            }
        }
    }

    #[test]
    fn a_working_agent_says_its_rows_one_after_another() {
        let scene = &scripts()["claude"].scenes[3];
        assert_eq!(scene.state, AgentState::Working);
        let lasts = Duration::from_secs(20);
        let out = |second| visible(scene, Duration::from_secs(second), lasts);
        assert_eq!(out(0), 1);
        assert!(out(0) < out(5) && out(5) < out(14));
        assert_eq!(out(20), scene.say.lines().count());
    }
}
