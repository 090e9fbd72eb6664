//! What the measures cost: the text of a server with 100 agents, and the sums of a day's journal. The bar of the text is 1 ms.

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tmux_orc::app::metrics::{Detail, Measured, Totals, Words, text};

fn metrics(c: &mut Criterion) {
    let snapshot = sample::snapshot(sample::many(100));
    let totals = Totals::default();
    let words = Words::load(None);
    let server = [Measured { totals: &totals, snapshot: &snapshot, dropped: None }];
    for (name, detail) in [("totals", Detail::Totals), ("agents", Detail::Agents)] {
        c.bench_function(&format!("text, 100 agents, {name}"), |b| {
            b.iter(|| black_box(text(black_box(&server), detail, &words)));
        });
    }
}

criterion_group!(benches, metrics);
criterion_main!(benches);
