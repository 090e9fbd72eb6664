//! Which engine a front end follows, in a word, and what to say of a switch from one to another.

use std::time::Duration;

/// For how long a switch is worth telling.
pub const TELL_SWITCH_FOR: Duration = Duration::from_secs(10);

/// Which engine is followed now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// One inside this process.
    #[default]
    Embedded,
    /// One in the background, with this process id.
    Attached(u32),
    /// The one in the background, which had this process id, is gone, and the one inside has nothing to show yet. What
    /// is shown is the last that was known.
    Lost(u32),
}

impl Link {
    /// The switch that led here from another engine, in words; `None` when it is none, or not over yet.
    #[must_use]
    pub fn switched_from(self, before: Self) -> Option<String> {
        match (before, self) {
            (Self::Attached(before), Self::Attached(pid)) if before == pid => None,
            (_, Self::Attached(pid)) => Some(format!("attached to the engine {pid} in the background")),
            (Self::Attached(pid) | Self::Lost(pid), Self::Embedded) => {
                Some(format!("the engine {pid} in the background is gone: watching from inside"))
            }
            (_, Self::Lost(_)) | (Self::Embedded, Self::Embedded) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_told_once_it_is_over() {
        let (inside, nine, lost, four) = (Link::Embedded, Link::Attached(9), Link::Lost(9), Link::Attached(4));
        assert_eq!(inside.switched_from(inside), None);
        assert_eq!(nine.switched_from(nine), None);
        assert_eq!(lost.switched_from(nine), None);
        let attached = Some("attached to the engine 9 in the background".to_owned());
        assert_eq!((nine.switched_from(inside), nine.switched_from(four)), (attached.clone(), attached));
        let gone = Some("the engine 9 in the background is gone: watching from inside".to_owned());
        assert_eq!((inside.switched_from(lost), inside.switched_from(nine)), (gone.clone(), gone));
    }
}
