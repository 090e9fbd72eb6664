//! What the user does at the terminal, as messages: read, decoded, and kept apart from what nobody types.

use std::{
    collections::VecDeque,
    io,
    time::{Duration, Instant},
};

use crossterm::event::{Event, KeyEventKind};

use crate::app::core::message::Message;
use crate::app::core::state::State;
use crate::ui::layout::Layout;
use crate::ui::terminal::burst::{Burst, Out};
use crate::ui::terminal::decode::Decoder;
use crate::ui::terminal::input;
use crate::ui::terminal::reader::Reader;

/// Longer than any key is held back.
const LONG: Duration = Duration::from_secs(1);

/// Listens to the terminal while it lives. Times are those since the dashboard began.
#[derive(Debug)]
pub(crate) struct Listener {
    reader: Reader,
    decoder: Decoder,
    burst: Burst,
    events: VecDeque<(Duration, Event)>,
    began: Instant,
}

impl Listener {
    /// Begins to listen. `received` is what came before, when the terminal was asked something.
    ///
    /// # Errors
    /// There is no terminal.
    pub(crate) fn start(began: Instant, received: Option<Vec<u8>>) -> io::Result<Self> {
        let mut listener = Self {
            reader: Reader::start()?,
            decoder: Decoder::default(),
            burst: Burst::default(),
            events: VecDeque::new(),
            began,
        };
        if let Some(received) = received {
            listener.decoder.asked(began.elapsed());
            listener.take(began.elapsed(), &received);
        }
        Ok(listener)
    }

    /// Waits for something to come, or for the time at which what came is known. `false`: the terminal is gone.
    pub(crate) async fn wait(&mut self) -> bool {
        let due = self.decoder.due().into_iter().chain(self.burst.due()).min();
        let until = due.map(|due| tokio::time::Instant::from_std(self.began + due));
        tokio::select! {
            piece = self.reader.pieces.recv() => match piece {
                Some((at, bytes)) => self.take(at.duration_since(self.began), &bytes),
                None => return false,
            },
            () = tokio::time::sleep_until(until.unwrap_or_else(tokio::time::Instant::now)), if until.is_some() => {
                let mut events = Vec::new();
                let now = self.began.elapsed();
                self.decoder.expire(now, &mut events);
                self.events.extend(events.into_iter().map(|event| (now, event)));
            }
        }
        true
    }

    fn take(&mut self, at: Duration, bytes: &[u8]) {
        let mut events = Vec::new();
        self.decoder.feed(at, bytes, &mut events);
        self.events.extend(events.into_iter().map(|event| (at, event)));
    }

    /// The next message, if it is known what it is.
    pub(crate) fn next(&mut self, state: &State, layout: &Layout) -> Option<Message> {
        let taker = input::taker(state);
        loop {
            // Keys go to the burst as long as they come in a row; what is no key waits for those before it.
            match self.events.front() {
                Some((at, Event::Key(key))) => {
                    let (at, key) = (*at, *key);
                    // What is due comes out first, so that the next key meets the mode that this one leads to.
                    if self.burst.due().is_some_and(|due| due <= at)
                        && let Some(out) = self.burst.next(at, taker)
                    {
                        return Some(message(out));
                    }
                    self.events.pop_front();
                    if key.kind != KeyEventKind::Release
                        && let Some(key) = input::key_of(key)
                    {
                        self.burst.push(at, key, input::opens_line(state, key));
                    }
                }
                Some(_) => {
                    if let Some(out) = self.burst.next(self.began.elapsed() + LONG, taker) {
                        return Some(message(out));
                    }
                    let (_, event) = self.events.pop_front()?;
                    if let Some(message) = input::message(event, state, layout) {
                        return Some(message);
                    }
                }
                None => return self.burst.next(self.began.elapsed(), taker).map(message),
            }
        }
    }
}

fn message(out: Out) -> Message {
    match out {
        Out::Key(key) => Message::Key(key),
        Out::Dropped(keys) => Message::Dropped(keys),
    }
}
