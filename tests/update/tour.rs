//! The tour: it goes on with the key that its box asks for, and ends at once.

use tmux_orc::app::core::message::Mouse;
use tmux_orc::app::core::state::Mode;
use tmux_orc::app::core::tour::{STEPS, step};

use super::{sample::stage::Stage, stage};

#[test]
fn the_tour_goes_on_with_what_was_asked_for_and_ends_at_once() {
    let mut s = stage();
    s.state.tour = Some(0);
    let shown = |s: &Stage| s.text().lines().find_map(|line| Some(line.split_once(" of 6  ")?.1[..8].to_owned()));
    // Each key that is asked for is the one that its box shows, and nothing else goes on.
    s.keys("p p z z");
    assert_eq!(s.state.tour, Some(0));
    for (at, keys) in ["j", "n", "y", "/", "s", "?"].into_iter().enumerate() {
        assert_eq!(s.state.tour, Some(at));
        assert_eq!(step(&s.state).map(|(_, step)| step.key(&s.state.keymap)).as_deref(), Some(keys));
        assert_eq!(shown(&s).as_deref(), Some(&STEPS[at].title[..8]), "{}", s.text());
        s.keys(keys);
        if matches!(s.state.mode, Mode::Answer { .. } | Mode::Filter(_)) {
            assert_eq!(shown(&s), None, "what is open is not covered");
            s.keys("esc");
        }
    }
    assert!(s.state.tour.is_none() && matches!(s.state.mode, Mode::Help { .. }));
    assert!(s.state.toasts.iter().any(|toast| toast.text.starts_with("The tour is over")));
    for at in 0..STEPS.len() {
        let mut s = stage();
        s.state.tour = Some(at);
        s.keys("esc");
        assert_eq!((s.state.tour, shown(&s)), (None, None));
    }
    // A click on the box is another way on.
    let mut s = stage();
    s.state.tour = Some(0);
    let at = |s: &Stage| {
        let text = s.text();
        let (y, line) = text.lines().enumerate().find(|(_, line)| line.contains(" of 6  ")).expect("the box");
        (
            u16::try_from(line[..line.find(" of 6  ").expect("its title")].chars().count()).expect("a column"),
            u16::try_from(y).expect("a row"),
        )
    };
    for left in (0..STEPS.len()).rev() {
        let (x, y) = at(&s);
        s.mouse(Mouse::Click, x, y);
        assert_eq!(s.state.tour, (left > 0).then(|| STEPS.len() - left));
    }
}
