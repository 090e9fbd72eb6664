//! Whether the terminal's background is light: from `COLORFGBG`, else by asking the terminal itself (OSC 11).

use std::{
    io::{self, IsTerminal as _, Write},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::ui::terminal::reply::Reply;

/// Longest wait for the answer. Terminals at hand answer within a few milliseconds; the first frame shall not wait long.
const WAIT: Duration = Duration::from_millis(30);

/// What was learnt of the background.
#[derive(Debug, Default)]
pub(crate) struct Background {
    /// It is light; `None` when nothing tells.
    pub(crate) light: Option<bool>,
    /// All that came while an answer was awaited: the answer, its beginning, or keys. `None` when nothing was asked.
    pub(crate) received: Option<Vec<u8>>,
}

/// Asks for the background. The terminal must be raw, and nobody else reading it.
pub(crate) fn ask(env: impl Fn(&str) -> Option<String>) -> Background {
    if let Some(light) = env("COLORFGBG").as_deref().and_then(from_colorfgbg) {
        return Background { light: Some(light), received: None };
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Background::default();
    }
    let mut out = io::stdout();
    // The second question is one that every terminal answers: its answer ends the wait where the first is not known.
    if out.write_all(Reply::QUESTIONS).and_then(|()| out.flush()).is_err() {
        return Background::default();
    }
    let received = read_answer();
    Background { light: is_light(&Reply::all(&received)), received: Some(received) }
}

/// `15;0`: the last number is the background, 7 and 15 and above 8 are light.
fn from_colorfgbg(value: &str) -> Option<bool> {
    let background: u8 = value.rsplit(';').next()?.parse().ok()?;
    Some(background == 7 || background > 8)
}

fn read_answer() -> Vec<u8> {
    let stdin = io::stdin();
    let deadline = Instant::now() + WAIT;
    let mut answer = Vec::new();
    // Held so that nobody else in this process reads in between; read from directly, so that nothing stays in a buffer
    // that the event reader does not know of.
    let _held = stdin.lock();
    while answer.len() < 256 {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(wait) = Timespec::try_from(left) else { break };
        let mut fds = [PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::IN)];
        if left.is_zero() || !matches!(poll(&mut fds, Some(&wait)), Ok(1..)) {
            break;
        }
        let mut bytes = [0; 64];
        match rustix::io::read(stdin.as_fd(), &mut bytes) {
            Ok(0) | Err(_) => break,
            Ok(n) => answer.extend_from_slice(&bytes[..n]),
        }
        if Reply::all(&answer).contains(&Reply::Attributes) {
            break;
        }
    }
    answer
}

/// Whether a terminal that replied so has a light background.
fn is_light(replies: &[Reply]) -> Option<bool> {
    replies.iter().find_map(|reply| match *reply {
        Reply::Background(r, g, b) => Some((u32::from(r) * 299 + u32::from(g) * 587 + u32::from(b) * 114) / 1000 > 140),
        Reply::Attributes => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_differs_from_dark() {
        assert_eq!(from_colorfgbg("0;15"), Some(true));
        assert_eq!(from_colorfgbg("15;default;0"), Some(false));
        assert_eq!(from_colorfgbg("what"), None);
        assert_eq!(is_light(&[Reply::Background(255, 255, 238), Reply::Attributes]), Some(true));
        assert_eq!(is_light(&[Reply::Background(16, 18, 22)]), Some(false));
        assert_eq!(is_light(&[Reply::Attributes]), None);
    }
}
