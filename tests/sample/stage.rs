//! A dashboard on a stage: messages and keys in, effects and screens out.
#![allow(dead_code, reason = "each test program uses its own part")]

use ratatui::{
    backend::TestBackend,
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier},
};
use tmux_orc::app::Effect;
use tmux_orc::app::core::fleet::{AgentKey, MemberId};
use tmux_orc::app::core::key::Key;
use tmux_orc::app::core::list::Line;
use tmux_orc::app::core::message::{Message, Mouse};
use tmux_orc::app::core::scrolling::InView;
use tmux_orc::app::core::state::State;
use tmux_orc::app::core::update::update;
use tmux_orc::monitor::{Link, Snapshot};
use tmux_orc::ui::colour::Depth;
use tmux_orc::ui::layout::{Layout, shape};
use tmux_orc::ui::theme::Theme;
use tmux_orc::ui::{Screens, draw, hit};

use super::app;

pub struct Stage {
    pub state: State,
    pub columns: u16,
    pub rows: u16,
    pub effects: Vec<Effect>,
}

impl Stage {
    pub fn new(snapshot: Snapshot, columns: u16, rows: u16) -> Self {
        let mut stage = Self { state: app(snapshot), columns, rows, effects: Vec::new() };
        stage.tell(Message::Resize(columns, rows));
        stage
    }

    pub fn layout(&self) -> Layout {
        Layout::new(Rect::new(0, 0, self.columns, self.rows), shape(&self.state))
    }

    /// As the loop does: the message, then what the layout shows.
    pub fn tell(&mut self, message: Message) -> bool {
        let outcome = update(&mut self.state, message);
        self.effects.extend(outcome.effects);
        let viewport = self.layout().viewport(&self.state);
        if viewport != self.state.viewport {
            self.effects.extend(update(&mut self.state, Message::Viewport(viewport)).effects);
        }
        update(&mut self.state, Message::Drawn);
        outcome.redraw
    }

    /// As the loop does with the mouse at a cell.
    pub fn mouse(&mut self, mouse: Mouse, x: u16, y: u16) -> bool {
        let hit = hit::at(&self.state, &self.layout(), x, y);
        self.tell(Message::Mouse(mouse, hit))
    }

    /// Types text as keys.
    pub fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.tell(Message::Key(Key::char(c)));
        }
    }

    /// The clock goes on by seconds, one tick each. Says whether any of them changed something visible.
    pub fn wait(&mut self, seconds: i64) -> bool {
        (0..seconds).fold(false, |redraw, _| {
            let now = self.state.now + jiff::SignedDuration::from_secs(1);
            self.pass(1000);
            self.tell(Message::Tick(now)) || redraw
        })
    }

    /// So many milliseconds pass by the clock that nobody sets; no tick comes.
    pub fn pass(&mut self, milliseconds: u64) {
        self.tell(Message::Elapsed(self.state.elapsed + std::time::Duration::from_millis(milliseconds)));
    }

    /// The effects since the last look.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// Another snapshot, changed from the one that is shown, a second later.
    pub fn publish(&mut self, change: impl FnOnce(&mut Snapshot)) -> bool {
        let mut next = Snapshot::clone(self.state.snapshot());
        next.timestamp = self.state.now;
        change(&mut next);
        self.show(std::sync::Arc::new(next))
    }

    /// The first member publishes this.
    pub fn show(&mut self, snapshot: std::sync::Arc<Snapshot>) -> bool {
        self.tell(Message::Fleet(self.state.fleet.with_snapshot(MemberId::FIRST, snapshot)))
    }

    /// The first member is reached in this way now.
    pub fn reach(&mut self, link: Link) -> bool {
        self.tell(Message::Fleet(self.state.fleet.with_link(MemberId::FIRST, link)))
    }

    /// The engine answers all that was asked and is not answered yet.
    pub fn answer(&mut self, answer: Result<(), &str>) -> bool {
        let ids: Vec<u64> = self.state.pending.iter().map(|pending| pending.id).collect();
        let mut redraw = false;
        for id in ids {
            redraw |= self.tell(Message::Answered { id, answer: answer.map_err(str::to_owned) });
        }
        redraw
    }

    /// Targets of the rows, top to bottom.
    pub fn rows(&self) -> Vec<String> {
        self.state.list.agents(&self.state.fleet).map(|(_, agent)| agent.target.clone()).collect()
    }

    /// Target of the selected agent.
    pub fn selected(&self) -> &str {
        self.state.selected().map_or("", |agent| agent.target.as_str())
    }

    /// Presses keys by their names: `"j j enter"`.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let key: Key = key.parse().expect(key);
            self.tell(Message::Key(key));
        }
    }

    /// The state agrees with itself, and can be drawn.
    pub fn check(&self) {
        let fleet = &self.state.fleet;
        let rows: Vec<AgentKey> = self.state.list.agents(fleet).map(|(key, _)| key).collect();
        let mut distinct = rows.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), rows.len(), "no row twice");
        if self.state.list.filter.is_empty() {
            let folded = fleet.agents().filter(|agent| agent.is_aside() && !self.state.list.shows_aside()).count();
            assert_eq!(rows.len() + folded, fleet.len(), "every agent has its row");
        }
        match self.state.list.selected {
            Some(id) => assert!(rows.contains(&id), "the cursor is on a row"),
            None => assert!(rows.is_empty(), "a list that is not empty has a cursor"),
        }
        let list = &self.state.list;
        let rows = list.room().rows;
        let shown = list.in_view();
        let mut y = 0;
        for line in &shown {
            assert!(line.y == y && line.rows > 0, "a line begins where the one above it ends: {shown:?}");
            y += line.rows;
        }
        assert!(y <= rows, "no more rows than there is room for");
        assert!(y == rows || list.top + shown.len() >= list.lines.len(), "no room is left while there are lines");
        if let Some(key) = list.selected.filter(|_| rows > 0) {
            let selected = |place| fleet.at(place).is_some_and(|(other, _)| other == key);
            let on = |line: &&InView| matches!(line.line, Line::Agent(place) if selected(place));
            let cursor = shown.iter().find(on).expect("the cursor is in view");
            let all = list.level() + list.request(key);
            assert!(cursor.rows >= all.min(rows - 1), "with all its rows: {cursor:?} of {all}");
        }
        let buffer = self.buffer("dark");
        assert_eq!(buffer.area.area(), u32::from(self.columns) * u32::from(self.rows));
    }

    pub fn buffer(&self, theme: &str) -> Buffer {
        self.buffer_at(theme, Depth::True)
    }

    pub fn buffer_at(&self, theme: &str, depth: Depth) -> Buffer {
        static THEMES: std::sync::Mutex<Vec<(Depth, Vec<Theme>)>> = std::sync::Mutex::new(Vec::new());
        let mut read = THEMES.lock().unwrap();
        if !read.iter().any(|(d, _)| *d == depth) {
            read.push((depth, Theme::all(None, depth).unwrap()));
        }
        let themes = &read.iter().find(|(d, _)| *d == depth).unwrap().1;
        let theme = themes.iter().find(|t| t.name == theme).unwrap().clone();
        drop(read);
        let layout = self.layout();
        let mut buffer = Buffer::empty(layout.area);
        let mut screens = Screens::default();
        screens.read(&self.state, theme.depth);
        draw(&self.state, &layout, &theme, &screens, &mut buffer);
        buffer
    }

    /// The screen as text, a line a row.
    pub fn text(&self) -> String {
        let mut backend = TestBackend::new(self.columns, self.rows);
        let buffer = self.buffer("dark");
        let empty = Buffer::empty(buffer.area);
        ratatui::backend::Backend::draw(&mut backend, empty.diff(&buffer).into_iter()).unwrap();
        backend.to_string().lines().map(|line| line.trim_matches('"')).collect::<Vec<_>>().join("\n")
    }

    /// The screen with its colours as escape sequences.
    pub fn ansi(&self, theme: &str) -> String {
        let buffer = self.buffer(theme);
        let mut out = String::new();
        for y in 0..buffer.area.height {
            let mut skip = 0;
            for x in 0..buffer.area.width {
                if skip > 0 {
                    skip -= 1;
                    continue;
                }
                let cell = &buffer[(x, y)];
                out.push_str("\x1b[0");
                for (modifier, code) in [
                    (Modifier::BOLD, ";1"),
                    (Modifier::DIM, ";2"),
                    (Modifier::ITALIC, ";3"),
                    (Modifier::UNDERLINED, ";4"),
                    (Modifier::REVERSED, ";7"),
                ] {
                    if cell.modifier.contains(modifier) {
                        out.push_str(code);
                    }
                }
                out.push_str(&code(cell.fg, 38));
                out.push_str(&code(cell.bg, 48));
                out.push('m');
                out.push_str(cell.symbol());
                skip = tmux_orc::app::core::text::width(cell.symbol()).saturating_sub(1);
            }
            out.push_str("\x1b[0m\n");
        }
        out
    }
}

fn code(colour: Color, base: u8) -> String {
    match colour {
        Color::Rgb(r, g, b) => format!(";{base};2;{r};{g};{b}"),
        Color::Indexed(n) => format!(";{base};5;{n}"),
        Color::Green => format!(";{base};5;2"),
        _ => String::new(),
    }
}

/// A terminal that counts what is written to it.
#[derive(Debug, Default)]
pub struct Writes {
    pub frames: usize,
    pub cells: usize,
}

impl ratatui::backend::Backend for Writes {
    type Error = std::io::Error;

    fn draw<'a, I: Iterator<Item = (u16, u16, &'a ratatui::buffer::Cell)>>(
        &mut self,
        content: I,
    ) -> std::io::Result<()> {
        self.cells = content.count();
        Ok(())
    }
    fn hide_cursor(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn show_cursor(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn get_cursor_position(&mut self) -> std::io::Result<ratatui::layout::Position> {
        Ok(ratatui::layout::Position::ORIGIN)
    }
    fn set_cursor_position<P: Into<ratatui::layout::Position>>(&mut self, _: P) -> std::io::Result<()> {
        Ok(())
    }
    fn clear(&mut self) -> std::io::Result<()> {
        Ok(())
    }
    fn clear_region(&mut self, _: ratatui::backend::ClearType) -> std::io::Result<()> {
        Ok(())
    }
    fn size(&self) -> std::io::Result<ratatui::layout::Size> {
        Ok(ratatui::layout::Size::new(140, 42))
    }
    fn window_size(&mut self) -> std::io::Result<ratatui::backend::WindowSize> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl tmux_orc::ui::Synchronised for Writes {
    fn begin(&mut self) -> std::io::Result<()> {
        self.frames += 1;
        Ok(())
    }
    fn end(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
