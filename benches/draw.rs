//! What a frame costs: 200x55 with 100 agents. The bar is 1 ms; with 10 000 it is 2 ms, and 10 ms for a letter in the filter.

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::{hint::black_box, sync::Arc};

use criterion::{Criterion, criterion_group, criterion_main};
use sample::stage::{Stage, Writes};
use tmux_orc::monitor::Snapshot;
use tmux_orc::ui::Screen;
use tmux_orc::ui::colour::Depth;
use tmux_orc::ui::theme::Theme;

fn draw(c: &mut Criterion) {
    let themes = Theme::all(None, Depth::True).unwrap();
    let mut snapshot = sample::snapshot(sample::many(100));
    snapshot.preview = Some(Arc::new(tmux_orc::monitor::Preview {
        pane_id: sample::many(2)[1].pane_id,
        text: sample::preview().text.repeat(3),
        captured_at: sample::now(),
        above: 0,
    }));
    let mut stage = Stage::new(snapshot, 200, 55);
    let mut screen = Screen::new(Writes::default(), 200, 55);
    screen.draw(&stage.state, &themes[0]).unwrap();

    c.bench_function("draw 200x55, 100 agents, nothing differs", |b| {
        b.iter(|| black_box(screen.draw(&stage.state, &themes[0]).unwrap()));
    });
    // What requests cost: the same where nobody says what is asked, and where four ask at length.
    let silent = |mut agents: Vec<tmux_orc::monitor::Agent>| {
        agents.iter_mut().for_each(|agent| agent.asks = None);
        agents
    };
    let four = silent(sample::many(88)).into_iter().filter(|agent| !agent.state.needs_user());
    for (name, agents) in [
        ("nobody says what is asked", silent(sample::many(100))),
        ("four ask at length", sample::asking().into_iter().chain(four).collect()),
    ] {
        let other = Stage::new(sample::snapshot(agents), 200, 55);
        screen.draw(&other.state, &themes[0]).unwrap();
        c.bench_function(&format!("draw 200x55, 100 agents, {name}"), |b| {
            b.iter(|| black_box(screen.draw(&other.state, &themes[0]).unwrap()));
        });
    }
    let mut down = false;
    c.bench_function("draw 200x55, 100 agents, the cursor moved", |b| {
        b.iter(|| {
            down = !down;
            stage.keys(if down { "j" } else { "k" });
            black_box(screen.draw(&stage.state, &themes[0]).unwrap())
        });
    });
    let mut shows = stage.state.snapshot().preview.as_deref().cloned().unwrap();
    c.bench_function("draw 200x55, 100 agents, another preview", |b| {
        b.iter(|| {
            shows.text.push(' ');
            if shows.text.len() > 8000 {
                shows.text = sample::preview().text.repeat(3);
            }
            let mut next = Snapshot::clone(stage.state.snapshot());
            next.preview = Some(Arc::new(shows.clone()));
            stage.show(Arc::new(next));
            black_box(screen.draw(&stage.state, &themes[0]).unwrap())
        });
    });

    // The wall: twelve screens of 120x40 in colours, all others at each frame, which is more than the two times a second that
    // they are read.
    let agents = sample::many(12);
    let busy = |n: usize| {
        let row = |at: usize| {
            let words = "word ".repeat(18);
            format!("\x1b[3{}m● {at}\x1b[0m {words} \x1b[38;2;120;{n};9m{n}\x1b[0m\n", at % 8)
        };
        let text: String = (0..40).map(row).collect();
        let shown = |agent: &tmux_orc::monitor::Agent| {
            Arc::new(tmux_orc::monitor::Preview { text: text.clone(), ..sample::screen(agent) })
        };
        Arc::new(Snapshot { previews: agents.iter().map(shown).collect(), ..sample::on_the_wall(agents.clone()) })
    };
    let frames = [busy(1), busy(2)];
    let mut wall = Stage::new(Snapshot::clone(&frames[0]), 200, 55);
    wall.keys("w");
    screen.draw(&wall.state, &themes[0]).unwrap();
    c.bench_function("draw 200x55, a wall of 12, nothing differs", |b| {
        b.iter(|| black_box(screen.draw(&wall.state, &themes[0]).unwrap()));
    });
    let mut n = 0;
    c.bench_function("draw 200x55, a wall of 12, all of them differ", |b| {
        b.iter(|| {
            n += 1;
            wall.show(Arc::clone(&frames[n % 2]));
            black_box(screen.draw(&wall.state, &themes[0]).unwrap())
        });
    });

    // Only rows in view are laid out: a hundred times as many agents cost the columns' widths, and no more.
    let mut very_many = Stage::new(sample::snapshot(sample::many(10_000)), 200, 55);
    screen.draw(&very_many.state, &themes[0]).unwrap();
    c.bench_function("draw 200x55, 10 000 agents, nothing differs", |b| {
        b.iter(|| black_box(screen.draw(&very_many.state, &themes[0]).unwrap()));
    });
    let mut down = false;
    c.bench_function("draw 200x55, 10 000 agents, the cursor moved", |b| {
        b.iter(|| {
            down = !down;
            very_many.keys(if down { "j" } else { "k" });
            black_box(screen.draw(&very_many.state, &themes[0]).unwrap())
        });
    });
    // A letter more, a letter less: each looks for the agents that fit among all of them.
    very_many.keys("/");
    very_many.types("api");
    let mut more = false;
    c.bench_function("filter 10 000 agents by a letter more or less, and draw", |b| {
        b.iter(|| {
            more = !more;
            very_many.keys(if more { "e" } else { "backspace" });
            black_box(screen.draw(&very_many.state, &themes[0]).unwrap())
        });
    });
    very_many.keys("esc");
    c.bench_function("update with a snapshot of 10 000 agents that looks the same", |b| {
        let next = Arc::new(Snapshot::clone(very_many.state.snapshot()));
        b.iter(|| black_box(very_many.show(next.clone())));
    });

    let plain = Stage::new(sample::snapshot(sample::many(100)), 200, 55);
    c.bench_function("update with a snapshot of 100 agents that looks the same", |b| {
        let mut stage = Stage::new(sample::snapshot(sample::many(100)), 200, 55);
        let next = Arc::new(Snapshot::clone(plain.state.snapshot()));
        b.iter(|| black_box(stage.show(next.clone())));
    });
}

criterion_group!(benches, draw);
criterion_main!(benches);
