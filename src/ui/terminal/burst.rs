//! Keys that come faster than any person types are text that was pasted without brackets, and no commands. Pure: keys and
//! times in, keys out, a little later where they would be commands.

use std::{
    collections::{BTreeSet, VecDeque},
    time::Duration,
};

use crate::app::core::key::{Code, Key};

/// Most silence between two keys of one run. The fastest fingers leave some 30 ms between six different keys; a paste none.
const GAP: Duration = Duration::from_millis(10);
/// So many different characters in one run are typed by nobody.
const DIFFERENT: usize = 6;
/// So many keys are neither, when they are not one or two keys that repeat.
const MANY: usize = 16;
/// A paste comes in pieces: what follows one so soon belongs to it.
const AFTER: Duration = Duration::from_millis(200);

/// Who gets a key that is pressed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taker {
    /// It is a command.
    Commands,
    /// A line that is searched or filtered by.
    Line,
    /// A message: a line's end in the midst of a paste is one of the message.
    Message,
}

/// What comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// A key.
    Key(Key),
    /// So many keys came at once and were dropped.
    Dropped(usize),
}

/// Keys without a pause between them.
#[derive(Debug)]
struct Run {
    keys: VecDeque<Key>,
    different: BTreeSet<Key>,
    count: usize,
    last: Duration,
    /// It is a paste.
    pasted: bool,
    /// A key of it opened a line: till Enter its keys are text.
    line: bool,
    dropped: usize,
}

/// Tells pastes from keys.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    runs: VecDeque<Run>,
    /// Till when what comes belongs to the last paste.
    after: Option<Duration>,
}

impl Burst {
    /// A key that came at this time. `opens` says that it opens a line to type into if it is a command.
    pub(crate) fn push(&mut self, now: Duration, key: Key, opens: bool) {
        if self.runs.back().is_none_or(|run| now > run.last + GAP) {
            let pasted = match self.runs.back() {
                Some(run) => run.pasted && now < run.last + AFTER,
                None => self.after.is_some_and(|after| now < after),
            };
            self.runs.push_back(Run {
                keys: VecDeque::new(),
                different: BTreeSet::new(),
                count: 0,
                last: now,
                pasted,
                line: false,
                dropped: 0,
            });
        }
        let Some(run) = self.runs.back_mut() else { return };
        run.keys.push_back(key);
        run.last = now;
        if run.line {
            run.line = key.code != Code::Enter && key.code != Code::Esc;
            return;
        }
        run.line = opens;
        if let Key { code: Code::Char(_), ctrl: false, alt: false } = key {
            run.different.insert(key);
            run.count += 1;
        }
        run.pasted |= run.different.len() >= DIFFERENT || (run.count >= MANY && run.different.len() >= 4);
    }

    /// When [`Self::next`] has something to say again.
    pub(crate) fn due(&self) -> Option<Duration> {
        self.runs.front().map(|run| run.last + GAP + Duration::from_millis(1))
    }

    /// The next key, or how many were dropped; `None` while it is not known yet what the next one is.
    pub(crate) fn next(&mut self, now: Duration, taker: Taker) -> Option<Out> {
        loop {
            let more = self.runs.len() > 1;
            let run = self.runs.front_mut()?;
            let over = more || now > run.last + GAP;
            let Some(key) = run.keys.front().copied() else {
                if !over {
                    return None;
                }
                if run.pasted {
                    self.after = Some(run.last + AFTER);
                }
                let dropped = run.dropped;
                self.runs.pop_front();
                if dropped > 0 {
                    return Some(Out::Dropped(dropped));
                }
                continue;
            };
            let char = matches!(key, Key { code: Code::Char(_), ctrl: false, alt: false });
            if taker == Taker::Commands {
                if run.pasted {
                    run.dropped += run.keys.len();
                    run.keys.clear();
                    continue;
                }
                // What may be the first of many waits for them.
                if char && !over {
                    return None;
                }
            } else if taker == Taker::Message && run.pasted && key == Key::plain(Code::Enter) {
                // The last one of a paste sends the message, the others are its lines.
                if run.keys.len() > 1 {
                    run.keys.pop_front();
                    return Some(Out::Key(Key { alt: true, ..key }));
                }
                if !over {
                    return None;
                }
            }
            run.keys.pop_front();
            return Some(Out::Key(key));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    /// What comes out of keys, each so many milliseconds after the one before; `taker` and `opens` as the dashboard says.
    fn out(keys: &[(u64, Key)], mut taker: impl FnMut(&[Out]) -> Taker, opens: impl Fn(Key) -> bool) -> Vec<Out> {
        let (mut burst, mut out, mut now) = (Burst::default(), Vec::new(), 1000);
        let at = Duration::from_millis;
        for (pause, key) in keys {
            // As the loop does: what is due comes out before the next one comes in.
            now += pause;
            if burst.due().is_some_and(|due| due <= at(now)) {
                while let Some(one) = burst.next(at(now), taker(&out)) {
                    out.push(one);
                }
            }
            burst.push(at(now), *key, opens(*key));
            while let Some(one) = burst.next(at(now), taker(&out)) {
                out.push(one);
            }
        }
        while let Some(one) = burst.next(at(now + 500), taker(&out)) {
            out.push(one);
        }
        assert_eq!(burst.due(), None, "nothing stays behind");
        out
    }

    fn commands(_: &[Out]) -> Taker {
        Taker::Commands
    }

    fn pasted(text: &str) -> Vec<(u64, Key)> {
        let key = |c| if c == '\n' { Key::plain(Code::Enter) } else { Key::char(c) };
        text.chars().map(|c| (0, key(c))).collect()
    }

    #[test]
    fn a_paste_is_dropped_and_counted_and_keys_are_not() {
        for text in ["yes please\n", "only 1", "rm -rf build\n", "y1\nn\ny2\nmake it so", "aabbaabbccddaabb"] {
            let keys = pasted(text);
            assert_eq!(out(&keys, commands, |_| false), [Out::Dropped(keys.len())], "{text}");
        }
        for text in ["jjjjjjjjjjjjjjjjjjjjjjjj", "jjkkjjkkjjkkjjkkjjkk", "s+jptt", "y1", "gg"] {
            let keys = pasted(text);
            assert_eq!(out(&keys, commands, |_| false).len(), keys.len(), "{text}");
        }
    }

    #[test]
    fn a_long_paste_in_pieces_is_dropped_whole() {
        let mut keys = pasted("please fix it");
        keys.extend(pasted("now").into_iter().enumerate().map(|(i, (_, key))| (if i == 0 { 90 } else { 0 }, key)));
        assert_eq!(out(&keys, commands, |_| false), [Out::Dropped(13), Out::Dropped(3)]);
        keys.push((210, Key::char('q')));
        assert_eq!(out(&keys, commands, |_| false).last(), Some(&Out::Key(Key::char('q'))));
    }

    #[test]
    fn a_line_takes_what_is_typed_at_once_and_no_more_than_the_line() {
        let slash = |key: Key| key == Key::char('/');
        let taker = |out: &[Out]| match out.last() {
            Some(Out::Key(key)) if *key != Key::plain(Code::Enter) => Taker::Line,
            _ => Taker::Commands,
        };
        assert_eq!(out(&pasted("/codex\n"), taker, slash).len(), 7);
        let keys = pasted("/codex\nyes please");
        let got = out(&keys, taker, slash);
        assert_eq!(got.iter().filter(|out| matches!(out, Out::Key(_))).count(), 0, "{got:?}");
    }

    #[test]
    fn a_message_keeps_the_lines_of_a_paste_and_is_sent_by_its_end() {
        let mut sent = false;
        let got = out(
            &pasted("first line\nsecond\n"),
            |out| {
                sent |= out.last() == Some(&Out::Key(Key::plain(Code::Enter)));
                if sent { Taker::Commands } else { Taker::Message }
            },
            |_| false,
        );
        let alt = Out::Key(Key { alt: true, ..Key::plain(Code::Enter) });
        assert_eq!(got.iter().filter(|out| **out == alt).count(), 1);
        assert_eq!(got.last(), Some(&Out::Key(Key::plain(Code::Enter))));
        assert_eq!(
            out(&pasted("hi\n"), |_| Taker::Message, |_| false).last(),
            Some(&Out::Key(Key::plain(Code::Enter)))
        );
    }

    fn any_key() -> impl Strategy<Value = Key> {
        prop_oneof![
            6 => (33..127u8).prop_map(|c| Key::char(char::from(c))),
            1 => Just(Key::plain(Code::Enter)),
            1 => Just(Key::plain(Code::Down)),
            1 => Just(Key::ctrl('c')),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// Fingers, however quick, lose no key and keep their order.
        #[test]
        fn fingers_lose_nothing(keys in vec((11..90u64, any_key()), 1..40)) {
            let got = out(&keys, commands, |_| false);
            prop_assert_eq!(got, keys.iter().map(|(_, key)| Out::Key(*key)).collect::<Vec<_>>());
        }

        /// A key that repeats, however fast, is one key.
        #[test]
        fn repeats_lose_nothing(key in any_key(), pauses in vec(0..40u64, 1..200)) {
            let keys: Vec<_> = pauses.into_iter().map(|pause| (pause, key)).collect();
            prop_assert_eq!(out(&keys, commands, |_| false).len(), keys.len());
        }

        /// Nothing is lost without a word, whatever comes when and whoever takes it; and no command comes of a paste.
        #[test]
        fn what_is_dropped_is_counted(keys in vec((0..20u64, any_key()), 1..80), line in any::<bool>()) {
            let taker = |_: &[Out]| if line { Taker::Message } else { Taker::Commands };
            let got = out(&keys, taker, |_| false);
            let count = |out: &Out| match out { Out::Key(_) => 1, Out::Dropped(n) => *n };
            prop_assert_eq!(got.iter().map(count).sum::<usize>(), keys.len());
            prop_assert!(!line || !got.iter().any(|out| matches!(out, Out::Dropped(_))));
        }

        #[test]
        fn no_command_comes_of_a_paste(text in "[a-z0-9 ,.]{8,200}") {
            let different: BTreeSet<char> = text.chars().collect();
            prop_assume!(different.len() >= DIFFERENT);
            let keys = pasted(&text);
            prop_assert_eq!(out(&keys, commands, |_| false), [Out::Dropped(keys.len())]);
        }
    }
}
