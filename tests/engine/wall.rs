//! The screens that a client shows side by side: in their colours, of now, and read for nobody once they are closed.

use tmux_orc::monitor::{Command, Tiles};

use super::{Snapshot, TmuxServer, Watching, agent, claude_window, quick, switch};

/// The text of a pane's screen with its colours, if it is there.
fn shown(snapshot: &Snapshot, pane: &str) -> Option<String> {
    let shown = snapshot.previews.iter().find(|shown| shown.pane_id.to_string() == pane)?;
    Some(shown.text.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_have_their_panes_colours_and_follow_them_and_their_end_ends_the_reads() {
    let server = TmuxServer::start();
    let panes = ["one", "two", "three"].map(|name| claude_window(&server, name, "idle"));
    let mut watching = Watching::new(&server, quick());
    let seen = watching.until("all", |s| panes.iter().all(|pane| agent(s, pane).is_some())).await;
    assert!(seen.previews.is_empty(), "nobody shows any");
    assert!(seen.engine.tiles > 0);
    let id = |pane: &str| agent(&seen, pane).unwrap().pane_id;
    // Another client looks on: what it shows is its own.
    let other = watching.handle.another(true).expect("it runs");
    watching.send(Command::Tiles(Tiles::new([id(&panes[0]), id(&panes[1])], 12))).await;
    other.commands.send(Command::Tiles(Tiles::new([id(&panes[1])], 12))).await.unwrap();
    let both = |s: &Snapshot| shown(s, &panes[0]).is_some() && shown(s, &panes[1]).is_some();
    let first = watching.until("both screens", both).await;
    assert!(shown(&first, &panes[2]).is_none(), "it is out of view");
    assert!(first.preview.is_none(), "none is in focus");

    // The pane changes, and so does its tile.
    switch(&server, &panes[0], "permission");
    let asks = |s: &Snapshot| shown(s, &panes[0]).is_some_and(|text| text.contains("Do you want to proceed?"));
    watching.until("the request", asks).await;
    server.run(&["send-keys", "-t", &panes[1], "-l", "--", &coloured(&server)]);
    server.keys(&panes[1], &["Enter"]);
    let red = |s: &Snapshot| shown(s, &panes[1]).is_some_and(|text| text.contains("\x1b[31mred"));
    watching.until("the colour", red).await;

    // One closes its wall: the other still has its own tile, and no other is kept.
    watching.send(Command::Tiles(Tiles::default())).await;
    watching.until("one screen", |s| s.previews.len() == 1 && shown(s, &panes[1]).is_some()).await;
    drop(other);
    let closed = watching.until("none", |s| s.previews.is_empty()).await;
    // All is quiet: nothing is read for its colours any more, and tmux is asked for no screen.
    let at = closed.base_status.cycle_count;
    let rests = |s: &Snapshot| s.base_status.cycle_count > at && s.cycle.last.as_ref().is_some_and(|l| l.checked == 0);
    let later = watching.until("a cycle that reads nothing", rests).await;
    assert!(later.previews.is_empty());
    watching.end().await;
}

/// A screen in colours, as the fake program shows it.
fn coloured(server: &TmuxServer) -> String {
    let path = server.home().join("coloured");
    std::fs::write(&path, "\x1b[31mred\x1b[0m and plain\n").expect("a file");
    path.display().to_string()
}
