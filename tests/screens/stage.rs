//! A dashboard on a stage: keys in, screens out.

use ratatui::{
    backend::TestBackend,
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier},
};
use tmux_orc::{
    app::{Effect, key::Key, message::Message, state::State, update::update},
    monitor::Snapshot,
    ui::{
        Preview,
        colour::Depth,
        draw,
        layout::{Layout, shape},
        theme::Theme,
    },
};

use crate::sample;

pub struct Stage {
    pub state: State,
    pub columns: u16,
    pub rows: u16,
    pub effects: Vec<Effect>,
}

impl Stage {
    pub fn new(snapshot: Snapshot, columns: u16, rows: u16) -> Self {
        let mut stage = Self { state: sample::app(snapshot), columns, rows, effects: Vec::new() };
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
        let viewport = self.layout().viewport(&self.state.mode);
        if viewport != self.state.viewport {
            self.effects.extend(update(&mut self.state, Message::Viewport(viewport)).effects);
        }
        outcome.redraw
    }

    /// Presses keys by their names: `"j j enter"`.
    pub fn keys(&mut self, keys: &str) {
        for key in keys.split(' ') {
            let key: Key = key.parse().expect(key);
            self.tell(Message::Key(key));
        }
    }

    pub fn buffer(&self, theme: &str) -> Buffer {
        let themes = Theme::all(None, Depth::True).unwrap();
        let theme = themes.iter().find(|t| t.name == theme).unwrap();
        let layout = self.layout();
        let mut buffer = Buffer::empty(layout.area);
        let mut preview = Preview::default();
        preview.read(&self.state.snapshot, theme.depth);
        draw(&self.state, &layout, theme, &preview, &mut buffer);
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
                skip = tmux_orc::app::text::width(cell.symbol()).saturating_sub(1);
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
