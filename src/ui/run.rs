//! The loop: what happens goes through `update`; a frame is drawn when something visible changed, at most every 33 ms.
//!
//! Long because the loop waits in one place for all that can happen.

use std::{io, path::PathBuf, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use ratatui::backend::CrosstermBackend;
use rustix::process::Signal;
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep_until},
};

use crate::app::Effect;
use crate::app::core::column::{Column, SHOWN};
use crate::app::core::grouping::Grouping;
use crate::app::core::keymap::{Keymap, KeymapError, Overrides};
use crate::app::core::message::{Message, Outcome, Setup};
use crate::app::core::pick::Opening;
use crate::app::core::{state::State, update::update, view::Capabilities};
use crate::app::members::Members;
use crate::app::settings::theme::{self, ThemeError};
use crate::ui::colour::{ColourChoice, Depth};
use crate::ui::glyphs::Glyphs;
use crate::ui::terminal::background::Background;
use crate::ui::terminal::listen::Listener;
use crate::ui::terminal::screen::Screen;
use crate::ui::terminal::signals::{Asked, Signals};
use crate::ui::terminal::stop::stop;
use crate::ui::terminal::{self, PANICKED, Taken, background};
use crate::ui::{glyphs, theme::Theme};

/// Time from one frame to the next at least.
const FRAME: Duration = Duration::from_millis(33);

/// How the dashboard is set up.
#[derive(Debug)]
pub struct Options {
    /// Name of the theme; `auto` takes `light` on a light background and `dark` else.
    pub theme: String,
    /// Folder with the user's themes.
    pub themes: Option<PathBuf>,
    /// Which signs are drawn.
    pub glyphs: Glyphs,
    /// The mouse is used.
    pub mouse: bool,
    /// The user's keys.
    pub keys: Overrides,
    /// Percent of an account's limit from which on the header shows it.
    pub limit_threshold: u8,
    /// Nothing blinks, and screens of panes change but now and then.
    pub reduced_motion: bool,
    /// The columns that are shown.
    pub columns: Vec<Column>,
    /// What the agents are grouped by at first.
    pub grouping: Grouping,
    /// Colours.
    pub colour: ColourChoice,
    /// Who does what needs tmux or the settings file; without it those keys are not shown.
    pub actions: Option<Actions>,
    /// What it opens with.
    pub opening: Opening,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            theme: "auto".to_owned(),
            themes: None,
            glyphs: Glyphs::Auto,
            mouse: true,
            keys: Overrides::new(),
            limit_threshold: 80,
            reduced_motion: false,
            columns: SHOWN.to_vec(),
            grouping: Grouping::None,
            colour: ColourChoice::Auto,
            actions: None,
            opening: Opening::Panels,
        }
    }
}

/// The two ends that do what the dashboard cannot do itself.
#[derive(Debug)]
pub struct Actions {
    /// What can be done.
    pub can: Capabilities,
    /// Effects to be done: all but those of the engine and of the terminal.
    pub effects: mpsc::Sender<Effect>,
    /// What came of them, as messages.
    pub results: mpsc::Receiver<Message>,
}

/// How the dashboard ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Its user left it.
    Quit,
    /// A signal with this number asked for it.
    Signal(i32),
}

/// Why the dashboard could not start or go on. The terminal is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The terminal cannot be used.
    #[error("the terminal cannot be used: {0}; run it on a terminal, or pipe its output for plain text")]
    Terminal(#[from] io::Error),
    /// The engine ended.
    #[error("the engine ended unexpectedly; what it said last is in the log")]
    Engine,
    /// Something panicked.
    #[error("the program failed; what is written above says where")]
    Panicked,
    /// A theme cannot be used.
    #[error(transparent)]
    Theme(#[from] ThemeError),
    /// No theme has this name.
    #[error("dashboard.theme: no theme '{name}'; there are auto, {names}")]
    NoTheme {
        /// The name.
        name: String,
        /// The names that there are.
        names: String,
    },
    /// The keys cannot be used.
    #[error("dashboard.{0}")]
    Keys(#[from] KeymapError),
}

/// Draws the dashboard until its user leaves it, a signal comes or something fails. Gives the terminal back whatever
/// happens.
///
/// # Errors
/// See [`Error`].
pub async fn run(members: Members, options: Options) -> Result<Exit, Error> {
    let env = |name: &str| std::env::var(name).ok();
    let depth = Depth::detect(options.colour, env);
    let mut themes = Theme::all(options.themes.as_deref(), depth)?;
    let keymap = Keymap::new(&options.keys)?;
    let named = pick(&themes, &options.theme, depth)?;

    let began = std::time::Instant::now();
    let mut state = State::new(members.now(), Timestamp::now(), TimeZone::system());
    let (can, effects, mut results) = match options.actions {
        Some(actions) => (actions.can, Some(actions.effects), Some(actions.results)),
        None => (Capabilities::default(), None, None),
    };
    let only_ascii = glyphs::is_ascii(env).await;
    let mut signals = Signals::listen()?;
    let mut taken = Taken::take(options.mouse)?;
    let mut received = None;
    let theme = named.unwrap_or_else(|| {
        let background = if depth == Depth::None { Background::default() } else { background::ask(env) };
        received = background.received;
        let light = background.light == Some(true);
        let name = if depth == Depth::None {
            "mono"
        } else if light {
            "light"
        } else {
            "dark"
        };
        themes.iter().position(|theme| theme.name == name).unwrap_or(0)
    });
    let ascii = options.glyphs.ascii(only_ascii);
    let (columns, limit_threshold, grouping) = (options.columns, options.limit_threshold, options.grouping);
    let (themes_named, opening) = (names(&themes), options.opening);
    let reduced_motion = options.reduced_motion;
    let setup = Setup {
        keymap,
        can,
        themes: themes_named,
        theme,
        ascii,
        columns,
        limit_threshold,
        reduced_motion,
        grouping,
        opening,
    };
    update(&mut state, Message::Begins(Box::new(setup)));
    let (columns, rows) = crossterm::terminal::size()?;
    update(&mut state, Message::Resize(columns, rows));
    let mut screen = Screen::new(CrosstermBackend::new(terminal::writer()), columns, rows);
    let mut listener = Listener::start(began, received)?;
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);

    let (read, mut were_read) = mpsc::channel(4);
    // Of commands that were asked; given up with the loop.
    let mut answers = JoinSet::new();
    let mut dirty = true;
    let mut next_frame = Instant::now();
    let mut input: Option<Message> = None;
    loop {
        if input.is_none() {
            input = listener.next(&state, &screen.layout(&state));
        }
        let message = tokio::select! {
            biased;
            () = PANICKED.notified() => return Err(Error::Panicked),
            asked = signals.next() => match asked {
                Asked::Leave(number) => return Ok(Exit::Signal(number)),
                Asked::Stop => {
                    pause(&mut signals, false).await;
                    come_back(&taken, &mut screen, &mut state)?;
                    dirty = true;
                    continue;
                }
                Asked::GoneOn => {
                    terminal::give_back();
                    come_back(&taken, &mut screen, &mut state)?;
                    dirty = true;
                    continue;
                }
                Asked::Resize => {
                    let (columns, rows) = crossterm::terminal::size()?;
                    screen.reset(columns, rows);
                    Message::Resize(columns, rows)
                }
            },
            () = sleep_until(next_frame), if dirty => {
                let viewport = screen.layout(&state).viewport(&state);
                if viewport != state.viewport {
                    let outcome = update(&mut state, Message::Viewport(viewport));
                    for effect in outcome.effects {
                        send(&mut state, &members, effects.as_ref(), effect);
                    }
                }
                screen.draw(&state, &themes[state.theme])?;
                dirty = update(&mut state, Message::Drawn).redraw;
                next_frame = Instant::now() + FRAME;
                continue;
            }
            message = async { input.take() }, if input.is_some() => match message {
                Some(message) => message,
                None => continue,
            },
            changed = members.changed() => match changed {
                Ok(()) => Message::Fleet(members.now()),
                Err(_) => return Err(Error::Engine),
            },
            there = listener.wait() => {
                if there {
                    continue;
                }
                return Ok(Exit::Signal(Signal::HUP.as_raw()));
            }
            Some(Ok((id, answer))) = answers.join_next() => {
                // What was carried out is in view before it is said to be.
                dirty |= update(&mut state, Message::Fleet(members.now())).redraw;
                Message::Answered { id, answer }
            }
            Some(result) = next_result(&mut results) => match result {
                // With the settings come the themes: the one that is named may be a new one. Read on another thread: a
                // disk that does not answer stops no key.
                configured @ Message::Configured { .. } => {
                    let (folder, read) = (options.themes.clone(), read.clone());
                    tokio::task::spawn_blocking(move || {
                        read.blocking_send((Theme::all(folder.as_deref(), depth), configured)).ok()
                    });
                    continue;
                }
                other => other,
            },
            Some((fresh, configured)) = were_read.recv() => {
                match fresh {
                    Ok(fresh) => {
                        themes = fresh;
                        update(&mut state, Message::Themes(names(&themes)));
                    }
                    Err(error) => {
                        update(&mut state, Message::ActionResult { text: error.to_string(), ok: false });
                    }
                }
                configured
            }
            _ = ticks.tick() => Message::Tick(Timestamp::now()),
        };
        if let Message::Configured { glyphs, .. } = &message {
            let ascii = Glyphs::named(glyphs).ascii(only_ascii);
            update(&mut state, Message::Ascii(ascii));
        }
        update(&mut state, Message::Elapsed(began.elapsed()));
        let Outcome { redraw, effects: asked } = update(&mut state, message);
        dirty |= redraw;
        for effect in asked {
            match effect {
                Effect::Quit => return Ok(Exit::Quit),
                Effect::Mouse(on) => taken.use_mouse(on)?,
                Effect::Repaint => {
                    let (columns, rows) = crossterm::terminal::size()?;
                    screen.reset(columns, rows);
                    update(&mut state, Message::Resize(columns, rows));
                    dirty = true;
                }
                Effect::Suspend => {
                    pause(&mut signals, true).await;
                    come_back(&taken, &mut screen, &mut state)?;
                    dirty = true;
                }
                Effect::Run(words, host) => {
                    // Whoever has the terminal gets every key, and a Ctrl-C there is none for us.
                    drop(listener);
                    let ended = run_here(&mut signals, &words).await;
                    if let Ok(Some(number)) = ended {
                        return Ok(Exit::Signal(number));
                    }
                    listener = Listener::start(began, None)?;
                    come_back(&taken, &mut screen, &mut state)?;
                    if let Err(error) = ended {
                        update(&mut state, Message::ActionResult { text: error, ok: false });
                    }
                    send(&mut state, &members, effects.as_ref(), Effect::Retry(host));
                    dirty = true;
                }
                Effect::Ask(id, member, command) => {
                    let answer = members.ask(member, command);
                    answers.spawn(async move { (id, answer.await.map_err(|why| why.to_string())) });
                }
                effect => dirty |= send(&mut state, &members, effects.as_ref(), effect),
            }
        }
    }
}

/// Gives the terminal back and stops until somebody lets us go on.
async fn pause(signals: &mut Signals, all: bool) {
    terminal::give_back();
    signals.stopped(|| stop(all)).await;
}

/// Gives the terminal to a program until it ends. A signal that asks us to leave ends both, and is returned; that of Ctrl-C
/// is the program's own.
async fn run_here(signals: &mut Signals, words: &[String]) -> Result<Option<i32>, String> {
    let Some((program, arguments)) = words.split_first() else { return Ok(None) };
    terminal::give_back();
    let cannot = |error: io::Error| format!("cannot run {program}: {error}");
    let mut child = tokio::process::Command::new(program).args(arguments).kill_on_drop(true).spawn().map_err(cannot)?;
    loop {
        tokio::select! {
            biased;
            asked = signals.next() => match asked {
                Asked::Leave(number) if number != Signal::INT.as_raw() => return Ok(Some(number)),
                // It was stopped by the same key, and goes on with us.
                Asked::Stop => signals.stopped(|| stop(false)).await,
                _ => {}
            },
            ended = child.wait() => match ended {
                Ok(status) if status.success() => return Ok(None),
                Ok(_) => break,
                Err(error) => return Err(cannot(error)),
            },
        }
    }
    // What it said last would be gone with the screen.
    eprint!("Press Enter to go back. ");
    tokio::task::spawn_blocking(|| io::stdin().read_line(&mut String::new())).await.ok();
    Ok(None)
}

/// Takes the terminal over again: what it shows, its size and the time may be others.
fn come_back(
    taken: &Taken,
    screen: &mut Screen<CrosstermBackend<terminal::Writer>>,
    state: &mut State,
) -> Result<(), Error> {
    taken.enter()?;
    let (columns, rows) = crossterm::terminal::size()?;
    screen.reset(columns, rows);
    update(state, Message::Resize(columns, rows));
    update(state, Message::Tick(Timestamp::now()));
    Ok(())
}

fn names(themes: &[Theme]) -> Vec<String> {
    themes.iter().map(|theme| theme.name.clone()).collect()
}

/// Index of the theme that was asked for; `None` leaves it to the background. Without colours `auto` is `mono`.
fn pick(themes: &[Theme], name: &str, depth: Depth) -> Result<Option<usize>, Error> {
    if name == theme::AUTO || depth == Depth::None {
        return Ok(None);
    }
    match themes.iter().position(|theme| theme.name == name) {
        Some(index) => Ok(Some(index)),
        None => Err(Error::NoTheme {
            name: name.to_owned(),
            names: themes.iter().map(|theme| theme.name.as_str()).collect::<Vec<_>>().join(", "),
        }),
    }
}

/// Hands an effect to who does it. Says whether something visible came of it.
fn send(state: &mut State, members: &Members, actions: Option<&mpsc::Sender<Effect>>, effect: Effect) -> bool {
    let sent = match (effect.clone(), actions) {
        (Effect::Engine(member, command), _) => members.send(member, command),
        (effect, Some(actions)) => actions.try_send(effect).is_ok(),
        (_, None) => false,
    };
    !sent && update(state, Message::NotSent(effect)).redraw
}

/// The next result; never, when nobody sends any.
async fn next_result(results: &mut Option<mpsc::Receiver<Message>>) -> Option<Message> {
    match results {
        Some(receiver) => match receiver.recv().await {
            Some(message) => Some(message),
            None => std::future::pending().await,
        },
        None => std::future::pending().await,
    }
}
