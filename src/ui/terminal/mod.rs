//! The terminal as it is taken over and given back: on every way out, a panic included.

pub(crate) mod background;
pub(crate) mod burst;
pub(crate) mod csi;
pub(crate) mod decode;
pub(crate) mod input;
pub(crate) mod listen;
pub(crate) mod reader;
pub(crate) mod reply;
pub(crate) mod screen;
pub(crate) mod signals;
pub(crate) mod stop;

use std::{
    io::{self, BufWriter, Stdout, Write},
    sync::{
        Once,
        atomic::{AtomicBool, Ordering},
    },
};

use crossterm::{
    cursor::{Hide, Show},
    event::{
        DisableBracketedPaste, DisableFocusChange, DisableMouseCapture, EnableBracketedPaste, EnableFocusChange,
        EnableMouseCapture,
    },
    execute, queue,
    terminal::{
        BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
        enable_raw_mode,
    },
};
use ratatui::backend::CrosstermBackend;
use tokio::sync::Notify;

use crate::ui::terminal::screen::Synchronised;

/// The terminal is ours: raw, on the other screen.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// Something panicked while the terminal was ours.
pub(crate) static PANICKED: Notify = Notify::const_new();

/// The writer: one write for a frame.
pub(crate) type Writer = BufWriter<Stdout>;

impl<W: Write> Synchronised for CrosstermBackend<W> {
    fn begin(&mut self) -> io::Result<()> {
        queue!(self, BeginSynchronizedUpdate)
    }

    fn end(&mut self) -> io::Result<()> {
        queue!(self, EndSynchronizedUpdate)?;
        Write::flush(self)
    }
}

/// The terminal while it is ours; given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Taken {
    mouse: bool,
}

impl Taken {
    /// Takes the terminal over.
    pub(crate) fn take(mouse: bool) -> io::Result<Self> {
        on_panic_give_back();
        let taken = Self { mouse };
        taken.enter()?;
        Ok(taken)
    }

    /// Takes it over again after it was given back.
    pub(crate) fn enter(&self) -> io::Result<()> {
        TAKEN.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = io::stdout();
        execute!(out, EnterAlternateScreen, Hide, EnableBracketedPaste, EnableFocusChange)?;
        if self.mouse {
            execute!(out, EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Uses the mouse from now on, or leaves it to the terminal.
    pub(crate) fn use_mouse(&mut self, on: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.mouse, on) == on {
            return Ok(());
        }
        let mut out = io::stdout();
        if on { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        give_back();
    }
}

/// A writer that gathers a frame.
pub(crate) fn writer() -> Writer {
    BufWriter::with_capacity(1 << 18, io::stdout())
}

/// Gives the terminal back, once.
pub(crate) fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    // Nothing can be done about a terminal that is gone.
    let _ = execute!(
        out,
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}

/// A panic anywhere gives the terminal back before its message is printed, and ends the dashboard.
fn on_panic_give_back() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if TAKEN.load(Ordering::SeqCst) {
                give_back();
                PANICKED.notify_one();
            }
            before(info);
        }));
    });
}
